import { certaintyOf, type Claim, claimLevel, judge } from '../fingerprints/judge.ts';
import type { Matcher } from '../fingerprints/match.ts';
import type { EndpointFacts } from '../observations/observation.ts';
import { endpointText } from '../sweep/contract.ts';
import { parseAddress } from '../targets/addresses.ts';
import { CLASSES, type Identifier, levelOf, LEVELS, type Posture, QUIET_CLASSES, type Transport } from '../vocabulary.ts';
import { type Alternative, attachedIn, type Attachment, type DeviceEndpoint, type DeviceEvidence, type Unkeyed } from './device.ts';
import { factIdentifiers, ownMac, sortIdentifiers, usableSerial } from './identity.ts';
import { factPosture, sortPosture } from './posture.ts';

/** From so many unrelated products on one endpoint, or on one address, nothing is believed. */
const CONFLICT_AT_ENDPOINT = 3;
const CONFLICT_AT_HOST = 5;
const MAX_EVIDENCE = 24;

/**
 * The devices at one address: nearly always one, none where nothing claims anything, more where endpoints of one address contradict each other
 * (port forwarding, NAT). What is attached to a computer is none that answers at its address.
 */
export function devicesAt(host: string, endpoints: readonly EndpointFacts[], matcher: Matcher, now: Date): Unkeyed[] {
  if (!endpoints.some(isPart)) return devicesOf(host, endpoints, matcher, now);
  const { attached = [], own = [] } = Object.groupBy(endpoints, (endpoint) => (isPart(endpoint) ? 'attached' : 'own'));
  return [own, attached].flatMap((some) => (some.length === 0 ? [] : devicesOf(host, some, matcher, now)));
}

function isPart({ part }: PartPlace): boolean {
  return part !== undefined;
}

/** Of endpoints that are all of the host itself, or all of what is attached to it. */
function devicesOf(host: string, endpoints: readonly EndpointFacts[], matcher: Matcher, now: Date): Unkeyed[] {
  const hits = endpoints.flatMap((endpoint) => matcher.match(endpoint));
  // So it is at most addresses of most networks.
  if (hits.length === 0) return [];
  const whole: HostView = { host, endpoints, claims: judge(hits), now };
  const notable = whole.claims.filter((claim) => claimLevel(claim) !== undefined);
  const [best] = notable;
  if (best === undefined) return [];
  const products = notable.filter(({ generic }) => !generic);
  const sure = products.filter((claim) => certaintyOf(claim) >= LEVELS.likely);
  if (isConflicting(sure)) return [conflicting(whole, best, notable)];
  const generic = surestGeneric(notable);
  const winner = products.find((claim) => !isOutdone(claim, generic) && !isOnlyTheBase(claim, sure));
  if (winner === undefined) return [deviceOf(whole, generic ?? best, notable)];
  /** What some of the endpoints say by themselves: a version or number of one device must not become that of its neighbour. */
  const part = (own: readonly EndpointFacts[]): HostView => {
    const keys = new Set(own.map(keyOf));
    return { ...whole, endpoints: own, claims: judge(hits.filter(({ endpoint }) => keys.has(keyOf(endpoint)))) };
  };
  const parts = separate(winner, sure).map((claim) => {
    const keys = new Set(claim.endpoints.filter(hasPlace).map(keyOf));
    return { claim, view: part(endpoints.filter((endpoint) => keys.has(keyOf(endpoint)))) };
  });
  const others = parts.flatMap(({ claim, view }) => {
    const own = view.claims.find(({ fingerprint }) => fingerprint === claim.fingerprint);
    // What was likely only because of the MAC, which belongs to the address, is no device of its own.
    return own === undefined || certaintyOf(own) < LEVELS.likely ? [] : [{ claim: own, view }];
  });
  if (others.length === 0) return [deviceOf(whole, winner, notable)];
  const taken = new Set(others.flatMap(({ view }) => view.endpoints.map(keyOf)));
  const rest = part(endpoints.filter((endpoint) => !taken.has(keyOf(endpoint))));
  const own = rest.claims.find(({ fingerprint }) => fingerprint === winner.fingerprint) ?? winner;
  return [
    deviceOf(
      rest,
      own,
      rest.claims.filter((claim) => claimLevel(claim) !== undefined),
    ),
    ...others.map(({ claim, view }) => deviceOf(view, claim, [])),
  ];
}

/** What is known of a host, or of those of its endpoints that are one device. */
interface HostView {
  readonly host: string;
  readonly endpoints: readonly EndpointFacts[];
  readonly claims: readonly Claim[];
  readonly now: Date;
}

interface PartPlace {
  readonly transport?: Transport;
  readonly port?: number;
  readonly part?: string;
}

function keyOf({ transport, port, part }: PartPlace): string {
  return `${port}/${transport}/${part}`;
}

/** Without a port or a part, facts belong to the address itself (its MAC), so to all that stands behind it. */
function hasPlace({ port, part }: PartPlace): boolean {
  return port !== undefined || part !== undefined;
}

function unrelated(a: Claim, b: Claim): boolean {
  if (a.fingerprint === b.fingerprint) return false;
  if (a.vendor === b.vendor && a.product === b.product) return false;
  return a.base === undefined || (a.base !== b.base && a.base !== b.fingerprint && b.base !== a.fingerprint);
}

/** How many makers these claims name that have nothing to do with each other: whoever sells one firmware under another name counts once. */
function strangersOf(claims: readonly Claim[]): number {
  const strangers: Claim[] = [];
  for (const claim of claims)
    if (strangers.every((other) => other.vendor !== claim.vendor && unrelated(other, claim))) strangers.push(claim);
  return strangers.length;
}

function isConflicting(sure: readonly Claim[]): boolean {
  if (strangersOf(sure) >= CONFLICT_AT_HOST) return true;
  const keys = new Set(sure.flatMap(({ endpoints }) => endpoints.filter(hasPlace).map(keyOf)));
  return [...keys].some(
    (key) => strangersOf(sure.filter(({ endpoints }) => endpoints.some((endpoint) => keyOf(endpoint) === key))) >= CONFLICT_AT_ENDPOINT,
  );
}

/** Firmware that others sell under their names yields to the name on the box. */
function isOnlyTheBase({ fingerprint }: Claim, sure: readonly Claim[]): boolean {
  return sure.some((other) => other.base === fingerprint && other.fingerprint !== fingerprint);
}

/** A page of no interest must not hide the remote access that another port of the address surely gives. */
function isOutdone(claim: Claim, generic: Claim | undefined): boolean {
  if (generic === undefined || !QUIET_CLASSES.has(claim.class) || QUIET_CLASSES.has(generic.class)) return false;
  if (certaintyOf(generic) > certaintyOf(claim)) return true;
  return certaintyOf(generic) >= LEVELS.likely && !meet(claim, generic);
}

/** Whether two claims rest on a common port, or part. */
function meet(a: Claim, b: Claim): boolean {
  const keys = new Set(a.endpoints.filter(hasPlace).map(keyOf));
  return b.endpoints.some((endpoint) => keys.has(keyOf(endpoint)));
}

/** Products that are likely on endpoints of their own, apart from the winner's and from each other's. */
function separate(winner: Claim, sure: readonly Claim[]): Claim[] {
  const others: Claim[] = [];
  for (const claim of sure) {
    if (claim === winner || !unrelated(winner, claim) || [winner, ...others].some((other) => meet(other, claim))) continue;
    if (others.some((other) => !unrelated(other, claim))) continue;
    others.push(claim);
  }
  return others;
}

function surestGeneric(claims: readonly Claim[]): Claim | undefined {
  return claims
    .filter(({ generic }) => generic)
    .toSorted((a, b) => certaintyOf(b) - certaintyOf(a) || CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class))[0];
}

/** Marks of many unrelated products: nothing that one of them says of itself is kept. */
function conflicting(view: HostView, best: Claim, notable: readonly Claim[]): Unkeyed {
  const device = deviceOf(view, best, notable);
  const { class: kind, addresses, endpoints, evidence, posture, firstSeen, lastSeen } = device;
  return {
    class: kind,
    certainty: LEVELS.possible,
    level: 'possible',
    addresses,
    ...attachedIn(device),
    identifiers: identifiersOf(view.host, view.endpoints, []),
    endpoints,
    evidence,
    alternatives: notable.map(alternativeOf),
    posture: sortPosture([...posture, 'conflicting-identity']),
    ...(firstSeen === undefined ? {} : { firstSeen }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
  };
}

function alternativeOf(claim: Claim): Alternative {
  const { fingerprint, vendor, product, class: kind } = claim;
  return {
    fingerprint,
    ...(vendor === undefined ? {} : { vendor }),
    ...(product === undefined ? {} : { product }),
    class: kind,
    certainty: certaintyOf(claim),
  };
}

function deviceOf({ host, endpoints: all, claims, now }: HostView, claim: Claim, notable: readonly Claim[]): Unkeyed {
  const isAttached = all.some(isPart);
  const keys = new Set(claim.endpoints.map(keyOf));
  // Of a computer's list only what the claim rests on: the mouse beside a KVM says nothing of it.
  const endpoints = isAttached ? all.filter((endpoint) => keys.has(keyOf(endpoint))) : all;
  const certainty = certaintyOf(claim);
  // A definition that names no product may still be joined by what names the maker (a certificate, a MAC).
  const maker =
    claim.vendor ??
    claims.find((other) => !other.generic && other.class === claim.class && other.certainty.vendor >= LEVELS.likely)?.vendor;
  const support = claims.filter(
    (other) => other !== claim && other.generic && (other.class === claim.class || other.fingerprint === claim.base),
  );
  const value = (name: keyof Claim['values']): string | undefined =>
    claim.values[name] ?? support.find((other) => other.values[name] !== undefined)?.values[name];
  const [generation, model, version, serial, hostname] = [
    claim.values.generation,
    value('model'),
    value('version'),
    usableSerial(value('serial') ?? ''),
    value('hostname'),
  ];
  const times = endpoints.flatMap(({ first, last }) => [utcTime(first), utcTime(last)].filter((time) => time !== undefined)).toSorted();
  const macVendor = endpoints.find(({ facts }) => facts['mac.vendor'] !== undefined)?.facts['mac.vendor'];
  const [firstSeen] = times;
  const lastSeen = times.at(-1);
  return {
    class: claim.class,
    ...(maker === undefined ? {} : { vendor: maker }),
    ...(claim.product === undefined ? {} : { product: claim.product }),
    ...(generation === undefined ? {} : { generation }),
    ...(model === undefined ? {} : { model }),
    ...(version === undefined ? {} : { version }),
    ...(serial === undefined ? {} : { serial }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(typeof macVendor === 'string' && macVendor !== '' ? { macVendor } : {}),
    certainty,
    level: levelOf(certainty) ?? 'possible',
    ...(claim.base === undefined ? {} : { base: claim.base }),
    addresses: isAttached ? [] : [host],
    ...(isAttached ? { attachedTo: [attachmentTo(host, endpoints)] } : {}),
    identifiers: identifiersOf(host, endpoints, [claim, ...support]),
    endpoints: endpoints.flatMap(deviceEndpoint),
    evidence: [claim, ...support].flatMap(evidenceOf).slice(0, MAX_EVIDENCE),
    alternatives: notable.filter((other) => other !== claim && !support.includes(other) && unrelated(claim, other)).map(alternativeOf),
    posture: sortPosture([
      ...endpoints.flatMap(({ facts }) => factPosture(facts, now)),
      ...[claim, ...support].flatMap(({ posture }): readonly Posture[] => posture),
    ]),
    ...(firstSeen === undefined ? {} : { firstSeen }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
  };
}

/** One thing of several parts is there as long as one of them is. */
function attachmentTo(computer: string, parts: readonly EndpointFacts[]): Attachment {
  const present = parts.some((part) => part.present !== false);
  const at = parts
    .filter((part) => (part.present !== false) === present)
    .flatMap(({ last }) => utcTime(last) ?? [])
    .toSorted()
    .at(-1);
  return { computer, present, ...(at === undefined ? {} : { at }) };
}

function identifiersOf(host: string, endpoints: readonly EndpointFacts[], claims: readonly Claim[]): Identifier[] {
  const found: Identifier[] = endpoints.flatMap((endpoint) => factIdentifiers(endpoint.facts, placeOf(endpoint)));
  for (const { fingerprint, values } of claims) {
    const serial = usableSerial(values.serial ?? '');
    if (serial !== undefined) found.push({ kind: 'serial', value: serial, from: `${fingerprint} ${host}` });
    const mac = ownMac(values.mac ?? '');
    if (mac !== undefined) found.push({ kind: 'mac', value: mac, from: `${fingerprint} ${host}` });
    const name = values.hostname?.toLowerCase().replace(/\.$/, '');
    if (name?.includes('.') === true && parseAddress(name) === undefined)
      found.push({ kind: 'fqdn', value: name, from: `${fingerprint} ${host}` });
  }
  // What is attached to a computer has not the computer's name.
  if (!endpoints.some(isPart)) found.push({ kind: parseAddress(host) === undefined ? 'fqdn' : 'ip', value: host, from: 'address' });
  return sortIdentifiers(found);
}

/** Other tools' scans give times in forms of their own; ours are ISO 8601 in UTC, so that they sort as text. */
function utcTime(time: string | undefined): string | undefined {
  const at = time !== undefined && /^\d{4}-\d\d-\d\d/.test(time) ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** `192.0.2.10:443`, `ws-0042 usb 1-4`, or the host where it is of no part of it. */
function placeOf({ host, transport, port, part }: PartPlace & { readonly host: string }): string {
  if (transport === undefined || port === undefined) return part === undefined ? host : `${host} ${part}`;
  return endpointText({ host, transport, port });
}

/** The protocol that an endpoint was found to speak is that of the last of its probes: https over tls. */
const SPEAKS = ['https', 'http', 'tls', 'rfb', 'ipmi', 'snmp', 'redfish', 'ssh', 'telnet', 'ftp', 'listen'];

function deviceEndpoint(endpoint: EndpointFacts): DeviceEndpoint[] {
  const { host, transport, port, outcomes } = endpoint;
  if (transport === undefined || port === undefined) return [];
  return [{ host, port, transport, probe: spokenAt(endpoint) ?? Object.keys(outcomes)[0] ?? 'unknown' }];
}

/** The protocol that an endpoint has spoken, if any. */
export function spokenAt({ probes }: EndpointFacts): string | undefined {
  return probes.length < 2 ? probes[0] : (SPEAKS.find((one) => probes.includes(one)) ?? probes[0]);
}

function evidenceOf({ evidence }: Claim): DeviceEvidence[] {
  return evidence.map(({ endpoint, ...rest }) => ({ ...rest, endpoint: placeOf(endpoint) }));
}

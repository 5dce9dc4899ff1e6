import { certaintyOf, type Claim, claimLevel, judge } from '../fingerprints/judge.ts';
import type { Hit, Matcher } from '../fingerprints/match.ts';
import type { EndpointFacts } from '../observations/observation.ts';
import { endpointText } from '../sweep/contract.ts';
import { canonicalMac } from '../text.ts';
import { parseAddress } from '../targets/addresses.ts';
import { CLASSES, type Identifier, levelOf, LEVELS, type Posture, type Transport } from '../vocabulary.ts';
import type { Alternative, DeviceEndpoint, DeviceEvidence, Unkeyed } from './device.ts';
import { canonicalUid, factIdentifiers, sortIdentifiers } from './identity.ts';
import { factPosture, sortPosture } from './posture.ts';

/** From so many unrelated products on one endpoint, or on one address, nothing is believed. */
const CONFLICT_AT_ENDPOINT = 3;
const CONFLICT_AT_HOST = 5;
const MAX_EVIDENCE = 24;

/**
 * The devices at one address: nearly always one, none where nothing claims anything, more where endpoints of one address contradict each other
 * (port forwarding, NAT).
 */
export function devicesAt(host: string, endpoints: readonly EndpointFacts[], matcher: Matcher, now: Date): Unkeyed[] {
  const hits = endpoints.flatMap((endpoint) => matcher.match(endpoint));
  const claims = judge(hits);
  const notable = claims.filter((claim) => claimLevel(claim) !== undefined);
  const [best] = notable;
  if (best === undefined) return [];
  const products = notable.filter(({ generic }) => !generic);
  const sure = products.filter((claim) => certaintyOf(claim) >= LEVELS.likely);
  const view: HostView = { host, endpoints, claims, now };
  if (isConflicting(sure)) return [conflicting(view, best, notable)];
  const [winner] = products;
  if (winner === undefined) return [deviceOf(view, surestGeneric(notable), notable, endpoints)];
  const others = separate(winner, sure);
  if (others.length === 0) return [deviceOf(view, winner, notable, endpoints)];
  const taken = new Set(others.flatMap((other) => other.endpoints.map(keyOf)));
  return [
    deviceOf(view, winner, notable.filter((claim) => !others.includes(claim)), endpoints.filter((endpoint) => !taken.has(keyOf(endpoint)))),
    ...others.map((other) => {
      const own = new Set(other.endpoints.map(keyOf));
      return deviceOf(view, rejudge(other, hits, own), [], endpoints.filter((endpoint) => own.has(keyOf(endpoint))));
    }),
  ];
}

interface HostView {
  readonly host: string;
  readonly endpoints: readonly EndpointFacts[];
  readonly claims: readonly Claim[];
  readonly now: Date;
}

function keyOf({ transport, port }: { readonly transport?: Transport; readonly port?: number }): string {
  return `${port}/${transport}`;
}

function unrelated(a: Claim, b: Claim): boolean {
  if (a.fingerprint === b.fingerprint) return false;
  if (a.vendor === b.vendor && a.product === b.product) return false;
  return a.base === undefined || (a.base !== b.base && a.base !== b.fingerprint && b.base !== a.fingerprint);
}

function isConflicting(sure: readonly Claim[]): boolean {
  const vendors = (claims: readonly Claim[]): number => new Set(claims.map(({ vendor }) => vendor)).size;
  if (vendors(sure) >= CONFLICT_AT_HOST) return true;
  const keys = new Set(sure.flatMap(({ endpoints }) => endpoints.map(keyOf)));
  return [...keys].some((key) => vendors(sure.filter(({ endpoints }) => endpoints.some((endpoint) => keyOf(endpoint) === key))) >= CONFLICT_AT_ENDPOINT);
}

/** Products that are likely on endpoints of their own, apart from the winner's and from each other's. */
function separate(winner: Claim, sure: readonly Claim[]): Claim[] {
  const taken = new Set(winner.endpoints.map(keyOf));
  const others: Claim[] = [];
  for (const claim of sure) {
    if (claim === winner || !unrelated(winner, claim) || claim.endpoints.some((endpoint) => taken.has(keyOf(endpoint)))) continue;
    if (others.some((other) => !unrelated(other, claim))) continue;
    others.push(claim);
    for (const endpoint of claim.endpoints) taken.add(keyOf(endpoint));
  }
  return others;
}

/** A claim from the hits of its own endpoints only. */
function rejudge(claim: Claim, hits: readonly Hit[], own: ReadonlySet<string>): Claim {
  return judge(hits.filter((hit) => hit.fingerprint.id === claim.fingerprint && own.has(keyOf(hit.endpoint))))[0] ?? claim;
}

function surestGeneric(claims: readonly Claim[]): Claim {
  return [...claims].sort((a, b) => certaintyOf(b) - certaintyOf(a) || CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class))[0] as Claim;
}

function conflicting(view: HostView, best: Claim, notable: readonly Claim[]): Unkeyed {
  const device = deviceOf(view, best, notable, view.endpoints);
  const { vendor: _, product: __, generation: ___, model: ____, version: _____, serial: ______, base: _______, ...rest } = device;
  return {
    ...rest,
    certainty: LEVELS.possible,
    level: 'possible',
    alternatives: notable.map(alternativeOf),
    posture: sortPosture([...device.posture, 'conflicting-identity']),
  };
}

function alternativeOf(claim: Claim): Alternative {
  const { fingerprint, vendor, product, class: kind } = claim;
  return { fingerprint, ...(vendor === undefined ? {} : { vendor }), ...(product === undefined ? {} : { product }), class: kind, certainty: certaintyOf(claim) };
}

function deviceOf({ host, claims, now }: HostView, claim: Claim, notable: readonly Claim[], endpoints: readonly EndpointFacts[]): Unkeyed {
  const certainty = certaintyOf(claim);
  // A definition that names no product may still be joined by what names the maker (a certificate, a MAC).
  const maker = claim.vendor ?? claims.find((other) => !other.generic && other.class === claim.class && other.certainty.vendor >= LEVELS.likely)?.vendor;
  const support = claims.filter((other) => other !== claim && other.generic && (other.class === claim.class || other.fingerprint === claim.base));
  const value = (name: keyof Claim['values']): string | undefined => claim.values[name] ?? support.find((other) => other.values[name] !== undefined)?.values[name];
  const [generation, model, version, serial, hostname] = [claim.values.generation, value('model'), value('version'), value('serial'), value('hostname')];
  const times = endpoints.flatMap(({ first, last }) => [first, last]).filter((time) => time !== undefined).sort();
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
    certainty,
    level: levelOf(certainty) ?? 'possible',
    ...(claim.base === undefined ? {} : { base: claim.base }),
    addresses: [host],
    identifiers: identifiersOf(host, endpoints, [claim, ...support]),
    endpoints: endpoints.flatMap(deviceEndpoint),
    evidence: [claim, ...support].flatMap(evidenceOf).slice(0, MAX_EVIDENCE),
    alternatives: notable.filter((other) => other !== claim && !support.includes(other) && unrelated(claim, other)).map(alternativeOf),
    posture: sortPosture([...endpoints.flatMap(({ facts }) => factPosture(facts, now)), ...[claim, ...support].flatMap(({ posture }): readonly Posture[] => posture)]),
    ...(firstSeen === undefined ? {} : { firstSeen }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
  };
}

function identifiersOf(host: string, endpoints: readonly EndpointFacts[], claims: readonly Claim[]): Identifier[] {
  const found: Identifier[] = endpoints.flatMap((endpoint) => factIdentifiers(endpoint.facts, placeOf(endpoint)));
  for (const { fingerprint, values } of claims) {
    if (values.serial !== undefined) found.push({ kind: 'serial', value: values.serial, from: `${fingerprint} ${host}` });
    const mac = canonicalMac(values.mac ?? '');
    if (mac !== undefined) found.push({ kind: 'mac', value: mac, from: `${fingerprint} ${host}` });
    if (values.hostname?.includes('.') === true && parseAddress(values.hostname) === undefined && canonicalUid(values.hostname) === undefined)
      found.push({ kind: 'fqdn', value: values.hostname.toLowerCase(), from: `${fingerprint} ${host}` });
  }
  found.push({ kind: parseAddress(host) === undefined ? 'fqdn' : 'ip', value: host, from: 'address' });
  return sortIdentifiers(found);
}

function placeOf({ host, transport, port }: EndpointFacts): string {
  return transport === undefined || port === undefined ? host : endpointText({ host, transport, port });
}

/** The protocol that an endpoint was found to speak is that of the last of its probes: https over tls. */
const SPEAKS = ['https', 'http', 'tls', 'rfb', 'ipmi', 'snmp', 'redfish', 'listen'];

function deviceEndpoint({ host, transport, port, probes, outcomes }: EndpointFacts): DeviceEndpoint[] {
  if (transport === undefined || port === undefined) return [];
  const probe = SPEAKS.find((one) => probes.includes(one)) ?? probes[0] ?? Object.keys(outcomes)[0] ?? 'unknown';
  return [{ host, port, transport, probe }];
}

function evidenceOf({ evidence }: Claim): DeviceEvidence[] {
  return evidence.map(({ endpoint: { host, transport, port }, ...rest }) => ({ ...rest, endpoint: transport === undefined || port === undefined ? host : endpointText({ host, transport, port }) }));
}

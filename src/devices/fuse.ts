import { byAddress } from '../observations/read.ts';
import type { Identifier, Posture } from '../vocabulary.ts';
import { type Attachment, firstPlace, type Unkeyed } from './device.ts';
import { canonicalSerial, sortIdentifiers, uidToken, usableSerial } from './identity.ts';
import { sortPosture } from './posture.ts';

/** Identifiers for comparing: `serial`, `mac` tie by themselves; `uid` (GUID or UUID, in any byte order) and `spki` only together. */
export interface Token {
  readonly kind: 'serial' | 'mac' | 'uid' | 'spki';
  readonly value: string;
}

/** One MAC at more addresses than a server has ports is a router's, or proxy ARP: no identity. */
const MAC_ADDRESSES = 4;
/** One serial number, or one pair of GUID and key, at more addresses than this is that of an image somebody copied. */
const TIED_ADDRESSES = 16;

export function tokensOf(identifiers: readonly Identifier[]): Token[] {
  const tokens = identifiers.flatMap(({ kind, value }): Token[] => {
    switch (kind) {
      case 'serial':
        return usableSerial(value) === undefined ? [] : [{ kind, value: canonicalSerial(value) }];
      case 'mac':
      case 'spki':
        return [{ kind, value }];
      case 'guid':
      case 'uuid':
        return [{ kind: 'uid', value: uidToken(value) }];
      case 'fqdn':
      case 'ip':
        return [];
      default:
        return kind satisfies never;
    }
  });
  return [...new Map(tokens.map((token) => [tokenKey(token), token])).values()];
}

export function tokenKey({ kind, value }: Token): string {
  return `${kind} ${value}`;
}

/** MACs that so many devices show that they are a router's: they tell nothing of the device behind. */
export function routerMacs(devices: readonly Pick<Unkeyed, 'identifiers'>[]): Set<string> {
  const holders = new Map<string, number>();
  for (const { identifiers } of devices)
    for (const mac of new Set(identifiers.flatMap(({ kind, value }) => (kind === 'mac' ? [value] : []))))
      holders.set(mac, (holders.get(mac) ?? 0) + 1);
  return new Set([...holders].filter(([, count]) => count > MAC_ADDRESSES).map(([mac]) => mac));
}

/** A device before it is joined with others, with what it is compared by. */
interface View {
  readonly device: Unkeyed;
  /** Its place among all that are joined. */
  readonly order: number;
  readonly tokens: readonly Token[];
  /** By kind of token; GUID and UUID apart, because firmware may give the board's in one place and the system's in the other. */
  readonly values: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Makes one device of several addresses where their identifiers tie them: one serial number of one maker, one MAC of its own, or a GUID/UUID and a key
 * that agree. A GUID, UUID or key alone ties nothing, since cloned images and factory certificates repeat them; then both devices say so.
 * At one computer, what is of one class and may be one product is one. The result does not depend on the order of the devices, but for what undated
 * lists of one computer say of one device: there the later counts.
 */
export function fuse(devices: readonly Unkeyed[]): Unkeyed[] {
  const views = devices.map(viewOf).toSorted((a, b) => byPlace(a.device, b.device));
  const groupOf = new Map<View, View[]>(views.map((view) => [view, [view]]));
  const inOneGroup = (a: View, b: View): boolean => groupOf.get(a) === groupOf.get(b);
  for (const [tie, tied] of tiesOf(views)) {
    if (tied.length > (tie.startsWith('mac ') ? MAC_ADDRESSES : TIED_ADDRESSES)) continue;
    for (const [i, a] of tied.entries())
      for (const b of tied.slice(i + 1)) {
        const [left, right] = [groupOf.get(a) ?? [], groupOf.get(b) ?? []];
        if (left === right || !holds(tie, a, b) || left.some((one) => right.some((other) => contradict(one, other)))) continue;
        left.push(...right);
        for (const view of right) groupOf.set(view, left);
      }
  }
  const holders = holdersOf(views, ({ tokens }) => tokens.map(tokenKey));
  const shared = (view: View): Posture[] => {
    const elsewhere = (...kinds: Token['kind'][]): boolean =>
      view.tokens.some(
        (token) =>
          kinds.includes(token.kind) &&
          // Two makers may well have given the same number.
          (holders.get(tokenKey(token)) ?? []).some(
            (other) => !inOneGroup(view, other) && (token.kind !== 'serial' || !differ(view.device.vendor, other.device.vendor)),
          ),
      );
    return [
      ...(elsewhere('spki') ? (['shared-certificate'] as const) : []),
      ...(elsewhere('uid', 'serial') ? (['shared-identifier'] as const) : []),
    ];
  };
  return [...new Set(groupOf.values())]
    .map((members) =>
      join(
        members
          .toSorted((a, b) => a.order - b.order)
          .map((view) => ({ ...view.device, posture: sortPosture([...view.device.posture, ...shared(view)]) })),
      ),
    )
    .toSorted(byPlace);
}

function viewOf(device: Unkeyed, order: number): View {
  const tokens = tokensOf(device.identifiers);
  const values = new Map<string, Set<string>>();
  const add = (kind: string, value: string): void => {
    const known = values.get(kind);
    if (known === undefined) values.set(kind, new Set([value]));
    else known.add(value);
  };
  for (const { kind, value } of tokens) add(kind, value);
  for (const { kind, value } of device.identifiers) if (kind === 'guid' || kind === 'uuid') add(kind, uidToken(value));
  return { device, order, tokens, values };
}

/** What ties devices, the strongest first, with the devices that have it. */
function tiesOf(views: readonly View[]): [string, View[]][] {
  const holders = holdersOf(views, ({ device, tokens, values }) => [
    ...tokens.filter(({ kind }) => kind === 'serial' || kind === 'mac').map(tokenKey),
    ...[...(values.get('uid') ?? [])].flatMap((uid) => [...(values.get('spki') ?? [])].map((spki) => `uid ${uid} ${spki}`)),
    ...(device.attachedTo ?? []).map(({ computer }) => `computer ${computer} ${device.class}`),
  ]);
  return [...holders].filter(([, tied]) => tied.length > 1).toSorted(([a], [b]) => strengthOf(a) - strengthOf(b) || (a < b ? -1 : 1));
}

function strengthOf(tie: string): number {
  return ['serial', 'mac', 'uid', 'computer'].indexOf(tie.split(' ', 1)[0] ?? '');
}

function holdersOf(views: readonly View[], keysOf: (view: View) => readonly string[]): Map<string, View[]> {
  const holders = new Map<string, View[]>();
  for (const view of views)
    for (const key of new Set(keysOf(view))) {
      const list = holders.get(key);
      if (list === undefined) holders.set(key, [view]);
      else list.push(view);
    }
  return holders;
}

/** Whether a tie holds for two devices. A MAC may be that of a router between, and a GUID with its key may have been copied. */
function holds(tie: string, a: View, b: View): boolean {
  if (tie.startsWith('mac ')) return !disjoint(a, b, 'spki');
  return tie.startsWith('serial ') || !disjoint(a, b, 'mac');
}

/** What no two views of one device show. */
function contradict(a: View, b: View): boolean {
  if (a.device.addresses.some((address) => b.device.addresses.includes(address))) return true; // told apart at one address
  if (differ(a.device.vendor, b.device.vendor) || differ(a.device.product, b.device.product)) return true;
  return disjoint(a, b, 'serial') || disjoint(a, b, 'guid') || disjoint(a, b, 'uuid');
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** Both have one, and none agrees. */
function disjoint(a: View, b: View, kind: string): boolean {
  const [left, right] = [a.values.get(kind), b.values.get(kind)];
  return left !== undefined && right !== undefined && ![...left].some((value) => right.has(value));
}

/** By address, then by the first port: two devices may stand behind one address. */
function byPlace(a: Unkeyed, b: Unkeyed): number {
  return byAddress(firstPlace(a), firstPlace(b)) || (a.endpoints[0]?.port ?? 0) - (b.endpoints[0]?.port ?? 0);
}

const KNOWN = ['vendor', 'product', 'generation', 'model', 'version', 'serial', 'hostname', 'macVendor'] as const;

/** The surest member gives the identity; the others add what it does not know. Of undated lists of a computer that of the later member counts. */
function join(members: readonly Unkeyed[]): Unkeyed {
  const all = members.toSorted((a, b) => b.certainty - a.certainty || byPlace(a, b));
  const [first] = all;
  if (first === undefined) throw new RangeError('a group has members');
  if (all.length === 1) return first;
  const times = all.flatMap(({ firstSeen, lastSeen }) => [firstSeen, lastSeen].filter((time) => time !== undefined)).toSorted();
  const [firstSeen] = times;
  const lastSeen = times.at(-1);
  const attachedTo = attachments(members.flatMap((member) => member.attachedTo ?? []));
  const known = KNOWN.flatMap((name) => {
    const value = all.find((member) => member[name] !== undefined)?.[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...first,
    ...Object.fromEntries(known),
    addresses: [...new Set(all.flatMap(({ addresses }) => addresses))].toSorted(byAddress),
    ...(attachedTo.length === 0 ? {} : { attachedTo }),
    identifiers: sortIdentifiers(all.flatMap(({ identifiers }) => identifiers)),
    endpoints: all
      .flatMap(({ endpoints }) => endpoints)
      .toSorted((a, b) => byAddress(a.host, b.host) || a.port - b.port || (a.transport < b.transport ? -1 : 1)),
    evidence: all.flatMap(({ evidence }) => evidence),
    posture: sortPosture(all.flatMap(({ posture }) => posture)),
    ...(firstSeen === undefined ? {} : { firstSeen }),
    ...(lastSeen === undefined ? {} : { lastSeen }),
  };
}

/** One for each computer: the latest, by its time or else by its order. */
function attachments(all: readonly Attachment[]): Attachment[] {
  const latest = new Map<string, Attachment>();
  for (const one of all) {
    const other = latest.get(one.computer);
    if (other?.at === undefined || one.at === undefined || one.at >= other.at) latest.set(one.computer, one);
  }
  return [...latest.values()].toSorted((a, b) => byAddress(a.computer, b.computer));
}

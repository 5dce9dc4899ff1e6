import { byAddress } from '../observations/read.ts';
import type { Identifier, Posture } from '../vocabulary.ts';
import type { Unkeyed } from './device.ts';
import { canonicalSerial, sortIdentifiers, uidReadings } from './identity.ts';
import { sortPosture } from './posture.ts';

/** Identifiers for comparing: `serial`, `mac` tie by themselves; `uid` (GUID or UUID, in any byte order) and `spki` only together. */
interface Token {
  readonly kind: 'serial' | 'mac' | 'uid' | 'spki';
  readonly value: string;
}

/** One MAC at more addresses than a server has ports is a router's, or proxy ARP: no identity. */
const MAC_ADDRESSES = 4;

export function tokensOf(identifiers: readonly Identifier[]): Token[] {
  return identifiers.flatMap(({ kind, value }): Token[] => {
    switch (kind) {
      case 'serial':
        return [{ kind, value: canonicalSerial(value) }];
      case 'mac':
      case 'spki':
        return [{ kind, value }];
      case 'guid':
      case 'uuid':
        // The least of the readings stands for all three.
        return [{ kind: 'uid', value: uidReadings(value).sort()[0] as string }];
      default:
        return [];
    }
  });
}

/**
 * Makes one device of several addresses where their identifiers tie them: one serial number of one maker, one MAC of its own, or a GUID/UUID and a key
 * that agree. A GUID, UUID or key alone ties nothing, since cloned images and factory certificates repeat them; then both devices say so.
 */
export function fuse(devices: readonly Unkeyed[]): Unkeyed[] {
  const parent = devices.map((_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
    return at;
  };
  const tokens = devices.map(({ identifiers }) => tokensOf(identifiers));
  const holders = new Map<string, number[]>();
  for (const [i, own] of tokens.entries())
    for (const { kind, value } of own) {
      const key = `${kind} ${value}`;
      const list = holders.get(key);
      if (list === undefined) holders.set(key, [i]);
      else if (list.at(-1) !== i) list.push(i);
    }
  const routerMacs = new Set([...holders].filter(([key, list]) => key.startsWith('mac ') && list.length > MAC_ADDRESSES).map(([key]) => key));
  for (const [key, list] of holders) {
    if (list.length < 2 || routerMacs.has(key)) continue;
    const first = list[0] as number;
    for (const other of list.slice(1)) if (root(first) !== root(other) && agree(devices[first] as Unkeyed, devices[other] as Unkeyed, tokens[first] as Token[], tokens[other] as Token[])) parent[root(other)] = root(first);
  }
  const groups = new Map<number, number[]>();
  for (const i of devices.keys()) {
    const list = groups.get(root(i));
    if (list === undefined) groups.set(root(i), [i]);
    else list.push(i);
  }
  const shared = (i: number): Posture[] => {
    const elsewhere = (kind: Token['kind']): boolean =>
      (tokens[i] as Token[]).some((token) => token.kind === kind && (holders.get(`${kind} ${token.value}`) ?? []).some((other) => root(other) !== root(i)));
    return [...(elsewhere('spki') ? (['shared-certificate'] as const) : []), ...(elsewhere('uid') || elsewhere('serial') ? (['shared-identifier'] as const) : [])];
  };
  return [...groups.values()].map((members) => join(members.map((i) => ({ ...(devices[i] as Unkeyed), posture: sortPosture([...(devices[i] as Unkeyed).posture, ...shared(i)]) })))).sort(byFirstAddress);
}

function agree(a: Unkeyed, b: Unkeyed, ours: readonly Token[], theirs: readonly Token[]): boolean {
  if (a.addresses.some((address) => b.addresses.includes(address))) return false; // told apart at one address
  if (a.vendor !== undefined && b.vendor !== undefined && a.vendor !== b.vendor) return false;
  if (a.product !== undefined && b.product !== undefined && a.product !== b.product) return false;
  if (contradict(ours, theirs, 'serial')) return false;
  const kinds = new Set(ours.filter((token) => theirs.some((other) => other.kind === token.kind && other.value === token.value)).map(({ kind }) => kind));
  if (kinds.has('serial') || kinds.has('mac')) return true;
  return kinds.size >= 2 && !contradict(ours, theirs, 'mac');
}

/** Both have one, and none agrees. */
function contradict(ours: readonly Token[], theirs: readonly Token[], kind: Token['kind']): boolean {
  const [left, right] = [ours, theirs].map((tokens) => tokens.filter((token) => token.kind === kind).map(({ value }) => value));
  return left !== undefined && right !== undefined && left.length > 0 && right.length > 0 && !left.some((value) => right.includes(value));
}

function byFirstAddress(a: Unkeyed, b: Unkeyed): number {
  return byAddress(a.addresses[0] ?? '', b.addresses[0] ?? '');
}

/** The surest member gives the identity; the others add what it does not know. */
function join(members: readonly Unkeyed[]): Unkeyed {
  const [first, ...rest] = [...members].sort((a, b) => b.certainty - a.certainty) as [Unkeyed, ...Unkeyed[]];
  if (rest.length === 0) return first;
  const all = [first, ...rest];
  const times = all.flatMap(({ firstSeen, lastSeen }) => [firstSeen, lastSeen]).filter((time) => time !== undefined).sort();
  const known = (name: 'vendor' | 'product' | 'generation' | 'model' | 'version' | 'serial' | 'hostname'): Partial<Unkeyed> => {
    const value = all.find((member) => member[name] !== undefined)?.[name];
    return value === undefined ? {} : { [name]: value };
  };
  return {
    ...first,
    ...Object.assign({}, ...(['vendor', 'product', 'generation', 'model', 'version', 'serial', 'hostname'] as const).map(known)),
    addresses: [...new Set(all.flatMap(({ addresses }) => addresses))].sort(byAddress),
    identifiers: sortIdentifiers(all.flatMap(({ identifiers }) => identifiers)),
    endpoints: all.flatMap(({ endpoints }) => endpoints).sort((a, b) => byAddress(a.host, b.host) || a.port - b.port || (a.transport < b.transport ? -1 : 1)),
    evidence: all.flatMap(({ evidence }) => evidence),
    alternatives: first.alternatives,
    posture: sortPosture(all.flatMap(({ posture }) => posture)),
    ...(times[0] === undefined ? {} : { firstSeen: times[0] }),
    ...(times.at(-1) === undefined ? {} : { lastSeen: times.at(-1) as string }),
  };
}


import { type Problem, problem } from '../errors.ts';
import { type AddressNumber, type AddressRange, sizeOf } from './addresses.ts';
import { knownPort } from './known-ports.ts';
import type { PortPlan } from './port-plan.ts';
import { parsePorts } from './ports.ts';

/** Addresses that one row may stand for. */
const MAX_ROW = 65_536;

/** Endpoints that are known to be open: by address, `443/tcp`. Nothing else is asked of these addresses. */
export type KnownOpen = ReadonlyMap<AddressNumber, ReadonlySet<string>>;

/** A target with the ports that it is asked at: `8443/tcp=https`. */
export interface KnownTarget {
  readonly range: AddressRange;
  readonly ports: readonly string[];
  readonly text: string;
  readonly place: Problem['place'];
}

/**
 * Endpoints of targets whose ports are known, and the ports of a sweep that asks them. A UDP port whose protocol nobody knows cannot be asked: `unspoken`
 * counts the endpoints that are left out for it.
 */
export function knownOpen(targets: readonly KnownTarget[]): {
  readonly open: KnownOpen;
  readonly ports: readonly PortPlan[];
  readonly unspoken: number;
  readonly problems: readonly Problem[];
} {
  const open = new Map<AddressNumber, Set<string>>();
  const words = new Map<string, string>();
  const problems: Problem[] = [];
  let unspoken = 0;
  for (const { range, ports, text, place } of targets) {
    if (sizeOf(range) > MAX_ROW) {
      problems.push(
        problem('bad-target', { text, reason: `with ports it may stand for ${MAX_ROW.toLocaleString('en')} addresses at most` }, place),
      );
      continue;
    }
    for (const word of ports) {
      const [key = '', protocol] = word.split('=', 2);
      const [port, transport] = key.split('/', 2);
      if (transport === 'udp' && knownPort('udp', Number(port)) === undefined) {
        unspoken += Number(sizeOf(range));
        continue;
      }
      // One protocol is spoken at a port of a sweep: what a scanner found somewhere counts before what is usual.
      if (!words.has(key) || protocol !== undefined) words.set(key, protocol === undefined ? key : word);
      for (const address of addressesOf(range)) {
        const known = open.get(address);
        if (known === undefined) open.set(address, new Set([key]));
        else known.add(key);
      }
    }
  }
  if (words.size === 0) return { open, ports: [], unspoken, problems };
  const parsed = parsePorts([...words.values()].join(','));
  return { open, ports: parsed.ports, unspoken, problems: [...problems, ...parsed.problems] };
}

function* addressesOf({ first, last }: AddressRange): Generator<AddressNumber> {
  if (typeof first === 'number') for (let at = first; at <= (last as number); at += 1) yield at;
  else for (let at = first; at <= (last as bigint); at += 1n) yield at;
}

import type { Problem } from '../errors.ts';
import { resolveNames } from '../sweep/resolve.ts';
import { type AddressNumber, type AddressRange, formatAddress } from '../targets/addresses.ts';
import type { Guard } from '../targets/guard.ts';
import type { HostSet } from '../targets/hosts.ts';
import { collectTargets } from '../targets/lists.ts';
import { type ParsedTargets, parseTargets } from '../targets/parse.ts';

/** What of some hosts the guard does not let be talked to, with the words that led there. */
export function refusedBy(guard: Guard, hosts: HostSet, wanted: Hosts): Problem[] {
  return hosts.ranges.flatMap((range) => {
    const from = wanted.ranges.find((one) => touches(one.range, range));
    const refused = guard.check(from?.text ?? formatAddress(range.first), range);
    return refused === undefined ? [] : [{ ...refused, place: from?.place ?? {} }];
  });
}

function touches(a: AddressRange, b: AddressRange): boolean {
  return typeof a.first === typeof b.first && a.first <= b.last && b.first <= a.last;
}

/** Where an operator's words lead, with what was typed for each range. */
export interface Hosts {
  readonly ranges: ParsedTargets['ranges'];
  readonly names: ReadonlyMap<AddressNumber, string>;
}

/** Targets of the command line and of files; names are resolved. */
export async function readHosts(
  words: readonly string[],
  files: readonly string[],
  problems: Problem[],
  say: (text: string) => void,
): Promise<Hosts> {
  const collected = await collectTargets(words, files);
  const parsed = parseTargets(collected.targets);
  const { resolved, problems: unresolved } = await resolveNames(parsed.names);
  problems.push(...collected.problems, ...parsed.problems, ...unresolved);
  for (const note of new Set([...collected.notes, ...parsed.notes])) say(`note: ${note}`);
  return {
    ranges: [
      ...parsed.ranges,
      ...resolved.flatMap(({ target, addresses }) => addresses.map((address) => ({ ...target, range: { first: address, last: address } }))),
    ],
    names: new Map(resolved.flatMap(({ target, addresses }) => addresses.map((address) => [address, target.text] as const))),
  };
}

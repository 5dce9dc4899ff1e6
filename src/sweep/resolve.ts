import { lookup } from 'node:dns/promises';
import { type Problem, problem } from '../errors.ts';
import { type AddressNumber, parseAddress } from '../targets/addresses.ts';
import type { TargetText } from '../targets/parse.ts';

const AT_ONCE = 16;

export interface Resolved {
  readonly target: TargetText;
  readonly addresses: readonly AddressNumber[];
}

/** The addresses of names, by the system's resolver (which asks the configured name server, and nothing else). Names without one are problems. */
export async function resolveNames(names: readonly TargetText[]): Promise<{ resolved: Resolved[]; problems: Problem[] }> {
  const resolved: Resolved[] = [];
  const problems: Problem[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE)
    await Promise.all(
      names.slice(at, at + AT_ONCE).map(async (target) => {
        try {
          const found = await lookup(target.text, { all: true });
          resolved.push({ target, addresses: found.flatMap(({ address }) => parseAddress(address) ?? []) });
        } catch (error) {
          const { code, message } = error as NodeJS.ErrnoException;
          problems.push(problem('bad-name', { text: target.text, reason: code === 'ENOTFOUND' ? 'no such name' : message }, target.place));
        }
      }),
    );
  return { resolved, problems };
}

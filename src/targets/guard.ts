import { inputError, type Problem, problem } from '../errors.ts';
import { type AddressNumber, type AddressRange, blocksOf, contains, formatAddress, spaceOf, withoutZone } from './addresses.ts';
import { merge, rangeText } from './hosts.ts';
import { parseRange } from './parse.ts';

/**
 * Where packets may go at all. Everything is checked twice: the targets before the sweep, and each address again where a socket is opened.
 * Public space needs the operator's word; `KVMSWEEP_ONLY` (a comma-separated list of blocks) limits the whole process, whatever else is asked.
 */
export class Guard {
  readonly allowPublic: boolean;
  readonly only: string | undefined;
  readonly #only: readonly AddressRange[] | undefined;

  constructor({ allowPublic = false, only }: { allowPublic?: boolean; only?: string | undefined } = {}) {
    this.allowPublic = allowPublic;
    this.only = only === undefined || only.trim() === '' ? undefined : only.trim();
    this.#only = this.only === undefined ? undefined : merge(this.only.split(',').map((text) => onlyRange(text.trim())));
  }

  /** The guard of this process: its environment decides. */
  static fromEnvironment(options: { allowPublic?: boolean } = {}): Guard {
    return new Guard({ ...options, only: process.env['KVMSWEEP_ONLY'] });
  }

  /** Why nothing may be sent to an address, or undefined where it may. */
  refusal(address: AddressNumber): Problem | undefined {
    const reason = this.#reason(address);
    return reason === undefined ? undefined : problem('forbidden-address', { address: formatAddress(address), reason });
  }

  /** True where `KVMSWEEP_ONLY` is not set, or holds the address; also for who is not swept, as name servers. */
  isWithin(address: AddressNumber | undefined): boolean {
    return this.#only === undefined || (address !== undefined && this.#only.some((range) => contains(range, withoutZone(address))));
  }

  #reason(address: AddressNumber): string | undefined {
    if (!this.isWithin(address)) return `KVMSWEEP_ONLY is ${this.only}`;
    const space = spaceOf(address);
    if (space === 'special') return 'it is a multicast, broadcast or unspecified address';
    if (space === 'public' && !this.allowPublic) return 'it is a public address, and --allow-public was not given';
    return undefined;
  }

  /** Why nothing may be sent to everybody on a link with these networks, or undefined where it may: each of their addresses must be allowed. */
  linkRefusal(networks: readonly AddressRange[]): Problem | undefined {
    for (const network of networks) {
      const refused = this.check(rangeText(network), network);
      if (refused !== undefined) return refused;
    }
    return undefined;
  }

  /** What of a range the guard refuses, as one problem. Ranges are judged whole, by their edges and the edges of the spaces in them. */
  check(text: string, zoned: AddressRange): Problem | undefined {
    const range = { first: withoutZone(zoned.first), last: withoutZone(zoned.last) };
    if (this.#only !== undefined && !this.#only.some((only) => contains(only, range.first) && contains(only, range.last)))
      return problem('outside-only', { text, only: this.only ?? '' });
    if (this.allowPublic) return undefined;
    const publicPart = publicPartOf(range);
    return publicPart === undefined ? undefined : problem('public-target', { text, addresses: blocksOf(publicPart, 3).join(', ') });
  }
}

function onlyRange(text: string): AddressRange {
  const range = parseRange(text);
  if ('reason' in range)
    throw inputError('bad-option', { option: 'KVMSWEEP_ONLY', text, reason: `it is no block of addresses: ${range.reason}` });
  return range;
}

/** The IPv4 blocks that are not public (the sources are those of {@link spaceOf}). */
const CLOSED_V4 = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'];
const CLOSED_V6 = ['fc00::/7', 'fe80::/10', '::1/128'];

/** The first part of a range that lies in public space. Multicast and the like count as public here: nobody owns them. */
function publicPartOf(range: AddressRange): AddressRange | undefined {
  const closed = merge((typeof range.first === 'number' ? CLOSED_V4 : CLOSED_V6).map(onlyRange));
  let { first } = range;
  for (const block of closed) {
    if (block.last < first) continue;
    if (block.first > first) return { first, last: block.first > range.last ? range.last : previous(block.first) };
    if (block.last >= range.last) return undefined;
    first = next(block.last);
  }
  return { first, last: range.last };
}

function next(address: AddressNumber): AddressNumber {
  return typeof address === 'number' ? address + 1 : address + 1n;
}
function previous(address: AddressNumber): AddressNumber {
  return typeof address === 'number' ? address - 1 : address - 1n;
}

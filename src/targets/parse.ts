import IPCIDR from 'ip-cidr';
import { type Place, type Problem, problem } from '../errors.ts';
import { type AddressRange, familyOf, parseAddress, sizeOf } from './addresses.ts';

/** IPv6 blocks up to a /112 are swept: 65,536 addresses. */
const MAX_IPV6_BITS = 16;

/** One target as the operator wrote it, and where. */
export interface TargetText {
  readonly text: string;
  readonly place: Place;
  /** Where they are known, the only ones to ask: `443/tcp`, `8443/tcp=https`. */
  readonly ports?: readonly string[];
}

export interface ParsedTargets {
  readonly ranges: readonly (TargetText & { readonly range: AddressRange })[];
  /** Names, to be resolved where sockets are opened. */
  readonly names: readonly TargetText[];
  readonly problems: readonly Problem[];
  /** What was understood, but perhaps not meant: `10.0.0.5/24` is the whole network. */
  readonly notes: readonly string[];
}

const HOST_NAME = /^(?=.{1,253}\.?$)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)\.?$/i;

/** Reads targets: addresses, CIDR blocks, `10.0.0.5-20`, `10.0.0.5-10.0.1.20`, IPv6, host names. All bad ones are reported, not only the first. */
export function parseTargets(targets: readonly TargetText[]): ParsedTargets {
  const ranges: ParsedTargets['ranges'][number][] = [];
  const names: TargetText[] = [];
  const problems: Problem[] = [];
  const notes: string[] = [];
  for (const target of targets) {
    const { text, place } = target;
    const range = parseRange(text);
    if (!('reason' in range)) {
      const bits = Math.ceil(Math.log2(Number(sizeOf(range))));
      if (familyOf(range.first) === 6 && bits > MAX_IPV6_BITS) problems.push(problem('wide-ipv6', { text, bits }, place));
      else ranges.push({ ...target, range });
      if (range.note !== undefined) notes.push(range.note);
    } else if (range.isName === true) names.push(target);
    else problems.push(problem('bad-target', { text, reason: range.reason }, place));
  }
  return { ranges, names, problems, notes };
}

interface NoRange {
  readonly reason: string;
  readonly isName?: true;
}

const ZONE = 'only a single link-local address has a zone: fe80::1%eth0';

/** One address, block or range in text. */
export function parseRange(text: string): (AddressRange & { readonly note?: string }) | NoRange {
  const slash = text.indexOf('/');
  if (slash >= 0) return parseBlock(text, text.slice(0, slash), text.slice(slash + 1));
  const single = parseAddress(text);
  if (single !== undefined) return { first: single, last: single };
  if (text.includes('%')) return { reason: ZONE };
  const dash = text.indexOf('-');
  if (dash > 0) {
    const first = parseAddress(text.slice(0, dash));
    if (first !== undefined) return parseSpan(first, text.slice(dash + 1));
  }
  if (/^[\d.]+(-[\d.]*)?$/.test(text)) return { reason: badAddress(text) };
  if (text.includes(':')) return { reason: 'it is neither an IPv6 address nor host:port (ports are given with -p)' };
  if (!HOST_NAME.test(text)) return { reason: 'it is neither an address nor a host name' };
  return { reason: 'it is a name', isName: true };
}

function badAddress(text: string): string {
  const parts = text.split('-', 1)[0]?.split('.') ?? [];
  const large = parts.find((part) => Number(part) > 255);
  if (large !== undefined) return `${large} is more than 255`;
  const zero = parts.find((part) => /^0\d/.test(part));
  if (zero !== undefined) return `${zero} begins with a zero, which some programs read as octal`;
  return parts.length === 4 ? 'it is no IPv4 address' : `an IPv4 address has four parts, this has ${parts.length}`;
}

function parseBlock(text: string, base: string, prefixText: string): (AddressRange & { readonly note?: string }) | NoRange {
  const address = parseAddress(base);
  if (base.includes('%')) return { reason: ZONE };
  if (address === undefined) return { reason: /^[\d.]+$/.test(base) ? badAddress(base) : 'there is no address before the /' };
  // ::ffff:192.0.2.0/120 would change family on the way: refuse it rather than guess.
  if (familyOf(address) === 4 && base.includes(':')) return { reason: 'a block of IPv4-mapped addresses; write it as IPv4' };
  const bits = familyOf(address) === 4 ? 32 : 128;
  if (!/^\d{1,3}$/.test(prefixText)) return { reason: `after the / stands a prefix length, 0 to ${bits}` };
  const prefix = Number(prefixText);
  if (prefix > bits) return { reason: `/${prefixText} is more than /${bits}` };
  if (!IPCIDR.isValidCIDR(text)) return { reason: 'it is no CIDR block' };
  const [first, last] = new IPCIDR(text).toRange<bigint>({ type: 'bigInteger' });
  const block = typeof address === 'number' ? { first: Number(first), last: Number(last) } : { first, last };
  return block.first === address ? block : { ...block, note: `${text} is read as its whole network` };
}

function parseSpan(first: number | bigint, endText: string): AddressRange | NoRange {
  const last = typeof first === 'number' && /^\d{1,3}$/.test(endText) ? lastOctet(first, endText) : parseAddress(endText);
  if (last === undefined) return { reason: `"${endText}" is no end of a range: an address, or the last part of one (10.0.0.5-20)` };
  if (typeof last !== typeof first) return { reason: 'a range begins and ends in the same family of addresses' };
  if (last < first) return { reason: 'the range ends before it begins' };
  return { first, last };
}

function lastOctet(first: number, text: string): number | undefined {
  return Number(text) > 255 ? undefined : first - (first % 256) + Number(text);
}

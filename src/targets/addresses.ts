import ipaddr from 'ipaddr.js';

/**
 * Addresses as numbers. IPv4 is a number below 2^32, IPv6 a bigint: one host is one value, and blocks are counted without being expanded.
 */
export type AddressNumber = number | bigint;

/** A closed range of addresses of one family. */
export interface AddressRange {
  readonly first: AddressNumber;
  readonly last: AddressNumber;
}

const FAMILIES = { 4: 32, 6: 128 } as const;

/**
 * The zones of link-local addresses (RFC 4007 section 11) by name, each with the number that stands above the 128 bits of an address: what is
 * `fe80::1%eth0` and what is `fe80::1%eth1` are two hosts.
 */
const zones: string[] = [];
const ZONE_BITS = 128n;
const ADDRESS_MASK = (1n << ZONE_BITS) - 1n;

function zoneNumber(name: string): bigint {
  let at = zones.indexOf(name);
  if (at < 0) at = zones.push(name) - 1;
  return BigInt(at + 1) << ZONE_BITS;
}

/** An address without its zone. */
export function withoutZone(address: AddressNumber): AddressNumber {
  return typeof address === 'number' ? address : address & ADDRESS_MASK;
}

/** The text of a host without its zone: zones mean nothing to other machines (RFC 6874 section 1 keeps them out of requests). */
export function hostWithoutZone(host: string): string {
  return host.split('%', 1)[0] ?? host;
}

/** A host as it stands in a URL: IPv6 in brackets, without its zone. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${hostWithoutZone(host)}]` : host;
}

/**
 * The number of an address in text, or undefined where the text is no address. `::ffff:192.0.2.1` is 192.0.2.1. Only link-local addresses have a zone
 * (`fe80::1%eth0`).
 */
export function parseAddress(text: string): AddressNumber | undefined {
  const percent = text.indexOf('%');
  if (percent >= 0) {
    const zone = text.slice(percent + 1);
    const address = parseAddress(text.slice(0, percent));
    if (typeof address !== 'bigint' || spaceOf(address) !== 'link-local' || !/^[\w.-]{1,32}$/.test(zone)) return undefined;
    return zoneNumber(zone) | address;
  }
  const parts = IPV4.exec(text);
  if (parts !== null) return ipv4Number(parts);
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return toNumber(address.isIPv4MappedAddress() ? address.toIPv4Address() : address);
}

/** Four decimal numbers without leading zeros. ipaddr.js tries every way of writing IPv4, which takes too long for all hosts of a sweep. */
const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

function ipv4Number(parts: readonly string[]): number | undefined {
  let sum = 0;
  for (let i = 1; i <= 4; i += 1) {
    const byte = Number(parts[i]);
    if (byte > 255) return undefined;
    sum = sum * 256 + byte;
  }
  return sum;
}

function toNumber(address: ipaddr.IPv4 | ipaddr.IPv6): AddressNumber {
  const bytes = address.toByteArray();
  if (bytes.length === 4) return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** The canonical text of an address (RFC 5952 for IPv6). */
export function formatAddress(address: AddressNumber): string {
  if (typeof address === 'number') return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
  const zone = zones[Number(address >> ZONE_BITS) - 1];
  return `${parsed(address).toRFC5952String()}${zone === undefined ? '' : `%${zone}`}`;
}

function parsed(address: bigint): ipaddr.IPv6 {
  return new ipaddr.IPv6(Array.from({ length: 16 }, (_, i) => Number((address >> BigInt(120 - 8 * i)) & 255n)));
}

export function familyOf(address: AddressNumber): 4 | 6 {
  return typeof address === 'number' ? 4 : 6;
}

export function sizeOf({ first, last }: AddressRange): bigint {
  return BigInt(last) - BigInt(first) + 1n;
}

export function contains({ first, last }: AddressRange, address: AddressNumber): boolean {
  return typeof first === typeof address && first <= address && address <= last;
}

/** The smallest blocks that make up a range, in order: what a list of addresses is shown as. At most `max` of them. */
export function blocksOf({ first, last }: AddressRange, max = 64): string[] {
  const bits = FAMILIES[familyOf(first)];
  const blocks: string[] = [];
  let at = BigInt(first);
  const end = BigInt(last);
  while (at <= end && blocks.length < max) {
    let size = 0;
    while (size < bits && (at >> BigInt(size)) % 2n === 0n && at + (1n << BigInt(size + 1)) - 1n <= end) size += 1;
    const base = typeof first === 'number' ? Number(at) : at;
    blocks.push(size === 0 ? formatAddress(base) : `${formatAddress(base)}/${bits - size}`);
    at += 1n << BigInt(size);
  }
  return blocks;
}

export type Space = 'private' | 'loopback' | 'link-local' | 'unique-local' | 'carrier-grade-nat' | 'public' | 'special';

/** Which space an address is from (RFC 1918, 5735, 6598, 4193 and their relatives). `special` is what no device can have: multicast, broadcast, unspecified, reserved. */
export function spaceOf(address: AddressNumber): Space {
  if (typeof address !== 'number') return spaceOfRange(parsed(address).range());
  // Every packet is judged, and each space but the broadcast address is made of whole /24s.
  const network = address >>> 8;
  if (network === LAST_NETWORK) return spaceOfRange(ipaddr.IPv4.parse(formatAddress(address)).range());
  let space = spaces.get(network);
  if (space === undefined) {
    if (spaces.size >= MOST_SPACES) spaces.clear();
    space = spaceOfRange(ipaddr.IPv4.parse(formatAddress(address)).range());
    spaces.set(network, space);
  }
  return space;
}

const LAST_NETWORK = 0xffffff;
const MOST_SPACES = 65_536;
/** Those that were looked up, by /24. */
const spaces = new Map<number, Space>();

function spaceOfRange(range: string): Space {
  switch (range) {
    case 'private':
      return 'private';
    case 'loopback':
      return 'loopback';
    case 'linkLocal':
      return 'link-local';
    case 'uniqueLocal':
      return 'unique-local';
    case 'carrierGradeNat':
      return 'carrier-grade-nat';
    case 'multicast':
    case 'broadcast':
    case 'unspecified':
      return 'special';
    default:
      return 'public';
  }
}

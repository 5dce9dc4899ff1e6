import { createHash } from 'node:crypto';
import { canonicalMac } from '../text.ts';
import { type Facts, type Identifier, IDENTIFIER_KINDS } from '../vocabulary.ts';

/** The orders of 16 bytes that turning round and reversing, one after the other, can make. */
const BYTE_ORDERS: readonly (readonly number[])[] = (() => {
  const places = Buffer.from(Uint8Array.from({ length: 16 }, (_, i) => i)).toString('hex');
  const all = new Set([places]);
  for (const value of all) for (const other of uidReadings(value)) all.add(other);
  return [...all].map((value) => [...Buffer.from(value, 'hex')]);
})();

/** Identifiers that devices show where nobody set one, and those of mock-ups; in whatever byte order. */
const PLACEHOLDER_UIDS: ReadonlySet<string> = new Set(
  [
    '0'.repeat(32),
    'f'.repeat(32),
    '0102030405060708090a0b0c0d0e0f10', // OpenBMC
    '92384634293823428820489239905423', // DMTF mock-up
    '00000000000000000000000000000001', // One-KVM
    '03000200040005000006000700080009', // AMI's unset SMBIOS UUID
    'a123456789abcdefa123456789abcdef', // the example of OpenIPMI's simulator
  ].map(uidToken),
);

/** A UUID or GUID as 32 lower-case hex digits, or undefined where it is none or names no single device. */
export function canonicalUid(text: string): string | undefined {
  const digits = text
    .trim()
    .replace(/^urn:uuid:/i, '')
    .replace(/[{}\s-]/g, '')
    .toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits) || PLACEHOLDER_UIDS.has(uidToken(digits))) return undefined;
  return uidReadings(digits).some(isWord) ? undefined : digits;
}

/** `SUPERMICRO` and zeros: the firmware's maker, on all of its boards (zipmi bmc_id.py). */
function isWord(uid: string): boolean {
  return /^[A-Za-z ]{3,15}\0+$/.test(Buffer.from(uid, 'hex').toString('latin1'));
}

/** The first three fields turned round, as SMBIOS stores them (DMTF DSP0134 section 7.2.1). */
function mixedEndian(uid: string): string {
  return `${reversed(uid.slice(0, 8))}${reversed(uid.slice(8, 12))}${reversed(uid.slice(12, 16))}${uid.slice(16)}`;
}

/** The bytes of hex digits from the last to the first. */
function reversed(hex: string): string {
  return (hex.match(/../g) ?? []).toReversed().join('');
}

/**
 * The readings of 16 bytes as a UUID: as they stand (RFC 4122), with the first three fields turned round (SMBIOS), and reversed (IPMI).
 * Firmware differs; two values are one if any readings agree.
 */
export function uidReadings(uid: string): string[] {
  return [...new Set([uid, mixedEndian(uid), reversed(uid)])];
}

/**
 * What stands for a UUID in comparisons: equal for two values of which any readings agree. One may have been turned round and the other reversed,
 * so it is the least of all that turning round and reversing, one after the other, can make.
 */
export function uidToken(uid: string): string {
  const bytes = uid.match(/../g) ?? [];
  let least = uid;
  for (const order of BYTE_ORDERS) {
    let read = '';
    for (const place of order) read += bytes[place] ?? '';
    if (read < least) least = read;
  }
  return least;
}

/** A serial number for comparing: without blanks, upper case. Leading zeros stay. */
export function canonicalSerial(serial: string): string {
  return serial.replace(/\s+/g, '').toUpperCase();
}

/** What firmware shows for a serial number that the factory did not write, as compared. */
const PLACEHOLDER_SERIALS: ReadonlySet<string> = new Set([
  'TOBEFILLEDBYO.E.M.',
  'TOBEFILLEDBYOEM',
  'DEFAULTSTRING',
  'NOTSPECIFIED',
  'NOTAVAILABLE',
  'NOTAPPLICABLE',
  'SYSTEMSERIALNUMBER',
  'CHASSISSERIALNUMBER',
  'SERIALNUMBER',
  'NONE',
  'NULL',
  'UNKNOWN',
  'N/A',
  'NA',
  'TBD',
  'EMPTY',
  '123456789',
  '0123456789',
  '1234567890',
]);

/** A serial number as it is written, or undefined where it names no device: empty, a placeholder, one character over and over. */
export function usableSerial(text: string): string | undefined {
  const canonical = canonicalSerial(text);
  return canonical === '' || /^(.)\1*$/u.test(canonical) || PLACEHOLDER_SERIALS.has(canonical) ? undefined : text.trim();
}

/** MACs that a group of routers shares: VRRP (RFC 9568 section 7.3), HSRP (RFC 2281 section 5.3) and its version 2, GLBP. */
const ROUTER_MACS = /^(?:00:00:5E:00:0[12]|00:00:0C:07:AC|00:00:0C:9F:F[0-9A-F]|00:07:B4:00)/;

/** A MAC as {@link canonicalMac} writes it, or undefined where it is none, or one that belongs to no single device. */
export function ownMac(text: string): string | undefined {
  const mac = canonicalMac(text);
  return mac === undefined || ROUTER_MACS.test(mac) ? undefined : mac;
}

/** The SHA-256 of a public key as 64 lower-case hex digits, or undefined where it is none. */
export function canonicalSpki(text: string): string | undefined {
  const digits = text.replace(/[\s:]/g, '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}

/** The identifiers that the facts of one endpoint hold, whatever fingerprint matched. */
export function factIdentifiers(facts: Facts, endpoint: string): Identifier[] {
  const text = (name: string): string => (typeof facts[name] === 'string' ? facts[name] : '');
  const found: Identifier[] = [];
  const add = (kind: Identifier['kind'], value: string | undefined, from: string): void => {
    if (value !== undefined) found.push({ kind, value, from: `${from} ${endpoint}` });
  };
  add('mac', ownMac(text('mac.address')), 'neighbour table');
  add('mac', ownMac(text('snmp.engine.mac')), 'snmp engine');
  add('mac', ownMac(text('snmp.mac')), 'snmp interface');
  add('serial', usableSerial(text('snmp.entity.serial')), 'snmp entity');
  add('mac', ownMac(text('mdns.mac')), 'mdns');
  add('guid', canonicalUid(text('ipmi.guid')), 'ipmi');
  add('uuid', canonicalUid(text('redfish.uuid')), 'redfish');
  add('uuid', canonicalUid(text('ssdp.redfish.uuid')), 'ssdp');
  add('spki', canonicalSpki(text('tls.spki')), 'tls');
  add('mac', ownMac(text('addp.mac')), 'addp');
  add('mac', ownMac(text('aidp.mac')), 'aidp');
  add('mac', ownMac(text('lantronix.mac')), 'lantronix');
  add('mac', ownMac(text('moxa.mac')), 'moxa');
  add('mac', ownMac(text('netbios.mac')), 'netbios');
  add('mac', ownMac(text('ubiquiti.mac')), 'ubiquiti');
  add('uuid', canonicalUid(text('wsd.endpoint')), 'wsd');
  // Told by other tools' scans.
  add('serial', usableSerial(text('moxa.serial')), 'moxa');
  return found;
}

/** By strength, then value; each value once. */
export function sortIdentifiers(identifiers: readonly Identifier[]): Identifier[] {
  const seen = new Set<string>();
  return identifiers
    .toSorted(
      (a, b) => IDENTIFIER_KINDS.indexOf(a.kind) - IDENTIFIER_KINDS.indexOf(b.kind) || byText(a.value, b.value) || byText(a.from, b.from),
    )
    .filter(({ kind, value }) => {
      const key = `${kind} ${value}`;
      return seen.has(key) ? false : seen.add(key);
    });
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A key from the strongest identifier, for a device without a history. `vendor` keeps two makers' equal serial numbers apart. */
export function deriveKey(identifiers: readonly Identifier[], vendor: string | undefined): string {
  const [strongest] = sortIdentifiers(identifiers);
  const value =
    strongest === undefined ? '' : strongest.kind === 'serial' ? `${vendor ?? ''} ${canonicalSerial(strongest.value)}` : strongest.value;
  return keyOfText(`${strongest?.kind ?? ''} ${value}`);
}

/** A device key of any text: `kvm-` and 12 hex digits. */
export function keyOfText(text: string): string {
  return `kvm-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}

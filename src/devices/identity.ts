import { createHash } from 'node:crypto';
import { canonicalMac } from '../text.ts';
import { type Facts, type Identifier, IDENTIFIER_KINDS } from '../vocabulary.ts';

/** Identifiers that devices show where nobody set one, and those of mock-ups. */
const PLACEHOLDER_UIDS: ReadonlySet<string> = new Set([
  '0'.repeat(32),
  'f'.repeat(32),
  '0102030405060708090a0b0c0d0e0f10', // OpenBMC
  '92384634293823428820489239905423', // DMTF mock-up
  '00000000000000000000000000000001', // One-KVM
  '03000200040005000006000700080009', // AMI's unset SMBIOS UUID
]);

/** A UUID or GUID as 32 lower-case hex digits, or undefined where it is none or a placeholder. */
export function canonicalUid(text: string): string | undefined {
  const digits = text.replace(/[{}\s-]/g, '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) && !PLACEHOLDER_UIDS.has(digits) ? digits : undefined;
}

/**
 * The readings of 16 bytes as a UUID: as they stand (RFC 4122), with the first three fields turned round (SMBIOS), and reversed (IPMI).
 * Firmware differs; two values are one if any readings agree.
 */
export function uidReadings(uid: string): string[] {
  const bytes = uid.match(/../g) ?? [];
  const turn = (from: number, to: number): string => bytes.slice(from, to).reverse().join('');
  const smbios = `${turn(0, 4)}${turn(4, 6)}${turn(6, 8)}${bytes.slice(8).join('')}`;
  return [...new Set([uid, smbios, turn(0, 16)])];
}

/** A serial number for comparing: without blanks, upper case. Leading zeros stay. */
export function canonicalSerial(serial: string): string {
  return serial.replace(/\s+/g, '').toUpperCase();
}

/** The identifiers that the facts of one endpoint hold, whatever fingerprint matched. */
export function factIdentifiers(facts: Facts, endpoint: string): Identifier[] {
  const text = (name: string): string | undefined => (typeof facts[name] === 'string' ? facts[name] : undefined);
  const found: Identifier[] = [];
  const add = (kind: Identifier['kind'], value: string | undefined, from: string): void => {
    if (value !== undefined) found.push({ kind, value, from: `${from} ${endpoint}` });
  };
  add('mac', canonicalMac(text('mac.address') ?? ''), 'neighbour table');
  add('mac', canonicalMac(text('snmp.engine.mac') ?? ''), 'snmp engine');
  add('guid', canonicalUid(text('ipmi.guid') ?? ''), 'ipmi');
  add('uuid', canonicalUid(text('redfish.uuid') ?? ''), 'redfish');
  add('spki', text('tls.spki'), 'tls');
  return found;
}

/** By strength, then value; each value once. */
export function sortIdentifiers(identifiers: readonly Identifier[]): Identifier[] {
  const seen = new Set<string>();
  return [...identifiers]
    .sort((a, b) => IDENTIFIER_KINDS.indexOf(a.kind) - IDENTIFIER_KINDS.indexOf(b.kind) || (a.value < b.value ? -1 : a.value > b.value ? 1 : a.from < b.from ? -1 : 1))
    .filter(({ kind, value }) => {
      const key = `${kind} ${value}`;
      return seen.has(key) ? false : seen.add(key);
    });
}

/** A key from the strongest identifier, for a device without a history. `vendor` keeps two makers' equal serial numbers apart. */
export function deriveKey(identifiers: readonly Identifier[], vendor: string | undefined): string {
  const [strongest] = sortIdentifiers(identifiers);
  const value = strongest === undefined ? '' : strongest.kind === 'serial' ? `${vendor ?? ''} ${canonicalSerial(strongest.value)}` : strongest.value;
  return `kvm-${createHash('sha256').update(`${strongest?.kind ?? ''} ${value}`).digest('hex').slice(0, 12)}`;
}

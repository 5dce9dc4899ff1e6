import { ProbeError } from '../errors.ts';
import type { DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { known, macField } from './fields.ts';
import { Transactions } from './transactions.ts';

const NAME = 'netbios.node-status';
/** A question about `*` padded with NULs, each half octet a letter from `A` on (RFC 1001 section 14.1), of type NBSTAT and class IN. */
const REQUEST = ['0000', '0000', '0001', '0000', '0000', '0000', '20', '434b', '41'.repeat(30), '00', '0021', '0001'].join('');

/** In the header: an answer (RFC 1002 section 4.2.1.1). */
const IS_RESPONSE = 0x80;
const HEADER_BYTES = 12;
const NBSTAT = 0x0021;
/** Type, class, time to live and length of a resource record, after its name. */
const RECORD_BYTES = 10;

/** RFC 1002 section 4.2.18: 15 octets of name, one of purpose, two of flags. */
const NAME_BYTES = 18;
const NAME_CHARS = 15;
const IS_GROUP = 0x80;
/** The purpose of the name by which a machine itself is called. */
const WORKSTATION = 0x00;
const MAC_BYTES = 6;
/** Kept of up to 255; a domain controller has about twenty. */
const MAX_NAMES = 64;

const transactions = new Transactions(16);

/** The data of a node status answer to one of our requests, or undefined where it is none. */
function parseStatus(bytes: Buffer): Buffer | undefined {
  if (bytes.length < HEADER_BYTES || !transactions.has(bytes.readUInt16BE(0)) || (bytes.readUInt8(2) & IS_RESPONSE) === 0) return undefined;
  if (bytes.readUInt16BE(4) !== 0 || bytes.readUInt16BE(6) === 0) return undefined;
  const record = endOfName(bytes, HEADER_BYTES);
  if (record === undefined || record + RECORD_BYTES > bytes.length || bytes.readUInt16BE(record) !== NBSTAT) return undefined;
  const from = record + RECORD_BYTES;
  return bytes.subarray(from, from + bytes.readUInt16BE(from - 2));
}

/** Where a name ends: after its last label, or after a pointer, which is not followed (RFC 1035 section 4.1.4). */
function endOfName(bytes: Buffer, at: number): number | undefined {
  for (let from = at; from < bytes.length;) {
    const length = bytes.readUInt8(from);
    if (length >= 0xc0) return from + 2;
    if (length === 0) return from + 1;
    from += 1 + length;
  }
  return undefined;
}

/** A name as Windows shows it, with its purpose: `FILES<20>`. */
interface NetbiosName {
  readonly text: string;
  readonly purpose: number;
  readonly isGroup: boolean;
}

function namesOf(status: Buffer): NetbiosName[] {
  const names: NetbiosName[] = [];
  for (let at = 1, count = status[0] ?? 0; count > 0 && at + NAME_BYTES <= status.length; at += NAME_BYTES, count -= 1)
    names.push({
      text: status.toString('latin1', at, at + NAME_CHARS).replace(/[ \0]+$/, ''),
      purpose: status.readUInt8(at + NAME_CHARS),
      isGroup: (status.readUInt8(at + NAME_CHARS + 1) & IS_GROUP) !== 0,
    });
  return names;
}

function shown({ text, purpose }: NetbiosName): string {
  return `${text}<${purpose.toString(16).padStart(2, '0')}>`;
}

/**
 * Reads the NetBIOS names of a machine, its workgroup, and the MAC that it names (Samba names none).
 *
 * Spec: RFC 1002 sections 4.2.17 (node status request) and 4.2.18 (node status response).
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it names nothing
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer the node status request');
  const status = parseStatus(bytes) ?? Buffer.alloc(0);
  const names = namesOf(status);
  if (names.length === 0) throw new ProbeError('not-this-protocol', 'the answer holds no name');
  const named = (isGroup: boolean): string | undefined =>
    names.find((name) => name.isGroup === isGroup && name.purpose === WORKSTATION && name.text !== '')?.text;
  const macAt = 1 + status.readUInt8(0) * NAME_BYTES;
  return known<string | string[]>({
    'netbios.names': [...new Set(names.map(shown))].slice(0, MAX_NAMES),
    'netbios.name': named(false),
    'netbios.group': named(true),
    'netbios.mac': macField(status.subarray(macAt, macAt + MAC_BYTES)),
  });
}

export const netbios: UdpProbe = {
  id: 'netbios',
  speaks: 'datagrams',
  hello: (attempt, random) => {
    const bytes = Buffer.from(REQUEST, 'hex');
    bytes.writeUInt16BE(transactions.of(attempt, random));
    return [{ name: NAME, bytes }];
  },
  recognise: (bytes) => (parseStatus(bytes) === undefined ? undefined : NAME),
  talk,
};

import { ProbeError } from '../errors.ts';
import type { DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { addressField, known, macField, numberField, readerOf, textField } from './fields.ts';
import { Transactions } from './transactions.ts';

const NAME = 'aidp.discover';
/** 01 and `AIDP`, a sequence number, the command, the length of the fields with the FF that ends them, and 0D after it all. */
const MAGIC = Buffer.from('0141494450', 'hex');
const SEQUENCE_AT = 5;
const COMMAND_AT = 7;
const LENGTH_AT = 8;
const FIELDS_AT = 12;
const DISCOVER_REPLY = 0x81;
const END_OF_FIELDS = 0xff;

/** Discover, with the one field that the client of this protocol sends. */
const REQUEST = [
  MAGIC.toString('hex'),
  '0000', // the sequence number
  '01', // discover
  '00000006',
  '010002', // field 1, of two octets
  '0108',
  'ff',
  '0d',
].join('');

const FIELD = { model: 1, mac: 2, address: 3, hostname: 6, modes: 7 } as const;

const sequences = new Transactions(16);

function request(sequence: number): Buffer {
  const bytes = Buffer.from(REQUEST, 'hex');
  bytes.writeUInt16BE(sequence, SEQUENCE_AT);
  return bytes;
}

/** The fields of a discover reply to one of our requests, or undefined where it is none. A length that runs past the datagram is not believed. */
function parseReply(bytes: Buffer): Buffer | undefined {
  if (bytes.length < FIELDS_AT || !bytes.subarray(0, MAGIC.length).equals(MAGIC) || bytes[COMMAND_AT] !== DISCOVER_REPLY) return undefined;
  if (!sequences.has(bytes.readUInt16BE(SEQUENCE_AT))) return undefined;
  return bytes.subarray(FIELDS_AT, FIELDS_AT + bytes.readUInt32BE(LENGTH_AT));
}

/**
 * Reads what an Avocent appliance tells before it has an address even: model number, MAC, host name. Commands 02 and 03 of this protocol test and
 * set an IP configuration: they are not in the list of what may be sent.
 *
 * Sources: ya-mouse/asmp4snmp `session.c`, `aidp.c`, `aidp.h`; US patent 7925722 for what the messages are for.
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it says nothing that is known
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer the discover request');
  const read = readerOf(parseReply(bytes) ?? Buffer.alloc(0), { lengthBytes: 2, end: END_OF_FIELDS });
  const facts = known<string | number>({
    'aidp.model': read(FIELD.model, numberField),
    'aidp.mac': read(FIELD.mac, macField),
    'aidp.ip': read(FIELD.address, addressField),
    'aidp.hostname': read(FIELD.hostname, textField),
    'aidp.modes': read(FIELD.modes, numberField),
  });
  if (Object.keys(facts).length === 0) throw new ProbeError('not-this-protocol', 'the reply has none of the known fields');
  return facts;
}

export const aidp: UdpProbe = {
  id: 'aidp',
  speaks: 'datagrams',
  hello: (attempt, random) => [{ name: NAME, bytes: request(sequences.of(attempt, random)) }],
  recognise: (bytes) => (parseReply(bytes) === undefined ? undefined : NAME),
  talk,
};

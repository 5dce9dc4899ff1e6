import { ProbeError } from '../errors.ts';
import type { Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { addressField, fieldsOf, known, macField, numberField, readerOf, textField } from './fields.ts';

const NAME = 'ubiquiti.discovery';
/** Version 1, command 0 (information), no data. */
const REQUEST: Datagram = { name: NAME, bytes: Buffer.from('01000000', 'hex') };
const RESPONSE_HEAD = Buffer.from('0100', 'hex');
const HEADER_BYTES = 4;
const MAC_BYTES = 6;

/** The fields that are read. All others are passed over: among them are a user name, salt and challenge (06 to 09) and the wireless network's name (0D). */
const FIELD = {
  mac: 0x01,
  interface: 0x02,
  firmware: 0x03,
  uptime: 0x0a,
  hostname: 0x0b,
  product: 0x0c,
  model: 0x14,
  version: 0x16,
  isDefault: 0x17,
} as const;
const FORMAT = { lengthBytes: 2 } as const;

/** The fields of a version 1 response, or undefined where it is none: two octets are little to tell one by, so the length must be right. */
function parseResponse(bytes: Buffer): Buffer | undefined {
  if (bytes.length <= HEADER_BYTES || !bytes.subarray(0, 2).equals(RESPONSE_HEAD)) return undefined;
  return bytes.length === HEADER_BYTES + bytes.readUInt16BE(2) ? bytes.subarray(HEADER_BYTES) : undefined;
}

/** The addresses of its interfaces, each once. */
function interfaceAddresses(fields: Buffer): string[] | undefined {
  const addresses = [...fieldsOf(fields, FORMAT)].flatMap(({ type, value }) =>
    type === FIELD.interface ? (addressField(value.subarray(MAC_BYTES)) ?? []) : [],
  );
  return addresses.length === 0 ? undefined : [...new Set(addresses)];
}

/**
 * Reads what a Ubiquiti device tells of itself: MAC, name, product, firmware.
 *
 * Source: nmap/nmap `scripts/ubiquiti-discovery.nse`.
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it says nothing that is known
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer the discovery request');
  const fields = parseResponse(bytes) ?? Buffer.alloc(0);
  const read = readerOf(fields, FORMAT);
  const facts = known<string | number | boolean | string[]>({
    'ubiquiti.mac': read(FIELD.mac, macField),
    'ubiquiti.addresses': interfaceAddresses(fields),
    'ubiquiti.firmware': read(FIELD.firmware, textField),
    'ubiquiti.version': read(FIELD.version, textField),
    'ubiquiti.hostname': read(FIELD.hostname, textField),
    'ubiquiti.product': read(FIELD.product, textField),
    'ubiquiti.model': read(FIELD.model, textField),
    'ubiquiti.uptime': read(FIELD.uptime, numberField),
    'ubiquiti.isDefault': read(FIELD.isDefault, (value) => (value.length === 1 ? value[0] === 1 : undefined)),
  });
  if (Object.keys(facts).length === 0) throw new ProbeError('not-this-protocol', 'the answer has none of the known fields');
  return facts;
}

export const ubiquiti: UdpProbe = {
  id: 'ubiquiti',
  speaks: 'datagrams',
  hello: () => [REQUEST],
  recognise: (bytes) => (parseResponse(bytes) === undefined ? undefined : NAME),
  talk,
};

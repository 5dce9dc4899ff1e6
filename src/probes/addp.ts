import { ProbeError } from '../errors.ts';
import type { Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { addressField, known, macField, numberField, portField, readerOf, textField } from './fields.ts';

const NAME = 'addp.discovery';
/**
 * Discovery request (packet type 1) to any MAC. The development kits of the same firmware have magics of their own (`DVKT`, `DGDP`): what
 * others have built with them is none of Digi's products, and a second and third datagram to everybody for it is not worth the device's account.
 */
const REQUEST: Datagram = { name: NAME, bytes: Buffer.from('4449474900010006ffffffffffff', 'hex') };
const MAGIC = 'DIGI';
const DISCOVERY_RESPONSE = 2;
/** Magic, packet type, size of what follows. */
const HEADER_BYTES = 8;
const GUID_BYTES = 16;

/**
 * The fields that are read. All others are passed over, whatever they are: among them are wireless settings with the encryption key
 * (1C to 23 in older lists of the fields, E0 to E7 in Digi's own), and a challenge for passwords (17).
 */
const FIELD = {
  mac: 0x01,
  address: 0x02,
  name: 0x04,
  hardwareType: 0x06,
  hardwareRevision: 0x07,
  firmware: 0x08,
  product: 0x0d,
  realPort: 0x0e,
  ports: 0x12,
  encryptedRealPort: 0x13,
  vendorGuid: 0x15,
} as const;

/** The fields of a discovery response, or undefined where it is none. A size that runs past the datagram is not believed. */
function parseResponse(bytes: Buffer): Buffer | undefined {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC || bytes.readUInt16BE(4) !== DISCOVERY_RESPONSE)
    return undefined;
  return bytes.subarray(HEADER_BYTES, HEADER_BYTES + bytes.readUInt16BE(6));
}

/**
 * Reads what a Digi device tells of itself: MAC, name, product, firmware, and how its serial ports are reached. Packet types 3, 5, 7, 9 and up set
 * addresses, restart the device or take a password: none of them is in the list of what may be sent.
 *
 * Sources: christophgysin/addp `doc/protocol`; Digi's own client (Digi International, `addp.py`); rapid7/metasploit-framework `lib/rex/proto/addp.rb`.
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it says nothing that is known
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer the discovery request');
  const read = readerOf(parseResponse(bytes) ?? Buffer.alloc(0), { lengthBytes: 1 });
  const facts = known<string | number | boolean>({
    'addp.mac': read(FIELD.mac, macField),
    'addp.ip': read(FIELD.address, addressField),
    'addp.name': read(FIELD.name, textField),
    'addp.product': read(FIELD.product, textField),
    'addp.firmware': read(FIELD.firmware, textField),
    'addp.hardwareType': read(FIELD.hardwareType, numberField),
    'addp.hardwareRevision': read(FIELD.hardwareRevision, numberField),
    'addp.ports': read(FIELD.ports, numberField),
    'addp.realPort': read(FIELD.realPort, portField),
    // A flag in some lists of the fields, the TCP port in what devices send: on is what is not 0, in either.
    'addp.encrypted': read(FIELD.encryptedRealPort, (value) => value.some((byte) => byte !== 0)),
    'addp.encryptedRealPort': read(FIELD.encryptedRealPort, portField),
    'addp.vendorGuid': read(FIELD.vendorGuid, (value) => (value.length === GUID_BYTES ? value.toString('hex') : undefined)),
  });
  if (Object.keys(facts).length === 0) throw new ProbeError('not-this-protocol', 'the answer has none of the known fields');
  return facts;
}

export const addp: UdpProbe = {
  id: 'addp',
  speaks: 'datagrams',
  hello: () => [REQUEST],
  recognise: (bytes) => (parseResponse(bytes) === undefined ? undefined : NAME),
  talk,
};

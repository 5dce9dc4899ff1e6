import { ProbeError } from '../errors.ts';
import type { Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { known, macField } from './fields.ts';

const NAME = 'lantronix.query';
/** Function F6, "Query for Firmware Version". */
const REQUEST: Datagram = { name: NAME, bytes: Buffer.from('000000f6', 'hex') };
const FIRMWARE_INFORMATION = 0x000000f7;

/** After the function the first 16 octets of the firmware image, of which 4 and 5 are the software type, and 4 of device information. */
const TYPE_AT = 8;
const MIN_BYTES = 24;
/** Then, in all but the oldest, the MAC. */
const MAC_AT = 24;
const MAC_BYTES = 6;

function isAnswer(bytes: Buffer): boolean {
  return bytes.length >= MIN_BYTES && bytes.readUInt32BE(0) === FIRMWARE_INFORMATION;
}

/**
 * Reads type and MAC of a Lantronix device server. One request, and no other: F8 and F4, which tells the firmware's version, are known to hand out
 * the password of some units, and their neighbours restart the device or change its set-up.
 *
 * Source: Lantronix XPort user guide, section 9.1 "UDP Datagrams" (UDS-10: section 8.1, without the MAC); kost/lantronix-witchcraft `README.md`.
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it holds neither a type nor a MAC
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer the query');
  const type = bytes.toString('latin1', TYPE_AT, TYPE_AT + 2);
  const facts = known({
    'lantronix.type': /^[\x21-\x7e]{2}$/.test(type) ? type : undefined,
    'lantronix.mac': macField(bytes.subarray(MAC_AT, MAC_AT + MAC_BYTES)),
  });
  if (Object.keys(facts).length === 0) throw new ProbeError('not-this-protocol', 'the answer holds neither a type nor a MAC');
  return facts;
}

export const lantronix: UdpProbe = {
  id: 'lantronix',
  speaks: 'datagrams',
  hello: () => [REQUEST],
  recognise: (bytes) => (isAnswer(bytes) ? NAME : undefined),
  talk,
};

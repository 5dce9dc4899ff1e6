import { ProbeError } from '../errors.ts';
import type { Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { addressField, known, macField } from './fields.ts';

const NAME = 'moxa.discovery';
/** Function 1 without data: 8 octets, transaction 0. */
const REQUEST: Datagram = { name: NAME, bytes: Buffer.from('0100000800000000', 'hex') };
/** The same function with the highest bit, status 0, 24 octets, the transaction echoed. */
const RESPONSE_HEAD = Buffer.from('8100001800000000', 'hex');
const RESPONSE_BYTES = 24;

/** Application id, then hardware id (the lower octet first), MAC and IPv4 address. */
const APPLICATION_AT = 8;
const HARDWARE_AT = 12;
const MAC_AT = 14;
const ADDRESS_AT = 20;

function isAnswer(bytes: Buffer): boolean {
  return bytes.length === RESPONSE_BYTES && bytes.subarray(0, RESPONSE_HEAD.length).equals(RESPONSE_HEAD);
}

/**
 * Reads the answer of a Moxa device to its discovery request: two product codes, MAC and address. The codes stay codes: which products they are is not
 * published. The other functions of this port read the set-up, or change it, and none of them is sent.
 *
 * Sources: mdavidsaver/nport-toys `nport-udp-protocol.md` (of an NPort 5110A); rapid7/metasploit-framework `modules/auxiliary/scanner/scada/moxa_discover.rb`.
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it names no MAC
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer the discovery request');
  const mac = isAnswer(bytes) ? macField(bytes.subarray(MAC_AT, ADDRESS_AT)) : undefined;
  if (mac === undefined) throw new ProbeError('not-this-protocol', 'the answer is of another shape, or names no MAC');
  return known({
    'moxa.model': bytes.readUInt16LE(HARDWARE_AT).toString(16).padStart(4, '0'),
    'moxa.application': bytes.toString('hex', APPLICATION_AT, HARDWARE_AT),
    'moxa.mac': mac,
    'moxa.ip': addressField(bytes.subarray(ADDRESS_AT)),
  });
}

export const moxa: UdpProbe = {
  id: 'moxa',
  speaks: 'datagrams',
  hello: () => [REQUEST],
  recognise: (bytes) => (isAnswer(bytes) ? NAME : undefined),
  talk,
};

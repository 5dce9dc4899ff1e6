import { ProbeError } from '../errors.ts';
import type { Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import { parseLoose } from '../sweep/loose.ts';
import type { Facts } from '../vocabulary.ts';

const GROUP = '239.255.255.250';
/** UPnP says 2, which a router may let pass: the questions are for this link only, as the guard has checked. */
const TTL = 1;
const ROOT = 'upnp:rootdevice';
const REDFISH = 'urn:dmtf-org:service:redfish-rest:1';
/** Seconds that a device may wait before it answers. To one address a second is what UPnP gives it in any case (Device Architecture 1.1 section 1.3.3). */
const MX = 1;
const LINK_MX = 2;
const MAX_BYTES = 4096;
const MAX_CHARS = 512;

/** HOST is the group for one address too: all known servers take it, and those of UPnP 1.0 know nothing else. */
function search(name: string, target: string, mx: number): Datagram {
  return {
    name,
    bytes: Buffer.from(
      `M-SEARCH * HTTP/1.1\r\nHOST: ${GROUP}:1900\r\nMAN: "ssdp:discover"\r\nMX: ${mx}\r\nST: ${target}\r\n\r\n`,
      'latin1',
    ),
  };
}

const HELLO: readonly Datagram[] = [search('ssdp.root', ROOT, MX), search('ssdp.redfish', REDFISH, MX)];

/** Headers of an answer by their lower-case names, without empty ones; undefined where it is no answer to a search. */
function headersOf(bytes: Buffer): ReadonlyMap<string, string> | undefined {
  const { status, headers } = parseLoose(bytes.subarray(0, MAX_BYTES));
  if (status !== 200) return undefined;
  const known = new Map<string, string>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (value !== '' && !known.has(key)) known.set(key, Buffer.from(value, 'latin1').toString('utf8').slice(0, MAX_CHARS));
  }
  return known.has('st') && (known.has('usn') || known.has('location') || known.has('al')) ? known : undefined;
}

/** A Redfish service may answer a search for root devices too, with its own target, to which it may add its minor version (DMTF DSP0266, discovery with SSDP). */
function recognise(bytes: Buffer): string | undefined {
  const target = headersOf(bytes)?.get('st')?.toLowerCase();
  if (target === undefined) return undefined;
  return target.startsWith(REDFISH) ? 'ssdp.redfish' : 'ssdp.root';
}

/**
 * Reads how a UPnP device and a Redfish service announce themselves. Nothing more is asked over UDP; where the description lies is told, and for others to ask.
 *
 * Spec: UPnP Device Architecture 1.1 section 1.3.3 (the answer), DMTF DSP0266 (discovery with SSDP).
 * @throws {ProbeError} `silent` where no answer came
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const headers = (name: string): ReadonlyMap<string, string> | undefined => {
    const answer = wire.answers.find((one) => one.name === name);
    return answer === undefined ? undefined : headersOf(answer.bytes);
  };
  const redfish = headers('ssdp.redfish');
  const first = headers('ssdp.root') ?? redfish;
  if (first === undefined) throw new ProbeError('silent', 'did not answer a search');
  const facts: [string, string | undefined][] = [
    ['ssdp.server', first.get('server')],
    ['ssdp.usn', first.get('usn')],
    ['ssdp.location', first.get('location')],
    ['ssdp.redfish.root', redfish?.get('al') ?? redfish?.get('location')],
    ['ssdp.redfish.uuid', /^uuid:([0-9a-f-]{32,36})(?:::|$)/i.exec(redfish?.get('usn') ?? '')?.[1]?.toLowerCase()],
  ];
  return Object.fromEntries(facts.filter((fact): fact is [string, string] => fact[1] !== undefined));
}

export const ssdp: UdpProbe = {
  id: 'ssdp',
  speaks: 'datagrams',
  hello: () => HELLO,
  anyPort: true,
  spreadMs: LINK_MX * 1000,
  link: { group: GROUP, ttl: TTL, questions: [search('ssdp.root-link', ROOT, LINK_MX), search('ssdp.redfish-link', REDFISH, LINK_MX)] },
  recognise,
  talk,
};

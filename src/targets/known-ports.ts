import type { PortPlan, TcpProtocol, UdpProtocol } from './port-plan.ts';

/**
 * Of whom a known port is asked. `everywhere`: of every address. `living`: of those that showed a sign of life at another port.
 * `wide`: only where the operator chose the wide set; `also`: only where the operator named the channel (`--also`).
 */
export type AskedOf = 'everywhere' | 'living' | 'wide' | 'also';

/** A port that a sweep knows by itself. */
export type KnownPort = PortPlan & {
  readonly of: AskedOf;
  /** What answers there. */
  readonly who: string;
  /**
   * Whose protocol it is, where it is one maker's: a device that is surely another's is not asked. The names are those of devices.
   */
  readonly vendors?: readonly string[];
};

function tcp(of: AskedOf, port: number, protocol: TcpProtocol, who: string): KnownPort {
  return { transport: 'tcp', port, protocol, of, who };
}

function udp(of: AskedOf, port: number, protocol: UdpProtocol, who: string, vendors?: readonly string[]): KnownPort {
  return { transport: 'udp', port, protocol, of, who, ...(vendors === undefined ? {} : { vendors }) };
}

/** Avocent, those who were it before and after, and those under whose names its appliances were sold too. */
const AVOCENT_BUILT = ['Avocent', 'Vertiv', 'Emerson', 'Cyclades', 'Apex', 'Dell', 'HPE', 'IBM', 'Lenovo', 'Fujitsu', 'Black Box'];

/** All known ports, those of the default sweep first. */
export const KNOWN_PORTS: readonly KnownPort[] = [
  udp('everywhere', 161, 'snmp', 'SNMP agents'),
  udp('everywhere', 623, 'ipmi', 'management controllers: IPMI, Intel AMT, DASH'),
  tcp('everywhere', 80, 'http', 'web pages'),
  tcp('everywhere', 443, 'https', 'web pages, certificates, Redfish'),
  tcp('everywhere', 5000, 'listen-http', 'Raritan, which speaks first; else web pages'),
  tcp('everywhere', 5900, 'rfb', 'VNC; consoles of older controllers'),
  tcp('everywhere', 5901, 'rfb', 'VNC, that of iDRAC too'),
  tcp('everywhere', 8080, 'http', 'web pages'),
  tcp('everywhere', 8443, 'https', 'web pages'),
  tcp('everywhere', 8888, 'http', 'web pages'),

  tcp('living', 21, 'ftp', 'FTP greetings, of power controllers too'),
  tcp('living', 22, 'ssh', 'SSH greetings'),
  tcp('living', 23, 'telnet', 'telnet greetings'),
  tcp('living', 6080, 'http', 'noVNC'),
  tcp('living', 16992, 'http', 'Intel AMT'),
  tcp('living', 16993, 'https', 'Intel AMT over TLS'),
  udp('living', 5353, 'mdns', 'names and services in mDNS'),
  udp('living', 1900, 'ssdp', 'UPnP devices; Redfish services'),
  udp('living', 2362, 'addp', 'Digi, by its discovery protocol', ['Digi']),
  udp('living', 3211, 'aidp', 'Avocent, by its discovery protocol', AVOCENT_BUILT),
  udp('living', 4800, 'moxa', 'Moxa, by its discovery protocol', ['Moxa']),
  udp('living', 30_718, 'lantronix', 'Lantronix, by its discovery protocol', ['Lantronix']),

  tcp('wide', 2068, 'listen', 'Avocent video'),
  tcp('wide', 3211, 'tls', 'Avocent ASMP: its certificate'),
  tcp('wide', 3871, 'tls', 'Avocent authorization: its certificate'),
  tcp('wide', 5120, 'listen', 'virtual media of AMI controllers'),
  tcp('wide', 5902, 'rfb', 'VNC'),
  tcp('wide', 5903, 'rfb', 'VNC'),
  tcp('wide', 7578, 'listen', 'video of AMI controllers'),
  tcp('wide', 8000, 'http', 'web pages'),
  tcp('wide', 8008, 'http', 'web pages of older BliKVM'),
  tcp('wide', 8192, 'listen', 'Avocent video'),
  tcp('wide', 9999, 'listen', 'set-up port of Lantronix, which names itself'),
  tcp('wide', 15900, 'tls', 'VNC inside TLS of Black Box: its certificate'),
  tcp('wide', 17988, 'listen', 'virtual media of iLO'),
  tcp('wide', 17990, 'listen', 'remote console of iLO'),

  udp('also', 137, 'netbios', 'NetBIOS names'),
  udp('also', 427, 'slp', 'service location, of IBM and Lenovo controllers too'),
  udp('also', 3702, 'wsd', 'web services discovery'),
  udp('also', 10_001, 'ubiquiti', 'Ubiquiti, by its discovery protocol', ['Ubiquiti']),
];

/**
 * The ports of a set; those of living addresses marked so. The wide set asks everything of everybody over TCP; a device's account of datagrams does not bear
 * that over UDP.
 */
export function portSet(name: 'default' | 'wide'): PortPlan[] {
  return KNOWN_PORTS.filter(({ of }) => of !== 'also' && (name === 'wide' || of !== 'wide')).map(({ transport, port, protocol, of }) => ({
    ...({ transport, port, protocol } as PortPlan),
    ...(of === 'living' && (name === 'default' || transport === 'udp') ? { living: true as const } : {}),
  }));
}

/** The known port with this number, if any. */
export function knownPort(transport: PortPlan['transport'], port: number): KnownPort | undefined {
  return KNOWN_PORTS.find((known) => known.transport === transport && known.port === port);
}

/** The makers whose devices speak a protocol, where it is one maker's own: at whatever port it is asked for. */
export function makersOf(protocol: PortPlan['protocol']): readonly string[] | undefined {
  return KNOWN_PORTS.find((known) => known.protocol === protocol)?.vendors;
}

/**
 * TCP ports that are serial lines, or may be: every byte sent there is typed into the console of the device at the other end, or printed. They may be
 * connected to and listened to where the operator names them, and nothing is ever written.
 * Sources: Opengear CM7100 manual (2000, 3000, 4000, 5000 + line); Cyclades AlterPath OnSite guide (7001 and up); Digi RealPort notes (771, 1027, 2001 and up);
 * Moxa NPort manual (950, 966, 4001 and up); Lantronix (3001, 9999, 10001); printers (9100 to 9107).
 */
const SERIAL_LINES: readonly (readonly [number, number])[] = [
  [771, 771],
  [950, 981],
  [1027, 1027],
  [2001, 2048],
  [3001, 3048],
  [4001, 4048],
  [5001, 5048],
  [7001, 7048],
  [9100, 9107],
  [9999, 9999],
  [10_001, 10_048],
];

/** True where bytes that are sent to a TCP port may end up in a console of somebody's */
export function mayBeSerialLine(port: number): boolean {
  return SERIAL_LINES.some(([first, last]) => first <= port && port <= last);
}

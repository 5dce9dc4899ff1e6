/**
 * Where the services of simulated devices stand: each role has a port that needs no privilege, in place of the one that a real device has, and the protocol
 * that a sweep speaks there. `living`: a sweep asks it of living addresses only, as it does of real ones. `also`: only where it was opted into.
 */
export const ROLES = {
  http: { transport: 'tcp', port: 8080, protocol: 'http' },
  https: { transport: 'tcp', port: 8443, protocol: 'https' },
  alternative: { transport: 'tcp', port: 8888, protocol: 'http' },
  listen: { transport: 'tcp', port: 5000, protocol: 'listen-http' },
  rfb: { transport: 'tcp', port: 5900, protocol: 'rfb' },
  rfb2: { transport: 'tcp', port: 5901, protocol: 'rfb' },
  ftp: { transport: 'tcp', port: 2121, protocol: 'ftp', living: true },
  ssh: { transport: 'tcp', port: 2222, protocol: 'ssh', living: true },
  telnet: { transport: 'tcp', port: 2323, protocol: 'telnet', living: true },
  amt: { transport: 'tcp', port: 16992, protocol: 'http', living: true },
  ipmi: { transport: 'udp', port: 1623, protocol: 'ipmi' },
  snmp: { transport: 'udp', port: 1161, protocol: 'snmp' },
  ssdp: { transport: 'udp', port: 11_900, protocol: 'ssdp', living: true },
  mdns: { transport: 'udp', port: 15_353, protocol: 'mdns', living: true },
  addp: { transport: 'udp', port: 2362, protocol: 'addp', living: true },
  aidp: { transport: 'udp', port: 3211, protocol: 'aidp', living: true },
  moxa: { transport: 'udp', port: 4800, protocol: 'moxa', living: true },
  lantronix: { transport: 'udp', port: 30_718, protocol: 'lantronix', living: true },
  netbios: { transport: 'udp', port: 1137, protocol: 'netbios', living: true, also: true },
  slp: { transport: 'udp', port: 1427, protocol: 'slp', living: true, also: true },
  wsd: { transport: 'udp', port: 3702, protocol: 'wsd', living: true, also: true },
  ubiquiti: { transport: 'udp', port: 10_001, protocol: 'ubiquiti', living: true, also: true },
} as const satisfies Record<string, { transport: 'tcp' | 'udp'; port: number; protocol: string; living?: true; also?: true }>;

export type Role = keyof typeof ROLES;
type RoleOf<T extends 'tcp' | 'udp'> = { [R in Role]: (typeof ROLES)[R]['transport'] extends T ? R : never }[Role];
export type TcpRole = RoleOf<'tcp'>;
export type UdpRole = RoleOf<'udp'>;

const names = Object.keys(ROLES) as Role[];
export const TCP_ROLES = names.filter((role): role is TcpRole => ROLES[role].transport === 'tcp');
export const UDP_ROLES = names.filter((role): role is UdpRole => ROLES[role].transport === 'udp');

export type FleetPorts = Readonly<Record<Role, number>>;

export const FLEET_PORTS: FleetPorts = portsBy((role) => ROLES[role].port);

/** The roles one after the other from a port on. */
export function portsFrom(first: number): FleetPorts {
  return portsBy((role) => first + names.indexOf(role));
}

function portsBy(portOf: (role: Role) => number): FleetPorts {
  return Object.fromEntries(names.map((role) => [role, portOf(role)])) as unknown as FleetPorts;
}

/** What `-p` takes to ask every role of a fleet, and of the opt-in ones those named: `8080=http,8443=https,…,1623/udp=ipmi,1161/udp=snmp`. */
export function portsOption(ports: Partial<FleetPorts> = {}, also: readonly Role[] = []): string {
  const all: FleetPorts = { ...FLEET_PORTS, ...ports };
  return [...TCP_ROLES, ...UDP_ROLES]
    .filter((role) => !('also' in ROLES[role]) || also.includes(role))
    .map((role) => {
      const { transport, protocol } = ROLES[role];
      return `${all[role]}${transport === 'udp' ? '/udp' : ''}=${protocol}${'living' in ROLES[role] ? '@living' : ''}`;
    })
    .join(',');
}

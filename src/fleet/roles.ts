/**
 * Where the services of simulated devices stand: each role has a port that needs no privilege, in place of the one that a real device has, and the protocol
 * that a sweep speaks there. `living`: a sweep asks it of living addresses only, as it does of real ones.
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
} as const satisfies Record<string, { transport: 'tcp' | 'udp'; port: number; protocol: string; living?: true }>;

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

/** What `-p` takes to ask every role of a fleet: `8080=http,8443=https,…,1623/udp=ipmi,1161/udp=snmp`. */
export function portsOption(ports: Partial<FleetPorts> = {}): string {
  const all: FleetPorts = { ...FLEET_PORTS, ...ports };
  return [...TCP_ROLES, ...UDP_ROLES]
    .map((role) => {
      const { transport, protocol } = ROLES[role];
      return `${all[role]}${transport === 'udp' ? '/udp' : ''}=${protocol}${'living' in ROLES[role] ? '@living' : ''}`;
    })
    .join(',');
}

import type { Transport } from '../vocabulary.ts';

/**
 * What is spoken at a port. `http`, `https` and `rfb` send; `tls` makes a handshake for the certificate and asks nothing.
 * `ssh`, `telnet`, `ftp` and `listen` only read what a device says by itself; `listen-http` reads first and asks for the page only where nothing
 * was said (TCP 5000: Raritan speaks first, others serve pages).
 */
export const PROTOCOLS = {
  tcp: ['http', 'https', 'tls', 'rfb', 'ssh', 'telnet', 'ftp', 'listen', 'listen-http'],
  udp: ['ipmi', 'snmp', 'mdns', 'ssdp', 'addp', 'aidp', 'lantronix', 'moxa', 'netbios', 'slp', 'ubiquiti', 'wsd'],
} as const satisfies Record<Transport, readonly string[]>;
export type TcpProtocol = (typeof PROTOCOLS.tcp)[number];
export type UdpProtocol = (typeof PROTOCOLS.udp)[number];

/** A port of a sweep. `living`: asked of addresses that showed a sign of life at another port, not of every one. */
export type PortPlan = (
  | { readonly transport: 'tcp'; readonly port: number; readonly protocol: TcpProtocol }
  | { readonly transport: 'udp'; readonly port: number; readonly protocol: UdpProtocol }
) & { readonly living?: true };

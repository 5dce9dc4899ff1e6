import { type Problem, problem } from '../errors.ts';
import type { Transport } from '../vocabulary.ts';

/**
 * What is spoken at a port. `http`, `https` and `rfb` send; `listen` only reads what a device says by itself;
 * `listen-http` reads first and asks for the page only where nothing was said (TCP 5000: Raritan speaks first, others serve pages).
 */
export const PROTOCOLS = {
  tcp: ['http', 'https', 'rfb', 'listen', 'listen-http'],
  udp: ['ipmi', 'snmp'],
} as const satisfies Record<Transport, readonly string[]>;
export type TcpProtocol = (typeof PROTOCOLS.tcp)[number];
export type UdpProtocol = (typeof PROTOCOLS.udp)[number];

export type PortPlan =
  | { readonly transport: 'tcp'; readonly port: number; readonly protocol: TcpProtocol }
  | { readonly transport: 'udp'; readonly port: number; readonly protocol: UdpProtocol };

const TCP: Readonly<Record<number, TcpProtocol>> = {
  80: 'http',
  443: 'https',
  5000: 'listen-http',
  5900: 'rfb',
  5901: 'rfb',
  8000: 'http',
  8080: 'http',
  8443: 'https',
  8888: 'http',
};
const UDP: Readonly<Record<number, UdpProtocol>> = { 161: 'snmp', 623: 'ipmi' };

/** The ports of a sweep where none are given: those that remote-access devices answer on. */
export const DEFAULT_PORTS = '80,443,5000,5900,5901,8080,8443,8888,U:161,U:623';

const MAX_PORTS = 1024;

/**
 * Reads a port list in nmap's form, with the protocol of odd ports: `80,443,T:5900-5909,U:623`, `8443=https`, `1623/udp=ipmi`.
 * `T:` and `U:` hold until the next one, as in nmap. A TCP port whose protocol is not known is only listened to, never written to.
 */
export function parsePorts(text: string): { ports: PortPlan[]; problems: Problem[] } {
  const plans = new Map<string, PortPlan>();
  const problems: Problem[] = [];
  const wrong = (word: string, reason: string): void => void problems.push(problem('bad-port', { text: word, reason }));
  let current: Transport = 'tcp';
  for (const word of text.split(',').map((part) => part.trim())) {
    if (word === '') {
      wrong(text, 'there is nothing between two commas');
      continue;
    }
    const match =
      /^(?:(?<prefix>[TU]):)?(?<from>\d{1,5})(?:(?<dash>-)(?<to>\d{1,5}))?(?:\/(?<transport>tcp|udp))?(?:=(?<protocol>[a-z-]+))?$/i.exec(
        word,
      );
    if (match?.groups === undefined) {
      wrong(word, 'it is no port or range of ports');
      continue;
    }
    const { prefix, from, to = from, transport, protocol } = match.groups;
    if (prefix !== undefined) current = prefix.toUpperCase() === 'U' ? 'udp' : 'tcp';
    const chosen = (transport?.toLowerCase() as Transport | undefined) ?? current;
    const first = Number(from);
    const last = Number(to);
    if (first < 1 || last > 65535) wrong(word, 'ports are 1 to 65535');
    else if (last < first) wrong(word, 'the range ends before it begins');
    else if (protocol !== undefined && !(PROTOCOLS[chosen] as readonly string[]).includes(protocol))
      wrong(word, `${chosen} ports speak ${PROTOCOLS[chosen].join(', ')}; "${protocol}" is none of them`);
    else
      for (let port = first; port <= last; port += 1) {
        const plan = planOf(chosen, port, protocol);
        if (plan === undefined) {
          wrong(word, `say what ${port}/udp speaks: ${port}/udp=ipmi or ${port}/udp=snmp`);
          break;
        }
        plans.set(`${chosen}:${port}`, plan);
        if (plans.size > MAX_PORTS) break;
      }
    if (plans.size > MAX_PORTS) {
      wrong(word, `a sweep asks at most ${MAX_PORTS} ports of an address`);
      break;
    }
  }
  const ports = [...plans.values()].toSorted((a, b) => (a.transport === b.transport ? a.port - b.port : a.transport === 'tcp' ? -1 : 1));
  return { ports, problems };
}

function planOf(transport: Transport, port: number, protocol: string | undefined): PortPlan | undefined {
  if (transport === 'tcp') return { transport, port, protocol: (protocol as TcpProtocol | undefined) ?? TCP[port] ?? 'listen' };
  const spoken = (protocol as UdpProtocol | undefined) ?? UDP[port];
  return spoken === undefined ? undefined : { transport, port, protocol: spoken };
}

import { type Problem, problem } from '../errors.ts';
import type { Transport } from '../vocabulary.ts';
import { knownPort, mayBeSerialLine, portSet } from './known-ports.ts';
import { type PortPlan, PROTOCOLS, type TcpProtocol, type UdpProtocol } from './port-plan.ts';

/** Protocols in which we say nothing. */
const SILENT: ReadonlySet<string> = new Set(['ssh', 'telnet', 'ftp', 'listen']);

/** The ports of a sweep where none are given: those that remote-access devices answer on. */
export const DEFAULT_PORTS = 'default';

const MAX_PORTS = 1024;

const WORD =
  /^(?:(?<prefix>[TU]):)?(?<from>\d{1,5})(?:-(?<to>\d{1,5}))?(?:\/(?<transport>tcp|udp))?(?:=(?<protocol>[a-z-]+))?(?<living>@living)?$/i;

/**
 * Reads a port list in nmap's form, with the protocol of odd ports: `80,443,T:5900-5909,U:623`, `8443=https`, `1623/udp=ipmi`, and the sets
 * `default` and `wide`. `T:` and `U:` hold until the next one, as in nmap. `2222=ssh@living` is asked where there is a sign of life only.
 * A TCP port whose protocol is not known is only listened to, never written to.
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
    if (word === 'default' || word === 'wide') {
      for (const plan of portSet(word)) plans.set(`${plan.transport}:${plan.port}`, plan);
      continue;
    }
    const match = WORD.exec(word);
    if (match?.groups === undefined) {
      wrong(word, 'it is no port or range of ports');
      continue;
    }
    const { prefix, from, to = from, transport, protocol, living } = match.groups;
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
        if ('reason' in plan) {
          wrong(word, plan.reason);
          break;
        }
        plans.set(`${chosen}:${port}`, living === undefined ? plan : { ...plan, living: true });
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

function planOf(transport: Transport, port: number, protocol: string | undefined): PortPlan | { readonly reason: string } {
  const known = knownPort(transport, port)?.protocol;
  if (transport === 'udp') {
    const spoken = (protocol ?? known) as UdpProtocol | undefined;
    return spoken === undefined
      ? { reason: `say what ${port}/udp speaks: ${port}/udp=ipmi, ${port}/udp=snmp …` }
      : { transport, port, protocol: spoken };
  }
  const spoken = (protocol ?? known ?? 'listen') as TcpProtocol;
  if (mayBeSerialLine(port) && !SILENT.has(spoken))
    return {
      reason: `${port}/tcp may be a serial line: what is sent there is typed into somebody's console, so it is only listened to (${port}=listen)`,
    };
  return { transport, port, protocol: spoken };
}

/** A port as {@link parsePorts} reads it: `22/tcp=ssh@living`. */
export function portText({ port, transport, protocol, living }: PortPlan): string {
  return `${port}/${transport}=${protocol}${living === true ? '@living' : ''}`;
}

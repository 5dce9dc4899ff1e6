import { type Problem, problem } from '../errors.ts';
import { nearest } from '../text.ts';
import { KNOWN_PORTS } from './known-ports.ts';
import type { PortPlan } from './port-plan.ts';

/**
 * The channels that are used only where the operator names them (`--also`), each with what it sends, and to whom: old protocols that speak of the
 * network's other inhabitants, that amplify, or that tell somebody else what is being swept.
 */
export const ALSO = {
  netbios: 'to UDP 137 of living addresses one node status request (50 bytes): names, workgroup, MAC',
  wsd: 'to UDP 3702 of living addresses one WS-Discovery probe (520 bytes), never multicast: types, scopes, addresses (recorded, not fetched)',
  slp: 'to UDP 427 of living addresses one service type request (29 bytes), and to IBM and Lenovo controllers one for their attributes: model, serial number',
  ubiquiti:
    'to UDP 10001 of living addresses one discovery request (4 bytes). Serial servers of other makers may have that port as a serial line: then the four bytes go into it',
  dns: "to this machine's name servers, for each living address, one question for its name: they learn what is swept",
} as const satisfies Record<string, string>;

export type AlsoChannel = keyof typeof ALSO;

/** Reads the words of `--also`: names with commas between them, given once or more often. Each channel once, in the order of the list above. */
export function parseAlso(words: readonly string[]): { channels: AlsoChannel[]; problems: Problem[] } {
  const named = new Set(words.flatMap((word) => word.split(',').map((part) => part.trim())));
  const problems = [...named]
    .filter((name) => !Object.hasOwn(ALSO, name))
    .map((text) => {
      const near = nearest(text, Object.keys(ALSO));
      const reason = `there is no such channel${near === undefined ? '' : `, did you mean "${near}"?`} (${Object.keys(ALSO).join(', ')})`;
      return problem('bad-option', { option: '--also', text: text === '' ? '""' : text, reason });
    });
  return { channels: (Object.keys(ALSO) as AlsoChannel[]).filter((name) => named.has(name)), problems };
}

/** The ports of a sweep with those of the channels named: asked of living addresses, unless the operator has named the port already. */
export function withAlso(ports: readonly PortPlan[], channels: readonly AlsoChannel[]): PortPlan[] {
  const more = KNOWN_PORTS.filter(({ of, protocol }) => of === 'also' && (channels as readonly string[]).includes(protocol)).map(
    ({ transport, port, protocol }) => ({ transport, port, protocol, living: true }) as PortPlan,
  );
  return [...ports, ...more.filter(({ transport, port }) => !ports.some((one) => one.transport === transport && one.port === port))];
}

const OPTED: ReadonlySet<string> = new Set(KNOWN_PORTS.filter(({ of }) => of === 'also').map(({ protocol }) => protocol));

/** How many opt-in channels a plan asks datagrams of, by `--also` or by the name of a port (`-p 137/udp`). */
export function optedIn(ports: readonly PortPlan[]): number {
  return new Set(ports.map(({ protocol }) => protocol).filter((protocol) => OPTED.has(protocol))).size;
}

import type { PortLedger } from '../../src/sweep/ledger.ts';
import { type Connection, connectionsOf, type Packet } from '../support/pcap.ts';

/** The part of a ledger that can be seen on the wire. */
export type Seen = Pick<PortLedger, 'asked' | 'answered' | 'refused' | 'silent' | 'unreachable'>;

export interface Account {
  /** By `443/tcp`, as in a ledger. */
  readonly ports: Readonly<Record<string, Seen>>;
  /** Those of the sweep: what was not accepted, and one of each endpoint that was. Further ones are conversations with an open port. */
  readonly sweepConnects: number;
  readonly connections: readonly Connection[];
  readonly datagrams: number;
  /** Of these, those to everybody on a link. */
  readonly multicasts: number;
  /** SYNs that the kernel sent again by itself: an attempt was not ended in time, as may be where this machine is busy. */
  readonly retransmissions: number;
}

/** What a scanner did, counted on its link: distinct endpoints by what came back, and packets. */
export function accountOf(packets: readonly Packet[], scanner: string): Account {
  const connections = connectionsOf(packets).filter(({ client }) => client === scanner);
  const byEndpoint = Map.groupBy(connections, ({ server, serverPort }) => `${server} ${serverPort}/tcp`);
  const sent = new Set<string>();
  const heard = new Set<string>();
  /** Ports that everybody on the link was asked at: who answers was asked. */
  const everybody = new Set<string>();
  let datagrams = 0;
  let multicasts = 0;
  for (const { source, target, content } of packets) {
    if (content.protocol !== 'udp') continue;
    if (source === scanner) {
      datagrams += 1;
      if (/^2(2[4-9]|3\d)\./.test(target)) {
        multicasts += 1;
        everybody.add(`${content.targetPort}/udp`);
      } else sent.add(`${target} ${content.targetPort}/udp`);
    } else if (target === scanner) heard.add(`${source} ${content.sourcePort}/udp`);
  }
  for (const endpoint of heard) if (everybody.has(endpoint.split(' ')[1] as string)) sent.add(endpoint);
  const ports: Record<string, Seen> = {};
  const count = (endpoint: string, as: keyof Seen): void => {
    const port = (ports[endpoint.split(' ')[1] as string] ??= { asked: 0, answered: 0, refused: 0, silent: 0, unreachable: 0 });
    port.asked += 1;
    port[as] += 1;
  };
  let sweepConnects = 0;
  for (const [endpoint, tries] of byEndpoint) {
    const [isOpen, isRefused, isUnreachable] = (['accepted', 'refused', 'unreachable'] as const).map((wanted) =>
      tries.some(({ outcome }) => outcome === wanted),
    );
    sweepConnects += tries.filter(({ outcome }) => outcome !== 'accepted').length + (isOpen ? 1 : 0);
    count(endpoint, isOpen ? 'answered' : isRefused ? 'refused' : isUnreachable ? 'unreachable' : 'silent');
  }
  // To a shared socket a closed UDP port is silence, whatever ICMP says.
  for (const endpoint of sent) count(endpoint, heard.has(endpoint) ? 'answered' : 'silent');
  return {
    ports,
    sweepConnects,
    connections,
    datagrams,
    multicasts,
    retransmissions: connections.reduce((sum, { syns }) => sum + syns - 1, 0),
  };
}

/** The wire's part of a ledger's ports. */
export function seenPart(ports: Readonly<Record<string, PortLedger>>): Record<string, Seen> {
  return Object.fromEntries(
    Object.entries(ports).map(([name, { asked, answered, refused, silent, unreachable }]) => [
      name,
      { asked, answered, refused, silent, unreachable },
    ]),
  );
}

/**
 * A SYN that is not answered is under way for this long at least, in milliseconds: the shortest time-out of a sweep is 300, and a timer that was set
 * in a long turn of the event loop comes early by the length of that turn.
 */
const HALF_OPEN_MS = 200;
/** After our FIN the other side's is waited for so long. */
const GOODBYE_MS = 1000;

/** The most TCP connections that one device had at a time, with the device. A connection lasts from its SYN to an RST, or to the FINs of both sides. */
export function mostAtOnce(connections: readonly Connection[]): { device: string; most: number } {
  let worst = { device: 'none', most: 0 };
  for (const [device, own] of Map.groupBy(connections, ({ server }) => server)) {
    const moments = own.flatMap((connection) => [
      { at: connection.at, step: 1 },
      { at: endOf(connection), step: -1 },
    ]);
    let now = 0;
    // Of what happens in the same microsecond the end comes first.
    for (const { step } of moments.toSorted((a, b) => a.at - b.at || a.step - b.step)) {
      now += step;
      if (now > worst.most) worst = { device, most: now };
    }
  }
  return worst;
}

function endOf({ at, outcome, endedAt, leftAt }: Connection): number {
  if (outcome === 'silent') return at + HALF_OPEN_MS;
  return Math.min(endedAt ?? Infinity, (leftAt ?? Infinity) + GOODBYE_MS);
}

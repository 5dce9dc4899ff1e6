/**
 * The account of a sweep by port, counted where the packets are: planned = asked + skipped, and
 * asked = answered + refused + silent + unreachable + givenUp + lost. An endpoint is counted in one place, however often it was tried.
 */
export interface PortLedger {
  /** Endpoints that the targets and ports make. */
  planned: number;
  /** Endpoints to which at least one packet left. */
  asked: number;
  /** Endpoints to which nothing was sent, by reason. */
  skipped: Record<string, number>;
  /** TCP: the connection was accepted. UDP: an answer to our request came. */
  answered: number;
  /** TCP: the connection was refused, so the host lives. UDP never says. */
  refused: number;
  /** No answer to any try. Never called closed. */
  silent: number;
  /** A router, firewall or our own system said that the way ends. */
  unreachable: number;
  /** Sent just before the sweep was ended: an answer was not awaited for long enough. */
  givenUp: number;
  /** Conditions of our own machine kept the packets back. */
  lost: number;
}

export interface Ledger {
  /** By `443/tcp`. */
  readonly ports: Readonly<Record<string, PortLedger>>;
  readonly total: PortLedger;
  /** Packets of the sweep itself: SYNs and datagrams, retries included. */
  readonly packets: { readonly tcp: number; readonly udp: number };
  /** Addresses from which anything came back. */
  readonly alive: number;
  /** Datagrams from addresses or ports that were not asked. */
  readonly stray: number;
}

/** What became of an endpoint without an answer, when all is over. */
export type Fate = { readonly skipped: string } | 'givenUp' | 'unreachable' | 'silent';

export function emptyPort(planned = 0): PortLedger {
  return { planned, asked: 0, skipped: {}, answered: 0, refused: 0, silent: 0, unreachable: 0, givenUp: 0, lost: 0 };
}

const COUNTS = ['planned', 'asked', 'answered', 'refused', 'silent', 'unreachable', 'givenUp', 'lost'] as const;

export function sumPorts(ports: Iterable<PortLedger>): PortLedger {
  const total = emptyPort();
  for (const port of ports) addPort(total, port);
  return total;
}

/** Adds the counts of one account to another. */
export function addPort(sum: PortLedger, port: Partial<PortLedger>): void {
  for (const key of COUNTS) sum[key] += port[key] ?? 0;
  for (const [why, hosts] of Object.entries(port.skipped ?? {})) sum.skipped[why] = (sum.skipped[why] ?? 0) + hosts;
}

/** What has to be added to one account to have another; undefined where they are the same. */
export function portChange(from: PortLedger, to: PortLedger): Partial<PortLedger> | undefined {
  const change: Partial<PortLedger> = {};
  for (const key of COUNTS) if (to[key] !== from[key]) change[key] = to[key] - from[key];
  const skipped = Object.entries(to.skipped).filter(([why, hosts]) => hosts !== from.skipped[why]);
  if (skipped.length > 0) change.skipped = Object.fromEntries(skipped.map(([why, hosts]) => [why, hosts - (from.skipped[why] ?? 0)]));
  return Object.keys(change).length === 0 ? undefined : change;
}

/** What does not add up, in words; empty in a sound ledger. It is printed, never mended. */
export function ledgerErrors(ports: Readonly<Record<string, PortLedger>>): string[] {
  return Object.entries(ports).flatMap(([name, port]) => {
    const skipped = Object.values(port.skipped).reduce((a, b) => a + b, 0);
    const settled = port.answered + port.refused + port.silent + port.unreachable + port.givenUp + port.lost;
    return [
      ...(port.planned === port.asked + skipped ? [] : [`${name}: planned ${port.planned}, asked ${port.asked} and skipped ${skipped}`]),
      ...(port.asked === settled ? [] : [`${name}: asked ${port.asked}, accounted for ${settled}`]),
    ];
  });
}

import { type AddressNumber, type AddressRange, blocksOf, contains, parseAddress } from '../targets/addresses.ts';
import type { Guard } from '../targets/guard.ts';
import type { HostSet } from '../targets/hosts.ts';
import type { AttachedLink } from './attached.ts';
import type { LinkQuestions } from './contract.ts';
import type { Datagrams } from './datagrams.ts';

/**
 * The links that may be asked by multicast: targets lie on them, beside this machine's own address, and the guard allows every address of all their networks,
 * because everybody there hears it.
 */
export function linksToAsk(links: readonly AttachedLink[], hosts: HostSet, guard: Guard): AttachedLink[] {
  return links.filter(
    ({ own, networks }) =>
      guard.linkRefusal(networks) === undefined && networks.some((network) => hosts.ranges.some((range) => touches(range, network, own))),
  );
}

/** Whether a range holds an address of a network, other than one's own. */
function touches(range: AddressRange, network: AddressRange, own: string): boolean {
  if (typeof range.first !== typeof network.first) return false;
  const first = range.first > network.first ? range.first : network.first;
  const last = range.last < network.last ? range.last : network.last;
  return first < last || (first === last && first !== parseAddress(own));
}

/** A port of the sweep that can be asked of a whole link, by its index in the plan. */
export interface LinkPort {
  readonly index: number;
  readonly port: number;
  readonly link: LinkQuestions;
}

/** Asks everybody on directly attached networks at once; each device answers to us alone (RFC 6762 section 6.7, UPnP Device Architecture 1.1 section 1.3.3). */
export class Links {
  readonly #links: readonly AttachedLink[];
  readonly #ports: readonly LinkPort[];
  readonly #datagrams: Pick<Datagrams, 'multicast'>;
  /** Links over which a port was asked, by its index. */
  readonly #asked = new Map<number, Set<AttachedLink>>();
  readonly #failed = new Map<string, string>();

  constructor(links: readonly AttachedLink[], ports: readonly LinkPort[], datagrams: Pick<Datagrams, 'multicast'>) {
    this.#links = links;
    this.#ports = ports;
    this.#datagrams = datagrams;
  }

  /** False where there is nobody to ask, or nothing. */
  get isNeeded(): boolean {
    return this.#links.length > 0 && this.#ports.length > 0;
  }

  /** Sends each question once over each link; returns how many left. One after the other: interface and TTL belong to the socket. */
  async ask(): Promise<number> {
    let sent = 0;
    for (const link of this.#links)
      for (const {
        index,
        port,
        link: { group, ttl, questions },
      } of this.#ports)
        for (const question of questions) {
          // Before it is sent: the first answer may be here sooner than the system says that it has gone.
          this.#askedOf(index).add(link);
          const { sent: became, code = became } = await this.#datagrams.multicast(link, { group, ttl, port }, question);
          if (became === 'sent') sent += 1;
          else this.#failed.set(link.name, code);
        }
    return sent;
  }

  /** Whether an address was asked at a port of the plan together with all others of its link. */
  hasAsked(index: number, address: AddressNumber): boolean {
    return [...this.#askedOf(index)].some(({ networks }) => networks.some((network) => contains(network, address)));
  }

  /** What was sent to whole links, and what could not be. */
  get notes(): string[] {
    const asked = new Set([...this.#asked.values()].flatMap((links) => [...links]));
    const questions = this.#ports.map(({ port, link: { group } }) => `${group} port ${port}`).join(', ');
    return [...asked].map(({ name, networks }) => {
      const failure = this.#failed.get(name);
      const everybody = networks.flatMap((network) => blocksOf(network, 1)).join(' and ');
      return `everybody in ${everybody} was asked at once over ${name}, targets or not (${questions})${failure === undefined ? '' : `; not all of it could be sent (${failure})`}`;
    });
  }

  #askedOf(index: number): Set<AttachedLink> {
    let links = this.#asked.get(index);
    if (links === undefined) {
      links = new Set();
      this.#asked.set(index, links);
    }
    return links;
  }
}

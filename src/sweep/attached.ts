import { networkInterfaces } from 'node:os';
import type { AddressRange } from '../targets/addresses.ts';
import { parseRange } from '../targets/parse.ts';

/** A network on an interface of this machine that leads to others. */
export interface AttachedNetwork {
  /** The name of the interface. */
  readonly link: string;
  readonly family: 4 | 6;
  readonly range: AddressRange;
  /** The address of this machine in it. */
  readonly own: string;
}

/** All of them but loopback. */
export function attachedNetworks(): AttachedNetwork[] {
  return Object.entries(networkInterfaces()).flatMap(([link, addresses = []]) =>
    addresses.flatMap(({ internal, address, cidr, family }) => {
      const range = internal || cidr === null ? undefined : parseRange(cidr);
      return range === undefined || 'reason' in range ? [] : [{ link, family: family === 'IPv4' ? 4 : 6, range, own: address }];
    }),
  );
}

/** An interface of this machine with its IPv4 networks: who hears what is sent over it to a multicast group. */
export interface AttachedLink {
  readonly name: string;
  /** An address of this machine on it. */
  readonly own: string;
  readonly networks: readonly AddressRange[];
}

/** The interfaces that lead to other machines over IPv4; none whose only network is one address. */
export function attachedLinks(): AttachedLink[] {
  const wide = attachedNetworks().filter(({ family, range }) => family === 4 && range.first !== range.last);
  return [...Map.groupBy(wide, ({ link }) => link)].map(([name, networks]) => ({
    name,
    own: networks[0]?.own ?? '',
    networks: networks.map(({ range }) => range),
  }));
}

import type { Inventory } from '../inventory/schema.ts';
import { printable } from '../text.ts';
import { addressesText, listText } from './explain.ts';

/** An address that answers, and that no definition names. */
export type Unnamed = Inventory['unrecognised'][number];

/** What answers without being named, by where and by its network card. */
export class UnnamedIndex {
  readonly #byAddress: ReadonlyMap<string, Unnamed>;
  readonly #byMac: ReadonlyMap<string, readonly Unnamed[]>;

  constructor(unrecognised: Inventory['unrecognised']) {
    this.#byAddress = new Map(unrecognised.map((one) => [one.host, one]));
    this.#byMac = Map.groupBy(
      unrecognised.filter(({ mac }) => mac !== undefined),
      ({ mac = '' }) => mac,
    );
  }

  at(address: string): Unnamed | undefined {
    return this.#byAddress.get(address);
  }

  /** Those with one of some network cards; several addresses of one card are several. */
  withMac(macs: readonly string[]): Unnamed[] {
    return macs.flatMap((mac) => this.#byMac.get(mac) ?? []);
  }
}

/** `443/tcp=https and MAC address 00:00:5E:00:53:10 of ICANN`; where only the network card is known, that. */
export function unnamedText({ endpoints, mac, macVendor }: Unnamed): string {
  const card = mac === undefined ? [] : [`MAC address ${mac}${macVendor === undefined ? '' : ` of ${printable(macVendor)}`}`];
  return listText([...endpoints, ...card], 8);
}

/** `10.0.0.7 (443/tcp=https)`. */
export function unnamedPlaces(found: readonly Unnamed[]): string {
  const [only, ...more] = found;
  if (only === undefined || more.length > 0) return addressesText(found.map(({ host }) => host));
  return only.endpoints.length === 0 ? only.host : `${only.host} (${listText(only.endpoints, 8)})`;
}

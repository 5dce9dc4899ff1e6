import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { type AddressNumber, type AddressRange, contains, parseAddress } from '../targets/addresses.ts';
import { parseRange } from '../targets/parse.ts';

/** The kernel's default for `gc_thresh3`: what is assumed where it cannot be read. */
const DEFAULT_TABLE = 1024;
/** An address that does not answer ARP holds its entry for 3 s; the margin was measured (docs/sweep.md). */
const SECONDS_HELD = 3.4;
const MOST_PER_SECOND = 300;

/** How full the neighbour table can get, and how sure we are. */
export interface NeighbourTable {
  readonly size: number;
  readonly used: number;
  /** False where the size could not be read and the default was assumed. */
  readonly known: boolean;
}

/**
 * The directly attached networks and the kernel's neighbour table. A sweep of one's own subnet is limited by that table:
 * over its size the kernel drops packets without an error, to living hosts too.
 */
export class Neighbours {
  readonly table: NeighbourTable;
  readonly #networks: readonly AttachedNetwork[];

  constructor() {
    this.#networks = attachedNetworks();
    this.table = readTable();
  }

  /** True for an address that this machine resolves itself. Its own need no neighbour to answer for them. */
  onLink(address: AddressNumber): boolean {
    return this.#networks.some(({ range }) => contains(range, address)) && this.#networks.every(({ own }) => own !== address);
  }

  /** True where a range holds an address of an attached network. */
  touches({ first, last }: AddressRange): boolean {
    return this.#networks.some(({ range }) => typeof range.first === typeof first && range.first <= last && first <= range.last);
  }

  /** True for the network and broadcast addresses of an attached network: no device has them. */
  isEdge(address: AddressNumber): boolean {
    return this.#networks.some(({ edges }) => edges.includes(address));
  }

  /** Whether the system tells who has been resolved. */
  get isReadable(): boolean {
    return this.resolved() !== undefined;
  }

  /** New on-link addresses per second that the table bears. */
  get perSecond(): number {
    return Math.max(10, Math.min(MOST_PER_SECOND, Math.floor((this.table.size - this.table.used) / SECONDS_HELD)));
  }

  /** What the kernel has resolved: IPv4 address to MAC. Undefined where the system does not tell. */
  resolved(): Map<AddressNumber, string> | undefined {
    let text: string;
    try {
      text = readFileSync('/proc/net/arp', 'latin1');
    } catch {
      return undefined; // not Linux: the caller sweeps at the pace of an unresolved network
    }
    const found = new Map<AddressNumber, string>();
    for (const row of text.split('\n').slice(1)) {
      const [ip = '', , flags = '0', mac = ''] = row.trim().split(/\s+/);
      const address = parseAddress(ip);
      if (address !== undefined && (Number(flags) & 2) !== 0 && mac !== '00:00:00:00:00:00') found.set(address, mac.toUpperCase());
    }
    return found;
  }

  /** How often the kernel found the table full since it started. Undefined where the system does not tell. */
  overflows(): number | undefined {
    try {
      const [heading = '', ...rows] = readFileSync('/proc/net/stat/arp_cache', 'latin1').trim().split('\n');
      const column = heading.trim().split(/\s+/).indexOf('table_fulls');
      if (column < 0) return undefined;
      return rows.reduce((sum, row) => sum + Number.parseInt(row.trim().split(/\s+/)[column] ?? '0', 16), 0);
    } catch {
      return undefined; // absent in some containers, although the table is shared with the host
    }
  }
}

interface AttachedNetwork {
  readonly range: AddressRange;
  /** The address of this machine in it. */
  readonly own: AddressNumber | undefined;
  readonly edges: readonly AddressNumber[];
}

function attachedNetworks(): AttachedNetwork[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ internal, address, cidr, family }) => {
      if (internal || cidr === null) return [];
      const range = parseRange(cidr);
      if ('reason' in range) return [];
      const wide = family === 'IPv4' && (range.last as number) - (range.first as number) > 2;
      return [{ range, own: parseAddress(address), edges: wide ? [range.first, range.last] : [] }];
    }),
  );
}

function readTable(): NeighbourTable {
  let used = 0;
  try {
    used = readFileSync('/proc/net/arp', 'latin1').trim().split('\n').length - 1;
  } catch {
    // unknown: counted as empty
  }
  try {
    const size = Number(readFileSync('/proc/sys/net/ipv4/neigh/default/gc_thresh3', 'latin1'));
    if (Number.isInteger(size) && size > 0) return { size, used, known: true };
  } catch {
    // in a namespace or container the file may be hidden while the limit holds
  }
  return { size: DEFAULT_TABLE, used, known: false };
}

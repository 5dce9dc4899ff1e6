import { readFileSync } from 'node:fs';
import { type AddressNumber, type AddressRange, contains, parseAddress, withoutZone } from '../targets/addresses.ts';
import { type AttachedNetwork, attachedNetworks } from './attached.ts';
import { type Neighbour, readNeighbours } from './neighbour-table.ts';

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
  readonly #networks: readonly Network[];

  private constructor(known: readonly Neighbour[] | undefined) {
    this.#networks = attachedNetworks().map(withEdges);
    this.isReadable = known !== undefined;
    this.table = readTable(known?.length ?? 0);
  }

  /** Looks at the links and the table of this machine. */
  static async look(): Promise<Neighbours> {
    return new Neighbours(await readNeighbours(4));
  }

  /** True for an address that this machine resolves itself. Its own need no neighbour to answer for them. */
  onLink(address: AddressNumber): boolean {
    const plain = withoutZone(address);
    return this.#networks.some(({ range }) => contains(range, plain)) && this.#networks.every(({ own }) => own !== plain);
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
  readonly isReadable: boolean;

  /** New on-link addresses per second that the table bears. */
  get perSecond(): number {
    return Math.max(10, Math.min(MOST_PER_SECOND, Math.floor((this.table.size - this.table.used) / SECONDS_HELD)));
  }

  /** Who has been resolved by now. Nobody where the system does not tell. */
  async resolved(family: 4 | 6): Promise<Neighbour[]> {
    return (await readNeighbours(family)) ?? [];
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

interface Network {
  readonly range: AddressRange;
  readonly own: AddressNumber | undefined;
  readonly edges: readonly AddressNumber[];
}

function withEdges({ family, range, own }: AttachedNetwork): Network {
  const isWide = family === 4 && (range.last as number) - (range.first as number) > 2;
  return { range, own: parseAddress(own), edges: isWide ? [range.first, range.last] : [] };
}

/** How large the table is. Entries that are not resolved yet count too, where the system tells of them. */
function readTable(resolved: number): NeighbourTable {
  let used = resolved;
  try {
    used = readFileSync('/proc/net/arp', 'latin1').trim().split('\n').length - 1;
  } catch {
    // not Linux: those that are resolved are known
  }
  try {
    const size = Number(readFileSync('/proc/sys/net/ipv4/neigh/default/gc_thresh3', 'latin1'));
    if (Number.isInteger(size) && size > 0) return { size, used, known: true };
  } catch {
    // in a namespace or container the file may be hidden while the limit holds
  }
  return { size: DEFAULT_TABLE, used, known: false };
}

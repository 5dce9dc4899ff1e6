import { Resolver } from 'node:dns/promises';
import pLimit from 'p-limit';
import { codeOf, inputError } from '../errors.ts';
import { type AddressNumber, formatAddress, parseAddress, withoutZone } from '../targets/addresses.ts';
import type { Guard } from '../targets/guard.ts';
import type { Audit } from './audit.ts';

const AT_ONCE = 16;
const TIME_OUT_MS = 2000;
const DNS_PORT = 53;
/** So many questions in a row without any answer, and the name servers are taken for dead: thousands of time-outs would outlast the sweep. */
const DEAD_AFTER = 32;
/** RFC 1035 section 2.3.4. */
const MAX_NAME_CHARS = 255;

/** What the network calls an address, and when that was asked. */
export interface ReverseName {
  readonly address: AddressNumber;
  readonly name: string;
  readonly at: string;
  readonly ms: number;
}

export interface ReverseHandlers {
  readonly audit: Audit;
  readonly onName: (found: ReverseName) => void;
  /** Where it becomes true nothing more is asked. */
  readonly isOver: () => boolean;
}

/** What became of the questions. */
export interface ReverseResult {
  readonly asked: number;
  readonly named: number;
  /** Addresses that were not asked for, because no name server answered any more, or it was over. */
  readonly left: number;
}

/**
 * Asks name servers for the names of addresses: PTR questions, over UDP and where an answer is long over TCP, by the resolver library (c-ares). The files of
 * this machine (`/etc/hosts`) are not looked at. Where `KVMSWEEP_ONLY` is set, name servers outside of it are not asked.
 */
export class ReverseNames {
  readonly servers: readonly string[];
  readonly #resolvers: readonly Resolver[];
  /** The server that answered last is asked first. */
  #first = 0;

  /**
   * `servers` as in `127.0.0.1:5353`; without them those that this machine is set up with.
   * @throws {InputError} where no name server may be asked
   */
  constructor(guard: Guard, servers: readonly string[] = new Resolver().getServers()) {
    this.servers = servers.filter((server) => guard.isWithin(placeOf(server).address));
    if (this.servers.length === 0)
      throw inputError('bad-option', {
        option: '--also',
        text: 'dns',
        reason:
          servers.length === 0
            ? 'this machine has no name server'
            : `the name servers of this machine (${servers.join(', ')}) are outside of KVMSWEEP_ONLY (${guard.only})`,
      });
    this.#resolvers = this.servers.map((server) => {
      const resolver = new Resolver({ timeout: TIME_OUT_MS, tries: 1 });
      resolver.setServers([server]);
      return resolver;
    });
  }

  /** Asks for all of them, at most 16 at once and each once. */
  async ask(addresses: Iterable<AddressNumber>, { audit, onName, isOver }: ReverseHandlers): Promise<ReverseResult> {
    const limit = pLimit(AT_ONCE);
    const result = { asked: 0, named: 0, left: 0 };
    let unanswered = 0;
    const askOne = async (address: AddressNumber): Promise<void> => {
      if (isOver() || unanswered >= DEAD_AFTER) {
        result.left += 1;
        return;
      }
      result.asked += 1;
      const at = new Date().toISOString();
      const from = performance.now();
      const names = await this.#namesOf(address, audit);
      unanswered = names === undefined ? unanswered + 1 : 0;
      // Of several the order varies from answer to answer.
      const [name] = (names ?? []).filter((text) => text !== '').toSorted();
      if (name === undefined) return;
      result.named += 1;
      onName({ address, name: name.slice(0, MAX_NAME_CHARS), at, ms: Math.round(performance.now() - from) });
    };
    // As many as may be asked at once are held, not all of them: there may be a million.
    const asking = new Set<Promise<void>>();
    for (const address of addresses) {
      const one: Promise<void> = limit(() => askOne(address)).finally(() => asking.delete(one));
      asking.add(one);
      if (asking.size >= AT_ONCE) await Promise.race(asking);
    }
    await Promise.all(asking);
    return result;
  }

  /** The names of an address, none where there are none; undefined where no server answered. */
  async #namesOf(address: AddressNumber, audit: Audit): Promise<readonly string[] | undefined> {
    const question = reverseNameOf(address);
    for (let tries = 0; tries < this.#resolvers.length; tries += 1) {
      const index = (this.#first + tries) % this.#resolvers.length;
      const { host, port } = placeOf(this.servers[index] ?? '');
      audit.record({ host, transport: 'udp', port, what: `dns.ptr ${question}` });
      try {
        const names = await this.#resolvers[index]?.resolvePtr(question);
        this.#first = index;
        return names ?? [];
      } catch (error) {
        if (!ANSWERS.has(codeOf(error) ?? '')) continue;
        this.#first = index;
        return [];
      }
    }
    return undefined;
  }
}

/** Errors that are answers of a name server: it has no such name, no such record, or does not want to say. */
const ANSWERS: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EREFUSED', 'ESERVFAIL', 'ENOTIMP', 'EFORMERR', 'EBADRESP']);

/** Where a name server is: `127.0.0.1`, `127.0.0.1:5353`, `::1`, `[::1]:5353`. */
function placeOf(server: string): { readonly host: string; readonly port: number; readonly address: AddressNumber | undefined } {
  const match = /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:]+))(?::(?<port>\d+))?$/.exec(server)?.groups;
  const host = match?.['six'] ?? match?.['four'] ?? server;
  return { host, port: Number(match?.['port'] ?? DNS_PORT), address: parseAddress(host) };
}

/** `5.2.0.192.in-addr.arpa` (RFC 1035 section 3.5), and for IPv6 its 32 digits in `ip6.arpa` (RFC 3596 section 2.5). */
export function reverseNameOf(address: AddressNumber): string {
  if (typeof address === 'number') return `${formatAddress(address).split('.').toReversed().join('.')}.in-addr.arpa`;
  return `${withoutZone(address).toString(16).padStart(32, '0').split('').toReversed().join('.')}.ip6.arpa`;
}

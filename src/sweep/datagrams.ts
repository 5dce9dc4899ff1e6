import dgram from 'node:dgram';
import { readFileSync } from 'node:fs';
import { codeOf, ForbiddenError } from '../errors.ts';
import { type AddressNumber, familyOf, formatAddress, hostWithoutZone, parseAddress } from '../targets/addresses.ts';
import type { Guard } from '../targets/guard.ts';
import type { Audit } from './audit.ts';
import type { Datagram } from './contract.ts';
import type { AttachedLink } from './attached.ts';
import { refuseBytes, refuseGroup, shown } from './messages.ts';
import type { SnmpCredentials } from './snmp/credentials.ts';

/** A stall of the event loop of 14 ms at 20,000 answers a second is all that the default buffer holds. The kernel may grant less. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** What became of sending a datagram. `local` is a condition of our own machine. */
export type Sent = 'sent' | 'unreachable' | 'local';

interface Became {
  readonly sent: Sent;
  /** Of an error, if there was one. */
  readonly code: string | undefined;
}

const SENT_OF: Readonly<Record<string, Sent>> = {
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ECONNREFUSED: 'sent',
};

export interface DatagramOptions {
  readonly guard: Guard;
  readonly audit: Audit;
  /** What the operator gave: without it nothing is sent that carries a credential. */
  readonly credentials?: SnmpCredentials | undefined;
  /** Called for every datagram that comes in, whoever sent it. */
  readonly onDatagram: (from: AddressNumber, port: number, bytes: Buffer) => void;
}

/**
 * The shared UDP sockets: one for each family, unconnected, for all targets and all protocols. A closed port shows as silence here,
 * so the ledger never calls one closed.
 */
export class Datagrams {
  readonly #options: DatagramOptions;
  readonly #sockets = new Map<4 | 6, dgram.Socket>();

  constructor(options: DatagramOptions) {
    this.#options = options;
  }

  /** Opens the sockets for the families given. */
  async open(families: Iterable<4 | 6>): Promise<void> {
    for (const family of families) {
      if (this.#sockets.has(family)) continue;
      const socket = dgram.createSocket({
        type: family === 4 ? 'udp4' : 'udp6',
        ipv6Only: family === 6,
        lookup: (address, _, done) => done(null, address, family),
      });
      socket.on('message', (bytes, { address, port }) => {
        // Only link-local addresses keep their zone.
        const from = parseAddress(address) ?? parseAddress(hostWithoutZone(address));
        if (from !== undefined) this.#options.onDatagram(from, port, bytes);
      });
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(0, () => {
          socket.off('error', reject);
          resolve();
        });
      });
      // An unconnected socket has no errors of its own after this: those of a send reach its callback.
      socket.on('error', () => undefined);
      socket.setRecvBufferSize(BUFFER_BYTES);
      socket.setSendBufferSize(BUFFER_BYTES);
      this.#sockets.set(family, socket);
    }
  }

  /** Sends to one address. @param done is called once with what became of it, and the code of an error, if there was one */
  post(address: AddressNumber, port: number, { name, bytes }: Datagram, done: (sent: Sent, code: string | undefined) => void): void {
    const refused = this.#options.guard.refusal(address) ?? refuseBytes(name, bytes, this.#options.credentials);
    if (refused !== undefined) throw new ForbiddenError(refused);
    const host = formatAddress(address);
    this.#options.audit.record({ host, transport: 'udp', port, what: name, ...shown(name, bytes) });
    this.#socketFor(address).send(bytes, port, host, (error) => {
      const code = codeOf(error);
      done(outcomeOf(code), code);
    });
  }

  /** The same as a promise. */
  send(address: AddressNumber, port: number, datagram: Datagram): Promise<Became> {
    const { promise, resolve } = Promise.withResolvers<Became>();
    this.post(address, port, datagram, (sent, code) => resolve({ sent, code }));
    return promise;
  }

  /**
   * Sends to everybody on a directly attached network. The interface and the TTL are set on the socket, so one call must be over before the next begins;
   * what is sent to single addresses meanwhile goes its usual way.
   * @throws {ForbiddenError} where anybody on that link may not be asked, or the message may not be sent to that group
   */
  async multicast(
    link: AttachedLink,
    { group, ttl, port }: { readonly group: string; readonly ttl: number; readonly port: number },
    { name, bytes }: Datagram,
  ): Promise<Became> {
    const refused = this.#options.guard.linkRefusal(link.networks) ?? refuseBytes(name, bytes) ?? refuseGroup(name, group);
    if (refused !== undefined) throw new ForbiddenError(refused);
    const socket = this.#sockets.get(4);
    if (socket === undefined) throw new Error('no socket for IPv4 is open');
    try {
      socket.setMulticastInterface(link.own);
      socket.setMulticastTTL(ttl);
    } catch (error) {
      return { sent: 'local', code: codeOf(error) ?? 'unknown' }; // the interface has lost its address since
    }
    this.#options.audit.record({ host: group, transport: 'udp', port, what: name, bytes });
    const { promise, resolve } = Promise.withResolvers<Became>();
    socket.send(bytes, port, group, (error) => {
      const code = codeOf(error);
      resolve({ sent: outcomeOf(code), code });
    });
    return promise;
  }

  /** Datagrams that the kernel dropped because our buffer was full: answers that were lost here. Undefined where the system does not tell. */
  dropped(): number | undefined {
    let drops: number | undefined;
    for (const [family, socket] of this.#sockets) {
      const port = socket.address().port.toString(16).toUpperCase().padStart(4, '0');
      try {
        const line = readFileSync(`/proc/net/udp${family === 6 ? '6' : ''}`, 'latin1')
          .split('\n')
          .find((row) => row.trim().split(/\s+/)[1]?.endsWith(`:${port}`) === true);
        const count = Number(line?.trim().split(/\s+/).at(-1));
        if (Number.isInteger(count)) drops = (drops ?? 0) + count;
      } catch {
        // Not Linux: unknown, which the caller says.
      }
    }
    return drops;
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #socketFor(address: AddressNumber): dgram.Socket {
    const socket = this.#sockets.get(familyOf(address));
    if (socket === undefined) throw new Error(`no socket for ${formatAddress(address)} is open`);
    return socket;
  }
}

function outcomeOf(code: string | undefined): Sent {
  return code === undefined ? 'sent' : (SENT_OF[code] ?? 'local');
}

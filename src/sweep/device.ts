import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { ProbeError } from '../errors.ts';
import { type AddressNumber, formatAddress, parseAddress, urlHost, withoutZone } from '../targets/addresses.ts';
import type { HostSet } from '../targets/hosts.ts';
import { knownPort, mayBeSerialLine } from '../targets/known-ports.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import type { Audit } from './audit.ts';
import { Budget, type BudgetLimits } from './budget.ts';
import type { Endpoint, Page, SnmpAgent, Web } from './contract.ts';
import { dial, type Dialer } from './dial.ts';
import { WebLine } from './exchange.ts';
import type { Gates, Release } from './gates.ts';
import type { AllowedPaths, PathKind } from './paths.ts';
import type { SnmpCredential, SnmpCredentials } from './snmp/credentials.ts';
import { SnmpSession } from './snmp/session.ts';
import { SocketWire } from './socket-wire.ts';

/** A conversation's connection may take this long; the sweep's own are shorter. */
const CONNECT_MS = 3000;
/** The knee of this runtime: more at once only wait for each other (docs/sweep.md). */
const HANDSHAKES_AT_ONCE = 32;
/** Of 300 at once, agents on one machine lost some of the answers; of 50 none. */
const SNMP_SESSIONS_AT_ONCE = 50;
/** How long a device may take to hear that a connection has ended. */
export const FAREWELL_MS = 20;
/** A device whose handshake takes longer is given one connection at a time. */
const SLOW_HANDSHAKE_MS = 500;
/** Pages kept for the redirects of a device's other ports, over all devices. */
const CACHE_BYTES = 32 * 1024 * 1024;

/** What conversations share. */
export interface Reach extends Dialer {
  readonly audit: Audit;
  readonly paths: AllowedPaths;
  readonly gates: Gates;
  readonly hosts: HostSet;
  readonly ports: readonly PortPlan[];
  readonly budget: BudgetLimits;
  /** What the operator gave for reading SNMP, if anything. */
  readonly credentials?: SnmpCredentials | undefined;
}

/** Pages by device, port, scheme and path, so that a redirect from one port to another is not a second request. The oldest go first. */
class PageCache {
  readonly #pages = new Map<string, { page: Promise<Page>; bytes: number }>();
  #bytes = 0;
  get(key: string): Promise<Page> | undefined {
    return this.#pages.get(key)?.page;
  }
  set(key: string, page: Promise<Page>): void {
    const entry = { page, bytes: 0 };
    this.#pages.set(key, entry);
    page.then(
      ({ body }) => {
        entry.bytes = body.length + 1024;
        this.#bytes += entry.bytes;
        for (const [old, { bytes }] of this.#pages) {
          if (this.#bytes <= CACHE_BYTES) break;
          this.#pages.delete(old);
          this.#bytes -= bytes;
        }
      },
      () => this.#pages.delete(key),
    );
  }
}

/** The ways to talk to devices, each within its limits. */
export class Devices {
  readonly reach: Reach;
  readonly cache = new PageCache();
  readonly handshakes = pLimit(HANDSHAKES_AT_ONCE);
  readonly snmpSessions = pLimit(SNMP_SESSIONS_AT_ONCE);
  /** Conversations that our own machine kept from being held. */
  localErrors = 0;
  /** Called where a device that was found open does not answer a further connection (or session), with the `performance.now()` at which that was begun. */
  onDeaf: (address: AddressNumber, since: number) => void = () => undefined;
  readonly #devices = new Map<AddressNumber, Device>();

  constructor(reach: Reach) {
    this.reach = reach;
  }

  /** The device at an address that has answered already. */
  known(address: AddressNumber): Device | undefined {
    return this.#devices.get(address);
  }

  /** The device at an address; kept for the run, because its account is. */
  at(address: AddressNumber): Device {
    let device = this.#devices.get(address);
    if (device === undefined) {
      device = new Device(address, this);
      this.#devices.set(address, device);
    }
    return device;
  }
}

/** One address, as conversations reach it. */
export class Device {
  readonly address: AddressNumber;
  readonly host: string;
  /** The name that the operator gave, if any. */
  readonly name: string | undefined;
  readonly budget: Budget;
  readonly #all: Devices;
  /** Ports whose TLS broke off on the first hello: they get the cautious one from then on. */
  readonly #cautious = new Set<number>();
  /** Web ports that said they would take another request over a connection, and did not. */
  readonly #forgetful = new Set<number>();

  constructor(address: AddressNumber, all: Devices) {
    this.address = address;
    this.host = formatAddress(address);
    this.name = all.reach.hosts.nameOf(address);
    this.budget = new Budget(all.reach.budget);
    this.#all = all;
  }

  /** Makes a wire of a socket that the sweep opened. It keeps the place that the sweep's connection held. */
  adopt(socket: Socket, { port, protocol }: { port: number; protocol: string }, release: Release, deadline: number): SocketWire {
    return new SocketWire(socket, {
      endpoint: { host: this.host, transport: 'tcp', port },
      protocol,
      deadline,
      audit: this.#all.reach.audit,
      tls: { name: this.name, cautious: this.#cautious.has(port) },
      inTurn: async (make) => {
        const session = await this.#all.handshakes(make);
        if (session.handshakeMs > SLOW_HANDSHAKE_MS) this.#all.reach.gates.slow(this.address);
        return session;
      },
      onClosed: () => {
        this.budget.rest();
        // The device hears of the end a little later than we: its place stays taken until then.
        setTimeout(release, FAREWELL_MS);
      },
    });
  }

  /** Connects to a port that was found open. @throws {ProbeError} where the budget is spent or the port no longer answers */
  async open(port: number, protocol: string, deadline: number): Promise<SocketWire> {
    const release = await this.#all.reach.gates.enter(this.address);
    try {
      await sleep(this.budget.pauseMs);
      const since = performance.now();
      // One that was given up because the path dropped its connections is not asked any more, and misses the same.
      if (this.budget.isDeaf) this.#all.onDeaf(this.address, since);
      this.budget.connect();
      const dialled = await dial(this.address, port, Math.min(CONNECT_MS, Math.max(1, deadline - performance.now())), this.#all.reach);
      if (dialled.outcome === 'open') return this.adopt(dialled.socket, { port, protocol }, release, deadline);
      if (dialled.outcome === 'local') this.#all.localErrors += 1;
      if (dialled.outcome === 'silent') {
        this.budget.deaf();
        this.#all.onDeaf(this.address, since);
      } else this.budget.rest(true);
      const kind = dialled.outcome === 'local' ? 'given-up' : dialled.outcome === 'reset' ? 'cut-off' : dialled.outcome;
      throw new ProbeError(kind, `connecting again: ${dialled.code}`);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Asks the SNMP agent at a port with one credential, in its turn: each session has a socket of its own. `onSend` is called for each datagram. */
  readSnmp<T>(
    port: number,
    credential: SnmpCredential,
    { deadline, onSend }: { readonly deadline: number; readonly onSend: () => void },
    read: (agent: SnmpAgent) => Promise<T>,
  ): Promise<T> {
    return this.#all.snmpSessions(async () => {
      const since = performance.now();
      const session = await SnmpSession.open({
        address: this.address,
        endpoint: { host: this.host, transport: 'udp', port },
        credential,
        deadline,
        budget: this.budget,
        reach: this.#all.reach,
        onSend,
        onLocalError: () => (this.#all.localErrors += 1),
      });
      try {
        return await read(session);
      } catch (error) {
        // Its socket is a new one, as new to a state table as a connection.
        if (error instanceof ProbeError && error.kind === 'silent') this.#all.onDeaf(this.address, since);
        throw error;
      } finally {
        session.close();
      }
    });
  }

  /** From now on this port is greeted with TLS 1.2 at most and without a name. */
  beCautious(port: number): void {
    this.#cautious.add(port);
  }
  isCautious(port: number): boolean {
    return this.#cautious.has(port);
  }

  /**
   * Asks pages of a port, one at a time. The first request goes over `first`, which for https has been secured; the others over the same connection, as long
   * as the device leaves it open: a handshake is the dearest thing that is asked of it. An idle connection holds one of the device's two places, so whoever
   * is about to wait for another one closes it first.
   */
  web(port: number, scheme: 'http' | 'https', deadline: number, first?: SocketWire): WebOfDevice {
    const endpoint: Endpoint = { host: this.host, transport: 'tcp', port };
    const { audit, paths } = this.#all.reach;
    let ready = first;
    let line: { readonly wire: SocketWire; readonly web: WebLine } | undefined;
    let turn: Promise<unknown> = Promise.resolve();
    const own = new Set<string>();
    const others: WebOfDevice[] = [];
    const close = async (): Promise<void> => {
      const [wire, open] = [ready ?? line?.wire, line];
      ready = line = undefined;
      await open?.web.close();
      await wire?.end();
    };
    const connect = async (): Promise<NonNullable<typeof line>> => {
      const wire = ready ?? (await this.open(port, scheme, deadline));
      ready = undefined;
      try {
        if (scheme === 'https' && !wire.secured) await wire.secure();
        return { wire, web: new WebLine(wire.release(), { endpoint, scheme, hostHeader: this.#hostHeader(port, scheme), paths, audit }) };
      } catch (error) {
        await wire.end();
        throw error;
      }
    };
    const fetch = async (path: string, as: PathKind): Promise<Page> => {
      this.budget.request();
      // A device that hangs up after its answer has done so by then, whatever it said.
      if (line !== undefined) await sleep(this.budget.pauseMs);
      if (line?.web.isOpen === false) await close();
      const isReused = line !== undefined;
      try {
        line ??= await connect();
        const page = await line.web.get({ path, as, deadline });
        const isTroubled = (page.status ?? 0) >= 500;
        this.budget.rest(isTroubled);
        if (isTroubled || !line.web.isOpen || this.#forgetful.has(port)) await close();
        return page;
      } catch (error) {
        this.budget.rest(true);
        await close();
        if (!isReused || !(error instanceof ProbeError)) throw error;
        this.#forgetful.add(port);
        return fetch(path, as);
      }
    };
    const web: WebOfDevice = {
      endpoint,
      scheme,
      get: (path, as = 'page') => {
        const key = `${scheme}://${this.host}:${port} ${path}`;
        const known = this.#all.cache.get(key);
        if (known !== undefined) {
          // Where another port's redirect has asked for it, what it leads to needs the place that an idle connection would hold.
          if (!own.has(key)) turn = turn.then(close);
          return known;
        }
        own.add(key);
        const page = turn.then(() => fetch(path, as));
        turn = page.catch(() => undefined);
        this.#all.cache.set(key, page);
        return page;
      },
      follow: (location, from) => {
        const target = this.#follow(location, from, { port, scheme, deadline }, web);
        if (target === undefined || target.web === web) return target;
        turn = turn.then(close);
        others.push(target.web);
        return target;
      },
      close: async () => {
        await turn;
        await close();
        await Promise.all(others.map((other) => other.close()));
      },
    };
    return web;
  }

  /**
   * Asks for the description that an SSDP answer names (UPnP Device Architecture 1.1 section 2.11): only at the address that answered, at any port of it where
   * nothing but a web server is known, and which is no serial line. Undefined where it may not be asked.
   */
  description(location: string, deadline: number): { readonly web: WebOfDevice; readonly path: string } | undefined {
    const target = webUrl(location);
    if (target === undefined || parseAddress(target.host) !== this.address || target.port === 0 || mayBeSerialLine(target.port))
      return undefined;
    const path = this.#all.reach.paths.description(target.path);
    const spoken = this.#spokenAt(target.port) ?? knownPort('tcp', target.port)?.protocol;
    if (path === undefined || (spoken !== undefined && !WEB.has(spoken))) return undefined;
    return { web: this.web(target.port, target.scheme, deadline), path };
  }

  #hostHeader(port: number, scheme: 'http' | 'https'): string {
    const host = this.name ?? urlHost(this.host);
    return port === (scheme === 'https' ? 443 : 80) ? host : `${host}:${port}`;
  }

  #follow(
    location: string,
    from: string,
    here: { port: number; scheme: 'http' | 'https'; deadline: number },
    same: WebOfDevice,
  ): { readonly web: WebOfDevice; readonly path: string } | undefined {
    const target = webUrl(location, `${here.scheme}://${urlHost(this.host)}:${here.port}${from}`);
    if (target === undefined) return undefined;
    const { scheme, host, port } = target;
    if (parseAddress(host) !== withoutZone(this.address) && (this.name === undefined || host.toLowerCase() !== this.name.toLowerCase()))
      return undefined;
    const path = this.#all.reach.paths.landing(target.path);
    if (path === undefined) return undefined;
    if (port === here.port && scheme === here.scheme) return { web: same, path };
    if (!WEB.has(this.#spokenAt(port) ?? '')) return undefined;
    return { web: this.web(port, scheme, here.deadline), path };
  }

  /** What the sweep speaks at a TCP port; undefined where it does not ask there. */
  #spokenAt(port: number): string | undefined {
    return this.#all.reach.ports.find((plan) => plan.transport === 'tcp' && plan.port === port)?.protocol;
  }
}

/** Has to be closed by whom it was made for. */
export type WebOfDevice = Web & { close(): Promise<void> };

/** Protocols of ports at which a page may be asked for. */
const WEB: ReadonlySet<string> = new Set(['http', 'https', 'listen-http']);

/** Where a text that a device wrote leads on the web; undefined where it is no URL, none of the web, or carries a login. It is recorded as the device wrote it. */
function webUrl(
  text: string,
  base?: string,
): { readonly scheme: 'http' | 'https'; readonly host: string; readonly port: number; readonly path: string } | undefined {
  if (!URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  if (url.username !== '' || url.password !== '' || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
  };
}

import { ProbeError } from '../errors.ts';
import { asksOf, certaintyOf, judge } from '../fingerprints/judge.ts';
import type { Hit, Matcher } from '../fingerprints/match.ts';
import type { Observation } from '../observations/observation.ts';
import { makerOf } from '../oui.ts';
import { byEndpoint } from '../observations/observation.ts';
import { pageRecord, speaksTls } from '../probes/http.ts';
import { probes, type SnmpHello, tlsRaw } from '../probes/index.ts';
import { tlsFacts } from '../probes/tls.ts';
import type { Page, Web } from '../sweep/contract.ts';
import type { Device } from '../sweep/device.ts';
import { HandshakeError, type HandshakeRead } from '../sweep/secure.ts';
import { NO_CREDENTIALS, type SnmpCredential, type SnmpCredentials } from '../sweep/snmp-credentials.ts';
import type { SocketWire } from '../sweep/socket-wire.ts';
import type { OpenPort } from '../sweep/sweep.ts';
import type { UdpTalk } from '../sweep/udp-talk.ts';
import { makersOf } from '../targets/known-ports.ts';
import type { PortPlan } from '../targets/ports.ts';
import { count } from '../text.ts';
import { type Facts, type FactValue, LEVELS, levelOf, type Outcome } from '../vocabulary.ts';

export interface ConversationContext {
  readonly matcher: Matcher;
  readonly ports: readonly PortPlan[];
  /** What the operator gave for reading SNMP, and the probe that greets with it. */
  readonly credentials?: SnmpCredentials;
  readonly snmp?: SnmpHello;
  /** Writes an observation down, before anything else is sent. */
  readonly onObservation: (observation: Observation) => void;
  /** A fault of ours while talking to a device: it ends that conversation, not the sweep. */
  readonly onFault: (device: Device, error: unknown) => void;
}

/** Which rules hold at which endpoint of a host: all that is kept of it while the sweep goes on. */
type HostHits = Map<string, Hit[]>;

/** Talks to what the sweep finds: the right probes over the connection that was found, then the questions that fingerprints ask. */
export class Conversations {
  readonly #context: ConversationContext;
  readonly #hits = new Map<string, HostHits>();
  /** https ports of the plan: where there is one, Redfish is not asked over plain http. */
  readonly #hasHttps: boolean;
  readonly #redfish = new Set<string>();
  readonly #found = new Set<string>();
  /** Whose a device is by the protocol that it answered in, where that is one maker's. */
  readonly #makers = new Map<string, readonly string[]>();
  /** Paths that a device has answered at one of its ports: `192.0.2.10 /licensing`. */
  readonly #answered = new Set<string>();

  constructor(context: ConversationContext) {
    this.#context = context;
    this.#hasHttps = context.ports.some(({ protocol }) => protocol === 'https');
  }

  get #credentials(): SnmpCredentials {
    return this.#context.credentials ?? NO_CREDENTIALS;
  }

  get #snmp(): SnmpHello {
    return this.#context.snmp ?? probes.snmp;
  }

  /** Hosts at which something is recognised so far. */
  get found(): number {
    return this.#found.size;
  }

  async open({ device, plan, socket, release }: OpenPort): Promise<void> {
    const deadline = device.budget.begin();
    const wire = device.adopt(socket, plan, release, deadline);
    const talk = new Talk(device, plan, deadline, this);
    try {
      await this.#speak(talk, wire);
    } catch (error) {
      this.#fault(talk, error);
    } finally {
      device.budget.end();
      await wire.end();
    }
  }

  async answer(device: Device, plan: PortPlan & { readonly transport: 'udp' }, udp: UdpTalk): Promise<void> {
    const deadline = device.budget.begin();
    udp.deadline = deadline;
    const talk = new Talk(device, plan, deadline, this);
    try {
      await udp.gather();
      const makers = makersOf(plan.protocol);
      const probe = plan.protocol === 'snmp' ? this.#snmp : probes[plan.protocol];
      if ((await talk.run(plan.protocol, () => probe.talk(udp, talk.context))) === 'answered' && makers !== undefined)
        this.#makers.set(device.host, makers);
      this.#match(talk);
      if (plan.protocol === 'snmp' && !this.#credentials.isEmpty) {
        await this.#readSnmp(talk, udp);
        this.#match(talk);
      }
      if (plan.protocol === 'ssdp') await this.#describe(talk);
    } catch (error) {
      this.#fault(talk, error);
    } finally {
      device.budget.end();
    }
  }

  /** Reads the description that an SSDP answer names, where it is the device's own. It is written down with the answer, which is why it was read. */
  async #describe(talk: Talk): Promise<void> {
    const location = talk.facts['ssdp.location'];
    const description = typeof location === 'string' ? talk.device.description(location, talk.deadline) : undefined;
    if (description === undefined) return;
    const { web, path } = description;
    try {
      await talk.run('upnp', () => probes.upnp.talk(web, path));
      this.#match(talk);
    } finally {
      await web.close();
    }
  }

  reset(device: Device, plan: PortPlan & { readonly transport: 'tcp' }): void {
    const at = new Date().toISOString();
    const note = 'accepted the connection and reset it at once';
    new Talk(device, plan, 0, this).write(plan.protocol === 'listen-http' ? 'listen' : plan.protocol, {
      outcome: 'cut-off',
      facts: {},
      note,
      at,
      ms: 0,
    });
  }

  /** Why a living device need not be asked at a port: what is one maker's protocol is not for another's device. */
  unwanted(device: Device, { protocol }: PortPlan): string | undefined {
    const vendors = makersOf(protocol);
    if (vendors === undefined) return undefined;
    const makers = this.#makers.get(device.host);
    if (makers !== undefined && !makers.some((maker) => vendors.includes(maker))) return 'it answered in the protocol of another maker';
    const [best] = judge([...(this.#hits.get(device.host)?.values() ?? [])].flat()).filter(
      (claim) => !claim.generic && certaintyOf(claim) >= LEVELS.likely,
    );
    return best?.vendor === undefined || vendors.includes(best.vendor) ? undefined : 'it is surely of another maker';
  }

  neighbour(device: Device, mac: string): void {
    const maker = makerOf(mac);
    this.record({
      v: 1,
      kind: 'observation',
      host: device.host,
      probe: 'neighbours',
      at: new Date().toISOString(),
      outcome: 'answered',
      facts: { 'mac.address': mac, ...(maker === undefined ? {} : { 'mac.vendor': maker }) },
    });
  }

  /** Writes down what was said; not a secret that the device had of us and says back. */
  record(observation: Observation): void {
    this.#context.onObservation(this.#credentials.struckOut(observation));
  }

  async #speak(talk: Talk, wire: SocketWire): Promise<void> {
    switch (talk.plan.protocol) {
      case 'rfb':
      case 'ssh':
      case 'telnet':
      case 'ftp':
      case 'listen': {
        const { protocol } = talk.plan;
        await talk.run(protocol, () => probes[protocol].talk(wire, talk.context));
        break;
      }
      case 'tls': {
        const secured = await this.#certificate(talk, wire);
        if (secured !== 'plain') await secured?.end();
        break;
      }
      case 'listen-http': {
        const heard = await talk.attempt(() => probes.listen.talk(wire, talk.context));
        if (heard.outcome !== 'silent') talk.write('listen', heard, heard.value);
        else await this.#web(talk, 'http', wire);
        break;
      }
      case 'http':
        await this.#web(talk, 'http', wire);
        break;
      case 'https':
        await this.#tls(talk, wire);
        break;
      case 'ipmi':
      case 'snmp':
      case 'mdns':
      case 'ssdp':
      case 'addp':
      case 'aidp':
      case 'lantronix':
      case 'moxa':
      case 'netbios':
      case 'slp':
      case 'ubiquiti':
      case 'wsd':
        throw new Error(`${talk.plan.protocol} is not spoken over TCP`);
    }
    this.#match(talk);
  }

  /**
   * Reads what the agent says of the device, with the credential that it takes: a community that it has answered to, else the users one after the other, each
   * tried once. Each attempt is a row, so that it is known what was refused.
   */
  async #readSnmp(talk: Talk, udp: UdpTalk): Promise<void> {
    const { communities, users } = this.#credentials;
    const community = this.#snmp.taken(udp.answers);
    const isVersion3 = talk.facts['snmp.engine.id'] !== undefined;
    const tried: readonly SnmpCredential[] = community !== undefined ? [community] : isVersion3 ? users : [];
    if (tried.length === 0) {
      const note =
        communities.length > 0
          ? `did not answer to the ${count(communities.length, 'community', 'communities')} given`
          : 'speaks no SNMPv3: there is no community to ask it with';
      talk.write('snmp-read', { outcome: 'silent', facts: {}, note, at: new Date().toISOString(), ms: 0 });
    }
    for (const [at, credential] of tried.entries()) {
      const attempt = await talk.attempt(() =>
        talk.device.readSnmp(talk.plan.port, credential, { deadline: talk.deadline, onSend: udp.onSend }, (agent) =>
          probes.snmpRead.talk(agent, talk.facts),
        ),
      );
      const facts = attempt.value ?? attempt.facts;
      const note =
        attempt.note === undefined || credential.version !== 3 ? attempt.note : `user ${at + 1} of ${users.length}: ${attempt.note}`;
      talk.write('snmp-read', { ...attempt, ...(note === undefined ? {} : { note }) }, facts);
      if (attempt.outcome === 'answered' || Object.keys(facts).length > 0) return;
    }
  }

  /** The certificate, then the page behind it; plain http where it is not TLS. */
  async #tls(talk: Talk, first: SocketWire): Promise<void> {
    const secured = await this.#certificate(talk, first);
    if (secured === 'plain') await this.#web(talk, 'http');
    else if (secured !== undefined) await this.#web(talk, 'https', secured);
  }

  /**
   * The certificate of a port, by the ladder of docs/read-only.md, at most three connections: the library's hello; a cautious one where that was cut off
   * or unanswered; a raw one, which only reads the certificate, where the device and the library have no TLS in common. Where the device said that this is
   * so, the cautious hello is left out: it offers nothing that the first did not, but for the name, which it leaves out. A device that breaks off after it has
   * shown its certificate, because it wants to see one of ours, is asked no more.
   * Returns the secured connection, or `plain` where something else is spoken; nothing where no session came about.
   */
  async #certificate(talk: Talk, first: SocketWire): Promise<SocketWire | 'plain' | undefined> {
    const { device, plan, deadline } = talk;
    let tried: Attempt<unknown> = await this.#handshake(talk, first);
    if (tried.outcome === 'answered') return first;
    if (tried.outcome === 'not-this-protocol') {
      talk.write('tls', tried);
      return 'plain';
    }
    let read = readBefore(tried);
    if (!isDisagreement(tried) || (read === undefined && device.name !== undefined)) {
      device.beCautious(plan.port);
      const opened = await talk.attempt(() => device.open(plan.port, 'https', deadline));
      tried = opened.value === undefined ? opened : await this.#handshake(talk, opened.value);
      if (tried.outcome === 'answered') return opened.value;
      read ??= readBefore(tried);
    }
    if (read !== undefined)
      talk.write('tls', { ...tried, outcome: 'answered', note: `${tried.note}, after its certificate had come` }, tlsFacts(read));
    else if (tried.error instanceof HandshakeError) await this.#rawCertificate(talk, tried, tried.error);
    else talk.write('tls', tried);
    return undefined;
  }

  /** The last rung: the certificate from a hello made by hand, over a connection of its own. */
  async #rawCertificate(talk: Talk, tried: Attempt<unknown>, { message, over }: HandshakeError): Promise<void> {
    const raw = await talk.attempt(async () => {
      const wire = await talk.device.open(talk.plan.port, 'tls', talk.deadline);
      try {
        return await tlsRaw.talk(wire, { ...talk.context, noCommonSuite: over === 'suite' });
      } finally {
        await wire.end();
      }
    });
    if (raw.value !== undefined)
      talk.write('tls', { ...raw, note: `${message}; read from an old hello, so no page can be asked for over it` }, raw.value);
    else talk.write('tls', { ...tried, note: `${message}; to an old hello: ${raw.note}` }, raw.facts);
  }

  /** A handshake over a wire, written down where it succeeds; otherwise the wire is ended. */
  async #handshake(talk: Talk, wire: SocketWire): Promise<Attempt<Facts>> {
    const tried = await talk.attempt(() => probes.tls.talk(wire, talk.context));
    if (tried.outcome === 'answered') talk.write('tls', tried, tried.value);
    else await wire.end();
    return tried;
  }

  async #web(talk: Talk, scheme: 'http' | 'https', wire?: SocketWire): Promise<void> {
    const web = talk.device.web(talk.plan.port, scheme, talk.deadline, wire);
    try {
      const read = await talk.run(scheme, () => probes.http.talk(web, talk.context));
      // Plain http at a TLS port says so; it is greeted in its own language once.
      if (scheme === 'http' && talk.plan.protocol !== 'https' && (await isTls(web, read))) {
        const again = await talk.attempt(() => talk.device.open(talk.plan.port, 'https', talk.deadline));
        if (again.value !== undefined) await this.#tls(talk, again.value);
        return;
      }
      if (read !== 'answered') return;
      this.#match(talk);
      // A page that another port of the device showed is asked about there.
      if (!leadsElsewhere(talk, web)) await this.#askOn(talk, web);
    } finally {
      await web.close();
    }
  }

  /**
   * Redfish where a controller is possible or nothing is known, then what fingerprints ask for: only listed paths, each once, one at a time,
   * because an answer may make the other questions needless, or justify new ones.
   */
  async #askOn(talk: Talk, web: Web): Promise<void> {
    if (this.#wantsRedfish(talk, web)) {
      if ((await talk.run('redfish', () => probes.redfish.talk(web, talk.context))) === 'answered') this.#redfish.add(talk.device.host);
      this.#match(talk);
    }
    const asked = new Set<string>();
    for (let path = this.#wanted(talk, asked); path !== undefined; path = this.#wanted(talk, asked)) {
      const next = path;
      asked.add(next);
      let status: number | undefined;
      const outcome = await talk.run(web.scheme, async () => {
        const page = await web.get(next);
        status = page.status;
        return { 'http.pages': { [next]: pageRecord(page) } };
      });
      // A device whose account is used up is asked no more, and neither is a port that sends its first page and every question elsewhere.
      if (outcome === 'given-up' || (isRedirect(status) && isRedirect(talk.facts['http.status']))) return;
      if (status === 200) this.#answered.add(`${talk.device.host} ${next}`);
      this.#match(talk);
    }
  }

  /** The next path that a fingerprint with a rule at this endpoint wants asked, or undefined. */
  #wanted(talk: Talk, asked: ReadonlySet<string>): string | undefined {
    const here = new Set((this.#hitsOf(talk).get(talk.key) ?? []).map((hit) => hit.fingerprint));
    const claims = judge([...this.#hitsOf(talk).values()].flat());
    const best = claims.find(({ generic }) => !generic);
    for (const fingerprint of here) {
      const claim = claims.find((one) => one.fingerprint === fingerprint.id);
      if (claim === undefined || fingerprint.asks === undefined) continue;
      // Where another product is certain, this one's marks are its face, or its base.
      if (best !== undefined && best !== claim && certaintyOf(best) >= LEVELS.certain) continue;
      const wanted = asksOf(claim, fingerprint.asks).find(
        ({ path }) => !asked.has(path) && !this.#answered.has(`${talk.device.host} ${path}`),
      );
      if (wanted !== undefined) return wanted.path;
    }
    return undefined;
  }

  #wantsRedfish({ device }: Talk, web: Web): boolean {
    if (this.#redfish.has(device.host) || (web.scheme === 'http' && this.#hasHttps)) return false;
    const claims = judge([...(this.#hits.get(device.host) ?? new Map<string, Hit[]>()).values()].flat()).filter(
      (claim) => levelOf(certaintyOf(claim)) !== undefined,
    );
    return (
      claims.length === 0 || claims.some((claim) => claim.class === 'bmc' || claim.class === 'chassis-manager' || claim.base === 'kvmd')
    );
  }

  #hitsOf({ device }: Talk): HostHits {
    let hits = this.#hits.get(device.host);
    if (hits === undefined) {
      hits = new Map();
      this.#hits.set(device.host, hits);
    }
    return hits;
  }

  #match(talk: Talk): void {
    const [endpoint] = byEndpoint(talk.observations);
    if (endpoint === undefined) return;
    const hits = this.#context.matcher.match(endpoint);
    const all = this.#hitsOf(talk).set(talk.key, hits);
    if (hits.length > 0 && judge([...all.values()].flat()).some((claim) => levelOf(certaintyOf(claim)) !== undefined))
      this.#found.add(talk.device.host);
  }

  #fault({ device }: Talk, error: unknown): void {
    this.#context.onFault(device, error);
  }
}

/** What a handshake that failed had read by then. */
function readBefore({ error }: Attempt<unknown>): HandshakeRead | undefined {
  return error instanceof HandshakeError ? error.read : undefined;
}

/** Whether the device said what it and the library have not in common: the same question again gets the same answer. */
function isDisagreement({ error }: Attempt<unknown>): boolean {
  return error instanceof HandshakeError && error.over !== 'other';
}

function isRedirect(status: FactValue | undefined): boolean {
  return typeof status === 'number' && status >= 300 && status < 400;
}

/** Whether the first page sent us to another port of the device. */
function leadsElsewhere({ observations }: Talk, web: Web): boolean {
  const redirects = observations.at(-1)?.facts['http.redirects'];
  const first = Array.isArray(redirects) ? (redirects[0] as { readonly location?: string } | undefined) : undefined;
  const target = first?.location === undefined ? undefined : web.follow(first.location, '/');
  return target !== undefined && target.web.endpoint.port !== web.endpoint.port;
}

async function isTls(web: Web, outcome: Outcome): Promise<boolean> {
  if (outcome !== 'answered' && outcome !== 'not-this-protocol') return false;
  const page: Page | undefined = await web.get('/').catch((error: unknown) => {
    if (error instanceof ProbeError) return undefined; // already an observation
    throw error;
  });
  return page !== undefined && speaksTls(page);
}

/** How a piece of a conversation ended: with a value, or early, with the facts learned until then. */
interface Attempt<T> {
  readonly outcome: Outcome;
  readonly value?: T;
  readonly facts: Facts;
  readonly note?: string;
  readonly error?: ProbeError;
  readonly at: string;
  readonly ms: number;
}

/** The conversation with one endpoint, as it is written down. */
class Talk {
  readonly device: Device;
  readonly plan: PortPlan;
  readonly deadline: number;
  readonly observations: Observation[] = [];
  readonly #all: Conversations;

  constructor(device: Device, plan: PortPlan, deadline: number, all: Conversations) {
    this.device = device;
    this.plan = plan;
    this.deadline = deadline;
    this.#all = all;
  }

  /** What is known of the endpoint by now. */
  get facts(): Facts {
    return byEndpoint(this.observations)[0]?.facts ?? {};
  }

  get key(): string {
    return `${this.plan.port}/${this.plan.transport}`;
  }

  get context(): { readonly name?: string } {
    return this.device.name === undefined ? {} : { name: this.device.name };
  }

  /** Runs a probe; what a device does wrong becomes an outcome. */
  async attempt<T>(talk: () => Promise<T>): Promise<Attempt<T>> {
    const at = new Date().toISOString();
    const from = performance.now();
    const ms = (): number => Math.round(performance.now() - from);
    try {
      const value = await talk();
      return { outcome: 'answered', facts: {}, value, at, ms: ms() };
    } catch (error) {
      if (!(error instanceof ProbeError)) throw error;
      return { outcome: error.kind, facts: error.facts, note: error.message, error, at, ms: ms() };
    }
  }

  /** Runs a probe and writes down what came of it. */
  async run(probe: string, talk: () => Promise<Facts>): Promise<Outcome> {
    const attempt = await this.attempt(talk);
    this.write(probe, attempt, attempt.value);
    return attempt.outcome;
  }

  write(probe: string, { outcome, facts: early, note, at, ms }: Attempt<unknown>, facts: Facts = early): void {
    const observation: Observation = {
      v: 1,
      kind: 'observation',
      host: this.device.host,
      transport: this.plan.transport,
      port: this.plan.port,
      probe,
      at,
      ms,
      outcome,
      facts,
      ...(note === undefined ? {} : { note }),
    };
    this.observations.push(observation);
    this.#all.record(observation);
  }
}

import { ProbeError } from '../errors.ts';
import { asksOf, certaintyOf, judge } from '../fingerprints/judge.ts';
import type { Hit, Matcher } from '../fingerprints/match.ts';
import { byEndpoint, type Observation } from '../observations/observation.ts';
import { makerOf } from '../oui.ts';
import { pageRecord, speaksTls } from '../probes/http.ts';
import { probes, type SnmpHello } from '../probes/index.ts';
import type { Page, Web } from '../sweep/contract.ts';
import type { Device } from '../sweep/device.ts';
import { NO_CREDENTIALS, type SnmpCredentials } from '../sweep/snmp/credentials.ts';
import type { SocketWire } from '../sweep/socket-wire.ts';
import type { OpenPort } from '../sweep/handlers.ts';
import type { UdpTalk } from '../sweep/udp-talk.ts';
import { makersOf } from '../targets/known-ports.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import { type FactValue, LEVELS, levelOf, type Outcome } from '../vocabulary.ts';
import { certificateOf } from './certificate.ts';
import { readSnmp } from './read-snmp.ts';
import { Talk } from './talk.ts';

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

  /** Takes in what a host has said to the process that began the sweep: what it is not asked for that reason it is not asked now. */
  recall(observations: readonly Observation[]): void {
    for (const endpoint of byEndpoint(observations)) {
      const { host, transport, port } = endpoint;
      if (transport === undefined || port === undefined) continue;
      this.#keep(host, `${port}/${transport}`, this.#context.matcher.match(endpoint));
    }
    for (const { host, probe, outcome, facts } of observations) {
      if (outcome !== 'answered') continue;
      const plan = this.#context.ports.find(({ protocol }) => protocol === probe);
      const makers = plan === undefined ? undefined : makersOf(plan.protocol);
      if (makers !== undefined) this.#makers.set(host, makers);
      if (probe === 'redfish') this.#redfish.add(host);
      for (const [path, page] of Object.entries(facts['http.pages'] ?? {}))
        if ((page as { readonly status?: number }).status === 200) this.#answered.add(`${host} ${path}`);
    }
  }

  async open({ device, plan, socket, release }: OpenPort): Promise<void> {
    const deadline = device.budget.begin();
    const wire = device.adopt(socket, plan, release, deadline);
    const talk = new Talk(device, plan, deadline, (observation) => this.record(observation));
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
    const talk = new Talk(device, plan, deadline, (observation) => this.record(observation));
    try {
      await udp.gather();
      const makers = makersOf(plan.protocol);
      const probe = plan.protocol === 'snmp' ? this.#snmp : probes[plan.protocol];
      if ((await talk.run(plan.protocol, () => probe.talk(udp, talk.context))) === 'answered' && makers !== undefined)
        this.#makers.set(device.host, makers);
      this.#match(talk);
      if (plan.protocol === 'snmp' && !this.#credentials.isEmpty) {
        await readSnmp(talk, udp, this.#credentials, this.#snmp);
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
    new Talk(device, plan, 0, (observation) => this.record(observation)).write(plan.protocol === 'listen-http' ? 'listen' : plan.protocol, {
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
        const secured = await certificateOf(talk, wire);
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

  /** The certificate, then the page behind it; plain http where it is not TLS. */
  async #tls(talk: Talk, first: SocketWire): Promise<void> {
    const secured = await certificateOf(talk, first);
    if (secured === 'plain') await this.#web(talk, 'http');
    else if (secured !== undefined) await this.#web(talk, 'https', secured);
  }

  async #web(talk: Talk, scheme: 'http' | 'https', wire?: SocketWire): Promise<void> {
    const web = talk.device.web(talk.plan.port, scheme, talk.deadline, wire);
    try {
      const read = await talk.run(scheme, () => probes.http.talk(web, talk.context));
      // Plain http at a TLS port says so; it is greeted in its own language once.
      if (scheme === 'http' && talk.plan.protocol !== 'https' && (await isTls(web, read))) {
        await web.close();
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
    const here = new Set((this.#hitsOf(talk.device.host).get(talk.key) ?? []).map((hit) => hit.fingerprint));
    const claims = judge([...this.#hitsOf(talk.device.host).values()].flat());
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

  #hitsOf(host: string): HostHits {
    let hits = this.#hits.get(host);
    if (hits === undefined) {
      hits = new Map();
      this.#hits.set(host, hits);
    }
    return hits;
  }

  /** Nothing is done where nothing has been learnt since the last time. */
  #match(talk: Talk): void {
    if (!talk.hasNews()) return;
    const [endpoint] = byEndpoint(talk.observations);
    if (endpoint === undefined) return;
    this.#keep(talk.device.host, talk.key, this.#context.matcher.match(endpoint));
  }

  #keep(host: string, key: string, hits: Hit[]): void {
    const all = this.#hitsOf(host).set(key, hits);
    if (hits.length > 0 && judge([...all.values()].flat()).some((claim) => levelOf(certaintyOf(claim)) !== undefined))
      this.#found.add(host);
  }

  #fault({ device }: Talk, error: unknown): void {
    this.#context.onFault(device, error);
  }
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

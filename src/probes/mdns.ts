import { ProbeError } from '../errors.ts';
import type { Datagram, DatagramWire, UdpProbe } from '../sweep/contract.ts';
import { parseAddress } from '../targets/addresses.ts';
import type { Facts } from '../vocabulary.ts';
import { type DnsRecord, type Question, query, questionBytes, readAnswer } from './dns.ts';

const BROWSE = 'mdns.browse';
/** RFC 6762 section 3. Answers to a query from another port than 5353 come to that port alone (section 6.7). */
const GROUP = '224.0.0.251';
/** RFC 6762 section 11. The group is never routed, whatever the TTL. */
const TTL = 255;

/** The list of a device's service types (RFC 6763 section 9). */
const ALL_TYPES = '_services._dns-sd._udp';
/** Types that many devices offer: their TXT keys say less than those of a product's own type. From the least telling to the most. */
const GENERAL = ['_http._tcp', '_https._tcp', '_ssh._tcp', '_rfb._tcp', '_workstation._tcp'];
/** What is browsed for, the most telling last: avahi puts the records for the last question first, and leaves out what 512 bytes do not hold. */
const BROWSED = [...GENERAL, ALL_TYPES, '_redfish._tcp', '_obmc_redfish._tcp', '_obmc_console._tcp', '_pikvm._tcp'];

/** Beside the sweep's own question. */
const MAX_QUERIES = 2;
const MAX_QUESTIONS = 8;
/** Of a query; avahi repeats it in the 512 bytes of its answer. */
const MAX_QUERY_BYTES = 300;
/** Answers and records kept of one device; the answers of a responder may come in pieces. */
const MAX_ANSWERS = 16;
const MAX_RECORDS = 512;
const MAX_LISTED = 32;
const MAX_KEYS = 64;

const TYPE = /^(?<type>_[^.]{1,62}\._(?:tcp|udp))\.local$/i;
/** Keys whose value is nobody's business. */
const SECRET = /passw|secret|token|credential|private/;
const INSTANCE = /^(?<label>.+)\.(?<type>_[^.]{1,62}\._(?:tcp|udp))\.local$/is;
/** How avahi names a workstation: its host name and the MAC of the interface (avahi/avahi avahi-daemon/main.c). */
const WORKSTATION = /\[(?<mac>(?:[0-9a-f]{2}:){5}[0-9a-f]{2})\]$/i;

function ptrOf(name: string): Question {
  return { labels: [...name.split('.'), 'local'], type: 'PTR' };
}

/** The name that an address has the other way round (RFC 1035 section 3.5, RFC 3596 section 2.5). */
function reverseOf(host: string): Question {
  const address = parseAddress(host);
  if (typeof address !== 'bigint') return { labels: [...host.split('.').toReversed(), 'in-addr', 'arpa'], type: 'PTR' };
  const digits = address.toString(16).padStart(32, '0').split('');
  return { labels: [...digits.toReversed(), 'ip6', 'arpa'], type: 'PTR' };
}

function hello(_attempt: number, _random: () => number, host?: string): readonly Datagram[] {
  const questions = BROWSED.map(ptrOf);
  return [
    host === undefined
      ? { name: BROWSE, bytes: query(questions) }
      : { name: 'mdns.browse-host', bytes: query([reverseOf(host), ...questions]) },
  ];
}

/** One service, as its records show it. */
interface Instance {
  /** `kvm-39d0 [48:da:35:6e:39:d0]`, as sent. */
  readonly label: string;
  /** `_workstation._tcp`, in lower case. */
  readonly type: string;
  /** The host that it runs on, as sent. */
  target?: string;
  /** Of its TXT record. */
  keys?: ReadonlyMap<string, string>;
}

/** What the records from one address say; names in lower case. */
interface Said {
  /** Types in the list of types. */
  readonly listed: ReadonlySet<string>;
  readonly instances: ReadonlyMap<string, Instance>;
  /** Hosts that stand with addresses of the family that was asked, and whether the asked one is among them. */
  readonly hosts: ReadonlyMap<string, { readonly name: string; readonly isAsked: boolean }>;
  /** The name of the asked address by its reverse record. */
  readonly reverse: string | undefined;
}

function understand(records: readonly DnsRecord[], host: string): Said {
  const asked = parseAddress(host);
  const back = reverseOf(host).labels.join('.');
  const listed = new Set<string>();
  const instances = new Map<string, Instance>();
  const hosts = new Map<string, { name: string; isAsked: boolean }>();
  let reverse: string | undefined;
  const instance = (name: string): Instance | undefined => {
    const key = name.toLowerCase();
    const { label, type } = INSTANCE.exec(name)?.groups ?? {};
    if (label === undefined || type === undefined || /(^|\.)_sub$/i.test(label)) return undefined;
    const known = instances.get(key) ?? { label, type: type.toLowerCase() };
    if (instances.size < MAX_LISTED) instances.set(key, known);
    return known;
  };
  for (const record of records.slice(0, MAX_RECORDS)) {
    const name = record.name.toLowerCase();
    if (record.type === 'PTR') {
      const type = TYPE.exec(record.target)?.groups?.['type'];
      if (name === back) reverse ??= record.target;
      else if (name === `${ALL_TYPES}.local` && type !== undefined && listed.size < MAX_LISTED) listed.add(type.toLowerCase());
      else if (TYPE.test(name) && record.target.toLowerCase().endsWith(`.${name}`)) instance(record.target);
    } else if (record.type === 'SRV') {
      const found = instance(record.name);
      if (found !== undefined) found.target ??= record.target;
    } else if (record.type === 'TXT') {
      const found = instance(record.name);
      if (found !== undefined) found.keys ??= keysOf(record.strings);
    } else if ((record.type === 'A') === (typeof asked === 'number')) {
      const isAsked = parseAddress(record.address) === asked;
      hosts.set(name, { name: record.name, isAsked: isAsked || hosts.get(name)?.isAsked === true });
    }
  }
  return { listed, instances, hosts, reverse };
}

/** `key=value` strings (RFC 6763 section 6.4): keys in lower case, of two the first. A key without a value says nothing that is kept. */
function keysOf(strings: readonly Buffer[]): Map<string, string> {
  const keys = new Map<string, string>();
  for (const text of strings.map((bytes) => bytes.toString('utf8'))) {
    const [, key = '', value = ''] = /^([ -<>-~]{1,64})=(.+)$/s.exec(text) ?? [];
    const name = key.toLowerCase();
    if (value !== '' && !SECRET.test(name) && !keys.has(name) && keys.size < MAX_KEYS) keys.set(name, value);
  }
  return keys;
}

/** The name that is the asked address's beyond doubt: its reverse record or an address record says so. */
function provenName({ reverse, hosts }: Said): string | undefined {
  return reverse ?? [...hosts.values()].find(({ isAsked }) => isAsked)?.name;
}

function isProven({ reverse, hosts }: Said, target: string): boolean {
  const name = target.toLowerCase();
  return name === reverse?.toLowerCase() || hosts.get(name)?.isAsked === true;
}

/** Whether a service runs on another host than the one that was asked: a reflector repeats what others say, a sleep proxy speaks for those who sleep. */
function isElsewhere(said: Said, { target }: Instance): boolean {
  if (target === undefined || isProven(said, target)) return false;
  return said.hosts.has(target.toLowerCase()) || provenName(said) !== undefined;
}

function speaksForOthers(said: Said): boolean {
  return [...said.instances.values()].some((instance) => isElsewhere(said, instance));
}

/** The services of the asked host itself, the most telling type first. What nothing is known of is believed where nothing speaks against it. */
function ownInstances(said: Said): Instance[] {
  const isTrusted = !speaksForOthers(said);
  return [...said.instances.values()]
    .filter(({ target }) => (target !== undefined && isProven(said, target)) || isTrusted)
    .toSorted((a, b) => rank(a.type) - rank(b.type) || compare(a.type, b.type) || compare(a.label, b.label));
}

/** 0 for a type that says most. */
function rank(type: string): number {
  return GENERAL.includes(type) ? GENERAL.length - GENERAL.indexOf(type) : 0;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What is worth another question, the most telling first. Of general services nothing is asked where a telling one has said it. */
function missing(said: Said, host: string): Question[] {
  const own = ownInstances(said);
  const hasKeys = own.some(({ keys }) => keys !== undefined && keys.size > 0);
  const name = provenName(said);
  const aboutInstances = own.flatMap((instance): Question[] => {
    if (hasKeys && GENERAL.includes(instance.type)) return [];
    const labels = [instance.label, ...instance.type.split('.'), 'local'];
    return [
      ...(instance.keys === undefined ? [{ labels, type: 'TXT' as const }] : []),
      ...(instance.target === undefined ? [{ labels, type: 'SRV' as const }] : []),
    ];
  });
  const target = own.find((instance) => /.\.local$/i.test(instance.target ?? ''))?.target;
  const aboutHost: Question[] =
    name !== undefined
      ? []
      : target === undefined
        ? said.instances.size > 0
          ? [reverseOf(host)]
          : []
        : [{ labels: target.split('.'), type: host.includes(':') ? 'AAAA' : 'A' }];
  const shown = new Set([...said.instances.values()].map(({ type }) => type));
  const types = [...said.listed].filter((type) => !shown.has(type) && !GENERAL.includes(type)).toSorted(compare);
  return [...aboutInstances, ...aboutHost, ...types.map(ptrOf)];
}

function keyOf({ labels, type }: Question): string {
  return `${labels.join('.').toLowerCase()} ${type}`;
}

/** Whether a name can be asked for: a device may say that its service runs anywhere. */
function canBeAsked({ labels }: Question): boolean {
  const isName = labels.length > 1 && labels.every((label) => label !== '' && Buffer.byteLength(label) < 64);
  return isName && ['local', 'arpa'].includes(labels.at(-1)?.toLowerCase() ?? '');
}

/** As many of the questions as one query holds, the most telling last. */
function packed(questions: readonly Question[]): Question[] {
  const chosen: Question[] = [];
  let bytes = 0;
  for (const question of questions) {
    bytes += questionBytes(question).length;
    if (chosen.length === MAX_QUESTIONS || bytes > MAX_QUERY_BYTES) break;
    chosen.push(question);
  }
  return chosen.toReversed();
}

/**
 * Reads what a device says of itself in multicast DNS: its services, what their TXT records tell (model and serial number, for many), its host name. Asks twice
 * more at most, for what the first answer left out. What it says for others is left out.
 *
 * Spec: RFC 6762 sections 5.1 and 6.7 (one-shot queries from an ordinary port), RFC 6763 (DNS-SD).
 * @throws {ProbeError} `silent` where no answer came
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const { host } = wire.endpoint;
  if (wire.answers.length === 0) throw new ProbeError('silent', 'did not answer in multicast DNS');
  const further: Buffer[] = [];
  const said = (): Said =>
    understand(
      [...wire.answers.map(({ bytes }) => bytes), ...further].flatMap((bytes) => readAnswer(bytes) ?? []),
      host,
    );
  const asked = new Set<string>();
  for (let queries = 0; queries < MAX_QUERIES; queries += 1) {
    const questions = packed(missing(said(), host).filter((question) => canBeAsked(question) && !asked.has(keyOf(question))));
    if (questions.length === 0) break;
    for (const question of questions) asked.add(keyOf(question));
    const names = new Set(questions.map(({ labels }) => labels.join('.').toLowerCase()));
    const answer = await wire.ask(
      () => ({ name: 'mdns.ask', bytes: query(questions) }),
      (bytes) => readAnswer(bytes)?.some(({ name }) => names.has(name.toLowerCase())) === true,
      { tries: 1 },
    );
    if (answer === undefined) break;
    further.push(answer);
  }
  return factsOf(said());
}

function factsOf(said: Said): Facts {
  const own = ownInstances(said);
  const types = new Set(own.map(({ type }) => type));
  // A type that only the list names is the device's own where it speaks for nobody else.
  if (!speaksForOthers(said)) for (const type of said.listed) types.add(type);
  const keys = new Map<string, string>();
  for (const [key, value] of own.flatMap((instance) => [...(instance.keys ?? [])])) if (!keys.has(key)) keys.set(key, value);
  const hostName = provenName(said) ?? own.find(({ target }) => target !== undefined)?.target;
  const mac = own
    .map(({ type, label }) => (type === '_workstation._tcp' ? WORKSTATION.exec(label)?.groups?.['mac'] : undefined))
    .find((found) => found !== undefined);
  return {
    ...(types.size === 0 ? {} : { 'mdns.services': [...types].toSorted(compare) }),
    ...(own.length === 0 ? {} : { 'mdns.instances': own.map(({ label, type }) => `${label}.${type}`).toSorted(compare) }),
    ...(keys.size === 0 ? {} : { 'mdns.txt': Object.fromEntries([...keys].slice(0, MAX_KEYS)) }),
    ...(hostName === undefined || hostName === '.' ? {} : { 'mdns.hostname': hostName }),
    ...(mac === undefined ? {} : { 'mdns.mac': mac.toUpperCase() }),
  };
}

export const mdns: UdpProbe = {
  id: 'mdns',
  speaks: 'datagrams',
  hello,
  answersKept: MAX_ANSWERS,
  link: { group: GROUP, ttl: TTL, questions: hello(0, () => 0) },
  recognise: (bytes) => ((readAnswer(bytes)?.length ?? 0) > 0 ? BROWSE : undefined),
  talk,
};

import { stringify } from 'yaml';
import type { EndpointFacts } from '../observations/observation.ts';
import { canonicalMac, inactive } from '../text.ts';
import { channelOf, type Facts, type FactValue } from '../vocabulary.ts';
import { completed } from './complete.ts';

/** How a fact that tells something becomes a condition: the operator, and how sure it makes at first. */
interface Telling {
  readonly fact: string;
  readonly how: 'equals' | 'title' | 'begins' | 'contains';
  readonly certainty: number;
  readonly claims?: 'vendor';
}

/** Facts that tell products apart, the surest first. Bodies are left to people: what of a page is the product's own, no program sees. */
const TELLING: readonly Telling[] = [
  { fact: 'http.favicon.mmh3', how: 'equals', certainty: 80 },
  { fact: 'http.title', how: 'title', certainty: 70 },
  { fact: 'http.server', how: 'begins', certainty: 60 },
  { fact: 'http.realm', how: 'equals', certainty: 60 },
  { fact: 'http.generator', how: 'begins', certainty: 60 },
  { fact: 'tls.subject.o', how: 'equals', certainty: 50 },
  { fact: 'tls.subject.ou', how: 'equals', certainty: 50 },
  { fact: 'redfish.product', how: 'equals', certainty: 80 },
  { fact: 'redfish.vendor', how: 'equals', certainty: 50, claims: 'vendor' },
  { fact: 'snmp.sysObjectID', how: 'equals', certainty: 80 },
  { fact: 'snmp.sysDescr', how: 'begins', certainty: 60 },
  { fact: 'ssh.banner', how: 'begins', certainty: 50 },
  { fact: 'ftp.banner', how: 'begins', certainty: 50 },
  { fact: 'telnet.banner', how: 'begins', certainty: 50 },
  { fact: 'banner.hex', how: 'equals', certainty: 50 },
  { fact: 'mdns.services', how: 'contains', certainty: 40 },
  { fact: 'ssdp.model', how: 'equals', certainty: 70 },
  { fact: 'ssdp.manufacturer', how: 'equals', certainty: 50, claims: 'vendor' },
  { fact: 'addp.product', how: 'equals', certainty: 70 },
  { fact: 'mac.address', how: 'begins', certainty: 30, claims: 'vendor' },
];

/** Services that any host may announce. */
const COMMON_SERVICES: ReadonlySet<string> = new Set([
  '_http._tcp',
  '_https._tcp',
  '_ssh._tcp',
  '_workstation._tcp',
  '_device-info._tcp',
  '_rfb._tcp',
]);
/** Server names that thousands of products share. */
const COMMON_SERVERS = /^(?:nginx|apache|lighttpd|microsoft-iis|goahead|boa|thttpd|mini_httpd|httpd)/i;
const COMMON_SSH = /^SSH-[\d.]+-(?:OpenSSH|dropbear)/i;

const MAX_TEXT = 200;

/**
 * A definition to begin with, of what one address said: its telling facts as rules, all that fits as its example, and comments that say what a person must decide.
 * It loads and proves itself as it is, so that an editor and `fingerprints test` help from the first minute.
 * @param schema where an editor finds the schema, from the file on
 * @returns YAML, or undefined where nothing that was said tells one product from another
 */
export function skeletonOf(endpoints: readonly EndpointFacts[], schema: string): string | undefined {
  const seen = endpoints.map(({ facts }) => harmless(completed(facts)) as Facts);
  const found = seen.map((facts) => TELLING.flatMap((telling) => ruleOf(telling, facts)));
  const rules = unique(found.flat());
  if (rules.length === 0) return undefined;
  const channels = [...new Set(rules.map(({ fact }) => channelOf(fact)))];
  const product = 'Product';
  const definition = {
    id: 'vendor-product',
    title: `Vendor Product${channels.length === 1 ? ` (${channels[0]} only)` : ''}`,
    vendor: 'Vendor',
    product,
    class: 'ip-kvm',
    sources: ['where others can look this up: a manual and its section, owner/repository@commit path'],
    rules,
    examples: [
      {
        name: 'as it was seen',
        source: 'own network; serial numbers and MAC addresses changed',
        endpoints: seen.filter((_, i) => found[i]?.length !== 0).map(exampleOf),
        expect: {},
      },
    ],
    near_misses: [
      {
        name: 'a page that writes about it',
        facts: { 'http.title': `How to set up ${product}`, 'http.body': `<h1>${product}</h1> and how to log in` },
        below: 'likely',
      },
    ],
  };
  return `# yaml-language-server: $schema=${schema}\n${HEAD}${stringify(definition, { lineWidth: 140, singleQuote: true })}`;
}

const HEAD = `# A definition to begin with. docs/fingerprints.md explains every word. Before it is one:
#   id, title, vendor, product, class   what it is (a title that ends in "(http only)" says that all rules look at one channel)
#   rules       keep what this product alone says; take out versions and names that an owner gives, or capture them: '^RackView (?P<model>R\\d+)'
#   certainty   of a hundred devices in the field that show exactly this, how many are this?
#   examples    change serial numbers and MAC addresses; add what other models and versions say, and expect: level, model, version ...
#   near_misses what looks like it and is not: the maker's switches and printers, whatever shares its web server
# Then: kvmsweep fingerprints test --fingerprints FOLDER
`;

/** The same value, with every text in it made safe to print. */
function harmless(value: FactValue): FactValue {
  if (typeof value === 'string') return inactive(value);
  if (Array.isArray(value)) return (value as readonly FactValue[]).map(harmless);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [inactive(key), harmless(inner)]));
}

interface SkeletonRule {
  readonly fact: string;
  readonly [operator: string]: FactValue;
  readonly certainty: number;
}

function ruleOf({ fact, how, certainty, claims }: Telling, facts: Facts): SkeletonRule[] {
  const value = facts[fact];
  if (value === undefined || value === '' || isCommon(fact, value)) return [];
  const rest = { certainty, ...(claims === undefined ? {} : { claims }) };
  if (how === 'contains') {
    const own = Array.isArray(value)
      ? (value as readonly FactValue[]).find((one) => typeof one === 'string' && !COMMON_SERVICES.has(one))
      : undefined;
    return own === undefined ? [] : [{ fact, contains: own, ...rest }];
  }
  if (typeof value === 'number') return [{ fact, equals: value, ...rest }];
  if (typeof value !== 'string' || value.length > MAX_TEXT * 4) return [];
  if (how === 'equals') return [{ fact, equals: value, ...rest }];
  if (how === 'title') return [{ fact, regex: `^${value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`, ...rest }];
  const beginning = fact === 'mac.address' ? canonicalMac(value)?.slice(0, 8) : beginningOf(value);
  return beginning === undefined ? [] : [{ fact, prefix: beginning, ...rest }];
}

function isCommon(fact: string, value: FactValue): boolean {
  if (typeof value !== 'string') return false;
  return (fact === 'http.server' && COMMON_SERVERS.test(value)) || (fact === 'ssh.banner' && COMMON_SSH.test(value));
}

/** What comes before the first number that looks like a version; all of the first line where there is none. */
function beginningOf(text: string): string | undefined {
  const [line = ''] = text.split(/[\r\n]/, 1);
  const at = line.slice(9).search(/\d/);
  const beginning = (at < 0 ? line : line.slice(0, at + 9)).slice(0, MAX_TEXT);
  return beginning.trim().length < 3 ? undefined : beginning;
}

function unique(rules: readonly SkeletonRule[]): SkeletonRule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/** What a definition may look at, short enough to be read. */
function exampleOf(facts: Facts): Facts {
  const told = new Set(TELLING.map(({ fact }) => fact));
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]): [string, FactValue][] => {
      if (told.has(name)) return [[name, value]];
      if (name === 'http.body' && typeof value === 'string') return [[name, value.slice(0, MAX_TEXT * 5)]];
      return /^(?:http\.(?:status|links|forms|cookies)|tls\.subject(?:\.cn)?|rfb\.|ipmi\.auth\.)/.test(name) ? [[name, value]] : [];
    }),
  );
}

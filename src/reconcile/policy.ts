import { z } from 'zod';
import type { Device } from '../devices/device.ts';
import { InputError, inputError, problem } from '../errors.ts';
import { decodeText, readWholeFile } from '../input.ts';
import { type AddressRange, contains, parseAddress, spaceOf, withoutZone } from '../targets/addresses.ts';
import { parseRange } from '../targets/parse.ts';
import { nearest, printable, shortened } from '../text.ts';
import { CLASSES, type DeviceClass, QUIET_CLASSES, STATES } from '../vocabulary.ts';
import { readYaml } from '../yaml.ts';
import { type AssetSource, sourceText } from './asset.ts';
import { about, listText } from './explain.ts';
import type { Finding } from './finding.ts';
import { severityOf } from './severity.ts';

/** Words for several classes, the narrowest first: what names a class by itself counts before a word for several, and a narrow word before a wide one. */
const GROUPS: readonly (readonly [word: string, classes: readonly DeviceClass[]])[] = [
  ['controllers', ['bmc', 'amt', 'chassis-manager']],
  ['all', CLASSES.filter((one) => !QUIET_CLASSES.has(one))],
];
const WORDS: readonly string[] = [...CLASSES.filter((one) => one !== 'not-remote-access'), ...GROUPS.map(([word]) => word)];
const MAX_NOTE = 200;

const ClassWord = z.string({ error: 'it is the name of a class' }).superRefine((word, context) => {
  if (WORDS.includes(word)) return;
  const near = nearest(word, WORDS);
  context.addIssue(
    near === undefined
      ? `"${word}" is no class; they are ${WORDS.join(', ')}`
      : `"${word}" is no class; did you mean ${near}? (${WORDS.join(', ')})`,
  );
});
const Network = z.string({ error: "it is a network as text: '10.9.0.0/16'" }).superRefine((text, context) => {
  const range = parseRange(text);
  if (!('reason' in range)) return;
  context.addIssue(`"${text}" is no network: ${range.isName === true ? 'a name is none; write 10.9.0.0/16 or fd00:9::/64' : range.reason}`);
});

/** A policy as people write it. */
const PolicySchema = z.strictObject(
  {
    allowed: z
      .array(
        z.strictObject(
          {
            classes: z.array(ClassWord, { error: 'it is a list of classes: [bmc, amt]' }).min(1, 'it names no class'),
            networks: z.array(Network, { error: "it is a list of networks: ['10.9.0.0/16']" }).min(1, 'it names no network'),
            note: z.string({ error: 'it is text' }).max(MAX_NOTE, `it is longer than ${MAX_NOTE} characters`).exactOptional(),
          },
          { error: 'it has classes, networks and, if you like, a note' },
        ),
        { error: 'it is a list of `- { classes: [bmc], networks: [10.9.0.0/16] }`' },
      )
      .min(1, 'it allows nothing: name classes and networks'),
  },
  { error: 'a policy is `allowed:` and below it `- { classes: [bmc], networks: [10.9.0.0/16] }`' },
);

/** Where devices of some classes may be. */
interface PolicyEntry {
  readonly ranges: readonly AddressRange[];
  /** As they were written. */
  readonly networks: readonly string[];
  readonly note?: string;
  readonly source: AssetSource;
}

/** Where the organisation lets devices be, by class. A class that is not in it may be anywhere. */
export interface NetworkPolicy {
  readonly file: string;
  readonly byClass: ReadonlyMap<DeviceClass, readonly PolicyEntry[]>;
}

/** Reads a network policy (YAML). @throws {InputError} with all that is wrong with it, each with its line */
export function readPolicy(file: string): NetworkPolicy {
  return parsePolicy(decodeText(readWholeFile(file)).text, file);
}

/** The same of a text. @throws {InputError} */
export function parsePolicy(text: string, file: string): NetworkPolicy {
  if (text.trim() === '') throw inputError('empty-file', { file, what: 'network policy' });
  const { value, faults, placeOf } = readYaml(text, file, PolicySchema);
  if (value === undefined)
    throw new InputError(faults.map(({ path, reason, place }) => problem('bad-policy', { field: fieldText(path), reason }, place)));
  const entries = value.allowed.map(({ classes, networks, note }, at) => {
    const { line } = placeOf(['allowed', at]);
    const ranges = networks.flatMap((network): AddressRange[] => {
      const range = parseRange(network);
      return 'reason' in range ? [] : [range];
    });
    const source: AssetSource = { file, ...(line === undefined ? {} : { line }) };
    return { classes, entry: { ranges, networks, ...(note === undefined ? {} : { note }), source } satisfies PolicyEntry };
  });
  const byClass = new Map<DeviceClass, readonly PolicyEntry[]>();
  for (const kind of CLASSES) {
    const words = [kind, ...GROUPS.filter(([, classes]) => classes.includes(kind)).map(([word]) => word)];
    const word = words.find((one) => entries.some(({ classes }) => classes.includes(one)));
    if (word !== undefined)
      byClass.set(
        kind,
        entries.filter(({ classes }) => classes.includes(word)).map(({ entry }) => entry),
      );
  }
  return { file, byClass };
}

/** `allowed[2].networks[0]`, counted from 0 as jq and YAML tools do. */
function fieldText(path: readonly (string | number)[]): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`)).join('');
}

/** A device where the policy does not let its class be. */
interface Breach {
  /** Its addresses that are outside. */
  readonly outside: readonly string[];
  readonly entries: readonly PolicyEntry[];
}

/** Names of computers are no addresses, and link-local ones (RFC 4007) say nothing of the network that they are in: neither is judged. */
function breachOf(device: Device, { byClass }: NetworkPolicy): Breach | undefined {
  const entries = byClass.get(device.class);
  if (entries === undefined) return undefined;
  const outside = device.addresses.filter((text) => {
    const zoned = parseAddress(text);
    if (zoned === undefined) return false;
    const address = withoutZone(zoned);
    return spaceOf(address) !== 'link-local' && !entries.some(({ ranges }) => ranges.some((range) => contains(range, address)));
  });
  return outside.length === 0 ? undefined : { outside, entries };
}

/**
 * Adds to findings what the policy says of their devices. An approved device outside of its networks becomes `wrong-network`, unless something more
 * pressing is to be said of it; a device without a finding gets one. An exception (`ignored`) is one from the policy too.
 */
export function withPolicy(findings: readonly Finding[], devices: readonly Device[], policy: NetworkPolicy): Finding[] {
  const breaches = new Map(
    devices.flatMap((device) => {
      const breach = breachOf(device, policy);
      return breach === undefined ? [] : [[device.deviceKey, { device, breach }] as const];
    }),
  );
  const told = new Set(findings.flatMap(({ deviceKey }) => deviceKey ?? []));
  const judged = findings.map((finding) => {
    const found = finding.deviceKey === undefined ? undefined : breaches.get(finding.deviceKey);
    return found === undefined || finding.state === 'ignored' ? finding : inBreach(finding, found.device, found.breach);
  });
  const others = [...breaches].flatMap(([key, { device, breach }]) => (told.has(key) ? [] : [inBreach(bare(device), device, breach)]));
  return [...judged, ...others];
}

/** What is said of a device that is held against the policy only. */
function bare(device: Device): Finding {
  return {
    state: 'wrong-network',
    severity: severityOf('wrong-network', device),
    ...about(device),
    matched: [],
    conflicts: [],
    explanation: '',
  };
}

function inBreach(finding: Finding, device: Device, { outside, entries }: Breach): Finding {
  const isApproved = STATES.indexOf(finding.state) >= STATES.indexOf('wrong-network');
  const networks = listText(
    entries.flatMap((entry) => entry.networks),
    6,
  );
  const lines = listText(entries.map(entryText));
  const where = `${listText(outside)} is outside of the networks in which ${withArticle(device.class)} is allowed: ${networks} (${lines}).`;
  const explanation = [finding.explanation, where, ...(isApproved ? ['Move it there, or correct the policy.'] : [])]
    .filter((text) => text !== '')
    .join(' ');
  const [first] = entries;
  return {
    ...finding,
    ...(isApproved ? { state: 'wrong-network', severity: severityOf('wrong-network', device) } : {}),
    conflicts: [...finding.conflicts, { what: 'network', approved: networks, seen: outside.join(', ') }],
    ...(first === undefined ? {} : { policy: first.source }),
    explanation,
  };
}

/** `a bmc`, `an ip-kvm`; `a ups-card` is spoken as it is written. */
function withArticle(kind: DeviceClass): string {
  return `${/^[aei]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** `policy.yaml:3, management network`. */
function entryText({ source, note }: PolicyEntry): string {
  return note === undefined ? sourceText(source) : `${sourceText(source)}, ${shortened(printable(note), MAX_NOTE)}`;
}

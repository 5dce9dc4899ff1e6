import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { bundled, dataPath } from '../data.ts';
import { InputError, type Place, type Problem, problem } from '../errors.ts';
import { nearest } from '../text.ts';
import { type Role, TCP_ROLES, UDP_ROLES } from './roles.ts';
import { isFilter, placesOf } from './templates.ts';

/** Names that every template may use, beside the persona's own parameters and what its reply adds under `with`. */
const GIVEN = ['address', 'year'] as const;
/** Where its own web servers stand. */
const GIVEN_IN_DATAGRAMS = [...GIVEN, 'http', 'https', 'alternative', 'httpPort'] as const;
const GIVEN_IN_REPLIES = [...GIVEN_IN_DATAGRAMS, 'authority', 'host', 'target', 'date', 'length', 'nonce'] as const;

const Hex = z.string().regex(/^([0-9a-fA-F]{2}|\{\{[a-zA-Z0-9|]+\}\})*$/, 'pairs of hex digits, or places such as {{mac|hex}}');
const Byte = z.number().int().min(0).max(255);
const Milliseconds = z.number().int().min(0).max(600_000);
/** `key:where`, the key from the persona's `sources`; `rebuilt:why` for what follows from the rows around it and was read nowhere. */
const Cite = z.string().regex(/^[a-z0-9][a-z0-9-]*:.+/, 'key:where, as in kvmd:configs/nginx/loc-login.conf');
const Cites = z.union([Cite, z.array(Cite).min(1)]);
const End = z.enum(['close', 'reset', 'hang']).default('close');

const Reply = z.strictObject({
  cite: Cites,
  version: z.string().default('HTTP/1.1'),
  status: z.number().int().min(0).max(999).default(200),
  reason: z.string().default('OK'),
  /** In the order and spelling in which they go out. */
  headers: z.array(z.tuple([z.string(), z.string()])).default([]),
  body: z.string().optional(),
  /** A file of `data/fleet/bodies/`; reading the persona puts its content into `body` or `bodyBase64`. */
  bodyFile: z.string().optional(),
  bodyBase64: z.base64().optional(),
  /** Blank lines fill the body up to the size of the real file, where only that is known. */
  padTo: z.number().int().min(0).max(1_000_000).optional(),
  /** Names for the templates of this reply. */
  with: z.record(z.string(), z.string()).default({}),
  /** The whole answer as it goes out, instead of all of the above: for replies that break the rules. */
  raw: z.string().optional(),
  /** Sends so many bytes at a time, so far apart. */
  pace: z.strictObject({ bytes: z.number().int().min(1), everyMs: Milliseconds }).optional(),
  /** Says the body again and again until the other side hangs up. */
  endless: z.boolean().default(false),
  /** One header line, many times. */
  flood: z.strictObject({ name: z.string(), value: z.string(), lines: z.number().int().min(1).max(1_000_000) }).optional(),
  /** A gzip body that inflates to so many MiB of zeros, sent whatever encoding was asked for. */
  bomb: z.strictObject({ mebibytes: z.number().int().min(1).max(1024) }).optional(),
  ends: End,
});
export type Reply = z.infer<typeof Reply>;

/** Attributes in the order of the certificate: `[[C, US], [O, PiKVM]]`. */
const DistinguishedName = z.array(z.tuple([z.enum(['C', 'ST', 'L', 'O', 'OU', 'CN', 'email', 'serialNumber']), z.string()])).min(1);

const Tls = z.strictObject({
  cite: Cites,
  min: z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  max: z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']).default('TLSv1.3'),
  certificate: z.strictObject({
    subject: DistinguishedName,
    /** The name of the authority that signs it; self-signed without. */
    issuer: DistinguishedName.optional(),
    /** Whether the authority's certificate goes out too. */
    chain: z.boolean().default(false),
    san: z.array(z.string().regex(/^(DNS|IP):/)).default([]),
    key: z.enum(['rsa-1024', 'rsa-2048', 'ec-p256']),
    hash: z.enum(['sha1', 'sha256']).default('sha256'),
    days: z.number().int().min(1),
    madeDaysAgo: z.number().int().min(0).default(30),
    serial: Hex.optional(),
    /** One key and certificate for every device of the persona, as factories ship them. */
    shared: z.boolean().default(false),
  }),
});
export type TlsSpec = z.infer<typeof Tls>;

const WebService = z.strictObject({
  at: z.enum(TCP_ROLES),
  speaks: z.literal('web'),
  cite: Cites,
  tls: Tls.optional(),
  lineEnd: z.enum(['\r\n', '\n']).default('\r\n'),
  /** Names for the templates of every reply; a reply's own `with` comes first. */
  with: z.record(z.string(), z.string()).default({}),
  /** Exact path and query. */
  routes: z.array(Reply.extend({ path: z.string().startsWith('/') })).default([]),
  /** What every other path gets. */
  otherwise: Reply,
  /** What plain HTTP gets on a TLS port; it is hung up on where this is missing. */
  plain: Reply.optional(),
});
export type WebService = z.infer<typeof WebService>;

const RfbService = z.strictObject({
  at: z.enum(TCP_ROLES),
  speaks: z.literal('rfb'),
  cite: Cites,
  version: z.string().regex(/^\d{3}\.\d{3}$/),
  delayMs: Milliseconds.default(0),
  /** Security types in the order offered. Empty: refused with `reason`. */
  types: z.array(Byte).default([]),
  /** What a 3.3 client is refused with; it is given `type33` where this is missing. */
  refusal33: z.string().optional(),
  type33: z.number().int().min(0).max(2).default(2),
  reason: z.string().default(''),
  /** A length that the reason does not have. */
  reasonLength: z.number().int().min(0).max(0xffffffff).optional(),
  /** After so many connections of one client without a login: the refusal that TigerVNC sends, in 3.3 framing. */
  lockout: z.strictObject({ after: z.number().int().min(1), reason: z.string() }).optional(),
});
export type RfbService = z.infer<typeof RfbService>;

const ScriptService = z.strictObject({
  at: z.enum(TCP_ROLES),
  speaks: z.literal('script'),
  cite: Cites,
  /** What the device does with each connection, in order. `heard`: waits until something was sent to it. */
  steps: z
    .array(
      z.strictObject({
        heard: z.boolean().default(false),
        sleepMs: Milliseconds.default(0),
        hex: Hex.optional(),
        text: z.string().optional(),
      }),
    )
    .default([]),
  ends: End,
});
export type ScriptService = z.infer<typeof ScriptService>;

const Wrapper = z.enum(['v1.5', 'v2.0']);
const IpmiService = z.strictObject({
  at: z.enum(UDP_ROLES),
  speaks: z.literal('ipmi'),
  cite: Cites,
  pong: z
    .strictObject({
      cite: Cites,
      iana: z.number().int().min(0).max(0xffffffff),
      oem: Hex.default('00000000'),
      entities: Byte,
      interactions: Byte.default(0),
      /** OpenBMC writes the ASF number of the header the wrong way round. */
      swappedAsf: z.boolean().default(false),
    })
    .optional(),
  auth: z
    .strictObject({
      cite: Cites,
      channel: Byte,
      types: Byte,
      status: Byte,
      extended: Byte,
      oem: z.number().int().min(0).max(0xffffff).default(0),
      auxiliary: Byte.default(0),
      wrappers: z.array(Wrapper).default(['v1.5']),
      /** Completion code for a request with the v2.0 bit: what an IPMI 1.5 device gives. */
      refuseV2: Byte.optional(),
      /** pyghmi answers where the channel byte is 8E and to nothing else. */
      only8e: z.boolean().default(false),
    })
    .optional(),
  guid: z.strictObject({ cite: Cites, bytes: Hex, wrappers: z.array(Wrapper).default(['v1.5']) }).optional(),
  suites: z
    .strictObject({
      cite: Cites,
      ids: z.array(Byte).default([]),
      oem: Hex.default(''),
      wrappers: z.array(Wrapper).default(['v1.5', 'v2.0']),
    })
    .optional(),
  deviceId: z
    .strictObject({ cite: Cites, completion: Byte.default(0), bytes: Hex.default(''), wrappers: z.array(Wrapper).default(['v1.5']) })
    .optional(),
  wrongChecksums: z.boolean().default(false),
  /** Damage done to every answer. */
  mangle: z.strictObject({ cutTo: z.number().int().min(0).optional(), lengthByte: Byte.optional() }).optional(),
});
export type IpmiService = z.infer<typeof IpmiService>;

const Oid = z.string().regex(/^\d+(\.\d+)+$/, 'dotted digits, in quotes where it has one dot only');
const SnmpService = z.strictObject({
  at: z.enum(UDP_ROLES),
  speaks: z.literal('snmp'),
  cite: Cites,
  /** Of an agent that speaks SNMPv3; without it discovery gets silence. */
  engine: Hex.optional(),
  /** Who names one of these may read the objects, in SNMPv1 and v2c. */
  communities: z.array(z.string()).default([]),
  objects: z
    .array(
      z
        .strictObject({
          cite: Cites,
          oid: Oid,
          text: z.string().optional(),
          hex: Hex.optional(),
          number: z.number().int().min(0).max(0x7fffffff).optional(),
          names: Oid.optional(),
        })
        .refine(
          ({ text, hex, number, names }) => [text, hex, number, names].filter((value) => value !== undefined).length === 1,
          'an object has one value: text, hex, number, or the object that it names',
        ),
    )
    .default([]),
  boots: z.number().int().min(0).default(3),
  upSeconds: z.number().int().min(0).default(864_000),
  mangle: z
    .strictObject({
      cutTo: z.number().int().min(0).optional(),
      otherMsgId: z.boolean().default(false),
      longLength: z.boolean().default(false),
    })
    .optional(),
});
export type SnmpService = z.infer<typeof SnmpService>;

const Place = z.number().int().min(0).max(1024);
const RepliesService = z.strictObject({
  at: z.enum(UDP_ROLES),
  speaks: z.literal('replies'),
  cite: Cites,
  /** What a datagram is answered with, by how it begins: hex digits, `.` for one that may be any. */
  replies: z
    .array(
      z
        .strictObject({
          cite: Cites,
          when: z.string().regex(/^([0-9a-fA-F.]{2})+$/),
          /** Text that it must hold too, whatever its case. */
          has: z.string().optional(),
          hex: Hex.optional(),
          text: z.string().optional(),
          /** Bytes of what was heard that the answer repeats, by the name that stands for them: as hex digits in `hex`, as text in `text`. */
          take: z.record(z.string(), z.strictObject({ at: Place, bytes: z.number().int().min(1).max(64) })).default({}),
          /** Where the answer says how long it is from some byte on, highest octet first. */
          length: z.strictObject({ at: Place, bytes: z.number().int().min(1).max(4), from: Place }).optional(),
          /** Repeated at the end until the answer has so many bytes. */
          pad: z.strictObject({ hex: Hex.min(2), to: z.number().int().min(1).max(65_507) }).optional(),
          /** Sent from a port of its own, as some SSDP servers do. */
          fromAnotherPort: z.boolean().default(false),
        })
        .refine(({ hex, text }) => (hex === undefined) !== (text === undefined), 'a reply is either hex or text'),
    )
    .min(1),
});
export type RepliesService = z.infer<typeof RepliesService>;

const MdnsService = z.strictObject({
  at: z.enum(UDP_ROLES),
  speaks: z.literal('mdns'),
  cite: Cites,
  /** `pikvm.local` */
  host: z.string().regex(/\.local$/),
  /** What the address records of the host say. */
  addresses: z.array(z.string()).default(['{{address}}']),
  /** Whether the reverse name of its address is answered. */
  reverse: z.boolean().default(true),
  services: z
    .array(
      z.strictObject({
        cite: Cites,
        type: z.string().regex(/^_[a-z0-9_-]+\._(tcp|udp)$/),
        instance: z.string(),
        port: z.number().int().min(0).max(65535),
        txt: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});
export type MdnsService = z.infer<typeof MdnsService>;

const Service = z.discriminatedUnion('speaks', [
  WebService,
  RfbService,
  ScriptService,
  IpmiService,
  SnmpService,
  RepliesService,
  MdnsService,
]);
export type Service = z.infer<typeof Service>;

/** What a perfect tool would say of a device: only what the device really tells without a login. */
export const TRUTH = z.strictObject({
  /** Must not be named as remote-access hardware. */
  decoy: z.boolean().default(false),
  class: z.string().optional(),
  vendor: z.string().optional(),
  product: z.string().optional(),
  generation: z.string().optional(),
  model: z.string().optional(),
  /** The exact firmware, where the device tells it. */
  version: z.string().optional(),
  /** First and last release that the device can be told to be. */
  versions: z.strictObject({ from: z.string(), to: z.string() }).optional(),
  serial: z.string().optional(),
  mac: z.string().optional(),
  hostname: z.string().optional(),
  /** Firmware family below an OEM product. */
  base: z.string().optional(),
  posture: z.array(z.string()).default([]),
  /** Products that it must not be called, whatever else it is called. */
  never: z.array(z.string()).default([]),
});
export type Truth = z.infer<typeof TRUTH>;

const PersonaSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+([-.][a-z0-9]+)*$/, 'kebab-case'),
  title: z.string().min(1),
  /** What is known, and what is not, of how true to the product this is. */
  notes: z.string().optional(),
  /** The short keys of the citations: `kvmd: pikvm/kvmd@f14596e8`. */
  sources: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), z.string().min(1)),
  truth: TRUTH,
  /** What a placement may give of its own; each may be made of those before it: `hostname: 'idrac-{{serial}}'`. */
  parameters: z.record(z.string(), z.string()).default({}),
  services: z.array(Service).min(1),
});

/** A device model with one generation of firmware: all that it says on the network, and what a perfect tool would make of it. */
export type Persona = z.infer<typeof PersonaSchema>;

let loaded: readonly Persona[] | undefined;

/** The personas, as the build bundled them or from their sources; read once a process. */
export function loadPersonas(): readonly Persona[] {
  loaded ??= bundled('fleet', () => readPersonas());
  return loaded;
}

/**
 * The personas of `data/fleet/` and `data/fleet/hostile/`, checked, with the bodies in them. The build bundles this.
 * @throws {InputError} with every problem of every file
 */
export function readPersonas(folder = dataPath('fleet')): Persona[] {
  const personas: Persona[] = [];
  const problems: Problem[] = [];
  for (const file of personaFiles(folder)) {
    const read = readPersona(readFileSync(file, 'utf8'), file, join(folder, 'bodies'));
    if (read.persona !== undefined) personas.push(read.persona);
    problems.push(...read.problems);
  }
  if (problems.length > 0) throw new InputError(problems);
  return personas.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function personaFiles(folder: string): string[] {
  return [folder, join(folder, 'hostile')].flatMap((part) =>
    readdirSync(part)
      .filter((name) => name.endsWith('.yaml') && !name.startsWith('demo'))
      .toSorted()
      .map((name) => join(part, name)),
  );
}

/** One persona of a YAML text, or what is wrong with it and in which line. */
export function readPersona(text: string, file: string, bodies = dataPath('fleet/bodies')): { persona?: Persona; problems: Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const shown = relative(process.cwd(), file) || file;
  const wrong = (place: Place, field: string, reason: string): Problem =>
    problem('bad-fingerprint', { field, reason }, { file: shown, ...place });
  if (document.errors.length > 0)
    return {
      problems: document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return wrong({ line, column: col }, '', error.message.split('\n', 1)[0] ?? error.message);
      }),
    };
  const placeOf = (path: readonly PropertyKey[]): Place => {
    // A key that is missing has no node: its parent's place is the nearest.
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) {
        const { line, col } = lines.linePos(node.range[0]);
        return { line, column: col };
      }
    }
    return { line: 1, column: 1 };
  };
  const checked = PersonaSchema.safeParse(document.toJS());
  if (!checked.success)
    return { problems: checked.error.issues.map((issue) => wrong(placeOf(issue.path), issue.path.join('.'), issue.message)) };
  const persona = checked.data;
  const problems: Problem[] = [];
  const report: Report = (path, reason) => void problems.push(wrong(placeOf(path), path.join('.'), reason));
  if (basename(file) !== `${persona.id}.yaml`)
    report(['id'], `the file is called ${basename(file)}, so this must be "${basename(file, '.yaml')}"`);
  checkRoles(persona, report);
  eachReply(persona, (reply, path) => takeBody(reply, path, bodies, report));
  checkStrings(persona, report);
  return problems.length > 0 ? { problems } : { persona, problems };
}

type Path = readonly (string | number)[];
type Report = (path: Path, reason: string) => void;

function checkRoles(persona: Persona, report: Report): void {
  const taken = new Set<Role>();
  persona.services.forEach(({ at }, index) => {
    if (taken.has(at)) report(['services', index, 'at'], `two services at ${at}`);
    taken.add(at);
  });
}

function eachReply(persona: Persona, visit: (reply: Reply, path: Path) => void): void {
  persona.services.forEach((service, index) => {
    if (service.speaks !== 'web') return;
    service.routes.forEach((reply, route) => visit(reply, ['services', index, 'routes', route]));
    visit(service.otherwise, ['services', index, 'otherwise']);
    if (service.plain !== undefined) visit(service.plain, ['services', index, 'plain']);
  });
}

function takeBody(reply: Reply, path: Path, bodies: string, report: Report): void {
  if ([reply.body, reply.bodyFile, reply.bodyBase64, reply.bomb].filter((body) => body !== undefined).length > 1)
    report(path, 'one body is enough');
  if (reply.bodyFile === undefined) return;
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(reply.bodyFile)) return report([...path, 'bodyFile'], 'a plain file name in data/fleet/bodies');
  const bytes = readBody(join(bodies, reply.bodyFile));
  if (bytes === undefined) return report([...path, 'bodyFile'], `there is no data/fleet/bodies/${reply.bodyFile}`);
  if (/\.(png|ico|gif|der)$/.test(reply.bodyFile)) reply.bodyBase64 = bytes.toString('base64');
  else reply.body = bytes.toString('utf8');
  delete reply.bodyFile;
}

function readBody(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Citations name a known source, and templates only what will be known. */
function checkStrings(persona: Persona, report: Report): void {
  const parameters = Object.keys(persona.parameters);
  const walk = (value: unknown, path: Path, known: readonly string[]): void => {
    if (typeof value === 'string') {
      if (isCite(path)) checkCite(value, path, persona, report);
      else checkTemplate(value, path, known, report);
    } else if (Array.isArray(value)) value.forEach((item, index) => walk(item, [...path, index], known));
    else if (typeof value === 'object' && value !== null) {
      const more = (['with', 'take'] as const).flatMap((key) => Object.keys((value as { with?: object; take?: object })[key] ?? {}));
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key], [...known, ...more]);
    }
  };
  walk(persona.truth, ['truth'], [...parameters, ...GIVEN]);
  // A parameter may be made of those before it: `hostname: 'idrac-{{serial}}'`.
  parameters.forEach((name, index) => walk(persona.parameters[name], ['parameters', name], [...parameters.slice(0, index), ...GIVEN]));
  persona.services.forEach((service, index) =>
    walk(service, ['services', index], [...parameters, ...(service.speaks === 'web' ? GIVEN_IN_REPLIES : GIVEN_IN_DATAGRAMS)]),
  );
}

function isCite(path: Path): boolean {
  return path.at(-1) === 'cite' || path.at(-2) === 'cite';
}

function checkCite(cite: string, path: Path, persona: Persona, report: Report): void {
  const key = cite.slice(0, cite.indexOf(':'));
  if (key === 'rebuilt' || Object.hasOwn(persona.sources, key)) return;
  const near = nearest(key, Object.keys(persona.sources));
  report(path, `"${key}" is not among the sources${near === undefined ? '' : `; did you mean "${near}"?`}`);
}

function checkTemplate(template: string, path: Path, known: readonly string[], report: Report): void {
  for (const { name, filter } of placesOf(template)) {
    if (!known.includes(name)) report(path, `nothing is known to fill in for {{${name}}}`);
    if (filter !== undefined && !isFilter(filter)) report(path, `there is no filter "${filter}"`);
  }
}

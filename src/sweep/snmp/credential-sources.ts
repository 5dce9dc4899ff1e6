import { readFileSync, statSync } from 'node:fs';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { InputError, inputError, type Place, type Problem, problem, systemReason } from '../../errors.ts';
import { offsetOf, type YamlPath as Path } from '../../yaml.ts';
import {
  AUTH_PROTOCOLS,
  communityOf,
  PRIVACY_PROTOCOLS,
  type SnmpCredential,
  SnmpCredentials,
  type SnmpUser,
  userOf,
} from './credentials.ts';

/** Each one is tried at every device that answers, so there are few. */
const MAX_CREDENTIALS = 8;

/** Where credentials come from, as they were given. */
export interface CredentialSources {
  /** `--snmp-community`: v2c. */
  readonly communities?: readonly string[] | undefined;
  /** `--snmp-user`. */
  readonly users?: readonly string[] | undefined;
  /** `--snmp-credentials`. */
  readonly file?: string | undefined;
}

const ENV_COMMUNITY = 'KVMSWEEP_SNMP_COMMUNITY';
const ENV_FILE = 'KVMSWEEP_SNMP_CREDENTIALS';

/**
 * All credentials that were given, each once. The environment (`KVMSWEEP_SNMP_COMMUNITY`, `KVMSWEEP_SNMP_CREDENTIALS`) counts where no option gives one.
 * No error and no note holds what was given.
 * @throws {InputError} with everything that is wrong with them
 */
export function collectCredentials(
  sources: CredentialSources,
  environment: NodeJS.ProcessEnv,
): { readonly credentials: SnmpCredentials; readonly notes: readonly string[] } {
  const { communities = [], users = [], file } = sources;
  const isGiven = communities.length > 0 || users.length > 0 || file !== undefined;
  const inEnvironment = [ENV_COMMUNITY, ENV_FILE].filter((name) => (environment[name] ?? '') !== '');
  const fromEnvironment = (name: string): string | undefined => (isGiven || !inEnvironment.includes(name) ? undefined : environment[name]);
  const found: SnmpCredential[] = [];
  const problems: Problem[] = [];
  const notes: string[] = [];
  const add = (made: SnmpCredential | { readonly reason: string }, what: string): void => {
    if ('reason' in made) problems.push(problem('bad-credential', { what, reason: made.reason }));
    else found.push(made);
  };
  for (const text of communities) add(communityOf(2, text), '--snmp-community');
  for (const text of users) add(parseUser(text), '--snmp-user');
  const community = fromEnvironment(ENV_COMMUNITY);
  if (community !== undefined) add(communityOf(2, community), ENV_COMMUNITY);
  const list = file ?? fromEnvironment(ENV_FILE);
  if (list !== undefined) {
    const read = readCredentialsFile(list);
    found.push(...read.credentials);
    problems.push(...read.problems);
    notes.push(...read.notes);
  }
  if (isGiven && inEnvironment.length > 0)
    notes.push(`${inEnvironment.join(' and ')} in the environment: not used, because options give credentials`);
  const distinct = [...new Map(found.map((one) => [sameness(one), one])).values()];
  if (distinct.length > MAX_CREDENTIALS)
    problems.push(
      problem('bad-credential', {
        what: `${distinct.length} SNMP credentials`,
        reason: `each is tried at every device that answers, so at most ${MAX_CREDENTIALS} may be given; sweep in parts, each with those that belong to it`,
      }),
    );
  if (problems.length > 0) throw new InputError(problems);
  return { credentials: new SnmpCredentials(distinct), notes };
}

/** What makes two credentials the same one. */
function sameness(one: SnmpCredential): string {
  return JSON.stringify(
    one.version === 3
      ? [3, one.name.reveal(), ...[one.auth, one.privacy].map((part) => [part?.protocol, part?.key.reveal()])]
      : [one.version, one.community.reveal()],
  );
}

const USER_FORM = 'name=NAME[,auth=PROTOCOL:KEY[,privacy=PROTOCOL:KEY]]';

/** A user in the form of the command line; a key may hold anything but `,name=`, `,auth=` and `,privacy=`. */
function parseUser(text: string): SnmpUser | { readonly reason: string } {
  const parts = text.split(/,(?=(?:name|auth|privacy)=)/).map((part) => /^(name|auth|privacy)=(.*)$/s.exec(part));
  if (parts.some((part) => part === null)) return { reason: `it has not the form ${USER_FORM}` };
  const values = new Map(parts.map((part) => [part?.[1] ?? '', part?.[2] ?? '']));
  if (values.size < parts.length) return { reason: `name, auth and privacy may each be given once: ${USER_FORM}` };
  const name = values.get('name');
  if (name === undefined) return { reason: `it names no user: ${USER_FORM}` };
  const auth = keyed('auth', values.get('auth'), AUTH_PROTOCOLS);
  if (auth !== undefined && 'reason' in auth) return auth;
  const privacy = keyed('privacy', values.get('privacy'), PRIVACY_PROTOCOLS);
  if (privacy !== undefined && 'reason' in privacy) return privacy;
  return userOf({ name, auth, privacy });
}

/** `sha:KEY`. */
function keyed<T extends string>(
  part: string,
  text: string | undefined,
  protocols: readonly T[],
): { readonly protocol: T; readonly key: string } | { readonly reason: string } | undefined {
  if (text === undefined) return undefined;
  const colon = text.indexOf(':');
  const protocol = protocols.find((one) => one === text.slice(0, Math.max(0, colon)).toLowerCase());
  return protocol === undefined
    ? { reason: `${part} is PROTOCOL:KEY, where PROTOCOL is ${protocols.join(', ')}` }
    : { protocol, key: text.slice(colon + 1) };
}

// ---- files ------------------------------------------------------------------------------------------------------

const CommunityEntry = z.strictObject({ version: z.unknown(), community: z.string() });
const UserEntry = z.strictObject({
  version: z.unknown(),
  user: z.string(),
  auth: z.strictObject({ protocol: z.enum(AUTH_PROTOCOLS), key: z.string() }).optional(),
  privacy: z.strictObject({ protocol: z.enum(PRIVACY_PROTOCOLS), key: z.string() }).optional(),
});

interface CredentialsFile {
  readonly credentials: readonly SnmpCredential[];
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** A list of credentials in YAML. What the YAML parser and the schema say is not passed on where it could hold a piece of the file. */
function readCredentialsFile(file: string): CredentialsFile {
  const { text, notes } = readText(file);
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, logLevel: 'error', prettyErrors: false });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const [broken] = doc.errors;
  if (broken !== undefined)
    return {
      credentials: [],
      notes,
      problems: [problem('bad-credential', { what: 'not YAML', reason: yamlReason(broken.code) }, at(broken.pos[0]))],
    };
  const list = valueOf(doc);
  if (list === null) throw inputError('empty-file', { file, what: 'SNMP credentials' });
  if (!Array.isArray(list))
    return {
      credentials: [],
      notes,
      problems: [
        problem(
          'bad-credential',
          { what: 'no list', reason: 'it is a list of `- { version: 2c, community: … }` and `- { version: 3, user: … }`' },
          at(0),
        ),
      ],
    };
  const credentials: SnmpCredential[] = [];
  const problems: Problem[] = [];
  for (const [index, entry] of list.entries()) {
    const made = credentialOf(entry);
    if (!Array.isArray(made)) credentials.push(made);
    else
      for (const { path, reason } of made)
        problems.push(problem('bad-credential', { what: `credential ${index + 1}`, reason }, at(offsetOf(doc, [index, ...path]))));
  }
  return { credentials, problems, notes };
}

function readText(file: string): { readonly text: string; readonly notes: readonly string[] } {
  try {
    const text = readFileSync(file, 'utf8');
    const mode = statSync(file).mode & 0o777;
    // Windows has no such mode: there everybody seems to read everything.
    const isOpen = process.platform !== 'win32' && (mode & 0o044) !== 0;
    return {
      text,
      notes: isOpen
        ? [`${file} can be read by others on this machine (mode ${mode.toString(8)}), and there are secrets in it: chmod 600 ${file}`]
        : [],
    };
  } catch (error) {
    throw inputError('unreadable-file', { file, reason: systemReason(error) });
  }
}

/** A hint at what is wrong, by the code of the parser: its message may quote the file. */
function yamlReason(code: string): string {
  return code === 'DUPLICATE_KEY'
    ? 'a key stands twice in one credential'
    : `put texts with special characters in single quotes ('…'; a quote in it is doubled) (${code})`;
}

function valueOf(doc: Document): unknown {
  try {
    return doc.toJS();
  } catch {
    // An alias that means nothing: `community: *text`. Its name may be the secret, so what the parser says is left out.
    return [undefined];
  }
}

interface Fault {
  readonly path: Path;
  readonly reason: string;
}

function credentialOf(entry: unknown): SnmpCredential | Fault[] {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return [
      {
        path: [],
        reason: 'it is `{ version: 2c, community: … }` or `{ version: 3, user: … }`; texts with special characters stand in single quotes',
      },
    ];
  const version = String((entry as { version?: unknown }).version);
  if (version === '1' || version === '2c') {
    const checked = CommunityEntry.safeParse(entry);
    if (!checked.success) return faults(checked.error.issues, 'version and community');
    const made = communityOf(version === '1' ? 1 : 2, checked.data.community);
    return 'reason' in made ? [{ path: ['community'], reason: made.reason }] : made;
  }
  if (version !== '3') return [{ path: ['version'], reason: 'version is 1, 2c or 3' }];
  const checked = UserEntry.safeParse(entry);
  if (!checked.success) return faults(checked.error.issues, 'version, user, auth and privacy (these two with protocol and key)');
  const made = userOf({ ...checked.data, name: checked.data.user });
  return 'reason' in made ? [made] : made;
}

/** What the schema finds. An unknown key is not repeated: where a quote or a colon is missing it may be the secret. */
function faults(issues: readonly z.core.$ZodIssue[], keys: string): Fault[] {
  return issues.flatMap((issue): Fault[] => {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key], reason: `there is a key that none may have; it has ${keys}` }));
    const field = path.join('.');
    if (issue.code === 'invalid_value') return [{ path, reason: `${field} is one of ${issue.values.map(String).join(', ')}` }];
    return [
      {
        path,
        reason: `${field} must be given, as ${issue.code === 'invalid_type' && issue.expected === 'object' ? '{ protocol: …, key: … }' : "text; put it in quotes ('…')"}`,
      },
    ];
  });
}

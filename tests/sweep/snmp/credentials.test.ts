import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { collectCredentials, type CredentialSources } from '../../../src/sweep/snmp/credential-sources.ts';
import { Secret, type SnmpCredential, SnmpCredentials } from '../../../src/sweep/snmp/credentials.ts';

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-snmp-'));
let files = 0;
function fileOf(text: string, mode = 0o600): string {
  files += 1;
  const file = join(folder, `credentials-${files}.yaml`);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

/** A credential with its secrets revealed. */
function plain(one: SnmpCredential): object {
  if (one.version !== 3) return { version: one.version, community: one.community.reveal() };
  const [auth, privacy] = [one.auth, one.privacy].map((part) => part && { protocol: part.protocol, key: part.key.reveal() });
  return { version: 3, name: one.name.reveal(), ...(auth && { auth }), ...(privacy && { privacy }) };
}

function collect(sources: CredentialSources, environment: NodeJS.ProcessEnv = {}): object[] {
  const { communities, users } = collectCredentials(sources, environment).credentials;
  return [...communities, ...users].map(plain);
}

/** What is said of credentials that cannot be used. */
function complaint(sources: CredentialSources, environment: NodeJS.ProcessEnv = {}): string {
  try {
    collectCredentials(sources, environment);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error('nothing is wrong with them');
}

const LAB = {
  version: 3,
  name: 'monitor',
  auth: { protocol: 'sha', key: 'authauthauth' },
  privacy: { protocol: 'aes', key: 'privprivpriv' },
};

test.for<{ name: string; sources: CredentialSources; credentials: object[] }>([
  { name: 'nothing', sources: {}, credentials: [] },
  {
    name: 'communities are those of v2c, in order, each once',
    sources: { communities: ['public', 'ops,=:\'"', 'public'] },
    credentials: [
      { version: 2, community: 'public' },
      { version: 2, community: 'ops,=:\'"' },
    ],
  },
  { name: 'a name is a user', sources: { users: ['name=monitor'] }, credentials: [{ version: 3, name: 'monitor' }] },
  {
    name: 'authentication alone',
    sources: { users: ['name=monitor,auth=sha256:authauthauth'] },
    credentials: [{ version: 3, name: 'monitor', auth: { protocol: 'sha256', key: 'authauthauth' } }],
  },
  {
    name: 'privacy as well, in any order',
    sources: { users: ['privacy=AES:privprivpriv,name=monitor,auth=SHA:authauthauth'] },
    credentials: [LAB],
  },
  {
    name: 'keys with what the form is made of',
    sources: { users: ['name=a=b,auth=md5:x:y,z=1,,privacy=aes256r:,,,,,,,,auth:'] },
    credentials: [
      { version: 3, name: 'a=b', auth: { protocol: 'md5', key: 'x:y,z=1,' }, privacy: { protocol: 'aes256r', key: ',,,,,,,,auth:' } },
    ],
  },
])('credentials of options: $name', ({ sources, credentials }) => expect(collect(sources)).toEqual(credentials));

test('credentials of a file, with quoted and unquoted versions', () => {
  const file = fileOf(`# of the lab
- { version: 2c, community: 'ops #1' }
- { version: 1, community: old }
- { version: '1', community: older }
- version: 3
  user: monitor
  auth: { protocol: sha, key: authauthauth }
  privacy: { protocol: aes, key: privprivpriv }
- { version: 3, user: nobody }
`);
  expect(collect({ file })).toEqual([
    { version: 2, community: 'ops #1' },
    { version: 1, community: 'old' },
    { version: 1, community: 'older' },
    LAB,
    { version: 3, name: 'nobody' },
  ]);
});

test.for<{ name: string; sources: CredentialSources; text: string | RegExp }>([
  { name: 'an empty community', sources: { communities: [''] }, text: '--snmp-community: the community is empty' },
  { name: 'a community with a line end', sources: { communities: ['SECRET\n'] }, text: /--snmp-community: there is a control character/ },
  { name: 'a long community', sources: { communities: ['SECRET'.repeat(20)] }, text: /at most 64 octets/ },
  {
    name: 'a user without a form',
    sources: { users: ['SECRET'] },
    text: '--snmp-user: it has not the form name=NAME[,auth=PROTOCOL:KEY[,privacy=PROTOCOL:KEY]]',
  },
  { name: 'a user without a name', sources: { users: ['auth=sha:SECRETSECRET'] }, text: /it names no user/ },
  { name: 'an empty name', sources: { users: ['name='] }, text: /1 to 32 octets/ },
  { name: 'a part twice', sources: { users: ['name=SECRET,name=b'] }, text: /may each be given once/ },
  {
    name: 'a key without a protocol',
    sources: { users: ['name=a,auth=SECRETSECRET'] },
    text: /auth is PROTOCOL:KEY, where PROTOCOL is md5, sha, sha224, sha256, sha384, sha512/,
  },
  {
    name: 'a protocol that there is not',
    sources: { users: ['name=a,auth=sha:SECRETSECRET,privacy=3des:SECRETSECRET'] },
    text: /PROTOCOL is des, aes, aes256b, aes256r/,
  },
  { name: 'a short key', sources: { users: ['name=a,auth=sha:SECRET'] }, text: /key of auth has at least 8 characters/ },
  { name: 'privacy alone', sources: { users: ['name=a,privacy=aes:SECRETSECRET'] }, text: /privacy needs authentication too/ },
  {
    name: 'too many',
    sources: { communities: Array.from({ length: 9 }, (_, at) => `SECRET${at}`) },
    text: /9 SNMP credentials: each is tried at every device.*at most 8/,
  },
  {
    name: 'a file that is not there',
    sources: { file: join(folder, 'none.yaml') },
    text: /cannot read .*none\.yaml: there is no such file/,
  },
  { name: 'an empty file', sources: { file: fileOf('# nothing yet\n') }, text: /holds no SNMP credentials/ },
  {
    name: 'a file that is no list',
    sources: { file: fileOf('version: 2c\ncommunity: SECRET\n') },
    text: /\.yaml:1:1: no list: it is a list of/,
  },
  {
    name: 'broken YAML',
    sources: { file: fileOf("- { version: 2c, community: 'SECRET }\n") },
    text: /\.yaml:\d+:\d+: not YAML: put texts/,
  },
  {
    name: 'a key twice',
    sources: { file: fileOf('- version: 2c\n  community: SECRET\n  community: SECRET\n') },
    text: /\.yaml:3:3: not YAML: a key stands twice/,
  },
  { name: 'an alias that means nothing', sources: { file: fileOf('- { version: 2c, community: *SECRET }\n') }, text: /\.yaml:1:\d+: / },
  { name: 'a community alone', sources: { file: fileOf('- SECRET\n') }, text: /\.yaml:1:3: credential 1: it is `\{ version: 2c/ },
  {
    name: 'a version that there is not',
    sources: { file: fileOf('- { version: 1, community: a }\n- { version: 4, community: SECRET }\n') },
    text: /\.yaml:2:5: credential 2: version is 1, 2c or 3/,
  },
  { name: 'no version', sources: { file: fileOf('- { community: SECRET }\n') }, text: /version is 1, 2c or 3/ },
  {
    name: 'a community that is a number',
    sources: { file: fileOf('- version: 2c\n  community: 4711\n') },
    text: /\.yaml:2:3: credential 1: community must be given, as text; put it in quotes/,
  },
  { name: 'no community', sources: { file: fileOf('- version: 2c\n') }, text: /:1:3: credential 1: community must be given/ },
  {
    name: 'a key that none may have, which may be the secret',
    sources: { file: fileOf('- { version: 2c, community: a, SECRET }\n') },
    text: /\.yaml:1:32: credential 1: there is a key that none may have; it has version and community/,
  },
  {
    name: 'a user with a community',
    sources: { file: fileOf('- { version: 3, user: a, community: SECRET }\n') },
    text: /it has version, user, auth and privacy/,
  },
  {
    name: 'a protocol that there is not, in a file',
    sources: { file: fileOf('- version: 3\n  user: a\n  auth:\n    protocol: SECRET\n    key: SECRETSECRET\n') },
    text: /\.yaml:4:5: credential 1: auth\.protocol is one of md5, sha/,
  },
  {
    name: 'auth that is no map',
    sources: { file: fileOf('- { version: 3, user: a, auth: SECRET }\n') },
    text: /auth must be given, as \{ protocol: …, key: … \}/,
  },
  {
    name: 'a short key in a file',
    sources: { file: fileOf('- version: 3\n  user: a\n  auth:\n    protocol: sha\n    key: SECRET\n') },
    text: /\.yaml:5:5: credential 1: the key of auth/,
  },
])('$name is told without what was given', ({ sources, text }) => {
  const said = complaint(sources);
  if (typeof text === 'string') expect(said).toContain(text);
  else expect(said).toMatch(text);
  expect(said).not.toContain('SECRET');
});

test('everything that is wrong is told at once', () => {
  const said = complaint({ communities: [''], users: ['name=a,auth=x'], file: fileOf('- 1\n- { version: 9 }\n') });
  expect(said.split('\n')).toHaveLength(4);
});

test('no error holds a secret, whatever is typed', () => {
  const secret = fc.stringMatching(/^[a-z0-9#*&!%@`'"{}[\],:|>-]{6,20}$/);
  const around = fc.constantFrom(
    (text: string) => ({ users: [text] }),
    (text: string) => ({ users: [`name=x,auth=sha:${text},privacy=3des:${text}`] }),
    (text: string) => ({ users: [`name=x,privacy=aes:${text}`] }),
    (text: string) => ({ communities: [`${text}\n`] }),
    (text: string) => ({ file: fileOf(`- { version: 2c, community: ${text}\n`) }),
    (text: string) => ({ file: fileOf(`- version: 2c\n  community: ${text}\n  ${text}\n`) }),
    (text: string) => ({ file: fileOf(`- version: 3\n  user: a\n  auth: { protocol: sha, ${text}: ${text} }\n`) }),
    (text: string) => ({ file: fileOf(`- version: ${text}\n`) }),
    (text: string) => ({ file: fileOf(`${text}\n`) }),
  );
  fc.assert(
    fc.property(secret, around, (text, sources) => {
      let said: string;
      try {
        collectCredentials(sources(text), {});
        return;
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        said = String(error);
      }
      // Words that the messages are made of are no secrets.
      if (!complaint({ users: ['x'] }).includes(text)) expect(said).not.toContain(text);
    }),
    { numRuns: 400 },
  );
});

test.for<{ name: string; sources: CredentialSources; environment: NodeJS.ProcessEnv; found: string[]; note?: RegExp }>([
  { name: 'a community', sources: {}, environment: { KVMSWEEP_SNMP_COMMUNITY: 'of the environment' }, found: ['of the environment'] },
  {
    name: 'a file too',
    sources: {},
    environment: { KVMSWEEP_SNMP_COMMUNITY: 'a', KVMSWEEP_SNMP_CREDENTIALS: fileOf('- { version: 2c, community: b }\n') },
    found: ['a', 'b'],
  },
  {
    name: 'an option wins, and that is told',
    sources: { communities: ['of the option'] },
    environment: { KVMSWEEP_SNMP_COMMUNITY: 'of the environment', KVMSWEEP_SNMP_CREDENTIALS: '/nowhere' },
    found: ['of the option'],
    note: /^KVMSWEEP_SNMP_COMMUNITY and KVMSWEEP_SNMP_CREDENTIALS in the environment: not used/,
  },
  { name: 'empty is not given', sources: {}, environment: { KVMSWEEP_SNMP_COMMUNITY: '', KVMSWEEP_SNMP_CREDENTIALS: '' }, found: [] },
])('credentials of the environment: $name', ({ sources, environment, found, note }) => {
  const { credentials, notes } = collectCredentials(sources, environment);
  expect(credentials.communities.map(({ community }) => community.reveal())).toEqual(found);
  expect(notes).toHaveLength(note === undefined ? 0 : 1);
  if (note !== undefined) expect(notes[0]).toMatch(note);
});

test('what is wrong in the environment is told under its name', () => {
  expect(complaint({}, { KVMSWEEP_SNMP_COMMUNITY: 'SECRET\t' })).toMatch(/^KVMSWEEP_SNMP_COMMUNITY: there is a control character/);
  expect(complaint({}, { KVMSWEEP_SNMP_CREDENTIALS: join(folder, 'away') })).toMatch(/away: there is no such file/);
});

test.for([
  [0o600, false],
  [0o640, true],
  [0o604, true],
  [0o700, false],
] as const)('a file of mode %o that others can read is warned of: %s', ([mode, isOpen]) => {
  const { notes } = collectCredentials({ file: fileOf('- { version: 2c, community: SECRET }\n', mode) }, {});
  expect(notes).toHaveLength(isOpen ? 1 : 0);
  if (isOpen) expect(notes[0]).toMatch(/can be read by others on this machine \(mode 6[04]+\).*chmod 600/);
});

test('a secret is not printed by accident', () => {
  const credentials = new SnmpCredentials([
    { version: 2, community: new Secret('SECRET') },
    { version: 3, name: new Secret('SECRET'), auth: { protocol: 'sha', key: new Secret('SECRETKEY') } },
  ]);
  const [first] = credentials.communities;
  for (const text of [
    JSON.stringify(credentials),
    JSON.stringify(credentials.users),
    inspect(credentials, { depth: 9, showHidden: true }),
    String(first?.community),
    first?.community.toString() ?? '',
  ])
    expect(text).not.toContain('SECRET');
  expect(credentials.counts).toEqual({ communities: 1, users: 1 });
});

test('a community counts for the version that it was given for', () => {
  const credentials = new SnmpCredentials([
    { version: 1, community: new Secret('one') },
    { version: 2, community: new Secret('zwei ü') },
  ]);
  expect(credentials.hasCommunity(1, Buffer.from('one'))).toBe(true);
  expect(credentials.hasCommunity(2, Buffer.from('one'))).toBe(false);
  expect(credentials.hasCommunity(2, Buffer.from('zwei ü'))).toBe(true);
  expect(credentials.hasCommunity(2, Buffer.from('zwei'))).toBe(false);
});

test('what a device says back is struck out, but no short word of it', () => {
  const credentials = new SnmpCredentials([
    { version: 2, community: new Secret('public') },
    { version: 2, community: new Secret('longcommunity') },
    { version: 3, name: new Secret('monitoring'), auth: { protocol: 'sha', key: new Secret('authauth') } },
  ]);
  const said = {
    facts: { a: 'the longcommunity, longcommunity', b: ['authauth!', 7, null], c: { longcommunity: 'public' } },
    host: '192.0.2.1',
  };
  expect(credentials.struckOut(said)).toEqual({
    facts: { a: 'the ***, ***', b: ['***!', 7, null], c: { '***': 'public' } },
    host: '192.0.2.1',
  });
});

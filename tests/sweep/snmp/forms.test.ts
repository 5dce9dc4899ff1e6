import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BerReader } from '../../../src/sweep/snmp/ber.ts';
import { needsCredential, refuseBytes, shown } from '../../../src/sweep/messages.ts';
import { Secret, SnmpCredentials, type SnmpUser } from '../../../src/sweep/snmp/credentials.ts';
import { answerKind, refuseDiscovery, refuseUserGet, type Sealed } from '../../../src/sweep/snmp/forms.ts';
import { ber, early, int, oid, pdu, secured, seq, text } from '../../support/ber.ts';

const DESCR = '1.3.6.1.2.1.1.1.0';
const TYPE = '1.3.6.1.2.1.1.2.0';
const given = new SnmpCredentials([
  { version: 2, community: new Secret('SECRET2') },
  { version: 1, community: new Secret('SECRET1') },
]);
const good = early(1, 'SECRET2', pdu({ variables: [[DESCR], [TYPE]] }));

test('the message of the reference: sysDescr of a community of one letter', () => {
  const bytes = Buffer.from('3024020101040143a01c020412345678020100020100300e300c06082b060102010101000500', 'hex');
  expect(early(1, 'C', pdu({ variables: [[DESCR]] })).toString('hex')).toBe(bytes.toString('hex'));
  expect(refuseBytes('snmp.get', bytes, new SnmpCredentials([{ version: 2, community: new Secret('C') }]))).toBeUndefined();
});

test.for<{ name: string; bytes: Buffer; reason?: RegExp }>([
  { name: 'two listed objects, v2c', bytes: good },
  { name: 'one listed object, v1', bytes: early(0, 'SECRET1', pdu({ variables: [[DESCR]] })) },
  { name: 'a small request id', bytes: early(1, 'SECRET2', pdu({ id: 7, variables: [[DESCR]] })) },
  {
    name: 'a community that was not given',
    bytes: early(1, 'public', pdu({ variables: [[DESCR]] })),
    reason: /a community that was not given/,
  },
  { name: 'the beginning of one', bytes: early(1, 'SECRET', pdu({ variables: [[DESCR]] })), reason: /not given/ },
  { name: 'no community', bytes: early(1, '', pdu({ variables: [[DESCR]] })), reason: /not given/ },
  { name: 'one given for another version', bytes: early(0, 'SECRET2', pdu({ variables: [[DESCR]] })), reason: /not given/ },
  { name: 'GETNEXT', bytes: early(1, 'SECRET2', pdu({ tag: 0xa1, variables: [[DESCR]] })), reason: /no GET/ },
  { name: 'SET', bytes: early(1, 'SECRET2', pdu({ tag: 0xa3, variables: [[DESCR, text('x')]] })), reason: /no GET/ },
  { name: 'GETBULK', bytes: early(1, 'SECRET2', pdu({ tag: 0xa5, variables: [[DESCR]] })), reason: /no GET/ },
  { name: 'an inform', bytes: early(1, 'SECRET2', pdu({ tag: 0xa6, variables: [[DESCR]] })), reason: /no GET/ },
  { name: 'a value in a GET', bytes: early(1, 'SECRET2', pdu({ variables: [[DESCR, text('x')]] })), reason: /an object with a value/ },
  {
    name: 'an object that is not listed',
    bytes: early(1, 'SECRET2', pdu({ variables: [[DESCR], ['1.3.6.1.2.1.1.4.0']] })),
    reason: /the object 1\.3\.6\.1\.2\.1\.1\.4\.0/,
  },
  { name: 'a column of a table', bytes: early(1, 'SECRET2', pdu({ variables: [['1.3.6.1.2.1.1.1']] })), reason: /the object/ },
  { name: 'no object', bytes: early(1, 'SECRET2', pdu()), reason: /0 objects at once/ },
  {
    name: 'seven objects',
    bytes: early(1, 'SECRET2', pdu({ variables: Array.from({ length: 7 }, () => [DESCR] as const) })),
    reason: /7 objects at once/,
  },
  { name: 'an error status', bytes: early(1, 'SECRET2', pdu({ status: 1, variables: [[DESCR]] })), reason: /no head/ },
  { name: 'a negative id', bytes: early(1, 'SECRET2', pdu({ id: -1, variables: [[DESCR]] })), reason: /no head/ },
  { name: 'SNMPv2p', bytes: early(2, 'SECRET2', pdu({ variables: [[DESCR]] })), reason: /neither SNMPv1 nor v2c/ },
  { name: 'SNMPv3', bytes: secured(), reason: /neither/ },
  { name: 'something behind it', bytes: Buffer.concat([good, Buffer.from([0])]), reason: /no single message/ },
  { name: 'two of them', bytes: Buffer.concat([good, good]), reason: /no single message/ },
  {
    name: 'a second request inside',
    bytes: seq(int(1), text('SECRET2'), pdu({ variables: [[DESCR]] }), pdu({ variables: [[DESCR]] })),
    reason: /more than one/,
  },
  {
    name: 'a list behind the list',
    bytes: seq(int(1), text('SECRET2'), ber(0xa0, int(1), int(0), int(0), seq(seq(oid(DESCR), Buffer.from([5, 0]))), seq())),
    reason: /no list/,
  },
  {
    name: 'an indefinite length',
    bytes: Buffer.concat([Buffer.from([0x30, 0x80]), good.subarray(2), Buffer.alloc(2)]),
    reason: /no single message/,
  },
  { name: 'nothing', bytes: Buffer.alloc(0), reason: /no single message/ },
])('GET: $name', ({ bytes, reason }) => {
  const refused = refuseBytes('snmp.get', bytes, given);
  if (reason === undefined) expect(refused).toBeUndefined();
  else {
    expect(refused?.code).toBe('not-allowed');
    expect(JSON.stringify(refused)).toMatch(reason);
    expect(JSON.stringify(refused)).not.toMatch(/SECRET|534543524554/);
  }
  // What was not given may not be sent, whatever else it is; nor under another name.
  expect(refuseBytes('snmp.get', bytes)).toBeDefined();
  expect(refuseBytes('snmp.engine-discovery', bytes, given)).toBeDefined();
  expect(refuseBytes('snmp.user-get', bytes, given)?.code).toBe('not-allowed');
});

test('of the changes of one octet only those of the request id are allowed, and those that name another listed object', () => {
  const id = good.indexOf(Buffer.from('12345678', 'hex'));
  for (let at = 0; at < good.length; at += 1)
    for (const bit of [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80]) {
      const changed = Buffer.from(good);
      changed.writeUInt8(good.readUInt8(at) ^ bit, at);
      if (refuseBytes('snmp.get', changed, given) !== undefined) continue;
      const isId = at >= id && at < id + 4;
      if (isId) continue;
      const variables = new BerReader(changed).inside();
      variables?.integer();
      variables?.octets();
      const inside = variables?.inside(0xa0);
      for (let skipped = 0; skipped < 3; skipped += 1) inside?.integer();
      const list = inside?.inside();
      const named = [list?.inside()?.oid(), list?.inside()?.oid()];
      expect(
        named.every((one) => one !== undefined && /^1\.3\.6\.1\.2\.1\.1\.[1256]\.0$/.test(one)),
        `octet ${at}, bit ${bit}: ${named.join()}`,
      ).toBe(true);
    }
});

test('any bytes are refused, and no error names them', () =>
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 80 }),
        fc
          .tuple(fc.nat(good.length - 1), fc.uint8Array({ maxLength: 20 }))
          .map(([at, noise]) => Buffer.concat([good.subarray(0, at), noise])),
      ),
      (noise) => {
        const refused = refuseBytes('snmp.get', Buffer.from(noise), given);
        expect(refused).toBeDefined();
        expect(JSON.stringify(refused)).not.toContain('SECRET');
        refuseDiscovery(Buffer.from(noise));
        answerKind(Buffer.from(noise));
        shown('snmp.get', Buffer.from(noise));
      },
    ),
  ));

test('the audit record shows a request without its community, and a user’s not at all', () => {
  const { bytes, withheld, length } = shown('snmp.get', good);
  expect(bytes?.length).toBe(good.length);
  expect(bytes?.toString('latin1')).not.toContain('SECRET');
  expect(bytes?.toString('hex')).toBe(good.toString('hex').replace(Buffer.from('SECRET2').toString('hex'), '2a'.repeat(7)));
  expect(withheld).toMatch(/community/);
  expect(length).toBeUndefined();
  expect(good.toString('latin1'), 'the request itself stays as it is').toContain('SECRET2');
  expect(shown('snmp.user-get', secured({ user: 'SECRET' }))).toEqual({
    length: secured({ user: 'SECRET' }).length,
    withheld: expect.stringMatching(/the bytes/) as unknown,
  });
  expect(shown('snmp.get', Buffer.from('garbage')), 'what cannot be read is not shown').toMatchObject({ length: 7 });
  expect(shown('snmp.engine-discovery', Buffer.from([1]))).toEqual({ bytes: Buffer.from([1]) });
  expect(['snmp.get', 'snmp.user-get', 'snmp.engine-discovery', 'ipmi.asf-ping'].map(needsCredential)).toEqual([true, true, false, false]);
});

const empty = Buffer.alloc(0);
const DISCOVERY = { flags: 4, engine: empty, boots: 0, time: 0 } as const;

test.for<{ name: string; bytes: Buffer; reason?: RegExp }>([
  { name: 'as it is made', bytes: secured(DISCOVERY) },
  { name: 'with small ids', bytes: secured({ ...DISCOVERY, id: 5, inner: pdu({ id: 300 }) }) },
  { name: 'a user', bytes: secured({ ...DISCOVERY, user: 'x' }), reason: /names an engine or a user/ },
  { name: 'an engine', bytes: secured({ ...DISCOVERY, engine: Buffer.from('8000000001', 'hex') }), reason: /names an engine/ },
  { name: 'authentication', bytes: secured({ ...DISCOVERY, flags: 5 }), reason: /names/ },
  { name: 'an object', bytes: secured({ ...DISCOVERY, inner: pdu({ variables: [[DESCR]] }) }), reason: /no GET of nothing/ },
  { name: 'a SET', bytes: secured({ ...DISCOVERY, inner: pdu({ tag: 0xa3 }) }), reason: /no GET of nothing/ },
  { name: 'encrypted', bytes: secured({ ...DISCOVERY, encrypted: Buffer.alloc(16) }), reason: /no empty context/ },
  { name: 'something behind it', bytes: Buffer.concat([secured(DISCOVERY), Buffer.from([0])]), reason: /no SNMPv3 message/ },
  { name: 'v2c', bytes: good, reason: /no SNMPv3 message/ },
])('discovery: $name', ({ bytes, reason }) => {
  if (reason === undefined) expect(refuseDiscovery(bytes)).toBeUndefined();
  else expect(refuseDiscovery(bytes)).toMatch(reason);
});

const NAME: SnmpUser = { version: 3, name: new Secret('monitor') };
const AUTH: SnmpUser = { ...NAME, auth: { protocol: 'sha', key: new Secret('authauth') } };
const PRIV: SnmpUser = { ...AUTH, privacy: { protocol: 'aes', key: new Secret('privpriv') } };
const digest = Buffer.alloc(12, 7);
const asked = pdu({ variables: [[DESCR]] });
const engine = Buffer.from('80001f8880aabbccdd', 'hex');
/** Stands for a cipher: the octets are turned over. */
const turn = (octets: Buffer): Buffer => Buffer.from(octets.map((octet) => octet ^ 0xff));
const sealed = (inner: Buffer, context = engine): Buffer => turn(Buffer.concat([seq(text(context), text(''), inner), Buffer.alloc(5)]));
const unseal = ({ octets }: Sealed): Buffer => turn(octets);

test.for<{ name: string; user: SnmpUser; bytes: Buffer; reason?: RegExp }>([
  { name: 'a name alone', user: NAME, bytes: secured({ flags: 4, user: 'monitor', inner: asked }) },
  { name: 'with a digest', user: AUTH, bytes: secured({ flags: 5, user: 'monitor', digest, inner: asked }) },
  { name: 'encrypted', user: PRIV, bytes: secured({ flags: 7, user: 'monitor', digest, encrypted: sealed(asked) }) },
  { name: 'another user', user: NAME, bytes: secured({ flags: 4, user: 'admin', inner: asked }), reason: /a user that was not given/ },
  {
    name: 'less security than was given',
    user: AUTH,
    bytes: secured({ flags: 4, user: 'monitor', inner: asked }),
    reason: /another security/,
  },
  { name: 'not encrypted', user: PRIV, bytes: secured({ flags: 5, user: 'monitor', digest, inner: asked }), reason: /another security/ },
  {
    name: 'said to be encrypted, and not',
    user: PRIV,
    bytes: secured({ flags: 7, user: 'monitor', digest, inner: asked }),
    reason: /cannot be read|can be read/,
  },
  {
    name: 'no digest',
    user: AUTH,
    bytes: secured({ flags: 5, user: 'monitor', digest: Buffer.alloc(12), inner: asked }),
    reason: /no digest/,
  },
  {
    name: 'a digest of another length',
    user: AUTH,
    bytes: secured({ flags: 5, user: 'monitor', digest: Buffer.alloc(24, 1), inner: asked }),
    reason: /no digest/,
  },
  {
    name: 'a SET',
    user: AUTH,
    bytes: secured({ flags: 5, user: 'monitor', digest, inner: pdu({ tag: 0xa3, variables: [[DESCR, text('x')]] }) }),
    reason: /no GET/,
  },
  {
    name: 'a SET that is encrypted',
    user: PRIV,
    bytes: secured({ flags: 7, user: 'monitor', digest, encrypted: sealed(pdu({ tag: 0xa3, variables: [[DESCR, text('x')]] })) }),
    reason: /no GET/,
  },
  {
    name: 'an unlisted object that is encrypted',
    user: PRIV,
    bytes: secured({ flags: 7, user: 'monitor', digest, encrypted: sealed(pdu({ variables: [['1.3.6.1.6.3.15.1.2.2.1.3']] })) }),
    reason: /the object 1\.3\.6\.1\.6\.3\.15/,
  },
  { name: 'no engine', user: NAME, bytes: secured({ flags: 4, user: 'monitor', engine: empty, inner: asked }), reason: /no engine/ },
  {
    name: 'the context of another engine',
    user: NAME,
    bytes: secured({ flags: 4, user: 'monitor', context: Buffer.from('8000000001', 'hex'), inner: asked }),
    reason: /another context/,
  },
  { name: 'v2c', user: NAME, bytes: good, reason: /no SNMPv3/ },
])('a user’s GET: $name', ({ user, bytes, reason }) => {
  const refused = refuseUserGet(bytes, user, user.auth === undefined ? 0 : 12, unseal);
  if (reason === undefined) expect(refused).toBeUndefined();
  else expect(refused).toMatch(reason);
  expect(refused ?? '').not.toMatch(/monitor|admin/);
});

test.for<{ name: string; bytes: Buffer; kind: ReturnType<typeof answerKind> }>([
  { name: 'v1', bytes: early(0, 'x', pdu({ tag: 0xa2 })), kind: { version: 1, flags: 0, isReport: false } },
  { name: 'v2c', bytes: early(1, 'x', pdu({ tag: 0xa2 })), kind: { version: 2, flags: 0, isReport: false } },
  { name: 'a report', bytes: secured({ inner: pdu({ tag: 0xa8 }) }), kind: { version: 3, flags: 0, isReport: true } },
  { name: 'an answer of a user', bytes: secured({ flags: 1, inner: pdu({ tag: 0xa2 }) }), kind: { version: 3, flags: 1, isReport: false } },
  { name: 'an encrypted one', bytes: secured({ flags: 3, encrypted: Buffer.alloc(24) }), kind: { version: 3, flags: 3, isReport: false } },
  { name: 'garbage', bytes: Buffer.from('30840000', 'hex'), kind: undefined },
  {
    name: 'of a version that there is not',
    bytes: Buffer.from(secured().toString('hex').replace('020103', '020102'), 'hex'),
    kind: undefined,
  },
])('an answer is $name', ({ bytes, kind }) => expect(answerKind(bytes)).toEqual(kind));

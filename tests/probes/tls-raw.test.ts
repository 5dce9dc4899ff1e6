import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { type RawContext, tlsRaw } from '../../src/probes/tls-raw.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { answering, type PlaybackWire, SILENCE } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

/**
 * What real servers of Debian 12 answered to this hello, recorded from the wire: GnuTLS 3.7.9 with 3DES alone, one message a record; NSS 3.87 (selfserv) with
 * SSL 3.0 alone, RC4 and 3DES, of which it took 3DES, all messages in one record; OpenSSL 3.0.22 with NULL-SHA alone, in records of 512 bytes. One certificate;
 * the values are OpenSSL's. Nothing in Debian 12 has export suites: theirs are flights of the specification's form with the suite's number.
 */
function flight(name: string): Buffer {
  return Buffer.from(readFileSync(new URL(`flights/${name}.hex`, import.meta.url), 'latin1').replace(/\s/g, ''), 'hex');
}
const GNUTLS = flight('gnutls-3des');
const NSS = flight('nss-ssl3');
const OPENSSL = flight('openssl-null-512');

const CERTIFICATE: Facts = {
  'tls.subject': 'C=US, O=Acme Rack Systems, OU=Remote Access, CN=old-kvm',
  'tls.subject.cn': 'old-kvm',
  'tls.serial': '5EED07',
  'tls.sha256': 'afc3e68093d403d79a849c08a6c76397a914408cddaa4d062317df871160229b',
  'tls.spki': '57b3d1468d7424f799572c3caae94714a288094abb3f1ffd61069084ca9a96de',
  'tls.keyType': 'rsa',
  'tls.keyBits': 1024,
  'tls.signature': 'sha1WithRSAEncryption',
  'tls.notBefore': '2026-11-25T23:09:13.000Z',
  'tls.selfSigned': true,
};

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
function record(type: number, content: Buffer, version = 0x0301): Buffer {
  const head = Buffer.from([type, version >> 8, version & 0xff, 0, 0]);
  head.writeUInt16BE(content.length, 3);
  return Buffer.concat([head, content]);
}
function message(type: number, body: Buffer, length = body.length): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntBE(length, 1, 3);
  head.writeUInt8(type);
  return Buffer.concat([head, body]);
}
function serverHello({ version = 0x0301, suite = 0x000a, sessionBytes = 32 } = {}): Buffer {
  const numbers = Buffer.alloc(4);
  numbers.writeUInt16BE(version);
  numbers.writeUInt16BE(suite, 2);
  const session = Buffer.alloc(sessionBytes, 7);
  return message(
    2,
    Buffer.concat([
      numbers.subarray(0, 2),
      Buffer.alloc(32, 9),
      Buffer.from([sessionBytes]),
      session,
      numbers.subarray(2),
      Buffer.from([0]),
    ]),
  );
}
function certificates(...chain: readonly Buffer[]): Buffer {
  const list = Buffer.concat(
    chain.map((der) => {
      const length = Buffer.alloc(3);
      length.writeUIntBE(der.length, 0, 3);
      return Buffer.concat([length, der]);
    }),
  );
  const length = Buffer.alloc(3);
  length.writeUIntBE(list.length, 0, 3);
  return message(11, Buffer.concat([length, list]));
}
/** The handshake bytes of records, without their heads. */
function contents(records: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < records.length; at += 5 + records.readUInt16BE(at + 3))
    parts.push(records.subarray(at + 5, at + 5 + records.readUInt16BE(at + 3)));
  return Buffer.concat(parts);
}
/** The certificate in the recorded flights. */
const DER = ((): Buffer => {
  const bytes = contents(GNUTLS);
  const at = 4 + bytes.readUIntBE(1, 3);
  return bytes.subarray(at + 10, at + 10 + bytes.readUIntBE(at + 7, 3));
})();

test('the hello is that of the specification: 96 bytes, and nothing is said after it', async () => {
  const wire = answering('tls', GNUTLS);
  await tlsRaw.talk(wire, {});
  // RFC 2246 section 7.4.1.2: client_version 3.1, random, no session, 24 suites, null compression.
  expect(Buffer.from(wire.sent, 'latin1').toString('hex')).toMatch(
    /^160300005b010000570301[0-9a-f]{64}00003000050004000a002f00350009000300060008001400150016003300390013001200010002003bc011c012c013c01400ff0100$/,
  );
  const again = answering('tls', GNUTLS);
  await tlsRaw.talk(again, {});
  expect(again.sent).not.toBe(wire.sent);
});

test.for<{ name: string; said: Buffer; context?: RawContext; facts: Facts; legacy?: string }>([
  {
    name: 'GnuTLS with 3DES alone, which found no common suite before',
    said: GNUTLS,
    context: { noCommonSuite: true },
    facts: { ...CERTIFICATE, 'tls.version': 'TLSv1', 'tls.cipher': 'DES-CBC3-SHA' },
    legacy: '3des-only',
  },
  {
    name: 'the same, where the library was refused for another reason: it may prefer 3DES to its AES',
    said: GNUTLS,
    facts: { ...CERTIFICATE, 'tls.version': 'TLSv1', 'tls.cipher': 'DES-CBC3-SHA' },
  },
  {
    name: 'NSS with SSL 3.0 alone, all in one record',
    said: NSS,
    facts: { ...CERTIFICATE, 'tls.version': 'SSLv3', 'tls.cipher': 'DES-CBC3-SHA' },
    legacy: 'sslv3',
  },
  {
    name: 'OpenSSL with NULL alone, in pieces',
    said: OPENSSL,
    context: { noCommonSuite: true },
    facts: { ...CERTIFICATE, 'tls.version': 'TLSv1', 'tls.cipher': 'NULL-SHA' },
    legacy: 'null-only',
  },
  ...(
    [
      [0x0004, 'RC4-MD5', 'rc4-only'],
      [0x0009, 'DES-CBC-SHA', 'des-only'],
      [0x0003, 'EXP-RC4-MD5', 'export-only'],
      [0x0014, 'EXP-EDH-RSA-DES-CBC-SHA', 'export-only'],
      [0xc012, 'ECDHE-RSA-DES-CBC3-SHA', '3des-only'],
      [0x002f, 'AES128-SHA', undefined],
      // ECDHE-RSA-AES128-GCM-SHA256, which was not offered; and the signal, which is no suite.
      [0xc02f, '0xC02F', undefined],
      [0x00ff, '0x00FF', undefined],
    ] as const
  ).map(([suite, cipher, legacy]) => ({
    name: `${cipher} is chosen`,
    said: record(22, Buffer.concat([serverHello({ suite }), certificates(DER, DER)])),
    context: { noCommonSuite: true },
    facts: { ...CERTIFICATE, 'tls.version': 'TLSv1', 'tls.cipher': cipher },
    ...(legacy === undefined ? {} : { legacy }),
  })),
  {
    name: 'a session without an id, a warning and a request to begin again',
    said: Buffer.concat([
      record(21, hex('0170')),
      record(22, Buffer.concat([message(0, Buffer.alloc(0)), serverHello({ sessionBytes: 0 })])),
      record(22, certificates(DER)),
    ]),
    facts: { ...CERTIFICATE, 'tls.version': 'TLSv1', 'tls.cipher': 'DES-CBC3-SHA' },
  },
  {
    name: 'a version above the one offered',
    said: record(22, Buffer.concat([serverHello({ version: 0x0303, suite: 0x002f }), certificates(DER)])),
    facts: { ...CERTIFICATE, 'tls.version': 'TLSv1.2', 'tls.cipher': 'AES128-SHA' },
  },
  {
    name: 'a certificate that cannot be parsed still has a fingerprint',
    said: record(22, Buffer.concat([serverHello(), certificates(hex('3000'))])),
    facts: {
      'tls.version': 'TLSv1',
      'tls.cipher': 'DES-CBC3-SHA',
      'tls.sha256': 'e4f60d0aa6d7f3d3b6a6494b1c861b99f649c6f9ec51abaf201b20f297327c95',
    },
  },
  {
    name: 'no certificate: the key exchange of an anonymous suite',
    said: record(22, Buffer.concat([serverHello(), message(12, Buffer.alloc(10))])),
    facts: { 'tls.version': 'TLSv1', 'tls.cipher': 'DES-CBC3-SHA' },
  },
  {
    name: 'an empty list of certificates',
    said: record(22, Buffer.concat([serverHello(), certificates()])),
    facts: { 'tls.version': 'TLSv1', 'tls.cipher': 'DES-CBC3-SHA' },
  },
])('raw TLS: $name', async ({ said, context = {}, facts, legacy }) => {
  const read = await tlsRaw.talk(answering('tls', said), context);
  expect(read).toMatchObject(facts);
  expect(read['tls.legacy']).toBe(legacy);
  expectVocabulary(read, 'tls');
});

const CHOSEN: Facts = { 'tls.version': 'SSLv3', 'tls.cipher': 'DES-CBC3-SHA', 'tls.legacy': 'sslv3' };
const HELLO = serverHello({ version: 0x0300 });

test.for<{ name: string; turns: readonly (Buffer | string | typeof SILENCE)[]; kind: string; says: RegExp; facts?: Facts }>([
  { name: 'says nothing', turns: [SILENCE], kind: 'silent', says: /nothing/ },
  { name: 'hangs up', turns: [], kind: 'cut-off', says: /without a word/ },
  { name: 'refuses: no suite of these', turns: [record(21, hex('0228'))], kind: 'cut-off', says: /alert 40/ },
  { name: 'is done, as a warning', turns: [record(21, hex('0100'))], kind: 'cut-off', says: /alert 0/ },
  { name: 'sends half an alert', turns: [record(21, hex('02'))], kind: 'cut-off', says: /alert \(cut\)/ },
  {
    name: 'warns for ever',
    turns: [Buffer.concat(Array.from({ length: 500 }, () => record(21, hex('0170'))))],
    kind: 'cut-off',
    says: /128 records/,
  },
  { name: 'speaks SSH', turns: ['SSH-2.0-dropbear\r\n'], kind: 'not-this-protocol', says: /no TLS record/ },
  { name: 'answers in SSL 2.0', turns: [hex('8003000001')], kind: 'not-this-protocol', says: /no TLS record/ },
  { name: 'sends an empty record', turns: [record(22, Buffer.alloc(0))], kind: 'cut-off', says: /record of 0 bytes/ },
  { name: 'promises a record that is too long', turns: [hex('16 0301 4001')], kind: 'cut-off', says: /record of 16385 bytes/ },
  { name: 'stops in the head of a record', turns: [hex('16 03'), SILENCE], kind: 'cut-off', says: /2 of 5 bytes/ },
  { name: 'sends data first', turns: [record(23, Buffer.alloc(9))], kind: 'cut-off', says: /type 23/ },
  { name: 'begins with the certificate', turns: [record(22, certificates(DER))], kind: 'cut-off', says: /message 11/ },
  { name: 'chose version 2.0', turns: [record(22, serverHello({ version: 0x0200 }))], kind: 'cut-off', says: /version 0200/ },
  { name: 'sends a short hello', turns: [record(22, message(2, Buffer.alloc(37)))], kind: 'cut-off', says: /hello of 37 bytes/ },
  { name: 'has a session id of 33 bytes', turns: [record(22, serverHello({ sessionBytes: 33 }))], kind: 'cut-off', says: /hello of/ },
  { name: 'stops after its hello', turns: [record(22, HELLO), SILENCE], kind: 'cut-off', says: /0 of 5 bytes/, facts: CHOSEN },
  {
    name: 'promises a chain of 16 MB',
    turns: [record(22, Buffer.concat([HELLO, message(11, Buffer.alloc(100), 0xffffff)]))],
    kind: 'cut-off',
    says: /16777215 bytes/,
    facts: CHOSEN,
  },
  {
    name: 'promises a certificate of 16 MB in a short list',
    turns: [record(22, Buffer.concat([HELLO, message(11, hex('000004 ffffff 00'))]))],
    kind: 'cut-off',
    says: /longer than its list/,
    facts: CHOSEN,
  },
  {
    name: 'has a list of another length than its message',
    turns: [record(22, Buffer.concat([HELLO, message(11, hex('0000ff 000001 00'))]))],
    kind: 'cut-off',
    says: /another length/,
    facts: CHOSEN,
  },
  {
    name: 'has a certificate of no length',
    turns: [record(22, Buffer.concat([HELLO, message(11, hex('000003 000000'))]))],
    kind: 'cut-off',
    says: /longer than its list/,
    facts: CHOSEN,
  },
  {
    name: 'greets twice',
    turns: [record(22, Buffer.concat([HELLO, HELLO]))],
    kind: 'cut-off',
    says: /message 2 in the place/,
    facts: CHOSEN,
  },
  {
    name: 'refuses after its hello',
    turns: [Buffer.concat([record(22, HELLO), record(21, hex('0250'))])],
    kind: 'cut-off',
    says: /alert 80/,
    facts: CHOSEN,
  },
])('raw TLS: a server that $name', async ({ turns, kind, says, facts = {} }) => {
  const wire = answering('tls', ...turns);
  await expect(tlsRaw.talk(wire, { noCommonSuite: true })).rejects.toMatchObject({
    kind,
    message: expect.stringMatching(says) as unknown,
    facts,
  });
  expect(wire.sent.length).toBe(96);
});

/** The same handshake bytes in records of other lengths. */
function split(bytes: Buffer, lengths: readonly number[]): Buffer {
  const records: Buffer[] = [];
  let at = 0;
  for (const length of [...lengths, 2 ** 14]) {
    if (at < bytes.length) records.push(record(22, bytes.subarray(at, at + length)));
    at += length;
  }
  return Buffer.concat(records);
}

test('raw TLS: however a flight is cut into records, it says the same', async () => {
  const bytes = contents(NSS);
  const whole = await tlsRaw.talk(answering('tls', NSS), {});
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 100 }), async (lengths) => {
      expect(await tlsRaw.talk(answering('tls', split(bytes, lengths)), {})).toEqual(whole);
    }),
  );
});

async function endsWell(wire: PlaybackWire): Promise<void> {
  const facts = await tlsRaw.talk(wire, { noCommonSuite: true }).catch((error: unknown) => {
    if (error instanceof ProbeError) return error.facts;
    throw error;
  });
  expectVocabulary(facts, 'tls');
  expect(wire.sent.length).toBe(96);
}

test('raw TLS: any bytes end in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, stays) =>
      endsWell(stays ? answering('tls', Buffer.from(noise), SILENCE) : answering('tls', Buffer.from(noise))),
    ),
  ));

test('raw TLS: any change of a real flight ends in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(GNUTLS, NSS, OPENSSL),
      fc.array(fc.tuple(fc.nat(760), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(1000),
      (recorded, changes, length) => {
        const bytes = Buffer.from(recorded).subarray(0, length < 300 ? length : recorded.length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
        return endsWell(answering('tls', bytes));
      },
    ),
    { numRuns: 500 },
  ));

test('raw TLS: any handshake messages in any records end in facts or a ProbeError', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(0, 2, 11, 12, 14, 22), fc.uint8Array({ maxLength: 80 })), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }),
      (messages, lengths) =>
        endsWell(
          answering(
            'tls',
            split(Buffer.concat([serverHello(), ...messages.map(([type, body]) => message(type, Buffer.from(body)))]), lengths),
          ),
        ),
    ),
  ));

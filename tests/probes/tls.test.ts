import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { tls } from '../../src/probes/tls.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { playback, securePlayback } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

/** Made for these tests with OpenSSL 3.0; the expected values are what its command line prints. */
function der(name: string): Buffer {
  const pem = readFileSync(new URL(`certificates/${name}.pem`, import.meta.url), 'latin1');
  return Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
}

const SESSION = { 'tls.version': 'TLSv1.2', 'tls.cipher': 'ECDHE-RSA-AES256-GCM-SHA384' };

/** The same for subject and issuer. */
const named = (facts: Readonly<Record<string, string>>): Facts =>
  Object.fromEntries(
    ['tls.subject', 'tls.issuer'].flatMap((name) =>
      Object.entries(facts).map(([key, value]) => [key === '' ? name : `${name}.${key}`, value]),
    ),
  );

test.for<{ name: string; certificate: string; facts: Facts }>([
  {
    name: 'a factory certificate: RSA 1024, MD5, several values in one RDN, a repeated unit, odd characters',
    certificate: 'factory-rsa1024-md5',
    facts: {
      ...named({
        '': 'C=US, L=San José + O=Acme Rack Systems, Inc., OU=Remote a=b + Access, OU=second unit, CN=kvm-0a1b q <x>; 1, emailAddress=support@acme.example, serialNumber=AC12345',
        c: 'US',
        l: 'San José',
        o: 'Acme Rack Systems, Inc.',
        ou: 'Remote a=b + Access',
        cn: 'kvm-0a1b q <x>; 1',
        email: 'support@acme.example',
        serial: 'AC12345',
      }),
      'tls.san': [
        'DNS:kvm.example',
        'DNS:a, DNS:evil.example',
        'IP:192.0.2.10',
        'IP:2001:db8::10',
        'email:support@acme.example',
        'URI:http://acme.example/b,c',
      ],
      'tls.sha256': 'ac2cdb60ff6a793ec085b82cbfc2ba2082735cd5a5e0fc9961c7a8a72351bf15',
      'tls.spki': 'cc976d63c69a47558465a92d99fec9b2734d09f0c70c20a10b00a6a8f9456ab3',
      'tls.serial': '7D9FA147318119D44CC81980E777E55F1E9F1A61',
      'tls.signature': 'md5WithRSAEncryption',
      'tls.notBefore': '2026-11-22T21:46:18.000Z',
      'tls.notAfter': '2036-11-19T21:46:18.000Z',
      'tls.keyType': 'rsa',
      'tls.keyBits': 1024,
      'tls.selfSigned': true,
    },
  },
  {
    name: 'RSA 512, SHA-1',
    certificate: 'rsa512-sha1',
    facts: {
      ...named({ '': 'CN=old', cn: 'old' }),
      'tls.keyType': 'rsa',
      'tls.keyBits': 512,
      'tls.signature': 'sha1WithRSAEncryption',
      'tls.selfSigned': true,
    },
  },
  {
    name: 'the order of the certificate is kept',
    certificate: 'pikvm-p256',
    facts: {
      ...named({ '': 'C=US, O=PiKVM, OU=PiKVM, CN=localhost', cn: 'localhost', ou: 'PiKVM' }),
      'tls.keyType': 'ec',
      'tls.keyBits': 256,
      'tls.selfSigned': true,
    },
  },
  {
    name: 'line breaks and escape sequences stay escaped, one line',
    certificate: 'hostile-p384',
    facts: {
      ...named({ '': 'CN=two\\0Alines\\1B[31m, O=right \u202eto left', cn: 'two\\0Alines\\1B[31m', o: 'right \u202eto left' }),
      'tls.keyBits': 384,
    },
  },
  {
    name: 'Ed25519',
    certificate: 'nameless-ed25519',
    facts: { 'tls.keyType': 'ed25519', 'tls.keyBits': 256, 'tls.signature': 'ED25519', 'tls.selfSigned': true },
  },
  {
    name: 'a curve with its parameters written out',
    certificate: 'explicit-curve',
    facts: { 'tls.keyType': 'ec', 'tls.keyBits': 256, 'tls.spki': '4c964b3a6f62aa654eb8b7463650e8ad1ed0fc1761fd48a8a943bacac3912af6' },
  },
  { name: 'DSA', certificate: 'dsa1024', facts: { 'tls.keyType': 'dsa', 'tls.keyBits': 1024, 'tls.signature': 'dsa_with_SHA256' } },
  {
    name: 'signed by another key',
    certificate: 'signed-by-other',
    facts: {
      'tls.subject': 'CN=jetkvm.local',
      'tls.issuer': 'CN=JetKVM Self-Signed CA',
      'tls.selfSigned': false,
      'tls.notAfter': '2027-11-22T21:46:18.000Z',
    },
  },
  {
    name: 'says that it signed itself, and did not',
    certificate: 'same-name-other-key',
    facts: { 'tls.subject': 'CN=JetKVM Self-Signed CA', 'tls.issuer': 'CN=JetKVM Self-Signed CA', 'tls.selfSigned': false },
  },
])('TLS: $name', async ({ certificate, facts }) => {
  const said = await tls.talk(securePlayback({ chain: [der(certificate), der('pikvm-p256')] }), {});
  expect(said).toMatchObject({ ...SESSION, ...facts });
  expectVocabulary(said, 'tls');
});

test('TLS: a certificate without a name has no names', async () => {
  const said = await tls.talk(securePlayback({ chain: [der('nameless-ed25519')] }), {});
  expect(Object.keys(said).filter((name) => /subject|issuer|san/.test(name))).toEqual([]);
});

test('TLS: an anonymous suite has no certificate', async () => {
  expect(await tls.talk(securePlayback({ version: 'TLSv1', cipher: 'ADH-AES128-SHA' }), {})).toEqual({
    'tls.version': 'TLSv1',
    'tls.cipher': 'ADH-AES128-SHA',
  });
});

test('TLS: a certificate that cannot be parsed still has a fingerprint', async () => {
  const said = await tls.talk(securePlayback({ chain: [Buffer.from('3000', 'hex')] }), {});
  expect(said).toEqual({ ...SESSION, 'tls.sha256': 'e4f60d0aa6d7f3d3b6a6494b1c861b99f649c6f9ec51abaf201b20f297327c95' });
  expectVocabulary(said, 'tls');
});

test.for<{ name: string; wire: ReturnType<typeof playback>; kind: string }>([
  { name: 'hangs up in the handshake', wire: securePlayback(new ProbeError('cut-off', 'hung up in the TLS handshake')), kind: 'cut-off' },
  { name: 'speaks no TLS', wire: playback('SSH-2.0-x\r\n'), kind: 'not-this-protocol' },
])('TLS: a server that $name', async ({ wire, kind }) => {
  await expect(tls.talk(wire, {})).rejects.toMatchObject({ kind });
  expect(wire.sent).toBe('');
});

const CERTIFICATES = [
  'factory-rsa1024-md5',
  'rsa512-sha1',
  'pikvm-p256',
  'hostile-p384',
  'nameless-ed25519',
  'explicit-curve',
  'dsa1024',
].map(der);

test('TLS: any certificate ends in facts', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CERTIFICATES),
      fc.array(fc.tuple(fc.nat(900), fc.nat(255)), { maxLength: 5 }),
      fc.nat(1000),
      async (certificate, changes, length) => {
        const bytes = Buffer.from(certificate).subarray(0, length < 200 ? length : certificate.length);
        for (const [at, byte] of changes) if (at < bytes.length) bytes.writeUInt8(byte, at);
        expectVocabulary(await tls.talk(securePlayback({ chain: [bytes] }), {}), 'tls');
      },
    ),
    { numRuns: 1000 },
  ));

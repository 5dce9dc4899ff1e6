import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectionsOf, type Packet } from '../support/pcap.ts';
import { isRawHello, request, violations } from './grammar.ts';
import { Lab, type ObservationLine, type Profile, REAL, report, type Swept } from './lab.ts';

const HOSTS = {
  threeDes: '10.77.0.10',
  rc4: '10.77.0.20',
  ssl3: '10.77.0.30',
  nothing: '10.77.0.40',
  anonymous: '10.77.0.50',
  modern: '10.77.0.60',
  tls10: '10.77.0.70',
  mutual: '10.77.0.80',
} as const;
const PROFILES: Readonly<Record<string, Profile>> = {
  [HOSTS.threeDes]: 'old-3des',
  [HOSTS.rc4]: 'old-rc4',
  [HOSTS.ssl3]: 'old-ssl3',
  [HOSTS.nothing]: 'old-null',
  [HOSTS.anonymous]: 'old-anon',
  [HOSTS.modern]: 'tls13',
  [HOSTS.tls10]: 'old-bmc',
  [HOSTS.mutual]: 'mutual-tls',
};
/** The servers whose certificate no library of today reads, with what they are limited to. */
const OLD = [
  { host: HOSTS.threeDes, port: 443, version: 'TLSv1', cipher: 'DES-CBC3-SHA', legacy: '3des-only' },
  { host: HOSTS.threeDes, port: 3211, version: 'TLSv1', cipher: 'DES-CBC3-SHA', legacy: '3des-only' },
  { host: HOSTS.rc4, port: 443, version: 'TLSv1', cipher: 'RC4-SHA', legacy: 'rc4-only' },
  { host: HOSTS.rc4, port: 3211, version: 'TLSv1', cipher: 'RC4-SHA', legacy: 'rc4-only' },
  { host: HOSTS.ssl3, port: 443, version: 'SSLv3', cipher: 'DES-CBC3-SHA', legacy: 'sslv3' },
  { host: HOSTS.ssl3, port: 3211, version: 'SSLv3', cipher: 'DES-CBC3-SHA', legacy: 'sslv3' },
  { host: HOSTS.nothing, port: 443, version: 'TLSv1', cipher: 'NULL-SHA', legacy: 'null-only' },
] as const;

/** The certificate that a program of GnuTLS, NSS or OpenSSL prints after a handshake of its own, with what it has to be allowed for that. */
const ORACLES = [
  {
    host: HOSTS.threeDes,
    command: [
      'gnutls-cli',
      '--insecure',
      '--print-cert',
      '--priority',
      'NONE:+VERS-TLS1.0:+3DES-CBC:+RSA:+SHA1:+COMP-NULL:%COMPAT',
      '-p',
      '443',
      HOSTS.threeDes,
    ],
  },
  {
    host: HOSTS.rc4,
    command: [
      'gnutls-cli',
      '--insecure',
      '--print-cert',
      '--priority',
      'NONE:+VERS-TLS1.0:+ARCFOUR-128:+RSA:+SHA1:+COMP-NULL:%COMPAT',
      '-p',
      '443',
      HOSTS.rc4,
    ],
  },
  {
    host: HOSTS.nothing,
    command: ['openssl', 's_client', '-connect', `${HOSTS.nothing}:443`, '-tls1', '-cipher', 'NULL-SHA:@SECLEVEL=0'],
  },
] as const;

describe('TLS of before AES, as nobody', REAL, () => {
  let lab: Lab;
  let swept: Swept;
  let packets: Packet[];
  /** What openssl x509 says of the certificate's file. */
  let file: { readonly sha256: string; readonly serial: string; readonly bits: number; readonly subject: string };

  beforeAll(async () => {
    lab = await Lab.start({ hosts: PROFILES, mode: 'refuse' });
    const capture = await lab.scanner.capture('old-tls');
    swept = await lab.scanner.sweep('old-tls', ['10.77.0.0/25', '-p', '80=http,443=https,3211=tls', '--seed', '11']);
    packets = await capture.packets();
    const { stdout } = await lab.scanner.run([
      'openssl',
      'x509',
      '-in',
      `${lab.folder}/tls/old.crt`,
      '-noout',
      '-fingerprint',
      '-sha256',
      '-serial',
      '-subject',
      '-nameopt',
      'RFC2253',
      '-text',
    ]);
    file = {
      sha256: (/Fingerprint=(\S+)/.exec(stdout)?.[1] ?? '').replaceAll(':', '').toLowerCase(),
      serial: /^serial=(\S+)/m.exec(stdout)?.[1] ?? '',
      bits: Number(/Public-Key: \((\d+) bit\)/.exec(stdout)?.[1]),
      // openssl prints a name the other way round in this form.
      subject: (/^subject=(.*)$/m.exec(stdout)?.[1] ?? '').split(',').toReversed().join(', '),
    };
  });
  afterAll(() => lab?.stop());

  function at(host: string, port: number): ObservationLine[] {
    return swept.files.observations.filter((line) => line.host === host && line.port === port);
  }

  /** What the connections to a port began with, in their order. */
  function hellos(host: string, port: number, of = packets): string[] {
    return connectionsOf(of)
      .filter(({ server, serverPort }) => server === host && serverPort === port)
      .map(({ sent }) => (isRawHello(sent) ? 'raw' : sent[0] === 22 ? 'library' : 'nothing'));
  }

  test('the sweep is complete', () => {
    expect(swept).toMatchObject({ code: 0, signal: null });
    expect(swept.files.inventory.completeness).toMatchObject({ complete: true, limitations: [] });
  });

  test('the certificate of each is read, and is that of the file', () => {
    expect(file).toMatchObject({ bits: 1024, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown });
    for (const { host, port, version, cipher, legacy } of OLD) {
      const all = at(host, port);
      expect(all, `${host}:${port}`).toHaveLength(1);
      expect(all[0], `${host}:${port}`).toMatchObject({
        probe: 'tls',
        outcome: 'answered',
        facts: {
          'tls.version': version,
          'tls.cipher': cipher,
          'tls.legacy': legacy,
          'tls.sha256': file.sha256,
          'tls.serial': file.serial,
          'tls.keyBits': file.bits,
          'tls.signature': 'sha1WithRSAEncryption',
        },
      });
      expect(all[0]?.facts['tls.subject']).toBe(file.subject);
    }
    report(`${OLD.length} certificates: ${OLD.map(({ version, cipher, legacy }) => `${version} ${cipher} (${legacy})`).join(', ')}`);
  });

  test('it is the certificate that gnutls-cli and openssl get from the servers', async () => {
    for (const { host, command } of ORACLES) {
      const { stdout, stderr } = await lab.scanner.run(['bash', '-c', 'timeout 5 "$@" </dev/null', 'bash', ...command]);
      const pem = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(stdout)?.[0];
      expect(pem, stderr).toBeDefined();
      const { raw, subject } = new X509Certificate(pem ?? '');
      expect(at(host, 443)[0]?.facts).toMatchObject({
        'tls.sha256': createHash('sha256').update(raw).digest('hex'),
        'tls.subject': subject.split('\n').join(', '),
      });
    }
  });

  test('the inventory has them as devices, by their certificates', () => {
    const { devices } = swept.files.inventory;
    for (const { host } of OLD) {
      const device = devices.find(({ addresses }) => addresses.includes(host));
      expect(device, host).toMatchObject({ vendor: 'Supermicro', class: 'bmc', level: 'certain' });
      expect(device?.posture, host).toEqual(expect.arrayContaining(['legacy-tls', 'weak-certificate-key', 'default-certificate']));
      expect(device?.evidence.map(({ text }) => text).join(), host).toContain('Super Micro Computer');
      expect(
        device?.identifiers.map(({ kind }) => kind),
        host,
      ).toContain('spki');
    }
  });

  test('an anonymous server has no certificate; that it speaks TLS is told', () => {
    expect(at(HOSTS.anonymous, 443)).toMatchObject([
      { probe: 'tls', outcome: 'cut-off', facts: {}, note: expect.stringMatching(/HANDSHAKE_FAILURE.*refused with alert 40$/) as unknown },
    ]);
  });

  test('the page at port 80 is read all the same', () => {
    expect(at(HOSTS.threeDes, 80)).toMatchObject([{ probe: 'http', outcome: 'answered', facts: { 'http.title': 'Welcome' } }]);
  });

  test('one hello of the library and one raw hello, and nothing that the grammar does not allow', () => {
    for (const { host, port } of OLD) expect(hellos(host, port), `${host}:${port}`).toEqual(['library', 'raw']);
    expect(hellos(HOSTS.anonymous, 443)).toEqual(['library', 'raw']);
    expect(violations(packets, lab.scanner.address, (address) => address.startsWith('10.77.0.'))).toEqual([]);
    const raw = swept.files.audit.filter(({ what }) => what === 'tls.raw-client-hello');
    expect(raw.map(({ host, port }) => `${host}:${port}`).toSorted()).toEqual(
      [...OLD, { host: HOSTS.anonymous, port: 443 }].map(({ host, port }) => `${host}:${port}`).toSorted(),
    );
    expect(raw.every(({ hex = '' }) => isRawHello(Buffer.from(hex, 'hex')))).toBe(true);
  });

  test('what the library can speak gets no raw hello, TLS 1.0 included, and its pages are read', () => {
    for (const [host, version] of [
      [HOSTS.modern, 'TLSv1.3'],
      [HOSTS.tls10, 'TLSv1'],
    ] as const) {
      const [tls, ...pages] = at(host, 443);
      expect(tls).toMatchObject({ probe: 'tls', outcome: 'answered', facts: { 'tls.version': version } });
      expect(tls?.facts['tls.legacy']).toBeUndefined();
      expect(pages[0]).toMatchObject({ probe: 'https', outcome: 'answered', facts: { 'http.status': 200 } });
      // One handshake is all: the pages come over it, one after the other.
      const asked = swept.files.audit.filter((line) => line.host === host && line.port === 443 && line.what === 'http.get');
      for (const { hex = '' } of asked) expect(request(Buffer.from(hex, 'hex'))).toBeUndefined();
      expect(asked.length).toBeGreaterThan(1);
      expect(hellos(host, 443)).toEqual(['library']);
    }
  });

  test('a server that wants a certificate of ours shows its own to the first hello', () => {
    expect(at(HOSTS.mutual, 443)).toMatchObject([
      {
        probe: 'tls',
        outcome: 'answered',
        facts: { 'tls.version': 'TLSv1.2', 'tls.sha256': file.sha256, 'tls.keyBits': file.bits },
        note: expect.stringContaining('after its certificate had come') as unknown,
      },
    ]);
    expect(at(HOSTS.mutual, 443)[0]?.facts['tls.legacy']).toBeUndefined();
    expect(hellos(HOSTS.mutual, 443)).toEqual(['library']);
  });

  test('a certificate of today takes one connection', async () => {
    const capture = await lab.scanner.capture('modern');
    const { code, files } = await lab.scanner.sweep('modern', [HOSTS.modern, '-p', '443=tls', '--seed', '12']);
    const seen = await capture.packets();
    expect(code).toBe(0);
    expect(hellos(HOSTS.modern, 443, seen)).toEqual(['library']);
    expect(violations(seen, lab.scanner.address, (address) => address === HOSTS.modern)).toEqual([]);
    expect(files.observations).toMatchObject([{ probe: 'tls', outcome: 'answered', facts: { 'tls.version': 'TLSv1.3' } }]);
  });
});

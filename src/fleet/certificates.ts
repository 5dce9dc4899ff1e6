import { type KeyObject, KeyObject as Keys, webcrypto } from 'node:crypto';
import { type JsonName, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import type { TlsSpec } from './persona.ts';
import { fill, type Values } from './templates.ts';

/** A private key and the certificates that go out with it, leaf first; PEM. */
export interface Identity {
  readonly key: string;
  readonly chain: string;
}

type CertificateSpec = TlsSpec['certificate'];
type KeyPair = webcrypto.CryptoKeyPair;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Object identifiers of the attributes that the certificate library does not know by these names (RFC 2985 5.2.1, X.520 6.2.9). */
const OIDS: Readonly<Record<string, string>> = { email: '1.2.840.113549.1.9.1', serialNumber: '2.5.4.5' };

/** Keys and certificates of one process. A shared certificate is made once and then the same for every device of the persona. */
export class Identities {
  readonly #shared = new Map<string, Promise<Identity>>();

  /** @param owner what a shared certificate is shared by: the persona and the role of the service */
  of(spec: CertificateSpec, owner: string, values: Values): Promise<Identity> {
    if (!spec.shared) return makeIdentity(spec, values);
    const known = this.#shared.get(owner) ?? makeIdentity(spec, values);
    this.#shared.set(owner, known);
    return known;
  }
}

/** The identities of every fleet in this process. */
export const identities = new Identities();

async function makeIdentity(spec: CertificateSpec, values: Values): Promise<Identity> {
  const keys = await makeKeys(spec.key, spec.hash);
  const subject = nameOf(spec.subject, values);
  const authority =
    spec.issuer === undefined ? undefined : { name: nameOf(spec.issuer, values), keys: await makeKeys('ec-p256', 'sha256') };
  const from = Date.now() - spec.madeDaysAgo * DAY_MS;
  const leaf = await X509CertificateGenerator.create({
    serialNumber:
      spec.serial === undefined
        ? Buffer.from(webcrypto.getRandomValues(new Uint8Array(8)))
            .fill(1, 0, 1)
            .toString('hex')
        : fill(spec.serial, values),
    subject,
    issuer: authority?.name ?? subject,
    notBefore: new Date(from),
    notAfter: new Date(from + spec.days * DAY_MS),
    signingAlgorithm: authority === undefined ? signing(spec.key, spec.hash) : signing('ec-p256', 'sha256'),
    publicKey: keys.publicKey,
    signingKey: (authority?.keys ?? keys).privateKey,
    extensions: spec.san.length === 0 ? [] : [new SubjectAlternativeNameExtension(spec.san.map((name) => alternative(fill(name, values))))],
  });
  const chain = [leaf.toString('pem')];
  if (authority !== undefined && spec.chain) chain.push((await certifyAuthority(authority, from)).toString('pem'));
  return { key: exportKey(Keys.from(keys.privateKey)), chain: chain.join('\n') };
}

function certifyAuthority(
  { name, keys }: { name: JsonName; keys: KeyPair },
  from: number,
): ReturnType<typeof X509CertificateGenerator.create> {
  return X509CertificateGenerator.create({
    serialNumber: '01',
    subject: name,
    issuer: name,
    notBefore: new Date(from),
    notAfter: new Date(from + 3650 * DAY_MS),
    signingAlgorithm: signing('ec-p256', 'sha256'),
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
  });
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function makeKeys(key: CertificateSpec['key'], hash: CertificateSpec['hash']): Promise<KeyPair> {
  if (key === 'ec-p256') return webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const modulusLength = key === 'rsa-1024' ? 1024 : 2048;
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: hashName(hash) };
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

function signing(key: CertificateSpec['key'], hash: CertificateSpec['hash']): { name: string; hash: string } {
  return { name: key === 'ec-p256' ? 'ECDSA' : 'RSASSA-PKCS1-v1_5', hash: hashName(hash) };
}

function hashName(hash: CertificateSpec['hash']): string {
  return hash === 'sha1' ? 'SHA-1' : 'SHA-256';
}

function nameOf(attributes: CertificateSpec['subject'], values: Values): JsonName {
  return attributes.map(([type, value]) => ({ [OIDS[type] ?? type]: [fill(value, values)] }));
}

function alternative(name: string): { type: 'dns' | 'ip'; value: string } {
  const value = name.slice(name.indexOf(':') + 1);
  return { type: name.startsWith('IP:') ? 'ip' : 'dns', value };
}

import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import type { TcpProbe, TlsSession, Wire } from '../sweep/contract.ts';
import { formatAddress, parseAddress } from '../targets/addresses.ts';
import type { Facts } from '../vocabulary.ts';

const MAX_NAME_CHARS = 2048;
const MAX_ALTERNATIVES = 100;
const MAX_ALTERNATIVE_CHARS = 255;

/** Attribute types, as OpenSSL abbreviates them, that have a fact of their own. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['CN', 'cn'],
  ['O', 'o'],
  ['OU', 'ou'],
  ['C', 'c'],
  ['L', 'l'],
  ['ST', 'st'],
  ['emailAddress', 'email'],
  ['serialNumber', 'serial'],
]);

/** Key types whose size is in their name. */
const FIXED_BITS: Readonly<Record<string, number>> = { ed25519: 256, ed448: 456, x25519: 256, x448: 448 };

/**
 * Makes a TLS handshake and reads the certificate that comes with it. Nothing is verified: an inventory reads certificates, it trusts none.
 *
 * Spec: RFC 5280 section 4.1; RFC 4514 for the text of names.
 * @throws {ProbeError} as the handshake fails
 */
async function talk(wire: Wire): Promise<Facts> {
  return tlsFacts(await wire.secure());
}

/** What a handshake tells. An anonymous suite has no certificate; one that cannot be parsed still has a fingerprint. */
export function tlsFacts({ version, cipher, chain }: Pick<TlsSession, 'version' | 'cipher' | 'chain'>): Facts {
  const facts = { 'tls.version': version, 'tls.cipher': cipher };
  const der = chain[0];
  if (der === undefined) return facts;
  return { ...facts, ...leafFacts(der) };
}

/** What the certificate of a server (DER) says, whoever asked for it. */
export function leafFacts(der: Buffer): Facts {
  return { 'tls.sha256': sha256(der), ...certificateFacts(der) };
}

function certificateFacts(der: Buffer): Facts {
  const certificate = attempt(() => new X509Certificate(der));
  if (certificate === undefined) return {};
  const { subject, issuer, subjectAltName, serialNumber, signatureAlgorithm, validFromDate, validToDate } = certificate;
  const key = attempt(() => certificate.publicKey);
  const isOwnIssuer = subject === issuer && key !== undefined && attempt(() => certificate.verify(key)) === true;
  return {
    ...nameFacts('tls.subject', subject),
    ...nameFacts('tls.issuer', issuer),
    ...(subjectAltName === undefined ? {} : { 'tls.san': alternatives(subjectAltName) }),
    'tls.serial': serialNumber,
    ...(signatureAlgorithm === undefined ? {} : { 'tls.signature': signatureAlgorithm }),
    ...dateFact('tls.notBefore', validFromDate),
    ...dateFact('tls.notAfter', validToDate),
    ...(key === undefined ? {} : keyFacts(key)),
    'tls.selfSigned': isOwnIssuer,
  };
}

/** Undefined where OpenSSL refuses: a certificate or key that it cannot read is a fact about the device, told by what is absent. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A date that OpenSSL could not read is no date. */
function dateFact(name: string, date: Date): Facts {
  return Number.isNaN(date.getTime()) ? {} : { [name]: date.toISOString() };
}

function keyFacts(key: KeyObject): Facts {
  const type = key.asymmetricKeyType;
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  // prime256v1, secp384r1, brainpoolP512r1, sect283k1: the first number of three digits is the size.
  const bits = modulusLength ?? (namedCurve === undefined ? FIXED_BITS[type ?? ''] : Number(/\d{3}/.exec(namedCurve)?.[0] ?? Number.NaN));
  const spki = attempt(() => key.export({ type: 'spki', format: 'der' }));
  return {
    ...(type === undefined ? {} : { 'tls.keyType': type }),
    ...(bits === undefined || Number.isNaN(bits) ? {} : { 'tls.keyBits': bits }),
    ...(spki === undefined ? {} : { 'tls.spki': sha256(spki) }),
  };
}

/**
 * A name on one line in the order of the certificate, and its known attributes; of a repeated one the first counts. Node gives one RDN a line,
 * escaped as in RFC 4514, with ` + ` between the values of one RDN. Punctuation is given as it is; control characters stay escaped (`\0A`),
 * so that it remains one line.
 */
function nameFacts(prefix: string, name: string | undefined): Facts {
  if (name === undefined || name === '') return {};
  const rdns = name.split('\n').map((rdn) => rdn.split(' + ').map(unescaped));
  const facts: Record<string, string> = {
    [prefix]: rdns
      .map((values) => values.join(' + '))
      .join(', ')
      .slice(0, MAX_NAME_CHARS),
  };
  for (const attribute of rdns.flat()) {
    const equals = attribute.indexOf('=');
    const field = ATTRIBUTES.get(attribute.slice(0, equals));
    const value = attribute.slice(equals + 1, equals + 1 + MAX_NAME_CHARS);
    if (field !== undefined && value !== '') facts[`${prefix}.${field}`] ??= value;
  }
  return facts;
}

function unescaped(text: string): string {
  return text.replace(/\\([^0-9A-Fa-f])/g, '$1');
}

/** `DNS:…`, `IP:…`, `email:…`, `URI:…` of Node's line, in which values that hold anything odd are quoted as in JSON. */
function alternatives(line: string): string[] {
  const entries = line.slice(0, MAX_ALTERNATIVES * MAX_ALTERNATIVE_CHARS).match(/(?:[^",]|"(?:[^"\\]|\\.)*")+/g) ?? [];
  return entries.slice(0, MAX_ALTERNATIVES).map((entry) => {
    const text = entry.trim();
    const colon = text.indexOf(':');
    const value = text
      .slice(colon + 1)
      .replace(/^"([^]*)"$/, '$1')
      .replace(/\\u([0-9a-f]{4})|\\(.)/gi, (_, code: string | undefined, char: string | undefined) =>
        code === undefined ? (char ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
      );
    const kind = text.slice(0, colon) === 'IP Address' ? 'IP' : text.slice(0, colon);
    return `${kind}:${kind === 'IP' ? canonical(value) : value}`.slice(0, MAX_ALTERNATIVE_CHARS);
  });
}

/** Node writes `FE80:0:0:0:0:0:0:1`. */
function canonical(address: string): string {
  const number = parseAddress(address);
  return number === undefined ? address : formatAddress(number);
}

export const tls: TcpProbe = { id: 'tls', speaks: 'bytes', talk };

import { createCipheriv, createDecipheriv, getCiphers, randomBytes } from 'node:crypto';
import type * as snmp from 'net-snmp';

export type SnmpLibrary = typeof snmp;

let loaded: Promise<SnmpLibrary> | undefined;

/** net-snmp, loaded once and only where there are credentials to ask with; before the sweep, so that no lack of file descriptors is met in the middle of it. */
export function loadSnmp(): Promise<SnmpLibrary> {
  loaded ??= import('net-snmp').then((library) => {
    if (!getCiphers().includes('des-cbc')) mendDes(library);
    return library;
  });
  return loaded;
}

interface Engine {
  readonly engineID: Buffer;
}
type Protocol = Exclude<snmp.AuthProtocols, snmp.AuthProtocols.none>;

const BLOCK = 8;

/**
 * OpenSSL 3 has put single DES away, and old controllers know no other privacy. Triple DES with one key three times over is the same cipher.
 *
 * Spec: RFC 3414 section 8 (usmDESPrivProtocol), NIST SP 800-67 section 3 (one key three times is DES).
 */
function mendDes(library: SnmpLibrary): void {
  const keysOf = (secret: string, auth: Protocol, engine: Engine, salt: Buffer): { key: Buffer; iv: Buffer } => {
    const localized = library.Authentication.passwordToKey(auth, secret, engine.engineID);
    const key = localized.subarray(0, BLOCK);
    const iv = Buffer.from(localized.subarray(BLOCK, 2 * BLOCK).map((octet, at) => octet ^ (salt[at] ?? 0)));
    return { key: Buffer.concat([key, key, key]), iv };
  };
  const des = library.Encryption.algorithms[library.PrivProtocols.des] as {
    encryptPdu: unknown;
    decryptPdu: unknown;
  };
  des.encryptPdu = (pdu: Buffer, _: snmp.PrivProtocols, secret: string, auth: Protocol, engine: Engine) => {
    const salt = Buffer.concat([Buffer.from([0, 0, 0, 1]), randomBytes(4)]);
    const { key, iv } = keysOf(secret, auth, engine, salt);
    const cipher = createCipheriv('des-ede3-cbc', key, iv).setAutoPadding(false);
    const padded = Buffer.concat([pdu, Buffer.alloc(-pdu.length & (BLOCK - 1))]);
    return { encryptedPdu: Buffer.concat([cipher.update(padded), cipher.final()]), msgPrivacyParameters: salt };
  };
  des.decryptPdu = (octets: Buffer, _: snmp.PrivProtocols, salt: Buffer, secret: string, auth: Protocol, engine: Engine) => {
    const { key, iv } = keysOf(secret, auth, engine, salt);
    const decipher = createDecipheriv('des-ede3-cbc', key, iv).setAutoPadding(false);
    return Buffer.concat([decipher.update(octets), decipher.final()]);
  };
}

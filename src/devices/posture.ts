import { type Facts, type Posture, POSTURES } from '../vocabulary.ts';

const WEAK_RSA_BITS = 2048;
const OLD_TLS: ReadonlySet<unknown> = new Set(['SSLv3', 'TLSv1', 'TLSv1.1']);

/** What the facts of one endpoint say of the risk, without logging in. `now` decides whether a certificate has expired. */
export function factPosture(facts: Facts, now: Date): Posture[] {
  const number = (name: string): number | undefined => (typeof facts[name] === 'number' ? facts[name] : undefined);
  const list = (name: string): readonly unknown[] => (Array.isArray(facts[name]) ? facts[name] : []);
  const found: Posture[] = [];
  if (list('rfb.security').includes(1)) found.push('vnc-no-authentication');
  if (list('ipmi.suites').includes(0)) found.push('ipmi-cipher-zero-advertised');
  const types = number('ipmi.auth.types') ?? 0;
  const status = number('ipmi.auth.status') ?? 0;
  // OpenBMC's canned answer (no types at all but 2.0) carries no such information. IPMI v2.0 section 22.13, bytes 3 and 4.
  if ((types & 1) !== 0) found.push('ipmi-no-authentication');
  if ((types & 0x7f) !== 0 || status !== 0) {
    if ((status & 1) !== 0) found.push('ipmi-anonymous-login');
    if ((status & 2) !== 0) found.push('ipmi-null-user');
  }
  if (facts['telnet.banner'] !== undefined || facts['telnet.options'] !== undefined) found.push('telnet-open');
  if (OLD_TLS.has(facts['tls.version']) || facts['tls.legacy'] !== undefined) found.push('legacy-tls');
  if (facts['tls.keyType'] === 'rsa' && (number('tls.keyBits') ?? WEAK_RSA_BITS) < WEAK_RSA_BITS) found.push('weak-certificate-key');
  const until = typeof facts['tls.notAfter'] === 'string' ? Date.parse(facts['tls.notAfter']) : Number.NaN;
  if (until < now.getTime()) found.push('expired-certificate');
  return found;
}

export function sortPosture(posture: Iterable<Posture>): Posture[] {
  const all = new Set(posture);
  return POSTURES.filter((one) => all.has(one));
}

import type { Profile } from '../../tests/real/lab.ts';
import { SERVICES } from '../../tests/real/services.ts';

/** A network of the bench: a block that is silent but for some hosts. */
export interface Net {
  readonly bits: 24 | 20 | 16;
  readonly block: string;
  readonly hosts: Readonly<Record<string, Profile>>;
  /** What there is to find: `10.77.0.5 443/tcp`. */
  readonly services: ReadonlySet<string>;
}

/** Of ten hosts; every fourth service is one over UDP. */
const PROFILES: readonly Profile[] = ['bmc', 'vnc-auth', 'old-bmc', 'tls13', 'novnc', 'x11vnc', 'snmp-v3', 'printer', 'web', 'tls13'];
const HOSTS = { 24: 10, 20: 40, 16: 40 } as const;

/** Hosts spread over the block, always at the same addresses. */
export function netOf(bits: Net['bits']): Net {
  const thirds = 2 ** (24 - bits);
  const hosts = Object.fromEntries(
    Array.from({ length: HOSTS[bits] }, (_, at): [string, Profile] => [
      bits === 24 ? `10.77.0.${5 + at * 24}` : `10.77.${(at * (bits === 20 ? 7 : 101)) % thirds}.${5 + ((at * 37) % 245)}`,
      PROFILES[at % PROFILES.length] as Profile,
    ]),
  );
  const services = new Set(Object.entries(hosts).flatMap(([host, profile]) => (SERVICES[profile] ?? []).map((port) => `${host} ${port}`)));
  return { bits, block: `10.77.0.0/${bits}`, hosts, services };
}

import { makerOf } from '../../oui.ts';
import { formatAddress, parseAddress } from '../../targets/addresses.ts';
import type { ScannedHost, ScannedPort } from '../../targets/scans/scanned.ts';
import { canonicalMac } from '../../text.ts';
import type { Facts } from '../../vocabulary.ts';
import type { Observation } from '../observation.ts';
import { bannerFacts } from './banners.ts';
import { scriptFacts } from './nmap.ts';

/** Our probes by the names that scanners give to protocols. */
const PROBES: Readonly<Record<string, string>> = {
  ssh: 'ssh',
  ftp: 'ftp',
  telnet: 'telnet',
  vnc: 'rfb',
  'vnc-http': 'http',
  http: 'http',
  'http-proxy': 'http',
  'http-alt': 'http',
  https: 'https',
  'https-alt': 'https',
  'http.server': 'http',
  title: 'http',
  ssl: 'tls',
  X509: 'tls',
  snmp: 'snmp',
  'asf-rmcp': 'ipmi',
};

/** The probe whose facts stand at a port that was open and of which nothing more is known. */
const OPEN = 'open-port';

/**
 * What another scanner found at one address, as observations: one for each open port, with the facts that are the device's own words, and those of the
 * address itself (its MAC, its name). An open port of which only the number is known has no facts.
 */
export function observationsOf(host: ScannedHost): Observation[] {
  const number = parseAddress(host.address);
  if (number === undefined) return [];
  const address = formatAddress(number);
  const base = {
    v: 1,
    kind: 'observation',
    host: address,
    ...(host.at === undefined ? {} : { at: host.at }),
    outcome: 'answered',
  } as const;
  const mac = host.mac === undefined ? undefined : canonicalMac(host.mac);
  const maker = mac === undefined ? undefined : makerOf(mac);
  const name = host.names.find(({ isReverse }) => isReverse)?.name;
  return [
    ...(mac === undefined
      ? []
      : [{ ...base, probe: 'neighbours', facts: { 'mac.address': mac, ...(maker === undefined ? {} : { 'mac.vendor': maker }) } }]),
    ...(name === undefined ? [] : [{ ...base, probe: 'dns', facts: { 'dns.ptr': name.slice(0, 253) } }]),
    ...host.ports.map((port) => {
      const facts = { ...bannerFacts(port.banners), ...scriptFacts(host, port) };
      return { ...base, transport: port.transport, port: port.port, probe: probeOf(port, facts), facts };
    }),
  ];
}

/** Without open ports of which nothing is known, where something else says what they are: masscan gives the port first and what it said later. */
export function withoutBare(observations: readonly Observation[]): Observation[] {
  const known = new Set(observations.filter(({ probe }) => probe !== OPEN).map(endpointOf));
  const seen = new Set<string>();
  return observations.filter((one) => {
    if (one.probe !== OPEN) return true;
    const endpoint = endpointOf(one);
    if (known.has(endpoint) || seen.has(endpoint)) return false;
    seen.add(endpoint);
    return true;
  });
}

/** `192.0.2.10 443/tcp` */
export function endpointOf({ host, port, transport }: Observation): string {
  return `${host} ${port}/${transport}`;
}

/** By what was said, else by what the scanner found to be spoken; the usual name of a number is no finding. */
function probeOf({ service, banners }: ScannedPort, facts: Facts): string {
  const isInTls = service?.isInTls === true || 'tls.sha256' in facts;
  const names = [...(service?.isProbed === true ? [service.name] : []), ...banners.map(({ name }) => name)];
  const known = names.map((name) => PROBES[name]).find((probe) => probe !== undefined);
  if ('rfb.version' in facts || 'rfb.security' in facts) return 'rfb';
  if ('ssh.banner' in facts) return 'ssh';
  if (known === 'http' || 'http.title' in facts || 'http.server' in facts || 'http.realm' in facts || 'http.favicon.md5' in facts)
    return isInTls ? 'https' : 'http';
  if (known !== undefined) return known;
  return isInTls ? 'tls' : OPEN;
}

import { inputError, type Problem, problem } from '../../errors.ts';
import { readCsvText } from '../../csv.ts';
import type { Transport } from '../../vocabulary.ts';
import { parseAddress } from '../addresses.ts';
import { mayBeSerialLine } from '../known-ports.ts';
import type { TargetText } from '../parse.ts';
import { readScan } from './read.ts';
import { portNumber, type ScannedPort } from './scanned.ts';

/** Targets of a file whose ports are known. */
export interface KnownTargets {
  readonly targets: readonly TargetText[];
  readonly problems: readonly Problem[];
}

/** Our protocols by nmap's names, where it spoke to the service and did not go by the number. */
const SPOKEN: Readonly<Record<string, { readonly plain: string; readonly inTls: string }>> = {
  http: { plain: 'http', inTls: 'https' },
  'http-proxy': { plain: 'http', inTls: 'https' },
  'http-alt': { plain: 'http', inTls: 'https' },
  https: { plain: 'https', inTls: 'https' },
  vnc: { plain: 'rfb', inTls: 'tls' },
  ssh: { plain: 'ssh', inTls: 'tls' },
  telnet: { plain: 'telnet', inTls: 'tls' },
  ftp: { plain: 'ftp', inTls: 'tls' },
};

/** The hosts of another scanner's file as targets, each with the ports that were open. A host without one is none. */
export async function scanTargets(file: string, source: AsyncIterable<Buffer>): Promise<KnownTargets> {
  const targets: TargetText[] = [];
  const { problems } = await readScan(file, source, ({ address, ports }) => {
    if (ports.length > 0) targets.push({ text: address, place: { file }, ports: ports.map(portWord) });
  });
  return { targets, problems };
}

/** `8443/tcp=https`; a port that may be a serial line is never written to, whatever a scanner took it for. */
function portWord({ transport, port, service }: ScannedPort): string {
  const spoken = transport === 'tcp' && service?.isProbed === true && !mayBeSerialLine(port) ? SPOKEN[service.name] : undefined;
  const protocol = spoken === undefined ? undefined : service?.isInTls === true ? spoken.inTls : spoken.plain;
  return `${port}/${transport}${protocol === undefined ? '' : `=${protocol}`}`;
}

const HEADINGS = {
  address: [
    'ip',
    'ipaddress',
    'ipaddr',
    'address',
    'ipv4',
    'ipv4address',
    'ipv6',
    'ipv6address',
    'host',
    'hostname',
    'target',
    'fqdn',
    'dns',
  ],
  port: ['port', 'ports', 'portid', 'portnumber', 'openports', 'destinationport', 'dstport'],
  transport: ['proto', 'protocol', 'transport', 'ipprotocol'],
} as const;

/** Whether a text is a table: its first line has a heading that names addresses, and none of its cells is one. */
export function isTable(text: string): boolean {
  const { headings } = readCsvText(text.slice(0, 8192), isKnown);
  return column(headings, 'address') !== undefined && headings.every((heading) => parseAddress(heading.trim()) === undefined);
}

/**
 * A table of addresses, with a port column or without: CSV as {@link readCsvText} reads it. A cell may hold several ports; `443/tcp` and a column
 * of protocols (tcp, udp) say which kind they are, else they are TCP.
 */
export function tableTargets(text: string, file: string): KnownTargets {
  const { headings, rows } = readCsvText(text, isKnown);
  const at = { address: column(headings, 'address'), port: column(headings, 'port'), transport: column(headings, 'transport') };
  if (at.address === undefined) throw inputError('bad-scan', { reason: 'no heading names addresses' }, { file });
  const targets: TargetText[] = [];
  const problems: Problem[] = [];
  for (const { line, cells, wrong } of rows) {
    const place = { file, line };
    const address = cells[at.address]?.trim() ?? '';
    if (wrong !== undefined) problems.push(problem('bad-csv', { reason: wrong }, place));
    else if (address !== '') {
      const ports = at.port === undefined ? undefined : portsOf(cells[at.port] ?? '', cells[at.transport ?? -1] ?? '');
      if (ports !== undefined && 'reason' in ports) problems.push(problem('bad-csv', ports, place));
      else targets.push({ text: address, place, ...(ports === undefined || ports.length === 0 ? {} : { ports }) });
    }
  }
  return { targets, problems };
}

/** Headings that stand for the same are the same but for case, blanks and signs. The first of its kind counts, the most specific word first. */
function column(headings: readonly string[], of: keyof typeof HEADINGS): number | undefined {
  const words = headings.map(wordOf);
  for (const name of HEADINGS[of]) if (words.includes(name)) return words.indexOf(name);
  return undefined;
}

function isKnown(heading: string): boolean {
  return Object.values(HEADINGS).some((names) => (names as readonly string[]).includes(wordOf(heading)));
}

function wordOf(heading: string): string {
  return heading
    .replace(/^\ufeff/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');
}

function portsOf(cell: string, protocol: string): string[] | { readonly reason: string } {
  const usual: Transport = /^udp/i.test(protocol.trim()) ? 'udp' : 'tcp';
  const ports: string[] = [];
  for (const word of cell.split(/[\s,;|]+/).filter((part) => part !== '')) {
    const { number, transport } = /^(?<number>\d+)(?:\/(?<transport>tcp|udp))?$/i.exec(word)?.groups ?? {};
    const port = portNumber(number);
    if (port === undefined) return { reason: `"${word}" is no port (443, 443/tcp, 623/udp)` };
    ports.push(`${port}/${transport?.toLowerCase() ?? usual}`);
  }
  return ports;
}

import { KNOWN_PORTS, type AskedOf, portSet } from '../targets/known-ports.ts';
import { HostSet } from '../targets/hosts.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import { roughly } from '../text.ts';
import type { UdpProbe } from '../sweep/contract.ts';
import { costOf, estimate, helloSizes } from '../sweep/cost.ts';
import { RATE_PER_24, RATES } from '../sweep/rates.ts';
import { type Column, table } from './table.ts';

const ASKED_OF: Readonly<Record<AskedOf, string>> = {
  everywhere: 'every address',
  living: 'living addresses',
  wide: '-p wide only',
  also: '--also only',
};

/** What goes to a TCP port once it is open. */
const SENT: Readonly<Record<string, string>> = {
  http: 'GET of listed paths',
  https: 'TLS handshake, GET of listed paths',
  tls: 'TLS handshake',
  rfb: "a version line, after the server's",
  'listen-http': 'nothing, then GET where it says nothing',
};

/** Every known port: what is spoken there, of whom it is asked and what is sent; then what the sets cost. */
export function portsText(probes: readonly UdpProbe[], columns: number | undefined): string {
  const columnsOf: readonly Column<(typeof KNOWN_PORTS)[number]>[] = [
    { title: 'PORT', of: ({ port, transport }) => `${port}/${transport}` },
    { title: 'SPEAKS', of: ({ protocol }) => protocol },
    { title: 'ASKED OF', of: ({ of }) => ASKED_OF[of] },
    { title: 'IS SENT', of: (plan) => sentTo(plan, probes), max: 40 },
    { title: 'WHO ANSWERS', of: ({ who }) => who, wraps: true },
  ];
  return [
    table(KNOWN_PORTS, columnsOf, { columns }),
    '',
    costLine('default', probes),
    costLine('wide', probes),
    '',
    'A list of your own: -p 80,443,8443=https,1623/udp=ipmi,2222=ssh@living (@living: where there is a sign of life only).',
    'To an open port the conversation comes on top: at most 40 connections, 16 requests and 12 datagrams to one device.',
    '',
  ].join('\n');
}

function sentTo(plan: PortPlan, probes: readonly UdpProbe[]): string {
  if (plan.transport === 'tcp') return SENT[plan.protocol] ?? 'nothing: it is listened to';
  return `${helloSizes(plan, probes).join(' + ')} bytes`;
}

/** What one of the sets costs, by address and for networks of usual sizes. */
function costLine(name: 'default' | 'wide', probes: readonly UdpProbe[]): string {
  const settings = { ports: portSet(name), rate: RATES.normal, ratePerNetwork: RATE_PER_24, retries: 1 };
  const time = (bits: number): string => roughly(estimate({ ...settings, hosts: blockOf(bits) }, probes).seconds);
  const cost = costOf(settings.ports, probes);
  return [
    `-p ${name.padEnd(8)} ${cost.silent} packets to a silent address, ${cost.again} more in the second pass;`,
    `at most ${cost.living} more to a living one.`,
    `A silent /24 in about ${time(24)}, a /20 in ${time(20)}, a /16 in ${time(16)}`,
    `(${RATES.normal.toLocaleString('en')} packets a second, ${RATE_PER_24.toLocaleString('en')} to one /24).`,
  ].join(' ');
}

/** Addresses of a block with a prefix of so many bits. */
function blockOf(bits: number): HostSet {
  const first = 0x0a_00_00_00;
  return new HostSet([{ first, last: first + 2 ** (32 - bits) - 1 }]);
}

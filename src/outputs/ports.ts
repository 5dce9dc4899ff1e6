import { KNOWN_PORTS, type AskedOf, portSet } from '../targets/known-ports.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import type { UdpProbe } from '../sweep/contract.ts';
import { type Cost, costOf, helloSizes, secondsFor } from '../sweep/cost.ts';
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
    costLine('-p default', costOf(portSet('default'), probes)),
    costLine('-p wide', costOf(portSet('wide'), probes)),
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

function costLine(name: string, cost: Cost): string {
  const time = (addresses: number, rate: number): string => duration(secondsFor(addresses, cost, { rate, retries: 1 }));
  return [
    `${name.padEnd(11)} ${cost.silent} packets to a silent address, ${cost.again} more in the second pass;`,
    `at most ${cost.living} more to a living one.`,
    `A silent /24 in about ${time(256, RATE_PER_24)}, a /20 in ${time(4096, RATES.normal)}, a /16 in ${time(65_536, RATES.normal)}`,
    `(${RATES.normal.toLocaleString('en')} packets a second, ${RATE_PER_24.toLocaleString('en')} to one /24).`,
  ].join(' ');
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

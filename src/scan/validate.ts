import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { ProbeError } from '../errors.ts';
import { ipmi } from '../probes/ipmi.ts';
import type { Audit } from '../sweep/audit.ts';
import { Budget, DEFAULT_BUDGET } from '../sweep/budget.ts';
import { Datagrams } from '../sweep/datagrams.ts';
import { dial } from '../sweep/dial.ts';
import { SocketWire } from '../sweep/socket-wire.ts';
import { sourceFor } from '../sweep/source.ts';
import { UdpTalk } from '../sweep/udp-talk.ts';
import { type AddressNumber, familyOf, formatAddress } from '../targets/addresses.ts';
import type { Guard } from '../targets/guard.ts';
import type { Outcome, Transport } from '../vocabulary.ts';

/**
 * The signals that the detection rules look for, made on purpose against hosts of one's own: what the steps of `docs/validate.md` need. Everything goes
 * through `sweep/`, as in a sweep: the guard, the list of what may be sent, the audit record.
 */

/** What went to one host, and what came back: what a log on the way should hold. */
export interface Signal {
  /** ISO 8601, UTC: when the first packet left. */
  readonly at: string;
  /** The address of this machine that it left from; absent where there is no route. */
  readonly from?: string;
  readonly host: string;
  readonly transport: Transport;
  readonly port: number;
  /** In words, with the bytes in hex where any were sent. */
  readonly sent: string;
  readonly outcome: Outcome;
  /** What came back, or why nothing did. Text of the device: to be cleaned where it is shown. */
  readonly answer?: string;
  readonly ms: number;
}

export interface ValidateOptions {
  readonly guard: Guard;
  readonly audit: Audit;
}

const IPMI_PORT = 623;
const PING = 'ipmi.asf-ping';
/** Between one host and the next. */
const GAP_MS = 20;
const VNC_PORT = 5900;
/** One SYN: the kernel would repeat it after a second. */
const CONNECT_MS = 800;
const BANNER_BYTES = 12;
/** Embedded servers take one to three seconds to say the first word. */
const BANNER_MS = 4000;
/** With these 64 hosts are done within a minute, also where none of them answers. */
const AT_ONCE = 16;

/** Sends an RMCP presence ping to each host, and once more where nothing came back in 1.5 seconds. */
export async function sendPings(hosts: readonly AddressNumber[], { guard, audit }: ValidateOptions): Promise<Signal[]> {
  const talks = new Map<AddressNumber, UdpTalk>();
  const datagrams = new Datagrams({
    guard,
    audit,
    onDatagram: (from, _port, bytes) => talks.get(from)?.receive(bytes, ipmi.recognise(bytes)),
  });
  try {
    await datagrams.open(new Set(hosts.map(familyOf)));
    return await Promise.all(
      hosts.map(async (address, number) => {
        const from = await sourceFor(address, guard);
        await sleep(number * GAP_MS);
        return sendPing(address, from, datagrams, talks);
      }),
    );
  } finally {
    datagrams.close();
  }
}

async function sendPing(
  address: AddressNumber,
  from: string | undefined,
  datagrams: Datagrams,
  talks: Map<AddressNumber, UdpTalk>,
): Promise<Signal> {
  const endpoint = { host: formatAddress(address), transport: 'udp', port: IPMI_PORT } as const;
  const sent: string[] = [];
  let failure: string | undefined;
  const talk = new UdpTalk(endpoint, new Budget(DEFAULT_BUDGET), {
    onSend: () => undefined,
    send: async (datagram) => {
      const result = await datagrams.send(address, IPMI_PORT, datagram);
      if (result.sent === 'sent') sent.push(datagram.bytes.toString('hex'));
      else failure = result.code;
    },
  });
  talks.set(address, talk);
  const at = new Date().toISOString();
  const begun = performance.now();
  const pong = await talk.ask(pingOf, (bytes) => ipmi.recognise(bytes) === PING, { tries: 2 });
  const outcome: Outcome = pong !== undefined ? 'answered' : sent.length === 0 ? 'unreachable' : 'silent';
  return {
    at,
    ...(from === undefined ? {} : { from }),
    ...endpoint,
    sent: sent.length === 0 ? 'nothing' : `RMCP presence ping ${sent.join(' and ')}`,
    outcome,
    ...(pong === undefined ? (failure === undefined ? {} : { answer: failure }) : { answer: `presence pong ${pong.toString('hex')}` }),
    ms: Math.round(performance.now() - begun),
  };
}

/** The sweep's own ping, fresh for each try. */
function pingOf(attempt: number): ReturnType<typeof ipmi.hello>[number] {
  const ping = ipmi.hello(attempt, () => randomBytes(4).readUInt32BE()).find(({ name }) => name === PING);
  if (ping === undefined) throw new Error('the IPMI probe has no presence ping');
  return ping;
}

/** Connects to VNC at each host once, reads the greeting, says nothing and hangs up. */
export async function readGreetings(hosts: readonly AddressNumber[], options: ValidateOptions): Promise<Signal[]> {
  const inTurn = pLimit(AT_ONCE);
  return Promise.all(hosts.map((address) => inTurn(() => readGreeting(address, options))));
}

async function readGreeting(address: AddressNumber, { guard, audit }: ValidateOptions): Promise<Signal> {
  const from = await sourceFor(address, guard);
  const endpoint = { host: formatAddress(address), transport: 'tcp', port: VNC_PORT } as const;
  const at = new Date().toISOString();
  const begun = performance.now();
  const signal = (outcome: Outcome, answer: string): Signal => ({
    at,
    ...(from === undefined ? {} : { from }),
    ...endpoint,
    sent: 'a connection, and no byte over it',
    outcome,
    answer,
    ms: Math.round(performance.now() - begun),
  });
  const dialled = await dial(address, VNC_PORT, CONNECT_MS, { guard, audit });
  if (dialled.outcome !== 'open')
    return signal(dialled.outcome === 'local' ? 'given-up' : dialled.outcome === 'reset' ? 'cut-off' : dialled.outcome, dialled.code);
  const wire = new SocketWire(dialled.socket, {
    endpoint,
    protocol: 'rfb',
    deadline: performance.now() + BANNER_MS,
    audit,
    tls: {},
    inTurn: (make) => make(),
    onClosed: () => undefined,
  });
  try {
    const heard = await wire.listen(BANNER_BYTES, BANNER_MS);
    const banner = heard.toString('latin1');
    if (heard.length === 0) return signal('silent', 'it said nothing');
    return signal(banner.startsWith('RFB ') ? 'answered' : 'not-this-protocol', banner.trimEnd());
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    return signal(error.kind, error.message);
  } finally {
    await wire.end();
  }
}

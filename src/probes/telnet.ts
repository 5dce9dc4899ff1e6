import { ProbeError } from '../errors.ts';
import type { TcpProbe, Wire } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { bannerFacts, MAX_BANNER_BYTES } from './banner.ts';

/** Telnet servers fork a login program, which takes its time. */
const GREETING_MS = 6000;
/** After the first word, how long the rest is waited for. */
const REST_MS = 1000;
const MAX_OPTIONS = 32;

/** RFC 854: interpret as command, sub-negotiation, and the four verbs of option negotiation. */
const IAC = 255;
const SUBNEGOTIATION = 250;
const END = 240;
const VERBS: ReadonlyMap<number, string> = new Map([
  [251, 'WILL'],
  [252, 'WONT'],
  [253, 'DO'],
  [254, 'DONT'],
]);

/**
 * Reads what a telnet server says before any input: the options that it negotiates, and its text. Nothing is answered, so a server that
 * waits for its negotiation shows its options only. No login is tried.
 *
 * Spec: RFC 854 (commands), RFC 855 (options).
 * @throws {ProbeError} `silent` where it says nothing, `not-this-protocol` with what came where that is an SSH server or a web page
 */
async function talk(wire: Wire): Promise<Facts> {
  const first = await wire.listen(MAX_BANNER_BYTES, GREETING_MS, () => true);
  if (first.length === 0) throw new ProbeError('silent', 'said nothing by itself');
  const heard = Buffer.concat([first, await wire.listen(MAX_BANNER_BYTES - first.length, REST_MS)]);
  if (/^(SSH-|HTTP\/|RFB \d)/.test(heard.toString('latin1')))
    throw new ProbeError('not-this-protocol', 'greets with no telnet', bannerFacts(heard));
  return telnetFacts(heard);
}

/** The text without the commands in it, and the options in the order asked for: `DO 24`. */
export function telnetFacts(heard: Buffer): Facts {
  const text: number[] = [];
  const options: string[] = [];
  for (let at = 0; at < heard.length; at += 1) {
    const byte = heard.readUInt8(at);
    if (byte !== IAC) {
      text.push(byte);
      continue;
    }
    const command = heard[at + 1];
    const verb = VERBS.get(command ?? 0);
    if (command === IAC) text.push(IAC);
    if (command === SUBNEGOTIATION) {
      const end = heard.indexOf(Buffer.from([IAC, END]), at);
      at = end < 0 ? heard.length : end + 1;
    } else if (verb !== undefined) {
      const option = heard[at + 2];
      if (option !== undefined && options.length < MAX_OPTIONS) options.push(`${verb} ${option}`);
      at += 2;
    } else at += 1;
  }
  const banner = Buffer.from(text).toString('latin1');
  return { ...(banner === '' ? {} : { 'telnet.banner': banner }), ...(options.length === 0 ? {} : { 'telnet.options': options }) };
}

export const telnet: TcpProbe = { id: 'telnet', speaks: 'bytes', talk };

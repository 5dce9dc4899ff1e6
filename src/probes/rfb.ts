import { ProbeError } from '../errors.ts';
import type { TcpProbe, Wire } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { bannerFacts, MAX_BANNER_BYTES } from './banner.ts';

/** Embedded servers take one to three seconds to say the first word. */
const FIRST_WORD_MS = 5000;
const NEXT_WORDS_MS = 3000;
/** A server that refuses before it was spoken to has done so by then. */
const REFUSAL_MS = 250;
/** How long the rest of what is no RFB is gathered for. */
const EVIDENCE_MS = 250;
const MAX_REASON_BYTES = 512;

/** UltraVNC repeater: it waits for the id of a target. */
const REPEATER = '000.000';

/**
 * Reads an RFB (VNC) server's version and the security types it offers, then hangs up.
 * It selects no type: nothing is authenticated and no screen is requested. Where the server refuses, `rfb.reason` says why and the types stay unknown.
 * A repeater, a version that is not of the form `xxx.yyy`, and a server that refuses unasked (TigerVNC to an address with too many failures, in 3.3 framing
 * whatever it speaks) are sent nothing.
 *
 * Spec: RFC 6143 section 7.1.1 (ProtocolVersion) and 7.1.2 (Security).
 * @throws {ProbeError} `silent` where nothing came in five seconds; `not-this-protocol` with the banner where it is no RFB;
 * `cut-off` with the version where the server stops before it has told its types
 */
async function talk(wire: Wire): Promise<Facts> {
  const version = await readVersion(wire);
  const facts = { 'rfb.version': version };
  if (version === REPEATER || !/^\d{3}\.\d{3}$/.test(version)) return facts;
  try {
    return { ...facts, ...(await readSecurity(wire, dialectOf(version))) };
  } catch (error) {
    if (error instanceof ProbeError) throw new ProbeError(error.kind, error.message, { ...facts, ...error.facts });
    throw error;
  }
}

/** The version as the server sent it: Apple says 003.889, RealVNC 005.000, ATEN 009.123. */
async function readVersion(wire: Wire): Promise<string> {
  const first = await wire.listen(1, FIRST_WORD_MS);
  if (first.length === 0) throw new ProbeError('silent', 'sent no RFB version');
  const hello = Buffer.concat([first, await wire.listen(11, NEXT_WORDS_MS)]).toString('latin1');
  const version = /^RFB (\d{3}\.\d{3})\n$/.exec(hello)?.[1] ?? /^RFB (\d{1,3}\.\d{1,3})\n/.exec(hello)?.[1];
  if (version !== undefined) return version;
  await wire.listen(MAX_BANNER_BYTES, EVIDENCE_MS);
  throw new ProbeError('not-this-protocol', 'sent something else than an RFB version', bannerFacts(wire.seen));
}

type Dialect = '003.003' | '003.007' | '003.008';

/** The lower of the server's version and ours. 3.4 to 3.6 were never versions of the protocol; those who say so speak 3.3. */
function dialectOf(version: string): Dialect {
  if (version < '003.007') return '003.003';
  return version < '003.008' ? '003.007' : '003.008';
}

async function readSecurity(wire: Wire, dialect: Dialect): Promise<Facts> {
  const unasked = dialect === '003.003' ? await wire.listen(4, REFUSAL_MS) : Buffer.alloc(0);
  if (unasked.length === 0) await wire.write(Buffer.from(`RFB ${dialect}\n`, 'latin1'));
  if (dialect === '003.003') {
    const type = Buffer.concat([unasked, await take(wire, 4 - unasked.length)]).readUInt32BE();
    return type === 0 ? readReason(wire) : { 'rfb.security': [type] };
  }
  const count = (await take(wire, 1)).readUInt8();
  return count === 0 ? readReason(wire) : { 'rfb.security': [...(await take(wire, count))] };
}

/** What there is of a refusal's text; the length that the server names is not believed. */
async function readReason(wire: Wire): Promise<Facts> {
  const length = (await take(wire, 4)).readUInt32BE();
  const reason = await wire.listen(Math.min(length, MAX_REASON_BYTES), NEXT_WORDS_MS);
  return reason.length === 0 ? {} : { 'rfb.reason': reason.toString('latin1') };
}

async function take(wire: Wire, bytes: number): Promise<Buffer> {
  const taken = await wire.listen(bytes, NEXT_WORDS_MS);
  if (taken.length < bytes) throw new ProbeError('cut-off', `stopped after ${taken.length} of ${bytes} bytes`);
  return taken;
}

export const rfb: TcpProbe = { id: 'rfb', speaks: 'bytes', talk };

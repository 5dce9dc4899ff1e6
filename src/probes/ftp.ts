import { ProbeError } from '../errors.ts';
import type { TcpProbe, Wire } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { bannerFacts, MAX_BANNER_BYTES } from './banner.ts';

/** Some servers look the client's name up before they greet. */
const GREETING_MS = 6000;
/** The last line of a reply: three digits and a blank, where its earlier lines have a hyphen. */
const WHOLE = /^\d{3}(?: [^\n]*)?\r?\n/m;

/**
 * Reads the greeting of an FTP server, all lines of it, and says nothing.
 *
 * Spec: RFC 959 section 4.2 (replies).
 * @throws {ProbeError} `silent` where it says nothing, `not-this-protocol` with what came where that is no reply
 */
async function talk(wire: Wire): Promise<Facts> {
  const heard = await wire.listen(MAX_BANNER_BYTES, GREETING_MS, (bytes) => WHOLE.test(bytes.toString('latin1')));
  if (heard.length === 0) throw new ProbeError('silent', 'said nothing by itself');
  const text = heard.toString('latin1');
  if (!/^\d{3}[ -]/.test(text)) throw new ProbeError('not-this-protocol', 'greets with no reply of FTP', bannerFacts(heard));
  return { 'ftp.banner': text.trimEnd() };
}

export const ftp: TcpProbe = { id: 'ftp', speaks: 'bytes', talk };

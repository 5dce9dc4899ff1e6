import { ProbeError } from '../errors.ts';
import type { TcpProbe, Wire } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { bannerFacts, MAX_BANNER_BYTES } from './banner.ts';

const LISTEN_MS = 2000;
/** RFC 4253 section 4.2: an identification line has at most 255 characters with its CR LF; other lines may come before it. */
const SSH = /^SSH-[^\r\n]{1,249}/m;

/**
 * Reads what a device says by itself within two seconds, and says nothing.
 * @throws {ProbeError} `silent` where it says nothing, `cut-off` where it hangs up instead
 */
async function talk(wire: Wire): Promise<Facts> {
  const said = await wire.listen(MAX_BANNER_BYTES, LISTEN_MS);
  if (said.length === 0) throw new ProbeError('silent', 'said nothing by itself');
  const ssh = SSH.exec(said.toString('latin1'))?.[0];
  return { ...bannerFacts(said), ...(ssh === undefined ? {} : { 'ssh.banner': ssh }) };
}

export const listen: TcpProbe = { id: 'listen', speaks: 'bytes', talk };

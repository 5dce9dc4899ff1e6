import { ProbeError } from '../errors.ts';
import type { TcpProbe, Wire } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { bannerFacts, MAX_BANNER_BYTES } from './banner.ts';
import { sshFacts } from './ssh.ts';

const LISTEN_MS = 2000;

/**
 * Reads what a device says by itself within two seconds, and says nothing.
 * @throws {ProbeError} `silent` where it says nothing, `cut-off` where it hangs up instead
 */
async function talk(wire: Wire): Promise<Facts> {
  const said = await wire.listen(MAX_BANNER_BYTES, LISTEN_MS);
  if (said.length === 0) throw new ProbeError('silent', 'said nothing by itself');
  return { ...bannerFacts(said), ...sshFacts(said) };
}

export const listen: TcpProbe = { id: 'listen', speaks: 'bytes', talk };

import dgram from 'node:dgram';
import { ForbiddenError } from '../errors.ts';
import { type AddressNumber, familyOf, formatAddress } from '../targets/addresses.ts';
import type { Guard } from '../targets/guard.ts';

/**
 * The address of this machine from which packets to another one go, by its routes: what logs on the way will call their source. Sends nothing, because
 * connecting a UDP socket only looks up the route. Undefined where there is no route.
 */
export async function sourceFor(address: AddressNumber, guard: Guard): Promise<string | undefined> {
  const refused = guard.refusal(address);
  if (refused !== undefined) throw new ForbiddenError(refused);
  const family = familyOf(address);
  const socket = dgram.createSocket({ type: family === 4 ? 'udp4' : 'udp6', lookup: (host, _, done) => done(null, host, family) });
  try {
    return await new Promise((resolve) => {
      socket.once('error', () => resolve(undefined));
      socket.connect(9, formatAddress(address), () => resolve(socket.address().address));
    });
  } finally {
    socket.close();
  }
}

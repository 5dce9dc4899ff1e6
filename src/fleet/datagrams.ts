import { createSocket } from 'node:dgram';
import { listenError, type Listener, type Place } from './connections.ts';

/**
 * Listens on UDP; what `answer` returns goes back to whoever asked.
 * @throws {InputError} `port-in-use`
 */
export async function listenUdp(place: Place, answer: (bytes: Buffer) => Buffer | undefined): Promise<Listener> {
  const { host, port, role, visits } = place;
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { address, port: from }) => {
    visits.add({ host, port, role, transport: 'udp', at: performance.now(), bytes });
    const reply = answer(bytes);
    // The asker may be gone already; a device does not care.
    if (reply !== undefined) socket.send(reply, from, address, () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(listenError(error, host, port, 'udp'));
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      // An ICMP error for an answer that nobody waited for.
      socket.on('error', () => undefined);
      resolve();
    });
  });
  return { stop: () => new Promise((resolve) => void socket.close(() => resolve())) };
}

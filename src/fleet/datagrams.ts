import { createSocket } from 'node:dgram';
import { listenError, type Listener, type Place } from './connections.ts';

/** What a device answers with; from the port that was asked, unless it has another for its answers. */
interface Answer {
  readonly bytes: Buffer;
  readonly fromAnotherPort?: boolean;
}

/**
 * Listens on UDP; what `answer` returns goes back to whoever asked.
 * @throws {InputError} `port-in-use`
 */
export async function listenUdp(place: Place, answer: (bytes: Buffer) => Buffer | Answer | undefined): Promise<Listener> {
  const { host, port, role, visits } = place;
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { address, port: from }) => {
    visits.add({ host, port, role, transport: 'udp', at: performance.now(), bytes });
    const said = answer(bytes);
    const reply = Buffer.isBuffer(said) ? { bytes: said } : said;
    if (reply === undefined) return;
    // The asker may be gone already; a device does not care.
    if (reply.fromAnotherPort !== true) socket.send(reply.bytes, from, address, () => undefined);
    else {
      const other = createSocket('udp4').on('error', () => undefined);
      other.bind({ address: host, port: 0 }, () => other.send(reply.bytes, from, address, () => other.close()));
    }
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

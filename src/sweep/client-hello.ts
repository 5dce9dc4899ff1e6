import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { tlsOptions } from './secure.ts';

/** The first flight of each TLS profile, made by the library into a stream that goes nowhere. */
export async function clientHello(): Promise<{ name: string; bytes: Buffer }[]> {
  return [
    { name: 'tls.client-hello', bytes: await firstFlight({}) },
    { name: 'tls.client-hello (TLS 1.2 at most, after a device hung up on the first)', bytes: await firstFlight({ cautious: true }) },
  ];
}

function firstFlight(limits: Parameters<typeof tlsOptions>[0]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sink = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _, done) => {
        done();
        // The library writes while it connects: the socket is not ours yet.
        setImmediate(() => {
          socket.destroy();
          resolve(chunk);
        });
      },
    });
    const socket = tls.connect({ ...tlsOptions(limits), socket: sink });
    socket.on('error', reject);
  });
}

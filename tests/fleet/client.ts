import { createSocket } from 'node:dgram';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type PeerCertificate, type SecureVersion, type TLSSocket } from 'node:tls';
import { type FleetPorts, portsFrom } from '../../src/fleet/index.ts';

/** Ports of these tests alone: other tests may run a fleet at the same time. */
export const PORTS: FleetPorts = portsFrom(28_080);

/** Everything that comes until the other side hangs up, `maxBytes` came, or `waitMs` are over; and how it ended. */
export interface Heard {
  readonly bytes: Buffer;
  readonly end: 'closed' | 'reset' | 'enough' | 'quiet';
  readonly ms: number;
}

export interface Talk {
  readonly tls?: { minVersion?: SecureVersion; maxVersion?: SecureVersion } | undefined;
  readonly send?: string | Buffer | undefined;
  readonly maxBytes?: number;
  readonly waitMs?: number;
}

/** Connects, sends one thing, and listens. */
export function hear(host: string, port: number, { tls, send, maxBytes = 4 * 1024 * 1024, waitMs = 3000 }: Talk = {}): Promise<Heard> {
  const from = performance.now();
  const parts: Buffer[] = [];
  let length = 0;
  return new Promise((resolve) => {
    const socket: Socket =
      tls === undefined
        ? connectTcp(port, host)
        : connectTls({ host, port, rejectUnauthorized: false, ciphers: 'DEFAULT:@SECLEVEL=0', minVersion: 'TLSv1', ...tls });
    const done = (end: Heard['end']): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ bytes: Buffer.concat(parts).subarray(0, maxBytes), end, ms: performance.now() - from });
    };
    const timer = setTimeout(() => done('quiet'), waitMs);
    if (send !== undefined) socket.once(tls === undefined ? 'connect' : 'secureConnect', () => socket.write(send));
    socket.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      length += chunk.length;
      if (length >= maxBytes) done('enough');
    });
    socket.on('end', () => done('closed'));
    socket.on('error', () => done('reset'));
    socket.on('close', () => done('closed'));
  });
}

export function get(path: string, host: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: test\r\naccept: */*\r\nconnection: close\r\n\r\n`;
}

/** A reply taken apart, nothing changed. */
export interface Reply {
  readonly line: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

export function takeApart(bytes: Buffer, lineEnd = '\r\n'): Reply {
  const end = bytes.indexOf(lineEnd + lineEnd);
  const [line = '', ...lines] = bytes.toString('latin1', 0, end).split(lineEnd);
  const headers = lines.map((text) => [text.slice(0, text.indexOf(': ')), text.slice(text.indexOf(': ') + 2)] as const);
  return { line, headers, body: bytes.subarray(end + lineEnd.length * 2) };
}

/** The certificate of a TLS service, and what was negotiated. */
export function handshake(
  host: string,
  port: number,
  version?: SecureVersion,
): Promise<{ protocol: string | null; certificate: PeerCertificate; signature: string; issuers: number }> {
  return new Promise((resolve, reject) => {
    const limits = version === undefined ? {} : { maxVersion: version };
    const socket: TLSSocket = connectTls(
      { host, port, rejectUnauthorized: false, ciphers: 'DEFAULT:@SECLEVEL=0', minVersion: 'TLSv1', ...limits },
      () => {
        const certificate = socket.getPeerCertificate(true);
        let issuers = 0;
        for (let at = certificate; at.issuerCertificate !== undefined && at.issuerCertificate !== at; at = at.issuerCertificate)
          issuers += 1;
        const signature = socket.getPeerX509Certificate()?.signatureAlgorithm ?? '';
        const result = { protocol: socket.getProtocol(), certificate, signature, issuers };
        socket.destroy();
        resolve(result);
      },
    );
    socket.on('error', reject);
  });
}

/** The answer to one datagram, or undefined where none comes in time. */
export function ask(host: string, port: number, bytes: Buffer, waitMs = 1000): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const done = (answer: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => done(undefined), waitMs);
    socket.once('message', done);
    socket.send(bytes, port, host);
  });
}

import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';

/** Ports of the hostile devices, by what a sweep speaks there. */
export const PORTS = { http: 18_080, https: 18_443, rfb: 15_900, ipmi: 16_230, snmp: 16_100 } as const;
export const PORTS_OPTION = '18080=http,18443=https,15900=rfb,16230/udp=ipmi,16100/udp=snmp';

/** What reached one device. */
export interface Load {
  connections: number;
  /** The most at a time. */
  most: number;
  datagrams: number;
}

/** Devices that misbehave, each on an address of this machine's own network. */
export class Zoo implements AsyncDisposable {
  readonly loads = new Map<string, Load>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #udp: UdpSocket[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  load(host: string): Load {
    let load = this.loads.get(host);
    if (load === undefined) {
      load = { connections: 0, most: 0, datagrams: 0 };
      this.loads.set(host, load);
    }
    return load;
  }

  /** A TCP server; what it does with a connection is up to it. */
  async tcp(host: string, port: number, onConnection: (socket: Socket) => void): Promise<void> {
    const load = this.load(host);
    let now = 0;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      load.connections += 1;
      now += 1;
      load.most = Math.max(load.most, now);
      socket.on('error', () => undefined); // the other side may hang up on us at any time, which is what it should do
      socket.on('close', () => {
        now -= 1;
        this.#sockets.delete(socket);
      });
      // A device does not mind that the other side is done; the end comes from us or by a reset.
      socket.on('end', () => socket.end());
      onConnection(socket);
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    this.#servers.push(server);
  }

  /** A UDP server that answers each datagram with some others. */
  async udp(host: string, port: number, answers: (request: Buffer, from: RemoteInfo) => readonly Buffer[]): Promise<void> {
    const load = this.load(host);
    const socket = createSocket('udp4');
    socket.on('message', (request, from) => {
      load.datagrams += 1;
      for (const answer of answers(request, from)) socket.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(port, host, resolve));
    this.#udp.push(socket);
  }

  /** Does something again and again until the connection or the zoo is gone. */
  every(ms: number, socket: Socket, act: () => void): void {
    const timer = setInterval(act, ms);
    this.#timers.add(timer);
    socket.on('close', () => {
      clearInterval(timer);
      this.#timers.delete(timer);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    for (const socket of this.#udp) socket.close();
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }
}

/** Writes for ever, as fast as it is taken. */
export function pour(socket: Socket, chunk: Buffer): void {
  const write = (): void => {
    while (!socket.destroyed && socket.writable && socket.write(chunk));
  };
  socket.on('drain', write);
  write();
}

/** Does something once the other side has sent something. */
export function onFirst(socket: Socket, act: (data: Buffer) => void): void {
  socket.once('data', (data: Buffer) => {
    act(data);
    socket.resume();
  });
}

/** A web server that gives the same bytes to every request, and hangs up. */
export function replies(bytes: Buffer | string): (socket: Socket) => void {
  return (socket) => onFirst(socket, () => socket.end(bytes));
}

export function page(title: string, headers = ''): string {
  const body = `<!doctype html><html><head><title>${title}</title></head><body></body></html>`;
  return `HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}Connection: close\r\n\r\n${body}`;
}

/** An IPMI answer outside a session in the v1.5 wrapper (IPMI v2.0 sections 13.6 and 13.8), to the request it is made for. */
export function ipmiAnswer(request: Buffer, code: number, data: Buffer | readonly number[]): Buffer {
  const head = [0x81, 0x1c];
  const body = [0x20, request[18] ?? 0, request[19] ?? 0, code, ...data];
  const message = Buffer.from([...head, checksum(head), ...body, checksum(body)]);
  return Buffer.concat([Buffer.from('0600ff07000000000000000000', 'hex'), Buffer.from([message.length]), message]);
}

/** The command of a request outside a session; undefined where it is a presence ping. */
export function commandOf(request: Buffer): number | undefined {
  return request[3] === 0x07 ? request[19] : undefined;
}

function checksum(bytes: readonly number[]): number {
  return -bytes.reduce((a, b) => a + b, 0) & 0xff;
}

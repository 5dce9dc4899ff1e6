import { createSocket } from 'node:dgram';

/** A name server on 127.0.0.1 that knows these names, in place of a real one: the tests must ask nobody else's. */
export interface NameServer {
  /** As the resolver takes it: `127.0.0.1:49152`. */
  readonly server: string;
  /** The names that were asked for, in order; only PTR questions of one name are answered. */
  readonly asked: string[];
  /** The most questions that it had at once. */
  readonly most: () => number;
  stop(): Promise<void>;
}

export interface NameServerOptions {
  /** By `7.2.0.192.in-addr.arpa`. Others do not exist. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** It hears and says nothing. */
  readonly silent?: boolean;
  readonly delayMs?: number;
}

const PTR = 12;
const NO_SUCH_NAME = 3;

/** RFC 1035 section 4.1: one question, and records that point back to its name. */
export async function startNameServer({ names, silent = false, delayMs = 5 }: NameServerOptions): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  let [open, most] = [0, 0];
  socket.on('message', (query, { address, port }) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join('.');
    if (query.readUInt16BE(at + 1) !== PTR) throw new Error(`asked for type ${query.readUInt16BE(at + 1)} of ${name}`);
    asked.push(name);
    open += 1;
    most = Math.max(most, open);
    if (silent) return;
    const records = (names[name] ?? []).map((found) => {
      const data = Buffer.concat([
        ...found.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
        Buffer.alloc(1),
      ]);
      const head = Buffer.from('c00c000c000100000e100000', 'hex');
      head.writeUInt16BE(data.length, 10);
      return Buffer.concat([head, data]);
    });
    const head = Buffer.alloc(12);
    head.writeUInt16BE(query.readUInt16BE(0), 0);
    head.writeUInt16BE(0x8180 | (names[name] === undefined ? NO_SUCH_NAME : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    setTimeout(() => {
      open -= 1;
      socket.send(Buffer.concat([head, query.subarray(12, at + 5), ...records]), port, address, () => undefined);
    }, delayMs);
  });
  await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(0, '127.0.0.1', resolve));
  return {
    server: `127.0.0.1:${socket.address().port}`,
    asked,
    most: () => most,
    stop: () => new Promise((resolve) => void socket.close(() => resolve())),
  };
}

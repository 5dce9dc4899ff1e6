// The least that Node.js needs for a page and a certificate over TLS: `node bench/lab/https-floor.ts FIRST-ADDRESS COUNT AT-ONCE`. It looks at neither.
import { once } from 'node:events';
import { type RequestOptions, get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

const [first = '', count = '0', atOnce = '1'] = process.argv.slice(2);
const base = first.split('.').reduce((number, byte) => number * 256 + Number(byte), 0);
const options: RequestOptions = { agent: false, rejectUnauthorized: false, checkServerIdentity: () => undefined };
let next = 0;
let bytes = 0;

async function ask(): Promise<void> {
  while (next < Number(count)) {
    const number = base + next;
    next += 1;
    const host = [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
    const [reply] = (await once(get({ ...options, host, path: '/' }), 'response')) as [IncomingMessage];
    bytes += (reply.socket as TLSSocket).getPeerX509Certificate()?.raw.length ?? Number.NaN;
    for await (const part of reply) bytes += (part as Buffer).length;
  }
}

await Promise.all(Array.from({ length: Number(atOnce) }, ask));
console.log(bytes);

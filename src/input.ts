import { buffer } from 'node:stream/consumers';

/** All of standard input. Not by `readFileSync(0)`: whoever holds the other end of a pipe may have made it non-blocking, and then that ends with EAGAIN. */
export async function readStandardInput(): Promise<Buffer> {
  return await buffer(process.stdin);
}

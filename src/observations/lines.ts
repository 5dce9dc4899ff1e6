import { read } from 'node:fs';
import { promisify } from 'node:util';

const CHUNK = 256 * 1024;
/** A longer line is no line of ours; it is passed over, not held in memory. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

const readAt = promisify(read);

/** One line of a file with its place. `text` is undefined where the line is too long. */
export interface Line {
  /** Counts from 1. */
  readonly number: number;
  /** Byte offset of the line's begin. */
  readonly offset: number;
  /** Bytes without the line feed. */
  readonly bytes: number;
  readonly text: string | undefined;
  /** False for a last line without a line feed: it may be torn. */
  readonly complete: boolean;
}

/** The lines of an open file, in constant memory: those that end in one read together, because waiting for each would take as long as reading it. */
export async function* readLines(descriptor: number): AsyncGenerator<readonly Line[]> {
  const chunk = Buffer.alloc(CHUNK);
  let parts: Buffer[] = [];
  let bytes = 0;
  let offset = 0;
  let number = 1;
  const textOf = (): string | undefined => (bytes > MAX_LINE_BYTES ? undefined : Buffer.concat(parts).toString('utf8'));
  for (let position = 0; ;) {
    const { bytesRead } = await readAt(descriptor, chunk, 0, CHUNK, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10, from); end >= 0 && end < bytesRead; end = chunk.indexOf(10, from)) {
      // Most lines lie in one chunk: they are read from it as they stand, without a copy.
      const isWhole = bytes === 0;
      if (!isWhole && bytes <= MAX_LINE_BYTES) parts.push(Buffer.from(chunk.subarray(from, end)));
      bytes += end - from;
      lines.push({ number, offset, bytes, text: isWhole ? chunk.toString('utf8', from, end) : textOf(), complete: true });
      offset += bytes + 1;
      number += 1;
      bytes = 0;
      parts = [];
      from = end + 1;
    }
    if (from < bytesRead) {
      if (bytes <= MAX_LINE_BYTES) parts.push(Buffer.from(chunk.subarray(from, bytesRead)));
      bytes += bytesRead - from;
    }
    if (lines.length > 0) yield lines;
  }
  if (bytes > 0) yield [{ number, offset, bytes, text: textOf(), complete: false }];
}

/** The lines of a file that is in memory. */
export function* splitLines(all: Buffer): Generator<Line> {
  let offset = 0;
  for (let number = 1; offset < all.length; number += 1) {
    const end = all.indexOf(10, offset);
    const bytes = (end < 0 ? all.length : end) - offset;
    yield {
      number,
      offset,
      bytes,
      text: bytes > MAX_LINE_BYTES ? undefined : all.toString('utf8', offset, offset + bytes),
      complete: end >= 0,
    };
    offset += bytes + 1;
  }
}

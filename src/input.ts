import { readFileSync, statSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { inputError, systemReason } from './errors.ts';

/** Larger files are most likely not what people export or write. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** All of standard input. Not by `readFileSync(0)`: whoever holds the other end of a pipe may have made it non-blocking, and then that ends with EAGAIN. */
export async function readStandardInput(): Promise<Buffer> {
  return await buffer(process.stdin);
}

/** All of a file of at most 64 MiB. @throws {InputError} */
export function readWholeFile(file: string): Buffer {
  try {
    const { size } = statSync(file);
    if (size > MAX_FILE_BYTES) throw tooLarge(file);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw inputError('unreadable-file', { file, reason: systemReason(error) });
    throw error;
  }
}

/** The same; `-` is standard input. @throws {InputError} */
export async function readWholeInput(file: string): Promise<Buffer> {
  if (file !== '-') return readWholeFile(file);
  const bytes = await readStandardInput();
  if (bytes.length > MAX_FILE_BYTES) throw tooLarge('standard input');
  return bytes;
}

function tooLarge(file: string): Error {
  return inputError('unreadable-file', { file, reason: `it is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB` });
}

/** Text, and what had to be assumed to read it. */
export interface DecodedText {
  readonly text: string;
  readonly note?: string;
}

/** Bytes of people's files as text: UTF-8, UTF-16 with a byte order mark (Windows PowerShell), else Windows-1252 (ServiceNow, Excel). */
export function decodeText(bytes: Buffer): DecodedText {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: new TextDecoder('utf-16le').decode(bytes) };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { text: new TextDecoder('utf-16be').decode(bytes) };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), note: 'it is not UTF-8 and is read as Windows-1252' };
  }
}

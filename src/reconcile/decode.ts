import { readFileSync, statSync } from 'node:fs';
import { inputError, systemReason } from '../errors.ts';

/** Larger files are most likely not lists. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/** The text of a list, and what had to be assumed to read it. */
export interface ListText {
  readonly text: string;
  readonly note?: string;
}

/** Reads a file of people's: UTF-8, UTF-16 with a byte order mark (Windows PowerShell), else Windows-1252 (ServiceNow, Excel). @throws {InputError} */
export function readListText(file: string): ListText {
  try {
    const { size } = statSync(file);
    if (size > MAX_LIST_BYTES)
      throw inputError('unreadable-file', { file, reason: `it is larger than ${MAX_LIST_BYTES / 1024 / 1024} MiB` });
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw inputError('unreadable-file', { file, reason: systemReason(error) });
    throw error;
  }
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw inputError('unreadable-file', { file, reason: systemReason(error) });
  }
  const decoded = decode(bytes);
  if (decoded.text.includes('\0'))
    throw inputError('unreadable-file', { file, reason: 'it is no text (a spreadsheet is to be saved as CSV)' });
  return decoded;
}

function decode(bytes: Buffer): ListText {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: new TextDecoder('utf-16le').decode(bytes) };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { text: new TextDecoder('utf-16be').decode(bytes) };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), note: 'it is not UTF-8 and is read as Windows-1252' };
  }
}

import { inputError } from '../errors.ts';
import { type DecodedText, decodeText, readWholeFile } from '../input.ts';

/** Reads a list of people's. @throws {InputError} */
export function readListText(file: string): DecodedText {
  const decoded = decodeText(readWholeFile(file));
  if (decoded.text.includes('\0'))
    throw inputError('unreadable-file', { file, reason: 'it is no text (a spreadsheet is to be saved as CSV)' });
  return decoded;
}

import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { inputError, type Problem, systemReason } from '../../errors.ts';
import { MasscanReader } from './masscan.ts';
import { NmapReader } from './nmap.ts';
import type { ScannedHost } from './scanned.ts';

/** The forms of other scanners' files. */
export type ScanForm = 'nmap' | 'masscan-json' | 'masscan-list';

/** What a file said besides its hosts. */
export interface ScanEnd {
  readonly form: ScanForm;
  /** False where it breaks off: what is there was read. */
  readonly isWhole: boolean;
  readonly problems: readonly Problem[];
}

/** How much of a file's beginning tells its form. */
const HEAD = 4096;
/** JSON up to this size is read as one text first: jq and editors write an element on several lines. */
const MAX_TEXT = 64 * 1024 * 1024;
/** A longer line is none of masscan's; its banners are cut at some kilobytes. */
const MAX_LINE = 1024 * 1024;

/** The form of a file by its beginning; undefined where it is none of another scanner's. */
export function scanForm(head: string): ScanForm | undefined {
  const text = head.replace(/^\ufeff/, '').trimStart();
  if (text.startsWith('<')) return 'nmap';
  if (/^#masscan\b/.test(text) || /^(?:open|banner) (?:tcp|udp) \d+ /.test(text)) return 'masscan-list';
  if (/^[[,]?\s*\{\s*"ip"\s*:/.test(text) || text === '[' || /^\[\s*\]?\s*$/.test(text)) return 'masscan-json';
  return undefined;
}

/** The first characters of a file, for {@link scanForm}. @throws {InputError} */
export async function headOf(file: string): Promise<string> {
  for await (const piece of piecesOf(createReadStream(file, { end: HEAD - 1 }), file)) return piece;
  return '';
}

/**
 * Reads another scanner's file, whichever it is, and hands its hosts on as they come.
 * @param source bytes of a file, or of standard input
 * @throws {InputError} where it cannot be read, or is of no known form
 */
export async function readScan(file: string, source: AsyncIterable<Buffer>, onHost: (host: ScannedHost) => void): Promise<ScanEnd> {
  const pieces = piecesOf(source, file)[Symbol.asyncIterator]();
  let head = '';
  // Standard input may come in small pieces.
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
    head += next.value;
    if (head.length >= HEAD) break;
  }
  const form = scanForm(head);
  if (form === undefined)
    throw inputError(
      'bad-scan',
      {
        reason:
          head.trim() === ''
            ? 'it is empty'
            : "it is none of the forms that are read: nmap's XML (-oX), masscan's JSON (-oJ, -oD), list (-oL) and XML (-oX)",
      },
      { file },
    );
  async function* all(): AsyncGenerator<string> {
    yield head;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
  }
  return form === 'nmap' ? readNmap(file, all(), onHost) : readMasscan(file, form, all(), onHost);
}

async function readNmap(file: string, pieces: AsyncIterable<string>, onHost: (host: ScannedHost) => void): Promise<ScanEnd> {
  const reader = new NmapReader(file);
  for await (const piece of pieces) for (const host of reader.write(piece)) onHost(host);
  for (const host of reader.end()) onHost(host);
  return { form: 'nmap', isWhole: reader.isWhole && reader.problems.length === 0, problems: reader.problems };
}

async function readMasscan(
  file: string,
  form: Exclude<ScanForm, 'nmap'>,
  pieces: AsyncIterable<string>,
  onHost: (host: ScannedHost) => void,
): Promise<ScanEnd> {
  const reader = new MasscanReader(file, form === 'masscan-json' ? 'json' : 'list');
  const begun: string[] = [];
  let size = 0;
  const source = pieces[Symbol.asyncIterator]();
  if (form === 'masscan-json') {
    while (size <= MAX_TEXT) {
      const next = await source.next();
      if (next.done === true) break;
      begun.push(next.value);
      size += next.value.length;
    }
    if (size <= MAX_TEXT) {
      const hosts = reader.whole(begun.join(''));
      for (const host of hosts ?? []) onHost(host);
      if (hosts !== undefined) return { form, isWhole: true, problems: reader.problems };
    }
  }
  async function* all(): AsyncGenerator<string> {
    yield* begun;
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
  }
  let rest = '';
  for await (const piece of all()) {
    const lines = (rest + piece).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    for (const line of lines) for (const host of reader.take(line, false)) onHost(host);
  }
  if (rest !== '') for (const host of reader.take(rest, true)) onHost(host);
  reader.end();
  return { form, isWhole: reader.isWhole, problems: reader.problems };
}

/** Text of bytes: UTF-8, or UTF-16 with a byte order mark, as Windows PowerShell writes what a program prints. @throws {InputError} */
async function* piecesOf(source: AsyncIterable<Buffer>, file: string): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  try {
    for await (const bytes of source) {
      decoder ??= new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8');
      yield decoder.decode(bytes, { stream: true });
    }
  } catch (error) {
    throw inputError('unreadable-file', { file, reason: systemReason(error) });
  }
  const last = decoder?.decode();
  if (last !== undefined && last !== '') yield last;
}

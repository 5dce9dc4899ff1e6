import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError, inputError, type Problem, problem, systemReason } from '../errors.ts';
import { readStandardInput } from '../input.ts';
import { parseAddress } from '../targets/addresses.ts';
import type { JournalEntry } from './journal.ts';
import { type Line, readLines, splitLines } from './lines.ts';
import { type Observation, readObservation } from './observation.ts';

/** A journal entry as it was read; its fields are checked by whoever knows the kind. */
export type ReadEntry = JournalEntry & Readonly<Record<string, unknown>>;

/** A file of observations, with the places of its lines, so that one host after the other can be read without holding all of them. */
export interface ObservationIndex {
  /** Hosts in the order of their addresses, names last. */
  readonly hosts: readonly string[];
  readonly observations: number;
  /** The observations that stand behind the last checkpoint. */
  readonly afterCheckpoint: readonly Observation[];
  /** Corrupt lines, each with its number. They are left out, the rest is kept. */
  readonly problems: readonly Problem[];
  /** True where the last line was torn, as a killed process leaves it. */
  readonly torn: boolean;
  /** Bytes up to the end of the last whole line. */
  readonly wholeBytes: number;
  of(host: string): Observation[];
  close(): void;
}

const KINDS: ReadonlySet<unknown> = new Set(['run', 'checkpoint', 'end']);
const MAX_PROBLEMS = 1000;
/** A checkpoint comes every second. What has none for so many observations is no journal of ours, and nothing to resume. */
const MAX_AFTER_CHECKPOINT = 20_000;
/** Of a file up to this size the observations are held; of a larger one only their places, and each is read again when its host's turn comes. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/**
 * Indexes a journal, or any file of observations as lines of JSON. `-` is standard input, which is held in memory.
 * @param onEntry is given the entries that are no observations, in order
 * @throws {InputError} where the file cannot be read
 */
export async function indexObservations(
  file: string,
  onEntry: (entry: ReadEntry, line: number) => void = () => undefined,
  { maxHeldBytes = MAX_HELD_BYTES }: { maxHeldBytes?: number } = {},
): Promise<ObservationIndex> {
  const source = await openSource(file);
  const places = new Map<string, number[]>();
  const held: Map<string, Observation[]> | undefined = source.bytes <= maxHeldBytes ? new Map() : undefined;
  const problems: Problem[] = [];
  let afterCheckpoint: Observation[] = [];
  let observations = 0;
  let isJournal = false;
  let torn = false;
  let wholeBytes = 0;
  const take = (line: Line): void => {
    if (line.complete) wholeBytes = line.offset + line.bytes + 1;
    if (line.bytes === 0) return;
    const read: Parsed = line.text === undefined ? { reason: 'it is too long' } : parseEntry(line.text);
    if (read.reason !== undefined) {
      if (!line.complete) torn = true;
      if (problems.length < MAX_PROBLEMS) problems.push(problem('bad-journal-line', { reason: read.reason }, { file, line: line.number }));
    } else if (read.observation !== undefined) {
      observations += 1;
      const { host } = read.observation;
      if (isJournal) afterCheckpoint.push(read.observation);
      if (afterCheckpoint.length > MAX_AFTER_CHECKPOINT) afterCheckpoint = [];
      if (held === undefined) append(places, host, line.offset, line.bytes);
      else append(held, host, read.observation);
    } else {
      isJournal = true;
      if (read.entry.kind === 'checkpoint') afterCheckpoint = [];
      onEntry(read.entry, line.number);
    }
  };
  try {
    for await (const lines of source.lines) for (const line of lines) take(line);
  } catch (error) {
    source.close();
    throw error instanceof InputError ? error : inputError('unreadable-file', { file, reason: systemReason(error) });
  }
  return {
    hosts: sortedByAddress((held ?? places).keys()),
    observations,
    afterCheckpoint,
    problems,
    torn,
    wholeBytes,
    of: (host) => {
      if (held !== undefined) return held.get(host) ?? [];
      const at = places.get(host) ?? [];
      const found: Observation[] = [];
      for (let i = 0; i < at.length; i += 2) {
        const { observation } = parseEntry(source.text(at[i] as number, at[i + 1] as number));
        if (observation !== undefined) found.push(observation);
      }
      return found;
    },
    close: () => source.close(),
  };
}

function append<K, V>(map: Map<K, V[]>, key: K, ...values: V[]): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, values);
  else list.push(...values);
}

interface Source {
  readonly bytes: number;
  readonly lines: AsyncIterable<Iterable<Line>> | Iterable<Iterable<Line>>;
  text(offset: number, bytes: number): string;
  close(): void;
}

async function openSource(file: string): Promise<Source> {
  try {
    if (file === '-') {
      const all = await readStandardInput();
      return {
        bytes: all.length,
        lines: [splitLines(all)],
        text: (offset, bytes) => all.toString('utf8', offset, offset + bytes),
        close: () => undefined,
      };
    }
    const descriptor = openSync(file, 'r');
    /** One for all lines: a buffer for each would pile up outside the heap until it is collected. */
    let buffer = Buffer.alloc(64 * 1024);
    return {
      bytes: fstatSync(descriptor).size,
      lines: readLines(descriptor),
      text: (offset, bytes) => {
        if (bytes > buffer.length) buffer = Buffer.alloc(bytes);
        return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, bytes, offset));
      },
      close: () => closeSync(descriptor),
    };
  } catch (error) {
    throw inputError('unreadable-file', { file: file === '-' ? 'standard input' : file, reason: systemReason(error) });
  }
}

type Parsed =
  | { readonly reason: string; readonly observation?: undefined; readonly entry?: undefined }
  | { readonly observation: Observation; readonly reason?: undefined; readonly entry?: undefined }
  | { readonly entry: ReadEntry; readonly reason?: undefined; readonly observation?: undefined };

function parseEntry(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: 'it is not JSON' };
  }
  const kind = (value as { kind?: unknown } | null)?.kind;
  if (KINDS.has(kind)) return { entry: value as ReadEntry };
  if (kind !== undefined && kind !== 'observation') return { reason: 'its kind is not known' };
  const observation = readObservation(value);
  return 'reason' in observation ? { reason: observation.reason } : { observation };
}

/** IPv4, IPv6, then names; the order of everything that is written out. */
export function byAddress(a: string, b: string): number {
  return compareKeys(sortKey(a), sortKey(b));
}

/** The same order for many, each read once. */
export function sortedByAddress(hosts: Iterable<string>): string[] {
  return Array.from(hosts, sortKey)
    .toSorted(compareKeys)
    .map(({ host }) => host);
}

/** A host with its number, for sorting many. */
export interface SortKey {
  readonly host: string;
  readonly address: number | bigint | undefined;
}

export function sortKey(host: string): SortKey {
  return { host, address: parseAddress(host) };
}

export function compareKeys({ host: a, address: left }: SortKey, { host: b, address: right }: SortKey): number {
  if (left === undefined || right === undefined) return left === right ? (a < b ? -1 : a > b ? 1 : 0) : left === undefined ? 1 : -1;
  if (typeof left !== typeof right) return typeof left === 'number' ? -1 : 1;
  return left < right ? -1 : left > right ? 1 : 0;
}

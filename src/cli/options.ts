import { basename, dirname, extname, join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseWindow, type TimeWindow } from '../windows.ts';
import { parseShard, type Shard } from '../targets/shard.ts';

/** Parsers of option values: what does not fit is an error that says what would. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`give a whole number from ${min} to ${max}.`);
    return value;
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `30s`, `5m`, `500ms` as milliseconds; a bare number is seconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const ms = match === null ? 0 : Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000);
  if (ms <= 0) throw new InvalidArgumentError('give a time such as 30s, 500ms or 5m.');
  return ms;
}

/** `3/16`. */
export function shard(text: string): Shard {
  const read = parseShard(text);
  if (read === undefined) throw new InvalidArgumentError('give a part and of how many, such as 3/16.');
  return read;
}

/** `22:00-05:00`, by the clock of this machine, or with days and a time zone as in `Mon-Fri 22:00-05:00 Europe/Berlin`. */
export function timeWindow(text: string): TimeWindow {
  const read = parseWindow(text, Intl.DateTimeFormat().resolvedOptions().timeZone);
  if ('reason' in read) throw new InvalidArgumentError(`${read.reason}.`);
  return read;
}

/** An option that may be given more than once. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

export const FORMATS = ['table', 'json', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

/** How a sweep tells how far it is. */
export const PROGRESS_FORMS = ['line', 'json'] as const;
export type ProgressForm = (typeof PROGRESS_FORMS)[number];

/** Forms of findings and changes: those, and two for people. */
export const REPORT_FORMATS = [...FORMATS, 'csv', 'markdown'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

const EXTENSIONS: Readonly<Record<string, ReportFormat>> = {
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.csv': 'csv',
  '.md': 'markdown',
  '.markdown': 'markdown',
};

/** The form of a report: the one that was asked for, else by the name of its file, else a table. */
export function reportFormat(format: ReportFormat | undefined, file: string | undefined): ReportFormat {
  return format ?? EXTENSIONS[extname(file ?? '').toLowerCase()] ?? 'table';
}

/** The `--format` and `-o` of commands whose result is one text. */
export function withReportOptions(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'the form of the result (default: by the name of -o, else table)').choices(REPORT_FORMATS))
    .option('-o, --output <file>', 'write the result there instead of standard output');
}

/** The width of the terminal that results go to; undefined for a pipe or a file, where nothing is cut. */
export function terminalColumns(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined;
}

/** How this program was called, for hints that people copy. */
export function calledAs(): string {
  return process.env['npm_lifecycle_event'] === 'kvmsweep' ? 'npm run -s kvmsweep --' : 'kvmsweep';
}

/** The name of a file that goes with another. */
export function withExtension(file: string, extension: string): string {
  return join(dirname(file), `${basename(file, extname(file))}${extension}`);
}

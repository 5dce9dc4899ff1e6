import { styleText } from 'node:util';
import type { ScanProgress } from '../scan/scan.ts';
import { grouped } from '../text.ts';

/** The rate that the remaining time is computed from is that of so much time before, in milliseconds. */
const RATE_OVER_MS = 20_000;
/** The progress as JSON comes so often. */
const LOG_EVERY_MS = 1000;

/** How long a sweep still takes, from how it went of late. */
export class Forecast {
  /** How far it was, after so many milliseconds in which it went on: what is waited for at the end of a pass is told apart. */
  readonly #marks: { readonly done: number; readonly at: number }[] = [];
  #elapsedMs = 0;

  /** Milliseconds that are left; undefined while nothing can be said. */
  leftMs({ done, total, tailMs, elapsedMs }: Pick<ScanProgress, 'done' | 'total' | 'tailMs' | 'elapsedMs'>): number | undefined {
    const last = this.#marks.at(-1);
    const at = last === undefined ? 0 : last.at + elapsedMs - this.#elapsedMs;
    this.#elapsedMs = elapsedMs;
    if (last === undefined || done > last.done) this.#marks.push({ done, at });
    while (this.#marks.length > 2 && at - (this.#marks[1]?.at ?? at) >= RATE_OVER_MS) this.#marks.shift();
    const [first, now] = [this.#marks[0], this.#marks.at(-1)];
    if (first === undefined || now === undefined || now.at <= first.at) return undefined;
    return ((total - done) * (now.at - first.at)) / (now.done - first.done) + tailMs;
  }
}

/** A line on stderr that is rewritten while a sweep goes on. Nothing where stderr is no terminal. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #shown: boolean;
  readonly #forecast = new Forecast();

  constructor({ quiet = false, stream = process.stderr }: { quiet?: boolean; stream?: NodeJS.WriteStream } = {}) {
    this.#stream = stream;
    this.#shown = stream.isTTY && !quiet && process.env['TERM'] !== 'dumb';
  }

  show(progress: ScanProgress): void {
    if (!this.#shown) return;
    const columns = this.#stream.columns ?? 80;
    const line = this.text(progress);
    this.#stream.write(`\r${styleText('dim', line.slice(0, columns - 1), { stream: this.#stream })}\u001b[K`);
  }

  /** `42%  1,204 of 2,816 packets  1,996 packets/s  3 found  2 talking  1:05 left`. */
  text(progress: ScanProgress): string {
    const { done, total, packets, alive, found, talking, elapsedMs, waiting } = progress;
    const leftMs = this.#forecast.leftMs(progress);
    const rate = elapsedMs === 0 ? 0 : Math.round((packets / elapsedMs) * 1000);
    const left = done >= total ? (talking > 0 ? 'finishing' : 'done') : leftMs === undefined ? '' : `${clock(leftMs)} left`;
    return [
      `${percent(progress)}%`,
      `${grouped(Math.floor(done))} of ${grouped(Math.ceil(total))} packets`,
      `${grouped(rate)} packets/s`,
      `${grouped(alive)} alive`,
      `${grouped(found)} found`,
      talking > 0 ? `talking to ${talking}` : '',
      waiting === undefined ? left : `waiting ${waiting}`,
    ]
      .filter((part) => part !== '')
      .join('  ');
  }

  end(): void {
    if (this.#shown) this.#stream.write('\r\u001b[K');
  }
}

/** The same for programs: one object a line on stderr, once a second and at the end. */
export class ProgressLog {
  readonly #write: (line: string) => void;
  readonly #forecast = new Forecast();
  #last: { readonly line: string; readonly at: number } | undefined;
  #written: string | undefined;

  constructor(write: (line: string) => void = (line) => void process.stderr.write(line)) {
    this.#write = write;
  }

  show(progress: ScanProgress): void {
    const { packets, alive, found, talking, elapsedMs, waiting } = progress;
    const leftMs = this.#forecast.leftMs(progress);
    const line = `${JSON.stringify({
      kind: 'progress',
      percent: percent(progress),
      packets,
      alive,
      found,
      talking,
      elapsedMs: Math.round(elapsedMs),
      ...(leftMs === undefined ? {} : { leftMs: Math.round(leftMs) }),
      ...(waiting === undefined ? {} : { waiting }),
    })}\n`;
    const isDue = this.#last === undefined || elapsedMs - this.#last.at >= LOG_EVERY_MS;
    this.#last = { line, at: isDue ? elapsedMs : (this.#last?.at ?? elapsedMs) };
    if (isDue) this.#put(line);
  }

  end(): void {
    if (this.#last !== undefined && this.#last.line !== this.#written) this.#put(this.#last.line);
  }

  #put(line: string): void {
    this.#written = line;
    this.#write(line);
  }
}

function percent({ done, total }: ScanProgress): number {
  return total === 0 ? 100 : Math.min(100, Math.floor((done / total) * 100));
}

/** `1:05`, `2:03:09`. */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

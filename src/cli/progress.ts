import { styleText } from 'node:util';
import type { ScanProgress } from '../scan/scan.ts';

/** How much of the newest measurement goes into the rate that the remaining time is computed from. */
const SMOOTHING = 0.1;

/** A line on stderr that is rewritten while a sweep goes on. Nothing where stderr is no terminal. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #shown: boolean;
  #last: { done: number; at: number } | undefined;
  #perMs = 0;

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

  /** `42%  1,204 of 2,816  1,996 packets/s  3 found  2 talking  1:05 left`. */
  text({ done, total, packets, alive, found, talking, elapsedMs }: ScanProgress): string {
    if (this.#last !== undefined && elapsedMs > this.#last.at) {
      const now = (done - this.#last.done) / (elapsedMs - this.#last.at);
      this.#perMs = this.#perMs === 0 ? now : this.#perMs + (now - this.#perMs) * SMOOTHING;
    }
    this.#last = { done, at: elapsedMs };
    const share = total === 0 ? 100 : Math.floor((done / total) * 100);
    const rate = elapsedMs === 0 ? 0 : Math.round((packets / elapsedMs) * 1000);
    const left =
      done >= total ? (talking > 0 ? 'finishing' : 'done') : this.#perMs > 0 ? `${clock((total - done) / this.#perMs)} left` : '';
    return [
      `${share}%`,
      `${number(Math.floor(done))} of ${number(Math.ceil(total))} probes`,
      `${number(rate)} packets/s`,
      `${number(alive)} alive`,
      `${number(found)} found`,
      talking > 0 ? `talking to ${talking}` : '',
      left,
    ]
      .filter((part) => part !== '')
      .join('  ');
  }

  end(): void {
    if (this.#shown) this.#stream.write('\r\u001b[K');
  }
}

function number(value: number): string {
  return value.toLocaleString('en');
}

/** `1:05`, `2:03:09`. */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0'))).join(':');
}

import { type Problem, problem } from '../../errors.ts';
import { count } from '../../text.ts';
import { parseAddress } from '../addresses.ts';
import { unescaped } from './nmap.ts';
import { isoTime, portNumber, type ScanBanner, type ScannedHost, type ScannedPort } from './scanned.ts';

const MAX_PROBLEMS = 20;

/**
 * Reads what masscan writes a line for each finding: `-oJ` (an array, with a line for each element), `-oD` (lines of JSON) and `-oL` (words).
 * A file that breaks off is read as far as it is whole; a line that is none costs that line.
 *
 * Source: robertdavidgraham/masscan `src/out-json.c`, `src/out-ndjson.c`, `src/out-text.c`.
 */
export class MasscanReader {
  readonly problems: Problem[] = [];
  isWhole = false;
  readonly #file: string;
  readonly #form: 'json' | 'list';
  #isArray = false;
  #line = 0;
  #count = 0;

  constructor(file: string, form: 'json' | 'list') {
    this.#file = file;
    this.#form = form;
  }

  /** The hosts of a text that is one array; undefined where it is none: then its lines are taken. */
  whole(text: string): ScannedHost[] | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text.replace(/^\ufeff/, ''));
    } catch {
      return undefined;
    }
    if (!Array.isArray(value)) return undefined;
    return (value as unknown[]).flatMap((element, index) => {
      if (isEndMark(element)) return [];
      const host = hostOf(element);
      if (host === undefined)
        this.#report(`element ${index + 1} is no finding of masscan (ip, ports); it is left out, the rest is kept`, 1);
      return host ?? [];
    });
  }

  /** Takes one line. `isLast` where nothing ends it: it may be torn. */
  take(line: string, isLast: boolean): ScannedHost[] {
    this.#line += 1;
    const text = line.trim();
    if (text === '') return [];
    const host = this.#form === 'json' ? this.#fromJson(text, isLast) : this.#fromWords(text, isLast);
    if (host === undefined) return [];
    this.#count += 1;
    return [host];
  }

  end(): void {
    // Lines of JSON have no end of their own: their file is whole unless its last line was torn.
    if (this.#form === 'json' && !this.#isArray) this.isWhole ||= this.#count > 0 && this.problems.length === 0;
    if (this.isWhole || this.problems.length > 0) return;
    this.#report(
      `it breaks off: ${this.#form === 'list' ? '"# end"' : 'the closing ]'} is missing, so the scan was interrupted or still runs; ${this.#before}`,
      this.#line,
    );
  }

  get #before(): string {
    return `the ${count(this.#count, 'finding')} before that ${this.#count === 1 ? 'is' : 'are'} read`;
  }

  #fromJson(text: string, isLast: boolean): ScannedHost | undefined {
    if (text === '[' || text === ',') {
      this.#isArray ||= text === '[';
      return undefined;
    }
    if (text === ']') {
      this.isWhole = true;
      return undefined;
    }
    if (text.startsWith('[')) this.#isArray = true;
    // Elements stand one on a line, the comma before or behind them: `{ … },`.
    const element = text.replace(/^[[,]\s*/, '').replace(/\s*[,\]]$/, (sign) => {
      if (sign.endsWith(']')) this.isWhole = true;
      return '';
    });
    let value: unknown;
    try {
      value = JSON.parse(element);
    } catch {
      if (isLast) this.#reportCut();
      else this.#report('the line is not JSON; it is left out, the rest is kept', this.#line);
      return undefined;
    }
    if (isEndMark(value)) return undefined;
    const host = hostOf(value);
    if (host === undefined) this.#report('the line is no finding of masscan (ip, ports); it is left out, the rest is kept', this.#line);
    return host;
  }

  /** `open tcp 80 192.0.2.10 1795372993`, `banner tcp 80 192.0.2.10 1795372993 http HTTP/1.1\x20200…`. */
  #fromWords(text: string, isLast: boolean): ScannedHost | undefined {
    if (text.startsWith('#')) {
      if (text === '# end') this.isWhole = true;
      return undefined;
    }
    const [kind, transport, port, address = '', at, name, ...rest] = text.split(' ');
    const number = portNumber(port);
    if (
      (kind !== 'open' && kind !== 'banner') ||
      (transport !== 'tcp' && transport !== 'udp') ||
      number === undefined ||
      parseAddress(address) === undefined
    ) {
      if (isLast) this.#reportCut();
      else if (kind !== 'closed')
        this.#report('the line is none of masscan (open tcp 80 192.0.2.10 1795372993); it is left out, the rest is kept', this.#line);
      return undefined;
    }
    const time = isoTime(at);
    const banners: ScanBanner[] = kind === 'banner' && name !== undefined ? [{ name, text: unescaped(rest.join(' ')) }] : [];
    return { address, names: [], ports: [{ transport, port: number, scripts: [], banners }], ...(time === undefined ? {} : { at: time }) };
  }

  #reportCut(): void {
    this.#report(`it breaks off in the middle of a line: the scan was interrupted, or still runs; ${this.#before}`, this.#line);
  }

  #report(reason: string, line: number): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(problem('bad-scan', { reason }, { file: this.#file, line }));
  }
}

/** Some versions of masscan end their array with it: `{ "finished": 1 }`. */
function isEndMark(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'finished' in value;
}

/** An element of `-oJ`, or a line of `-oD`. Of a closed port there is nothing to tell. */
function hostOf(value: unknown): ScannedHost | undefined {
  const { ip, timestamp, ports, port, proto, data } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof ip !== 'string' || parseAddress(ip) === undefined) return undefined;
  const listed: unknown = Array.isArray(ports) ? ports : [{ port, proto, ...(typeof data === 'object' ? data : {}) }];
  const found = (listed as unknown[]).flatMap((entry): ScannedPort[] => {
    const one = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    const number = portNumber(typeof one['port'] === 'number' ? String(one['port']) : undefined);
    const transport = one['proto'];
    if (number === undefined || (transport !== 'tcp' && transport !== 'udp')) return [];
    const service = (one['service'] ?? { name: one['service_name'], banner: one['banner'] }) as { name?: unknown; banner?: unknown };
    const { name, banner } = service;
    const banners: ScanBanner[] = typeof name === 'string' && typeof banner === 'string' ? [{ name, text: banner }] : [];
    return one['status'] === 'open' || banners.length > 0 ? [{ transport, port: number, scripts: [], banners }] : [];
  });
  const time = isoTime(typeof timestamp === 'string' || typeof timestamp === 'number' ? String(timestamp) : undefined);
  return { address: ip, names: [], ports: found, ...(time === undefined ? {} : { at: time }) };
}

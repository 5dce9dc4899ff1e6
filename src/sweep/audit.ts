import { closeSync, openSync, writeSync } from 'node:fs';
import { inputError, systemReason } from '../errors.ts';

/** One thing that left the machine. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at?: number;
  readonly host: string;
  readonly transport: 'tcp' | 'udp';
  readonly port: number;
  /** `connect`, `canary` (a connection to see whether the path bears the sweep), or the name of the message in the list of what may be sent. */
  readonly what: string;
  /** The bytes above TCP and TLS, in full; without what is `withheld`. */
  readonly bytes?: Buffer;
  /** How many there are, where that is not plain from `bytes`. */
  readonly length?: number;
  /** What is left out of the bytes, because it is a credential or could be used to guess one. */
  readonly withheld?: string;
}

export interface Audit {
  record(entry: AuditEntry): void;
  close(): void;
}

export const NO_AUDIT: Audit = { record: () => undefined, close: () => undefined };

const LINES_AT_ONCE = 256;

/**
 * The audit record (`--audit FILE`): a line of JSON for each connection attempt and each message, with every byte that was sent, before it is sent;
 * of what carries a credential without the credential. Inside TLS the plain text is recorded. Lines go out in blocks; the file is complete when the sweep has ended.
 */
export class AuditFile implements Audit {
  readonly #file: string;
  readonly #descriptor: number;
  #lines: string[] = [];

  constructor(file: string) {
    this.#file = file;
    try {
      this.#descriptor = openSync(file, 'a', 0o600);
    } catch (error) {
      throw inputError('unwritable-file', { file, reason: systemReason(error) });
    }
  }

  record({ at = Date.now(), bytes, length = bytes?.length, ...rest }: AuditEntry): void {
    this.#lines.push(
      JSON.stringify({
        at: new Date(at).toISOString(),
        ...rest,
        ...(length === undefined ? {} : { bytes: length }),
        ...(bytes === undefined ? {} : { hex: bytes.toString('hex') }),
      }),
    );
    if (this.#lines.length >= LINES_AT_ONCE) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#descriptor);
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    try {
      writeSync(this.#descriptor, text);
    } catch (error) {
      throw inputError('unwritable-file', { file: this.#file, reason: systemReason(error) });
    }
  }
}

import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { inputError, systemReason } from '../errors.ts';
import { jsonText } from '../text.ts';

/** A line of the journal. What each kind holds is defined where it is made; a reader takes only the kinds it knows. */
export interface JournalEntry {
  readonly v: 1;
  readonly kind: 'run' | 'observation' | 'checkpoint' | 'end';
}

/**
 * The journal of a sweep: append-only, a line of JSON for each entry, written before the next packet leaves.
 * Where a line cannot be written whole (a full disk), the file is cut back to the last whole one, so that what is there stays valid.
 */
export class Journal {
  readonly file: string;
  readonly #descriptor: number;
  #bytes: number;

  private constructor(file: string, descriptor: number, bytes: number) {
    this.file = file;
    this.#descriptor = descriptor;
    this.#bytes = bytes;
  }

  /** A new file. @throws {InputError} where it exists already, or cannot be made */
  static create(file: string): Journal {
    return new Journal(file, openFile(file, 'wx'), 0);
  }

  /** An old file, cut to its first `bytes` bytes: behind them stands a line that was torn. */
  static continue(file: string, bytes: number): Journal {
    const descriptor = openFile(file, 'r+');
    ftruncateSync(descriptor, bytes);
    return new Journal(file, descriptor, bytes);
  }

  write(entry: JournalEntry): void {
    const line = Buffer.from(`${jsonText(entry)}\n`);
    try {
      for (let at = 0; at < line.length;) at += writeSync(this.#descriptor, line, at, line.length - at, this.#bytes + at);
      this.#bytes += line.length;
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#bytes);
      throw inputError('unwritable-file', {
        file: this.file,
        reason: `${systemReason(error)}; what was found until then is in it and stays valid`,
      });
    }
  }

  /** Makes sure that what was written outlives this machine's power. */
  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function openFile(file: string, flags: string): number {
  try {
    return openSync(file, flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw inputError('file-exists', { file });
    throw inputError('unwritable-file', { file, reason: systemReason(error) });
  }
}

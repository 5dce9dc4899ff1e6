import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { codeOf, inputError, systemReason } from '../errors.ts';
import { jsonText } from '../text.ts';
import { type Inventory, InventorySchema, SCHEMA_VERSION } from './schema.ts';

/** The text of an inventory file: deterministic, ends with a newline, a line for each value, so that git and jq can read it. */
export function inventoryText(inventory: Inventory): string {
  return `${jsonText(inventory, 2)}\n`;
}

/** How a journal begins. */
const JOURNAL = '{"v":1,"kind":"run"';

/**
 * Writes a file whole or not at all: a full disk leaves what was there before. Only its owner can read it, unless `mode` says otherwise. The journal of a
 * sweep is not overwritten: everything else can be made of it again, and nothing makes it. @throws {InputError}
 */
export function writeWhole(file: string, text: string, mode = 0o600): void {
  if (isJournal(file))
    throw inputError('unwritable-file', { file, reason: 'it is the journal of a sweep, which nothing makes again; name another file' });
  const part = `${file}.part`;
  try {
    const descriptor = openSync(part, 'w', mode);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw inputError('unwritable-file', { file, reason: codeOf(error) === 'ENOENT' ? 'there is no such folder' : systemReason(error) });
  }
}

/** A file that is not there, or cannot be read, is none: writing says what is wrong with it. */
function isJournal(file: string): boolean {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const head = Buffer.alloc(JOURNAL.length);
      return readSync(descriptor, head, 0, head.length, 0) === head.length && head.toString() === JOURNAL;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

/** Reads an inventory file. @throws {InputError} that says what is wrong with it */
export function readInventory(file: string): Inventory {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    throw inputError('unreadable-file', { file, reason: systemReason(error) });
  }
  if (text.trim() === '') throw inputError('bad-inventory', { file, reason: 'it is empty' });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const journal = text.startsWith('{"v":1,"kind":');
    throw inputError('bad-inventory', {
      file,
      reason: journal
        ? 'it is the journal of a sweep; `kvmsweep identify` makes an inventory of it'
        : `it is not JSON (${systemReason(error)})`,
    });
  }
  const schemaVersion = typeof value === 'object' && value !== null && 'schemaVersion' in value ? value.schemaVersion : undefined;
  if (typeof schemaVersion === 'number' && schemaVersion > SCHEMA_VERSION)
    throw inputError('bad-inventory', {
      file,
      reason: `its schemaVersion is ${schemaVersion} and this kvmsweep reads up to ${SCHEMA_VERSION}; use a newer one`,
    });
  const checked = InventorySchema.safeParse(value);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw inputError('bad-inventory', {
      file,
      reason: [issue?.path.join('.') ?? '', issue?.message ?? 'unknown form'].filter((part) => part !== '').join(': '),
    });
  }
  return checked.data;
}

/** The newest inventory beside a file that is about to be written, by the time it was written; undefined where there is none. */
export function newestBeside(file: string): string | undefined {
  const folder = dirname(resolve(file));
  let best: { file: string; at: number } | undefined;
  // The times of writing may be equal: then the name counts, which holds the time of the sweep.
  for (const name of namesIn(folder).toSorted()) {
    const path = join(folder, name);
    if (!/^kvmsweep-.*\.json$/.test(name) && path !== resolve(file)) continue;
    const at = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (at !== undefined && (best === undefined || at >= best.at)) best = { file: path, at };
  }
  return best?.file;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // writing there will say what is wrong with it
  }
}

import { inputError, InputError, type Problem } from '../errors.ts';
import { indexObservations, type ObservationIndex, type ReadEntry } from '../observations/read.ts';
import { type Inventory, InventorySchema } from './schema.ts';
import { snmpGiven } from './snmp-notes.ts';

/** What the journal's own lines tell of the sweep; each part is checked by the inventory's schema. */
export type SweepPart = Pick<Inventory, 'run' | 'asked' | 'ledger' | 'completeness'>;

/** A journal, or any file of observations, opened. Whoever opens it closes its index. */
export interface JournalPart {
  readonly file: string;
  readonly index: ObservationIndex;
  readonly sweep: SweepPart;
  /** Its run lines: the first, and those of resumes. */
  readonly runs: readonly ReadEntry[];
  /** When the last of it was written, where it says so. */
  readonly until: string | undefined;
}

/** @throws {InputError} where the file cannot be read or holds nothing to work with */
export async function openJournal(file: string): Promise<JournalPart> {
  const entries: ReadEntry[] = [];
  let saved: unknown;
  /** Of the checkpoints one a second has the account. */
  let checkpoint: ReadEntry | undefined;
  const index = await indexObservations(file, (entry) => {
    if (entry.kind === 'checkpoint') {
      saved = entry['at'];
      if (entry['ledger'] !== undefined) checkpoint = entry;
    } else entries.push(entry);
  });
  try {
    if (index.observations === 0 && entries.length === 0) throw nothingIn(file, index.problems);
    const runs = entries.filter(({ kind }) => kind === 'run');
    // An end line before the last (resumed) beginning is that of an interruption which was continued.
    const last = entries.at(-1);
    const end = last?.kind === 'end' ? last : undefined;
    const sweep = sweepPart(runs, end, checkpoint, file);
    return { file, index, sweep, runs, until: sweep.run?.endedAt ?? (typeof saved === 'string' ? saved : undefined) };
  } catch (error) {
    index.close();
    throw error;
  }
}

function nothingIn(file: string, problems: readonly Problem[]): InputError {
  if (problems.length > 0) return new InputError(problems);
  return inputError('empty-file', { file: file === '-' ? 'standard input' : file, what: 'observations' });
}

function sweepPart(runs: readonly ReadEntry[], end: ReadEntry | undefined, checkpoint: ReadEntry | undefined, file: string): SweepPart {
  const [run] = runs;
  if (run === undefined)
    return { completeness: { complete: true, limitations: [], notes: ['made of observations that do not say what was asked'] } };
  const resumedAt = runs.flatMap((entry) => (entry['resumed'] === true ? [String(entry['at'])] : []));
  const snmp = snmpGiven(runs);
  const ledger = (end ?? checkpoint)?.['ledger'];
  const checked = InventorySchema.pick({ run: true, asked: true, ledger: true, completeness: true }).safeParse({
    run: {
      ...(typeof run['run'] === 'object' ? run['run'] : {}),
      ...(end === undefined ? {} : { endedAt: end['at'] }),
      ...(resumedAt.length === 0 ? {} : { resumedAt }),
    },
    ...(run['asked'] === undefined ? {} : { asked: { ...(run['asked'] as object), ...(snmp === undefined ? {} : { snmp }) } }),
    // A sweep that was killed in its first second has none.
    ...(ledger === undefined ? {} : { ledger }),
    completeness: end?.['completeness'] ?? {
      complete: false,
      limitations: [{ what: 'interrupted', text: 'the journal has no end: the sweep was cut off; continue it with scan --resume' }],
      notes: [],
    },
  });
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw inputError('not-a-journal', {
      file: `the run line of ${file}`,
      reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    });
  }
  return checked.data;
}

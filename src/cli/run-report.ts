import { factVocabulary } from '../fingerprints/facts.ts';
import { readInventory, writeWhole } from '../inventory/file.ts';
import { reportPage } from '../outputs/report/index.ts';
import type { ApprovedOptions } from './approved-options.ts';
import { exitCode } from './exit.ts';
import { findingsOf, readAgainst, sayOfList } from './findings.ts';
import { refuseToReplace } from './output.ts';
import { withExtension } from './options.ts';

export interface ReportCommandOptions extends ApprovedOptions {
  readonly against?: string;
  readonly policy?: string;
  readonly expiringWithin?: number;
  readonly output?: string;
  readonly quiet?: boolean;
}

/** `kvmsweep report`. @returns the exit code @throws {InputError} */
export function runReport(file: string, { against, output, quiet = false, ...lists }: ReportCommandOptions): number {
  refuseToReplace(output, [file, against, ...(lists.approved ?? []), lists.policy]);
  const held = readAgainst(lists);
  const inventory = readInventory(file);
  if (held !== undefined) sayOfList(held, quiet);
  const page = reportPage({
    inventory,
    ...(against === undefined ? {} : { before: readInventory(against) }),
    ...(held === undefined ? {} : { findings: findingsOf(inventory, held, lists.expiringWithin) }),
    factMeanings: new Map([...factVocabulary().values()].map(({ name, means }) => [name, means])),
  });
  const where = output ?? withExtension(file, '.html');
  if (where === '-') process.stdout.write(page);
  else writeWhole(where, page);
  if (!quiet && where !== '-') process.stderr.write(`report: ${where}\n`);
  return exitCode({ incomplete: !inventory.completeness.complete });
}

import { inputError } from '../errors.ts';
import { readInventory } from '../inventory/file.ts';
import { exitCode } from './exit.ts';
import { findingsOf, findingsText, readAgainst, sayOfFindings, sayOfList, writeResult } from './findings.ts';
import { refuseToReplace } from './output.ts';
import { reportFormat, terminalColumns } from './options.ts';
import type { ReconcileCommandOptions } from './reconcile.ts';

/** `kvmsweep reconcile`. @returns the exit code @throws {InputError} */
export function runReconcile(file: string, options: ReconcileCommandOptions): number {
  const { output, quiet = false } = options;
  refuseToReplace(output, [file, ...(options.approved ?? []), options.policy]);
  const against = readAgainst(options);
  if (against === undefined) throw inputError('nothing-given', {});
  const inventory = readInventory(file);
  sayOfList(against, quiet);
  const findings = findingsOf(inventory, against, options.expiringWithin);
  writeResult(
    findingsText(findings, inventory, reportFormat(options.format, output), output === undefined ? terminalColumns() : undefined),
    output,
  );
  const failed = sayOfFindings(findings, against, options);
  if (!inventory.completeness.complete)
    for (const { text } of inventory.completeness.limitations) process.stderr.write(`incomplete: ${text}\n`);
  return exitCode({ findings: failed > 0, incomplete: !inventory.completeness.complete });
}

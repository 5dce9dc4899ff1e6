import { inputError } from '../errors.ts';
import { readInventory } from '../inventory/file.ts';
import type { ApprovedOptions } from './approved-options.ts';
import { exitCode } from './exit.ts';
import { findingsOf, findingsText, readAgainst, sayOfFindings, sayOfList, writeResult } from './findings.ts';
import { type ReportFormat, reportFormat, terminalColumns } from './options.ts';
import { refuseToReplace } from './output.ts';

export interface ReconcileCommandOptions extends ApprovedOptions {
  readonly policy?: string;
  readonly failOn?: string;
  readonly expiringWithin?: number;
  readonly format?: ReportFormat;
  readonly output?: string;
  readonly quiet?: boolean;
}

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

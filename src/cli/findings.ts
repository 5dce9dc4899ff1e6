import { problemText } from '../errors.ts';
import type { Inventory } from '../inventory/schema.ts';
import { findingTable, stateCounts } from '../outputs/findings.ts';
import { jsonDocument, jsonLines } from '../outputs/json.ts';
import { type ApprovedList, failing, type Finding, reconcile } from '../reconcile/index.ts';
import { count } from '../text.ts';
import { type Format, terminalColumns } from './options.ts';

/** Holds an inventory against an approved list and prints what comes of it. @returns how many findings --fail-on names */
export function reconcileAndPrint(
  inventory: Inventory,
  approved: ApprovedList,
  {
    format,
    failOn,
    expiringWithin,
    quiet = false,
  }: { format: Format; failOn?: string | undefined; expiringWithin?: number; quiet?: boolean | undefined },
): number {
  for (const one of approved.problems) process.stderr.write(`${problemText(one)}\n`);
  if (!quiet) for (const note of approved.notes) process.stderr.write(`note: ${note}\n`);
  const findings: readonly Finding[] = reconcile(inventory, approved, {
    now: new Date(inventory.run?.endedAt ?? Date.now()),
    ...(expiringWithin === undefined ? {} : { expiringWithinDays: expiringWithin }),
  });
  if (format === 'ndjson') process.stdout.write(jsonLines(findings));
  else if (format === 'json') process.stdout.write(jsonDocument(findings));
  else process.stdout.write(`\n${findings.length === 0 ? 'nothing to reconcile' : findingTable(findings, terminalColumns())}\n`);
  if (!quiet)
    process.stderr.write(
      `${count(approved.assets.length, 'approved asset')}${approved.problems.length > 0 ? ` (${count(approved.problems.length, 'row')} left out)` : ''}: ${stateCounts(findings)}\n`,
    );
  const failed = failOn === undefined ? [] : failing(findings, failOn);
  if (failed.length > 0) process.stderr.write(`--fail-on ${failOn}: ${count(failed.length, 'finding')}\n`);
  return failed.length;
}

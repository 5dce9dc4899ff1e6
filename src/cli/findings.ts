import { inputError, problemText } from '../errors.ts';
import { writeWhole } from '../inventory/file.ts';
import type { Inventory } from '../inventory/schema.ts';
import { findingsCsv } from '../outputs/findings-csv.ts';
import { findingsMarkdown } from '../outputs/findings-markdown.ts';
import { findingTable, stateCounts } from '../outputs/findings.ts';
import { jsonDocument, jsonLines } from '../outputs/json.ts';
import {
  accountFor,
  accountText,
  type ApprovedList,
  failing,
  type Finding,
  type NetworkPolicy,
  outOfPolicy,
  readApproved,
  readPolicy,
  reconcile,
} from '../reconcile/index.ts';
import { count } from '../text.ts';
import type { ApprovedOptions } from './approved-options.ts';
import type { ReportFormat } from './options.ts';

/** What an inventory is held against: one of them at least. */
export interface Against {
  readonly approved: ApprovedList | undefined;
  readonly policy: NetworkPolicy | undefined;
}

/**
 * Reads what the options name, before anything else is done: a mistake in it should not wait for the end of a sweep. Undefined where they name nothing.
 * @throws {InputError}
 */
export function readAgainst({
  approved,
  map = [],
  dateFormat,
  policy,
  failOn,
  expiringWithin,
}: ApprovedOptions & { readonly policy?: string; readonly failOn?: string; readonly expiringWithin?: number }): Against | undefined {
  if (failOn !== undefined) failing([], failOn); // a misspelt state
  const [ofList] = [
    ...map.map((text) => ['--map', text] as const),
    ...(dateFormat === undefined ? [] : [['--date-format', dateFormat] as const]),
    ...(expiringWithin === undefined ? [] : [['--expiring-within', String(expiringWithin)] as const]),
  ];
  if (approved === undefined && ofList !== undefined)
    throw inputError('bad-option', { option: ofList[0], text: ofList[1], reason: 'it is about the list that --approved gives' });
  if (approved === undefined && policy === undefined) {
    if (failOn !== undefined)
      throw inputError('bad-option', { option: '--fail-on', text: failOn, reason: 'there are findings only with --approved or --policy' });
    return undefined;
  }
  return {
    approved: approved === undefined ? undefined : readApproved(approved, { map, ...(dateFormat === undefined ? {} : { dateFormat }) }),
    policy: policy === undefined ? undefined : readPolicy(policy),
  };
}

/** What comes of holding an inventory against a list, a policy, or both: at the time of its sweep. */
export function findingsOf(inventory: Inventory, { approved, policy }: Against, expiringWithin?: number): Finding[] {
  if (approved === undefined) return policy === undefined ? [] : outOfPolicy(inventory, policy);
  return reconcile(inventory, approved, {
    now: new Date(inventory.run?.endedAt ?? Date.now()),
    policy,
    ...(expiringWithin === undefined ? {} : { expiringWithinDays: expiringWithin }),
  });
}

/** Findings in a form; the table is for a terminal of so many columns. */
export function findingsText(findings: readonly Finding[], inventory: Inventory, format: ReportFormat, columns?: number): string {
  switch (format) {
    case 'ndjson':
      return jsonLines(findings);
    case 'json':
      return jsonDocument(findings);
    case 'csv':
      return findingsCsv(findings, inventory);
    case 'markdown':
      return findingsMarkdown(findings, inventory);
    case 'table':
      return `${findings.length === 0 ? 'nothing to report' : findingTable(findings, columns)}\n`;
    default:
      return format satisfies never;
  }
}

/** To a file, or to standard output. @throws {InputError} */
export function writeResult(text: string, output: string | undefined, mode?: number): void {
  if (output === undefined || output === '-') process.stdout.write(text);
  else writeWhole(output, text, mode);
}

/** Says what was wrong with the list, and what to know of it. */
export function sayOfList({ approved }: Against, quiet: boolean): void {
  for (const one of approved?.problems ?? []) process.stderr.write(`${problemText(one)}\n`);
  if (!quiet) for (const note of approved?.notes ?? []) process.stderr.write(`note: ${note}\n`);
}

/** Says how many findings there are. @returns how many of them --fail-on names */
export function sayOfFindings(
  findings: readonly Finding[],
  { approved, policy }: Against,
  { failOn, quiet = false }: { readonly failOn?: string | undefined; readonly quiet?: boolean | undefined },
): number {
  if (!quiet && approved !== undefined) process.stderr.write(`${accountText(accountFor(approved, findings))}\n`);
  if (!quiet) process.stderr.write(`${againstText(approved, policy)}: ${findings.length === 0 ? 'nothing' : stateCounts(findings)}\n`);
  const failed = failOn === undefined ? [] : failing(findings, failOn);
  if (failed.length > 0) process.stderr.write(`--fail-on ${failOn}: ${count(failed.length, 'finding')}\n`);
  return failed.length;
}

function againstText(approved: ApprovedList | undefined, policy: NetworkPolicy | undefined): string {
  const parts: string[] = [];
  if (approved !== undefined)
    parts.push(
      `${count(approved.assets.length, 'approved asset')}${approved.problems.length > 0 ? ` (${count(approved.problems.length, 'row')} left out)` : ''}`,
    );
  if (policy !== undefined) parts.push(`a network policy for ${count(policy.byClass.size, 'class', 'classes')}`);
  return parts.join(' and ');
}

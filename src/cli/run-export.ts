import { inputError } from '../errors.ts';
import { readInventory } from '../inventory/file.ts';
import { TEXT_FORMATS } from '../outputs/formats/index.ts';
import { SUMMARIES } from '../outputs/formats/summaries.ts';
import type { ApprovedOptions } from './approved-options.ts';
import { exitCode } from './exit.ts';
import { findingsOf, readAgainst, sayOfList, writeResult } from './findings.ts';
import { refuseToReplace } from './output.ts';

/** What `export` was told. */
export interface ExportOptions extends ApprovedOptions {
  readonly to: string;
  readonly out?: string;
  readonly policy?: string;
  readonly expiringWithin?: number;
  readonly state?: string;
  readonly adminSubnets?: string;
  readonly full?: boolean;
  readonly quiet?: boolean;
}

/** Exports an inventory in the form that was asked for. */
export function runExport(file: string, options: ExportOptions): void {
  const format = TEXT_FORMATS.find(({ id }) => id === options.to);
  if (format === undefined)
    throw inputError('bad-option', {
      option: '--to',
      text: options.to,
      reason: `the forms are ${Object.keys(SUMMARIES).join(', ')}`,
    });
  for (const [option, value] of Object.entries({
    '--state': options.state,
    '--admin-subnets': options.adminSubnets,
    '--full': options.full,
  }))
    if (value !== undefined)
      throw inputError('bad-option', { option, text: `with --to ${options.to}`, reason: 'it is for --to sentinel only' });
  refuseToReplace(options.out, [file, ...(options.approved ?? []), options.policy]);
  const against = readAgainst(options);
  const inventory = readInventory(file);
  if (against !== undefined) sayOfList(against, options.quiet === true);
  const { text, notes } = format.text({
    inventory,
    ...(against === undefined ? {} : { findings: findingsOf(inventory, against, options.expiringWithin) }),
  });
  writeResult(text, options.out, format.isPublic === true ? 0o644 : undefined);
  if (options.quiet !== true) for (const note of notes) process.stderr.write(`note: ${note}\n`);
  process.exitCode = exitCode({ incomplete: !inventory.completeness.complete });
}

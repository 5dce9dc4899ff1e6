import { inputError, problemText } from '../errors.ts';
import { readInventory, writeWhole } from '../inventory/file.ts';
import { TEXT_FORMATS } from '../outputs/formats/index.ts';
import { readApproved, reconcile } from '../reconcile/index.ts';
import { exitCode } from './exit.ts';
import type { ExportOptions } from './export.ts';

/** Exports an inventory in the form that was asked for. */
export function runExport(file: string, options: ExportOptions): void {
  const format = TEXT_FORMATS.find(({ id }) => id === options.to);
  if (format === undefined)
    throw inputError('bad-option', {
      option: '--to',
      text: options.to,
      reason: `the forms are ${TEXT_FORMATS.map(({ id }) => id).join(', ')}`,
    });
  const inventory = readInventory(file);
  const list = options.approved === undefined ? undefined : readApproved(options.approved);
  for (const one of list?.problems ?? []) process.stderr.write(`${problemText(one)}\n`);
  const { text, notes } = format.text({
    inventory,
    ...(list === undefined
      ? {}
      : {
          findings: reconcile(inventory, list, {
            now: new Date(inventory.run?.endedAt ?? Date.now()),
            expiringWithinDays: options.expiringWithin,
          }),
        }),
  });
  if (options.out === undefined || options.out === '-') process.stdout.write(text);
  else writeWhole(options.out, text, format.isPublic === true ? 0o644 : undefined);
  if (options.quiet !== true) for (const note of [...(list?.notes ?? []), ...notes]) process.stderr.write(`note: ${note}\n`);
  process.exitCode = exitCode({ incomplete: !inventory.completeness.complete });
}

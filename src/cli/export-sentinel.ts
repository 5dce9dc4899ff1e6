import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inputError, problemText, systemReason } from '../errors.ts';
import { readInventory, writeWhole } from '../inventory/file.ts';
import { readAdminSubnets } from '../outputs/sentinel/admin-subnets.ts';
import { sentinelBundle } from '../outputs/sentinel/bundle.ts';
import { LIMITS } from '../outputs/sentinel/limits.ts';
import { readState, stateText } from '../outputs/sentinel/state.ts';
import { count } from '../text.ts';
import { exitCode } from './exit.ts';
import type { ExportOptions } from './run-export.ts';
import { findingsOf, readAgainst, sayOfList } from './findings.ts';
import { loadKnowledge } from './knowledge.ts';

/** Files that a bundle before may have left, and that would be taken for a part of this one. */
const BUNDLE_FILE =
  /^(?:Kvm(?:Devices|Scanners|AdminSubnets|UsbIds)(?:-\d+)?\.(?:csv|body\.json|arm\.json|list\.json|items\.ndjson|deleted\.ndjson|changed\.json)|KvmSweepDevices(?:-\d+)?\.records\.json)$/;

/** Writes the folder that Microsoft Sentinel takes. The state is written last: what fails before it is written again the next time. */
export function exportSentinel(file: string, options: ExportOptions): void {
  const { out: folder } = options;
  if (folder === undefined || folder === '-')
    throw inputError('bad-option', { option: '--to', text: 'sentinel', reason: 'it is a folder of files: name it with --out' });
  const inventory = readInventory(file);
  const stateFile = options.state ?? join(folder, 'state.json');
  const state = readState(stateFile);
  const against = readAgainst(options);
  const subnets = options.adminSubnets === undefined ? undefined : readAdminSubnets(options.adminSubnets);
  if (against !== undefined) sayOfList(against, options.quiet === true);
  for (const one of subnets?.problems ?? []) process.stderr.write(`${problemText(one)}\n`);
  const newest = inventory.devices
    .flatMap(({ lastSeen }) => lastSeen ?? [])
    .toSorted()
    .at(-1);
  const now = new Date(inventory.run?.endedAt ?? newest ?? Date.now());
  const bundle = sentinelBundle({
    inventory,
    now,
    ...(against === undefined
      ? {}
      : {
          against: {
            findings: (known) => findingsOf(known, against, options.expiringWithin),
            records: [...(against.approved?.assets ?? []), ...(against.approved?.rules ?? [])],
          },
        }),
    fingerprints: loadKnowledge().fingerprints,
    ...(subnets === undefined ? {} : { adminSubnets: subnets.rows }),
    state,
    full: options.full ?? false,
  });
  prepare(folder, new Set(bundle.files.map(({ name }) => name)));
  for (const { name, text } of bundle.files) writeWhole(join(folder, name), text);
  writeWhole(stateFile, stateText(bundle.state));
  if (options.quiet !== true) {
    for (const note of [...(subnets?.notes ?? []), ...bundle.notes]) process.stderr.write(`note: ${note}\n`);
    for (const { watchlist, items, changed, deleted } of bundle.lists)
      process.stderr.write(`${watchlist.alias}: ${count(items.length, 'row')}, ${changed.length} to write, ${deleted.length} to delete\n`);
    const changes = bundle.lists.reduce((sum, { changed, deleted }) => sum + changed.length + deleted.length, 0);
    process.stderr.write(
      `${changes.toLocaleString('en')} of ${LIMITS.changesAMonth.toLocaleString('en')} changes a month; what to do with them: ${join(folder, 'README.md')}\n`,
    );
  }
  process.exitCode = exitCode({ incomplete: !inventory.completeness.complete });
}

/** Makes the folder, and removes what an earlier bundle left in it that this one does not have. @throws {InputError} */
function prepare(folder: string, names: ReadonlySet<string>): void {
  try {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) if (BUNDLE_FILE.test(name) && !names.has(name)) rmSync(join(folder, name));
  } catch (error) {
    throw inputError('unwritable-file', { file: folder, reason: systemReason(error) });
  }
}

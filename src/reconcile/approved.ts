import { InputError, inputError, type Problem, problem } from '../errors.ts';
import { count } from '../text.ts';
import type { DeviceClass } from '../vocabulary.ts';
import { type ApprovedAsset, type ApprovedList, type SetAside, sourceText } from './asset.ts';
import { classOf, cleanCell, hostName, isBlank, isEnded, type Item, readDate, readHosts, readMacs, readSerial, readSpki, readUuids, readYesNo, shown } from './cells.ts';
import { readCsv } from './csv.ts';
import { readListText } from './decode.ts';
import { type Columns, isJoined, type Meaning, readHeadings } from './headings.ts';
import { readJson } from './json.ts';
import type { ListRow } from './table.ts';
import { type ApprovalWindow, parseWindow } from './windows.ts';

const MAX_LISTED = 20;

/**
 * Reads the list of approved assets: CSV with the headings of the usual inventory systems, or JSON. docs/reconcile.md describes both.
 * A record with something wrong in it is left out and reported, one problem for each, and the others are kept.
 * @throws {InputError} where the file cannot be read, has no column that names a device, or has no record that can be used; with all that was found
 */
export function readApproved(file: string): ApprovedList {
  const { text, note } = readListText(file);
  const { headings, rows } = /^\s*[[{]/.test(text) ? readJson(text, file) : readCsv(text, file);
  if (rows.length === 0) throw inputError('empty-file', { file, what: 'approved assets' });
  const columns = readHeadings(headings);
  if (!columns.identifying) throw inputError('no-identifier-column', { headings: headings.map((heading) => heading.trim()).join(', ') }, { file });
  const problems: Problem[] = [];
  const assets: ApprovedAsset[] = [];
  const setAside: SetAside[] = [];
  const unknownClasses = new Map<string, number>();
  for (const row of rows) {
    const { asset, wrong, notApproved, unknownClass } = readRow(row, columns);
    if (wrong.length > 0) {
      problems.push(problem('bad-approved', { reason: `${wrong.join('; ')}; the record is left out` }, row.place));
      setAside.push({ asset, why: 'it is left out because of what is wrong in it' });
      continue;
    }
    if (unknownClass !== undefined) unknownClasses.set(unknownClass, (unknownClasses.get(unknownClass) ?? 0) + 1);
    if (notApproved === undefined) assets.push(asset);
    else setAside.push({ asset, why: notApproved });
  }
  if (assets.length === 0) throw new InputError([...problems, problem('no-approved', {}, { file })]);
  const notes = [
    ...(note === undefined ? [] : [note]),
    ...columns.notes,
    ...notApprovedNote(setAside.filter(({ asset }) => !problems.some(({ place }) => isAt(place, asset)))),
    ...[...unknownClasses].map(([word, rows_]) => `${shown(word)} is none of our classes and is not compared (${count(rows_, 'record')})`),
    ...(problems.length === 0 ? [] : [`${count(problems.length, 'record')} of ${rows.length} left out because of what is wrong in them`]),
  ];
  return { assets, problems, notes: notes.map((one) => `${file}: ${one}`), setAside };
}

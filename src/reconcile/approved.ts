import { InputError, inputError, type Problem, problem } from '../errors.ts';
import { count, nearest } from '../text.ts';
import { type ApprovalRule, type ApprovedAsset, type ApprovedList, type AssetSource, type SetAside, sourceText } from './asset.ts';
import { type DateFormat, dateFormatOf, shown } from './cells.ts';
import { readCsv } from './csv.ts';
import { readListText } from './decode.ts';
import { foldHeading, meaningNamed, type Meaning, MEANING_NAMES, readHeadings } from './headings.ts';
import { type PageCount, readJson } from './json.ts';
import { isRules, notOfRules, notOfRulesText, readRule, readRulesFile } from './read-rules.ts';
import { readRow } from './rows.ts';
import { type NetboxEntry, netboxTable } from './systems/netbox.ts';
import type { ListRow, ListTable } from './table.ts';

const MAX_LISTED = 20;

/** What an operator has to say of lists that do not speak for themselves. */
export interface ApprovedReading {
  /** `mac=NIC 1`: what a heading means. */
  readonly map?: readonly string[];
  /** `DD/MM/YYYY` */
  readonly dateFormat?: string;
}

/**
 * Reads the list of approved assets from one file or several: CSV with the headings of the usual inventory systems, JSON as those answer it, and rules.
 * docs/approved-lists.md describes them all. A record with something wrong in it is left out and reported, in one problem for each, and the others are kept.
 * @throws {InputError} where a file cannot be read, has no column that names a device, or no record that can be used; with all that was found, of all files
 */
export function readApproved(files: string | readonly string[], { map = [], dateFormat }: ApprovedReading = {}): ApprovedList {
  const said = sayings(map, dateFormat);
  const problems: Problem[] = [];
  const tables: FileTable[] = [];
  const netbox: { file: string; entries: readonly NetboxEntry[] }[] = [];
  const pages: (PageCount & { file: string })[] = [];
  const decoded: string[] = [];
  for (const file of [files].flat())
    try {
      const { text, note } = readListText(file);
      if (note !== undefined) decoded.push(`${file}: ${note}`);
      if (text.trim() === '') throw inputError('empty-file', { file, what: 'approved assets' });
      if (isRules(text)) tables.push({ file, table: readRulesFile(text, file), forRules: true });
      else if (/^\s*[[{]/.test(text)) {
        const list = readJson(text, file);
        pages.push(...list.pages.map((page) => ({ ...page, file })));
        if ('table' in list) tables.push({ file, table: list.table });
        else netbox.push({ file, entries: list.netbox });
      } else tables.push({ file, table: readCsv(text, file, (heading) => said.mapped.has(foldHeading(heading))) });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(...error.problems);
    }
  const [first] = netbox;
  if (first !== undefined)
    tables.push({ file: netbox.map(({ file }) => file).join(', '), table: netboxTable(netbox.flatMap(({ entries }) => entries)) });
  const lists = tables.map((table): ApprovedList | undefined => {
    try {
      return readTable(table, said);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  });
  problems.push(...unusedMap(said, tables));
  if (problems.length > 0) throw new InputError(problems);
  const whole = lists.filter((list) => list !== undefined);
  return {
    rows: whole.reduce((sum, { rows }) => sum + rows, 0),
    assets: whole.flatMap(({ assets }) => assets),
    rules: whole.flatMap(({ rules }) => rules),
    problems: whole.flatMap((list) => list.problems),
    notes: [...decoded, ...pageNotes(pages), ...whole.flatMap(({ notes }) => notes)],
    setAside: whole.flatMap(({ setAside }) => setAside),
  };
}

interface FileTable {
  readonly file: string;
  readonly table: ListTable;
  readonly forRules?: boolean;
}

interface Sayings {
  readonly mapped: ReadonlyMap<string, Meaning>;
  readonly headings: readonly { readonly text: string; readonly heading: string }[];
  readonly dateFormat: DateFormat | undefined;
}

/** What the operator says, understood. @throws {InputError} */
function sayings(map: readonly string[], dateFormat: string | undefined): Sayings {
  const problems: Problem[] = [];
  const mapped = new Map<string, Meaning>();
  const headings: { text: string; heading: string }[] = [];
  for (const text of map) {
    const at = text.indexOf('=');
    const [word, heading] = at < 0 ? ['', ''] : [text.slice(0, at), text.slice(at + 1).trim()];
    const meaning = meaningNamed(word);
    if (at < 0 || heading === '' || foldHeading(heading) === '')
      problems.push(problem('bad-option', { option: '--map', text, reason: 'write it as MEANING=HEADING: --map mac="NIC 1"' }));
    else if (meaning === undefined) {
      const near = nearest(word.trim(), MEANING_NAMES);
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      problems.push(
        problem('bad-option', { option: '--map', text, reason: `${shown(word)} is no meaning${hint} (${MEANING_NAMES.join(', ')})` }),
      );
    } else {
      mapped.set(foldHeading(heading), meaning);
      headings.push({ text, heading });
    }
  }
  const format = dateFormat === undefined ? undefined : dateFormatOf(dateFormat);
  if (dateFormat !== undefined && format === undefined)
    problems.push(
      problem('bad-option', {
        option: '--date-format',
        text: dateFormat,
        reason: 'write it with DD, MM and YYYY: DD/MM/YYYY, MM/DD/YYYY, DD.MM.YYYY; a year of two digits is not read',
      }),
    );
  if (problems.length > 0) throw new InputError(problems);
  return { mapped, headings, dateFormat: format };
}

/** A heading that no list has is a misspelt one. */
function unusedMap({ headings }: Sayings, tables: readonly FileTable[]): Problem[] {
  if (tables.length === 0) return [];
  const all = tables.flatMap(({ table }) => table.headings);
  const known = new Set(all.map(foldHeading));
  return headings
    .filter(({ heading }) => !known.has(foldHeading(heading)))
    .map(({ text, heading }) =>
      problem('bad-option', {
        option: '--map',
        text,
        reason: `no list has a heading ${shown(heading)}; they are ${[...new Set(all.filter((one) => one.trim() !== ''))].map((one) => shown(one.trim())).join(', ')}`,
      }),
    );
}

/** One page of several, where the others are not among the files. */
function pageNotes(pages: readonly (PageCount & { readonly file: string })[]): string[] {
  return [...Map.groupBy(pages, ({ list, total }) => `${list} ${total}`).values()].flatMap((group) => {
    const here = group.reduce((sum, page) => sum + page.here, 0);
    const [{ total, file } = { total: 0, file: '' }] = group;
    if (here >= total) return [];
    return [
      `${group.length === 1 ? file : `${file} and ${group.length - 1} more`}: ${count(here, 'record')} of ${total.toLocaleString('en')}; fetch the other pages too, and give each file with --approved`,
    ];
  });
}

/** @throws {InputError} where nothing in it can be used */
function readTable({ file, table, forRules }: FileTable, { mapped, dateFormat }: Sayings): ApprovedList {
  const { headings, rows, own, notes = [] } = table;
  if (headings.length === 0 && rows.length === 0) throw inputError('no-approved', {}, { file });
  const ruled = { mapped, ...(own === undefined ? {} : { own }), forRules: true };
  let columns = readHeadings(headings, { ...ruled, forRules: false });
  const asRules = forRules === true || (!columns.identifying && readHeadings(headings, ruled).of.has('network'));
  if (asRules) {
    const others = notOfRules(headings, own);
    if (others.length > 0) throw inputError('bad-approved', { reason: notOfRulesText(others) }, { file });
    columns = readHeadings(headings, ruled);
  } else if (!columns.identifying)
    throw inputError('no-identifier-column', { headings: headings.map((heading) => shown(heading.trim())).join(', ') }, { file });
  const read = asRules
    ? { ...readRules(rows, (row) => readRule(row, columns, dateFormat)), rows: 0 }
    : { ...readAssets(rows, (row) => readRow(row, columns, dateFormat)), rows: rows.length };
  if (read.assets.length + read.rules.length === 0) {
    const none = asRules
      ? problem('bad-approved', { reason: 'it holds no rule that approves anything' }, { file })
      : problem('no-approved', {}, { file });
    throw new InputError([...read.problems, none]);
  }
  return { ...read, notes: [...notes, ...columns.notes, ...read.notes].map((note) => `${file}: ${note}`) };
}

type Part = Omit<ApprovedList, 'rows'>;

function readAssets(rows: readonly ListRow[], read: (row: ListRow) => ReturnType<typeof readRow>): Part {
  const problems: Problem[] = [];
  const assets: ApprovedAsset[] = [];
  const leftOut: SetAside[] = [];
  const notApproved: SetAside[] = [];
  const unknownClasses = new Map<string, number>();
  for (const row of rows) {
    const { asset, wrong, why, unknownClass } = read(row);
    if (why !== undefined) notApproved.push({ asset, why });
    else if (wrong.length > 0) {
      problems.push(leftOutProblem(row, wrong));
      leftOut.push({ asset, why: 'it is left out because of what is wrong in it', leftOut: true });
    } else {
      assets.push(asset);
      if (unknownClass !== undefined) unknownClasses.set(unknownClass, (unknownClasses.get(unknownClass) ?? 0) + 1);
    }
  }
  const notes = [
    ...notApprovedNote(notApproved.map(({ asset }) => asset.source)),
    ...[...unknownClasses].map(
      ([word, records]) => `the class ${shown(word)} is none of ours and is not compared (${count(records, 'record')})`,
    ),
    ...(leftOut.length === 0 ? [] : [`${count(leftOut.length, 'record')} of ${rows.length} left out because of what is wrong in them`]),
  ];
  return { assets, rules: [], problems, notes, setAside: [...leftOut, ...notApproved] };
}

function readRules(rows: readonly ListRow[], read: (row: ListRow) => ReturnType<typeof readRule>): Part {
  const problems: Problem[] = [];
  const rules: ApprovalRule[] = [];
  const notApproved: AssetSource[] = [];
  for (const row of rows) {
    const { rule, wrong, why } = read(row);
    if (why !== undefined) notApproved.push(rule.source);
    else if (wrong.length > 0) problems.push(leftOutProblem(row, wrong));
    else rules.push(rule);
  }
  return { assets: [], rules, problems, notes: notApprovedNote(notApproved), setAside: [] };
}

function leftOutProblem({ place }: ListRow, wrong: readonly string[]): Problem {
  return problem('bad-approved', { reason: `${wrong.join('; ')} (the record is left out)` }, place);
}

function notApprovedNote(sources: readonly AssetSource[]): string[] {
  if (sources.length === 0) return [];
  const isOneFile = sources.every(({ file }) => file === sources[0]?.file);
  const places = sources
    .slice(0, MAX_LISTED)
    .map((source) => (isOneFile ? (source.line ?? `${source.list ?? ''}[${source.index}]`) : sourceText(source)));
  const more = sources.length > MAX_LISTED ? ' …' : '';
  return [
    `${count(sources.length, 'record approves', 'records approve')} nothing, by their status or because they say so: ${places.join(', ')}${more}`,
  ];
}

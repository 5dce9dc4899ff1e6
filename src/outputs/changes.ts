import { placesOf } from '../devices/device.ts';
import { type Change, CHANGES, type Difference, hasChanged } from '../inventory/changes.ts';
import type { Inventory } from '../inventory/schema.ts';
import { count } from '../text.ts';
import { BETWEEN, type CsvColumn, peopleCsv } from './csv.ts';
import { codeCell, markdownTable, sentence } from './markdown.ts';
import { type Column, table } from './table.ts';

const STYLE = { appeared: 'green', gone: 'red', moved: 'yellow', changed: 'yellow', 'not-asked': 'dim' } as const;

const COLUMNS: readonly Column<Change>[] = [
  { title: 'CHANGE', of: ({ change }) => change, style: ({ change }) => STYLE[change] },
  { title: 'DEVICE', of: ({ name }) => name, style: () => 'bold', max: 40 },
  { title: 'ADDRESS', of: (change) => placesOf(change).join(' '), max: 40 },
  { title: 'WHAT', of: ({ details }) => details.join('; '), wraps: true },
];

export function changeTable(changes: readonly Change[], columns: number | undefined): string {
  return table(changes, COLUMNS, { columns });
}

/** `appeared 2, changed 1`, in the order of the changes. */
export function changeCounts(changes: readonly Change[]): string {
  const counts = Map.groupBy(changes, ({ change }) => change);
  return CHANGES.flatMap((change) => (counts.has(change) ? [`${change} ${counts.get(change)?.length}`] : [])).join(', ');
}

/** Names and order stay: people build on them. */
const CSV_COLUMNS: readonly CsvColumn<Change>[] = [
  { title: 'change', of: ({ change }) => change },
  { title: 'first seen', of: ({ firstSeen }) => firstSeen },
  { title: 'addresses', of: (change) => placesOf(change).join(BETWEEN) },
  { title: 'name', of: ({ name }) => name },
  { title: 'class', of: (change) => change.class },
  { title: 'what', of: ({ changes }) => [...new Set(changes.map(({ what }) => what))].join(BETWEEN) },
  { title: 'from', of: ({ changes }) => sideText(changes, 'from') },
  { title: 'to', of: ({ changes }) => sideText(changes, 'to') },
  { title: 'details', of: ({ details }) => details.join(BETWEEN) },
  { title: 'device key', of: ({ deviceKey }) => deviceKey },
];

function sideText(changes: readonly Difference[], side: 'from' | 'to'): string {
  return changes.flatMap((one) => (one[side] === undefined ? [] : [`${one.what} ${one[side]}`])).join(BETWEEN);
}

/** Changes as CSV for people, one device a row. */
export function changesCsv(changes: readonly Change[]): string {
  return peopleCsv(changes, CSV_COLUMNS);
}

/** A ticket of GitHub takes 65,536 characters, one of Jira 32,767. */
const MAX_ROWS = 100;
const MAX_DETAILS = 200;

/** Changes as the text of a ticket: how many, between which sweeps, and each in a row. */
export function changesMarkdown(changes: readonly Change[], before: Inventory, after: Inventory): string {
  const told = changes.filter(hasChanged);
  const rows = changes
    .slice(0, MAX_ROWS)
    .map((row) => [
      row.change,
      codeCell(row.name),
      placesOf(row).slice(0, 4).map(codeCell).join(' '),
      sentence(row.details.join('; ').slice(0, MAX_DETAILS)),
    ]);
  return `${[
    `# ${told.length === 0 ? 'kvmsweep: nothing changed' : `kvmsweep: ${count(told.length, 'device')} changed`}`,
    `Between the sweep ${whenText(before)} (${count(before.devices.length, 'device')}) and the one ${whenText(after)} (${count(after.devices.length, 'device')}): ${changes.length === 0 ? 'nothing' : changeCounts(changes)}.`,
    ...(after.completeness.complete
      ? []
      : [
          `**The newer sweep is not complete**, so that a device is not in it says nothing: ${after.completeness.limitations.map(({ text }) => sentence(text.split('\n', 1)[0] ?? '')).join('; ')}`,
        ]),
    ...(rows.length === 0 ? [] : [markdownTable(['Change', 'Device', 'Address', 'What'], rows)]),
    ...(changes.length > MAX_ROWS ? [`and ${changes.length - MAX_ROWS} more: \`--format csv\` has them all.`] : []),
  ].join('\n\n')}\n`;
}

function whenText({ run }: Inventory): string {
  return run === undefined ? 'of unknown date' : `of ${run.endedAt ?? run.startedAt}`;
}

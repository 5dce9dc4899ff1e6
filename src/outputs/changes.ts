import type { Change } from '../inventory/changes.ts';
import { placesOf } from '../devices/device.ts';
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

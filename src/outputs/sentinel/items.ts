import type { Row, Watchlist } from './columns.ts';
import { itemId } from './ids.ts';
import type { Item } from './state.ts';

/** What has to be done to the items of one watchlist, and what it holds then. */
export interface ListChanges {
  readonly items: readonly Item[];
  /** New ones and those of which a cell changed. */
  readonly changed: readonly Item[];
  readonly deleted: readonly Item[];
}

/**
 * Holds the rows of a list against the items that were told before.
 * @param keeps items that no row stands for any more, and that stay nevertheless
 * @param full every item is written again, as if none had been told
 */
export function changesOf(
  watchlist: Watchlist,
  rows: readonly Row[],
  before: readonly Item[],
  { keeps, full }: { readonly keeps: (item: Item) => boolean; readonly full: boolean },
): ListChanges {
  const told = new Map(before.map((item) => [item.id, item]));
  const now = new Map(rows.map((row) => [itemId(watchlist, row), inOrder(watchlist, row)]));
  const deleted = before.filter((item) => !now.has(item.id) && !keeps(item));
  for (const item of before) if (!now.has(item.id) && keeps(item)) now.set(item.id, inOrder(watchlist, item.row));
  const items = [...now].map(([id, row]) => ({ id, row })).toSorted(byKey(watchlist));
  const changed = items.filter(({ id, row }) => {
    const old = told.get(id)?.row;
    return full || old === undefined || watchlist.columns.some(({ name }) => row[name] !== old[name]);
  });
  return { items, changed, deleted };
}

/** The cells that the list has, in its order, none of them missing. */
function inOrder({ columns }: Watchlist, row: Row): Record<string, string> {
  return Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? '']));
}

function byKey({ key }: Watchlist): (a: Item, b: Item) => number {
  const collator = new Intl.Collator('en', { numeric: true });
  return (a, b) => collator.compare(a.row[key] ?? '', b.row[key] ?? '') || (a.id < b.id ? -1 : 1);
}

import { v5 } from 'uuid';
import type { Row, Watchlist } from './columns.ts';

/** Ours and fixed: another one would make every item a new one. */
const NAMESPACE = '0b0f7f3e-6d0c-5c39-9c9e-4a1f6f0e6b57';

/**
 * The id of an item, the same from bundle to bundle, so that writing it again replaces it (UUID version 5, RFC 9562 section 5.5): of the list, the
 * device where a row is that of one, and the key of the row.
 */
export function itemId({ alias, key }: Pick<Watchlist, 'alias' | 'key'>, row: Row): string {
  return v5(JSON.stringify([alias, row['DeviceKey'] ?? '', row[key] ?? '']), NAMESPACE);
}

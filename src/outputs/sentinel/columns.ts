import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { bundled, dataPath } from '../../data.ts';

const TYPES = ['string', 'int', 'boolean', 'date', 'datetime', 'list', 'dynamic'] as const;
const Text = z.string().min(1);
const ColumnSchema = z.strictObject({ name: z.string().regex(/^[A-Z][A-Za-z0-9]*$/), type: z.enum(TYPES), holds: Text });

const WATCHLISTS = ['KvmDevices', 'KvmScanners', 'KvmAdminSubnets', 'KvmUsbIds'] as const;
export type WatchlistAlias = (typeof WATCHLISTS)[number];

const ContractSchema = z.strictObject({
  watchlists: z.array(
    z.strictObject({ alias: z.enum(WATCHLISTS), displayName: Text, description: Text, key: Text, columns: z.array(ColumnSchema).min(1) }),
  ),
  tables: z.tuple([
    z.strictObject({ name: Text, stream: Text, outputStream: Text, description: Text, columns: z.array(ColumnSchema).min(1) }),
  ]),
});

/** What the rules in `data/sentinel/` read: the watchlists and the table, column by column (`data/sentinel/columns.yaml`). */
export type SentinelContract = z.infer<typeof ContractSchema>;
export type Watchlist = SentinelContract['watchlists'][number];
export type SentinelTable = SentinelContract['tables'][number];
export type Column = z.infer<typeof ColumnSchema>;

/** One row of a watchlist, by column. Every cell is text, and empty where the value is not known. */
export type Row = Readonly<Record<string, string>>;

let loaded: SentinelContract | undefined;

export function sentinelContract(): SentinelContract {
  loaded ??= bundled('sentinel', readSentinelContract);
  return loaded;
}

/** The contract from its source. The build bundles it. */
export function readSentinelContract(): SentinelContract {
  return ContractSchema.parse(parse(readFileSync(dataPath('sentinel/columns.yaml'), 'utf8')));
}

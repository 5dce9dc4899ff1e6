import { jsonLines } from '../json.ts';
import type { TextFormat } from './format.ts';
import { SUMMARIES } from './summaries.ts';

/** Devices as they stand in the inventory, one a line. */
export const ndjson: TextFormat = {
  id: 'ndjson',
  summary: SUMMARIES.ndjson,
  text: ({ inventory }) => ({ text: jsonLines(inventory.devices), notes: [] }),
};

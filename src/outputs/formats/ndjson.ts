import { jsonLines } from '../json.ts';
import type { TextFormat } from './format.ts';

/** Devices as they stand in the inventory, one a line. */
export const ndjson: TextFormat = {
  id: 'ndjson',
  summary: 'devices as they stand in the inventory, one a line',
  text: ({ inventory }) => ({ text: jsonLines(inventory.devices), notes: [] }),
};

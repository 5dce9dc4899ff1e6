import { stringify } from 'csv-stringify/sync';
import type { Device } from '../../devices/device.ts';
import type { Finding } from '../../reconcile/index.ts';
import { printable, shortened } from '../../text.ts';
import { attachedText, findingsByDevice, macsOf, recordsLeftOut } from './devices.ts';
import type { TextFormat } from './format.ts';
import { SUMMARIES } from './summaries.ts';

/** Characters of a cell. Excel holds 32,767; longer text of a device is no use in a table. */
const MAX_CELL = 1000;

interface Row {
  readonly device: Device;
  readonly finding: Finding | undefined;
}

type Column = readonly [heading: string, of: (row: Row) => string | number | undefined];

const COLUMNS: readonly Column[] = [
  ['Addresses', ({ device }) => device.addresses.join(';')],
  ['Attached to', ({ device }) => attachedText(device)],
  ['Class', ({ device }) => device.class],
  ['Vendor', ({ device }) => device.vendor],
  ['Product', ({ device }) => device.product],
  ['Generation', ({ device }) => device.generation],
  ['Model', ({ device }) => device.model],
  ['Version', ({ device }) => device.version],
  ['Serial number', ({ device }) => device.serial],
  ['Host name', ({ device }) => device.hostname],
  ['MAC addresses', ({ device }) => macsOf(device).join(';')],
  ['Endpoints', ({ device }) => device.endpoints.map(({ port, transport, probe }) => `${port}/${transport}=${probe}`).join(';')],
  ['Certainty', ({ device }) => device.certainty],
  ['Level', ({ device }) => device.level],
  ['Posture', ({ device }) => device.posture.join(';')],
  ['First seen', ({ device }) => device.firstSeen],
  ['Last seen', ({ device }) => device.lastSeen],
  ['Device key', ({ device }) => device.deviceKey],
];

const FINDING_COLUMNS: readonly Column[] = [
  ['State', ({ finding }) => finding?.state],
  ['Severity', ({ finding }) => finding?.severity],
  ['Asset', ({ finding }) => finding?.asset?.id ?? finding?.asset?.name],
  ['Owner', ({ finding }) => finding?.asset?.owner],
  ['Why', ({ finding }) => finding?.explanation],
];

/**
 * A table for people: a row for each device. It begins with a byte order mark, without which Excel reads UTF-8 as the code page of its country, and no
 * cell of it is a formula.
 */
export const csv: TextFormat = {
  id: 'csv',
  summary: SUMMARIES.csv,
  text: ({ inventory, findings }) => {
    const columns = findings === undefined ? COLUMNS : [...COLUMNS, ...FINDING_COLUMNS];
    const byDevice = findingsByDevice(findings);
    let cut = 0;
    const cellOf = (value: string | number | undefined): string | number => {
      if (typeof value !== 'string') return value ?? '';
      if (value.length > MAX_CELL) cut += 1;
      return shortened(printable(value), MAX_CELL);
    };
    const rows = inventory.devices.map((device) =>
      columns.map(([, of]) => cellOf(of({ device, finding: byDevice.get(device.deviceKey) }))),
    );
    return {
      text: stringify([columns.map(([heading]) => heading), ...rows], { bom: true, record_delimiter: 'windows', escape_formulas: true }),
      notes: [...(cut === 0 ? [] : [`${cut} cells cut to ${MAX_CELL} characters`]), ...recordsLeftOut(findings)],
    };
  },
};

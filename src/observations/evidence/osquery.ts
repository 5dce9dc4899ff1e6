import { type Attached, type Content, type EvidenceFormat, hexId, isObject, known, textOf } from './content.ts';
import type { EvidenceRecord } from './record.ts';
import { displayOf } from './edid.ts';

/** osquery's tables usb_devices and (macOS only) connected_displays: a list (osqueryi --json), or a log of snapshots, differences or batches (osquery documentation, Logging). */
export const osquery: EvidenceFormat = {
  name: 'osquery usb_devices, connected_displays',
  fits: (content) => rowsOf(content).length > 0 || (content.kind === 'records' && content.records.some(({ fields }) => isLog(fields))),
  read: (content) =>
    rowsOf(content).flatMap(({ row, computer, at, gone }) =>
      attachedIn(row).map((one): Attached => ({ ...one, computer, at, ...(gone ? { gone } : {}) })),
    ),
};

function attachedIn(row: Row['row']): Attached[] {
  // osquery asks system_profiler for displays, and gives its numbers as they stand.
  if (!('model_id' in row))
    return displayOf(textOf(row, 'vendor_id'), textOf(row, 'product_id'), textOf(row, 'name'), textOf(row, 'serial_number'));
  const vid = hexId(textOf(row, 'vendor_id'));
  const pid = hexId(textOf(row, 'model_id'));
  if (vid === undefined || pid === undefined) return [];
  return [
    {
      part: `usb ${textOf(row, 'usb_address') ?? '?'}-${textOf(row, 'usb_port') ?? '?'} ${vid}:${pid}`,
      probe: 'usb',
      facts: known({
        'usb.vid': vid,
        'usb.pid': pid,
        'usb.manufacturer': textOf(row, 'vendor'),
        'usb.product': textOf(row, 'model'),
        'usb.serial': textOf(row, 'serial'),
      }),
    },
  ];
}

interface Row {
  readonly row: Readonly<Record<string, unknown>>;
  readonly computer: string | undefined;
  readonly at: string | undefined;
  readonly gone: boolean;
}

function rowsOf(content: Content): Row[] {
  return content.kind === 'records' ? content.records.flatMap(inRecord) : [];
}

function isLog(fields: EvidenceRecord['fields']): boolean {
  return 'hostIdentifier' in fields && ('snapshot' in fields || 'columns' in fields || 'diffResults' in fields);
}

function inRecord({ fields }: EvidenceRecord): Row[] {
  const seconds = Number(fields['unixTime']);
  const hints = isObject(fields['decorations']) ? fields['decorations'] : {};
  const common = {
    // hostIdentifier may be a UUID.
    computer:
      textOf(hints, 'hostname') ?? textOf(fields, 'host_hostname', 'hostname', 'hostIdentifier') ?? textOf(hints, 'host_identifier'),
    at: Number.isFinite(seconds) && seconds > 0 && seconds < 1e11 ? new Date(seconds * 1000).toISOString() : undefined,
  };
  const rows = (value: unknown, gone: boolean): Row[] => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.flatMap((row) =>
      isObject(row) && 'vendor_id' in row && ('model_id' in row || 'product_id' in row) ? [{ row, ...common, gone }] : [],
    );
  };
  const changes = isObject(fields['diffResults']) ? fields['diffResults'] : {};
  return [
    ...rows(fields, false),
    ...rows(fields['snapshot'], false),
    ...rows(fields['columns'], fields['action'] === 'removed'),
    ...rows(changes['added'], false),
    ...rows(changes['removed'], true),
  ];
}

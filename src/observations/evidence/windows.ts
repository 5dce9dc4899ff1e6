import type { Attached } from './content.ts';
import type { EvidenceRecord } from './record.ts';
import { cleanText, known } from './content.ts';

/** A Plug and Play device, as any of the Windows exports tells it. */
export interface PnpRow {
  readonly computer?: string | undefined;
  /** `USB\VID_1D6B&PID_0104\CAFEBABE`, `DISPLAY\LNX7773\5&1A2B3C4D&0&UID4352`. */
  readonly instance: string;
  readonly name?: string | undefined;
  readonly maker?: string | undefined;
  readonly kind?: string | undefined;
  readonly at?: string | undefined;
  readonly gone?: boolean;
}

const USB = /^(USB|HID)\\VID_([0-9A-F]{4})&PID_([0-9A-F]{4})(&[^\\]*)?(?:\\(.+))?$/i;
const STORAGE = /^USBSTOR\\[^\\&]+&VEN_([^\\&]*)&PROD_([^\\&]*)[^\\]*\\/i;
const DISPLAY = /^DISPLAY\\([A-Z]{3})([0-9A-F]{4})(?:\\|$)/i;

/** What a class of Windows does. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  hidclass: 'hid',
  keyboard: 'hid',
  mouse: 'hid',
  cdrom: 'storage',
  diskdrive: 'storage',
  camera: 'video',
  image: 'video',
  media: 'audio',
  net: 'network',
  ports: 'serial',
};
/** Names that Windows gives where it knows none. */
const GENERIC_NAME =
  /^(USB Composite Device|USB Input Device|HID Keyboard Device|HID-compliant .*|USB Mass Storage Device|Generic .*|Unknown USB Device.*)$/i;

/** A time as exports of Windows write it, in ISO 8601, UTC; undefined where it is none. */
export function timeOf(text: string | undefined): string | undefined {
  const at = Date.parse(text ?? '');
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** Whether a text names a device as Windows does. */
export function isInstance(text: string | undefined): boolean {
  return text !== undefined && /^[A-Z0-9_]+\\.+/i.test(text);
}

/**
 * What is attached, of the devices of Plug and Play: those of USB with what their functions are, their mass storage, and displays.
 * Windows lists each function of a USB device as a device of its own: they count for the one that they are part of.
 */
export function attachedOf(rows: readonly PnpRow[]): Attached[] {
  const devices = new Map<string, Attached[]>();
  const functions = new Map<string, { first: PnpRow; is: Set<string>; name: string | undefined; gone: boolean }>();
  const others: Attached[] = [];
  for (const row of rows) {
    const common = { computer: row.computer, part: row.instance.toUpperCase(), at: row.at, ...(row.gone === true ? { gone: true } : {}) };
    const [, bus, vid, pid, rest, serial] = USB.exec(row.instance) ?? [];
    if (vid !== undefined && pid !== undefined) {
      const key = `${row.computer?.toLowerCase() ?? ''} ${vid}:${pid}`.toUpperCase();
      const is = FUNCTIONS[row.kind?.toLowerCase() ?? ''] ?? (bus?.toUpperCase() === 'HID' ? 'hid' : '');
      if (bus?.toUpperCase() === 'HID' || /&(MI|COL)_/i.test(rest ?? '')) {
        const own = functions.get(key) ?? { first: row, is: new Set<string>(), name: undefined, gone: true };
        if (is !== '') own.is.add(is);
        own.name ??= nameOf(row.name);
        own.gone &&= row.gone === true;
        functions.set(key, own);
        continue;
      }
      const device: Attached = {
        ...common,
        probe: 'usb',
        facts: known({
          'usb.vid': vid.toLowerCase(),
          'usb.pid': pid.toLowerCase(),
          'usb.manufacturer': makerOf(row.maker),
          'usb.product': nameOf(row.name),
          // Windows makes one up where the device has none; those have a `&`.
          'usb.serial': serial?.includes('&') === true ? undefined : cleanText(serial),
          'usb.functions': is === '' ? undefined : [is],
        }),
      };
      const same = devices.get(key);
      if (same === undefined) devices.set(key, [device]);
      else same.push(device);
    } else others.push(...otherOf(row, common));
  }
  for (const [key, { first, is, name, gone }] of functions) {
    const [, , vid = '', pid = ''] = USB.exec(first.instance) ?? [];
    const owners = devices.get(key) ?? [
      {
        computer: first.computer,
        part: `USB\\VID_${vid}&PID_${pid}`.toUpperCase(),
        probe: 'usb',
        facts: { 'usb.vid': vid.toLowerCase(), 'usb.pid': pid.toLowerCase() },
        at: first.at,
        ...(gone ? { gone } : {}),
      },
    ];
    devices.set(
      key,
      owners.map((owner) => ({ ...owner, facts: withFunctions(owner.facts, is, name) })),
    );
  }
  return [...[...devices.values()].flat(), ...others];
}

function withFunctions(facts: Attached['facts'], is: ReadonlySet<string>, name: string | undefined): Attached['facts'] {
  const before = Array.isArray(facts['usb.functions']) ? facts['usb.functions'] : [];
  const all = [...new Set([...before, ...is])];
  return {
    ...facts,
    ...(all.length === 0 ? {} : { 'usb.functions': all }),
    ...(name === undefined || facts['usb.product'] !== undefined ? {} : { 'usb.product': name }),
  };
}

function otherOf({ instance, name }: PnpRow, common: Omit<Attached, 'probe' | 'facts'>): Attached[] {
  const [, maker, product] = STORAGE.exec(instance) ?? [];
  if (maker !== undefined) {
    const facts = known({ 'usb.storage.vendor': inquiryText(maker), 'usb.storage.product': inquiryText(product) });
    return [{ ...common, probe: 'usb', facts }];
  }
  const [, vendor, code] = DISPLAY.exec(instance) ?? [];
  if (vendor === undefined || code === undefined) return [];
  const own = /^Generic Monitor \((.+)\)$/i.exec(name ?? '')?.[1] ?? nameOf(name);
  return [
    {
      ...common,
      probe: 'edid',
      facts: known({ 'edid.vendor': vendor.toUpperCase(), 'edid.product': code.toLowerCase(), 'edid.name': own }),
    },
  ];
}

/** Windows writes blanks of an INQUIRY as `_`. */
export function inquiryText(text: string | undefined): string | undefined {
  return cleanText(text?.replaceAll('_', ' ').toUpperCase());
}

function nameOf(name: string | undefined): string | undefined {
  return name === undefined || GENERIC_NAME.test(name) ? undefined : name;
}

/** `(Standard keyboards)` is a class of drivers, no maker. */
function makerOf(maker: string | undefined): string | undefined {
  return maker === undefined || maker.startsWith('(') || /^(Microsoft|Generic)\b/i.test(maker) ? undefined : maker;
}

/** Rows of records, those that have none left out. */
export function pnpRows(records: readonly EvidenceRecord[], rowOf: (record: EvidenceRecord) => PnpRow | undefined): PnpRow[] {
  return records.flatMap((record) => rowOf(record) ?? []);
}

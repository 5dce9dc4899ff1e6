import { type Attached, type EvidenceFormat, hasField, hexId, isObject, known, textOf } from './content.ts';
import { displayOf } from './edid.ts';

type Item = Readonly<Record<string, unknown>>;

const USB_TYPES = ['SPUSBDataType', 'SPUSBHostDataType'] as const;
/** Deeper than hubs can be put behind hubs. */
const MAX_DEPTH = 16;

/** `system_profiler -json`: SPUSBDataType to macOS 15, SPUSBHostDataType from macOS 26 on, SPDisplaysDataType; the name of the computer from SPSoftwareDataType. */
export const systemProfiler: EvidenceFormat = {
  name: 'system_profiler',
  fits: (content) => hasField(content, ...USB_TYPES, 'SPDisplaysDataType'),
  read: (content) => {
    if (content.kind !== 'records') return [];
    return content.records.flatMap(({ fields }) => {
      const computer = itemsIn(fields['SPSoftwareDataType'])
        .map((item) => textOf(item, 'local_host_name'))
        .find((name) => name !== undefined);
      return [
        ...USB_TYPES.flatMap((type) => itemsIn(fields[type])).flatMap(usbOf),
        ...itemsIn(fields['SPDisplaysDataType']).flatMap((card) => itemsIn(card['spdisplays_ndrvs']).flatMap(displayIn)),
      ].map((one) => ({ ...one, computer }));
    });
  },
};

/** A list, and what is within its items. */
function itemsIn(value: unknown, depth = 0): Item[] {
  if (!Array.isArray(value) || depth > MAX_DEPTH) return [];
  const list: readonly unknown[] = value;
  return list.flatMap((item) => (isObject(item) ? [item, ...itemsIn(item['_items'], depth + 1)] : []));
}

function usbOf(item: Item): Attached[] {
  const text = (...names: readonly string[]): string | undefined => {
    const told = textOf(item, ...names);
    return told === 'Not Provided' ? undefined : told;
  };
  const vid = hexId(text('vendor_id', 'b_vendor_id', 'USBDeviceKeyVendorID'));
  const pid = hexId(text('product_id', 'a_product_id', 'USBDeviceKeyProductID'));
  if (vid === undefined || pid === undefined) return [];
  const place = text('location_id', 'g_location_id', 'USBKeyLocationID')?.split(/\s/, 1)[0];
  return [
    {
      part: `usb ${place ?? '?'} ${vid}:${pid}`,
      probe: 'usb',
      facts: known({
        'usb.vid': vid,
        'usb.pid': pid,
        'usb.manufacturer': text('manufacturer', 'f_manufacturer', 'USBDeviceKeyVendorName'),
        'usb.product': text('_name'),
        'usb.serial': text('serial_num', 'd_serial_num', 'USBDeviceKeySerialNumber'),
      }),
    },
  ];
}

function displayIn(item: Item): Attached[] {
  return displayOf(
    textOf(item, '_spdisplays_display-vendor-id'),
    textOf(item, '_spdisplays_display-product-id'),
    textOf(item, '_name'),
    textOf(item, 'spdisplays_display-serial-number', '_spdisplays_display-serial-number'),
  );
}

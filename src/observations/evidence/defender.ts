import { problem } from '../../errors.ts';
import { type Attached, type EvidenceFormat, hasField, isObject, known, textOf } from './content.ts';
import { attachedOf, inquiryText, isInstance, type PnpRow, timeOf } from './windows.ts';

/**
 * Defender advanced hunting, DeviceEvents with ActionType PnpDeviceConnected or UsbDriveMounted (UsbDriveMount before April 2021), as CSV of the portal
 * or JSON of the API. AdditionalFields is JSON in a text.
 */
export const defender: EvidenceFormat = {
  name: 'PnpDeviceConnected, UsbDriveMounted',
  fits: (content) => hasField(content, 'AdditionalFields') && hasField(content, 'DeviceName'),
  read: (content, report) => {
    if (content.kind !== 'records') return [];
    const rows: PnpRow[] = [];
    const drives: Attached[] = [];
    for (const { place, fields } of content.records) {
      const action = textOf(fields, 'ActionType') ?? 'PnpDeviceConnected';
      if (action !== 'PnpDeviceConnected' && !/^UsbDriveMount(?:ed)?$/.test(action)) continue;
      const more = objectOf(fields['AdditionalFields']);
      if (more === undefined) {
        report(problem('bad-evidence', { reason: 'its AdditionalFields is no JSON object; the row is left out' }, place));
        continue;
      }
      const common = { computer: textOf(fields, 'DeviceName'), at: timeOf(textOf(fields, 'Timestamp', 'TimeGenerated')) };
      if (action !== 'PnpDeviceConnected') drives.push(...driveOf(more, common));
      else {
        const instance = textOf(more, 'DeviceId');
        if (instance !== undefined && isInstance(instance))
          rows.push({ ...common, instance, name: textOf(more, 'DeviceDescription'), kind: textOf(more, 'ClassName') });
      }
    }
    return [...attachedOf(rows), ...drives];
  },
};

/** Manufacturer and ProductName are what the drive answers to an INQUIRY. */
function driveOf(more: Readonly<Record<string, unknown>>, common: Pick<Attached, 'computer' | 'at'>): Attached[] {
  const [vendor, product] = [inquiryText(textOf(more, 'Manufacturer')), inquiryText(textOf(more, 'ProductName'))];
  const serial = textOf(more, 'SerialNumber');
  if (vendor === undefined && product === undefined) return [];
  return [
    {
      ...common,
      part: ['drive', vendor, product, serial].filter((word) => word !== undefined).join(' '),
      probe: 'usb',
      facts: known({ 'usb.storage.vendor': vendor, 'usb.storage.product': product, 'usb.serial': serial }),
    },
  ];
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'string') return isObject(value) ? value : undefined;
  try {
    const inside: unknown = JSON.parse(value);
    return isObject(inside) ? inside : undefined;
  } catch {
    return undefined;
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Attached, cleanText, hexId, known } from './content.ts';
import { functionsOf } from './lsusb.ts';

/** Where Linux lists the USB devices of this computer (kernel documentation, Documentation/ABI/stable/sysfs-bus-usb). */
export const USB_LIST = '/sys/bus/usb/devices';
/** Devices, not their interfaces (`1-1:1.0`) and not the root hubs (`usb1`). */
const DEVICE = /^\d+-\d+(?:\.\d+)*$/;
const MAX_DEVICES = 256;

/** The USB devices of a computer by its kernel's list; undefined where there is none. Changes nothing, and asks no device: the kernel did when it was plugged in. */
export function usbList(folder: string = USB_LIST): Attached[] | undefined {
  const names = namesIn(folder);
  return names
    ?.filter((name) => DEVICE.test(name))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .slice(0, MAX_DEVICES)
    .flatMap((name): Attached[] => {
      const text = (file: string): string | undefined => textIn(join(folder, name, file));
      const [vid, pid] = [hexId(text('idVendor')), hexId(text('idProduct'))];
      if (vid === undefined || pid === undefined) return [];
      const classes = names
        .filter((other) => other.startsWith(`${name}:`))
        .map((other) => Number.parseInt(textIn(join(folder, other, 'bInterfaceClass')) ?? '', 16));
      const facts = known({
        'usb.vid': vid,
        'usb.pid': pid,
        'usb.manufacturer': text('manufacturer'),
        'usb.product': text('product'),
        'usb.serial': text('serial'),
        'usb.functions': functionsOf(classes),
      });
      return [{ part: `usb ${name}`, probe: 'usb', facts }];
    });
}

function namesIn(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch {
    return undefined; // another system, or a computer without USB
  }
}

/** What a device did not say has no file; what was unplugged while we read has none any more. */
function textIn(file: string): string | undefined {
  try {
    return cleanText(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

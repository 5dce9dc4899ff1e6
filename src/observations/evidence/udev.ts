import { cleanText, type EvidenceFormat, hexId, known } from './content.ts';
import { functionsOf } from './lsusb.ts';

/** `udevadm info --export-db` (udevadm(8)): properties of every device of the kernel. Those of USB are what the device says of itself, no root needed. */
export const udev: EvidenceFormat = {
  name: 'udevadm info --export-db',
  fits: (content) => content.kind === 'text' && /^P: \//m.test(content.text),
  read: (content) => {
    if (content.kind !== 'text') return [];
    return content.text.split(/\r?\n\r?\n/).flatMap((block) => {
      const properties = new Map([...block.matchAll(/^E: (\w+)=([^\r\n]*)/gm)].map(([, name = '', value = '']) => [name, value]));
      const vid = hexId(properties.get('ID_VENDOR_ID'));
      const pid = hexId(properties.get('ID_MODEL_ID'));
      if (properties.get('DEVTYPE') !== 'usb_device' || vid === undefined || pid === undefined) return [];
      const classes = [...(properties.get('ID_USB_INTERFACES') ?? '').matchAll(/([0-9a-f]{2})[0-9a-f]{4}/gi)];
      return [
        {
          part: `usb ${properties.get('BUSNUM') ?? '?'}:${properties.get('DEVNUM') ?? '?'}`,
          probe: 'usb',
          facts: known({
            'usb.vid': vid,
            'usb.pid': pid,
            'usb.manufacturer': textUnlessId(properties.get('ID_VENDOR_ENC'), vid),
            'usb.product': textUnlessId(properties.get('ID_MODEL_ENC'), pid),
            'usb.serial': cleanText(properties.get('ID_SERIAL_SHORT')),
            'usb.functions': functionsOf(classes.map(([, number = '']) => Number.parseInt(number, 16))),
          }),
        },
      ];
    });
  },
};

/** Blanks stand as `\x20`; where the device has no text, udev gives its number instead. */
function textUnlessId(encoded: string | undefined, id: string): string | undefined {
  const text = cleanText(encoded?.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))));
  return text === id ? undefined : text;
}

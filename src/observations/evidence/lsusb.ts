import { type Attached, cleanText, type EvidenceFormat, known } from './content.ts';

const LINE = /^Bus (\d{3}) Device (\d{3}): ID ([0-9a-f]{4}):([0-9a-f]{4})/i;

/** `lsusb`. The names behind the ids are those of the list on that machine, not what the device says. */
export const lsusb: EvidenceFormat = {
  name: 'lsusb',
  fits: (content) => content.kind === 'text' && /^Bus \d/m.test(content.text) && !/^\s+idVendor\s/m.test(content.text),
  read: (content) => (content.kind === 'text' ? content.text.split(/\r?\n/).flatMap((line) => deviceOf(line) ?? []) : []),
};

function deviceOf(line: string): Attached | undefined {
  const [, bus, device, vid, pid] = LINE.exec(line) ?? [];
  if (bus === undefined || vid === undefined || pid === undefined) return undefined;
  return { part: `usb ${bus}:${device}`, probe: 'usb', facts: { 'usb.vid': vid.toLowerCase(), 'usb.pid': pid.toLowerCase() } };
}

/** What the interface classes of USB do (usb.org, Defined Class Codes). */
const FUNCTIONS: ReadonlyMap<number, string> = new Map([
  [1, 'audio'],
  [2, 'network'],
  [3, 'hid'],
  [8, 'storage'],
  [10, 'network'],
  [14, 'video'],
]);

/** What a device does, by the classes of its interfaces; undefined where that is nothing that is told. */
export function functionsOf(classes: readonly number[]): string[] | undefined {
  const functions = new Set(classes.flatMap((number) => FUNCTIONS.get(number) ?? []));
  return functions.size === 0 ? undefined : [...functions];
}

/** `lsusb -v`: texts of the device itself, where it was asked as root. */
export const lsusbVerbose: EvidenceFormat = {
  name: 'lsusb -v',
  fits: (content) => content.kind === 'text' && /^Bus \d/m.test(content.text) && /^\s+idVendor\s/m.test(content.text),
  read: (content) => {
    if (content.kind !== 'text') return [];
    return content.text.split(/^(?=Bus \d)/m).flatMap((block) => {
      const device = deviceOf(block);
      if (device === undefined) return [];
      const text = (field: string): string | undefined => {
        const told = cleanText(new RegExp(`^\\s+${field}\\s+\\d+[ \\t]+(\\S[^\\r\\n]*)$`, 'm').exec(block)?.[1]);
        return told?.startsWith('(error') === true ? undefined : told;
      };
      const classes = [...block.matchAll(/^\s+bInterfaceClass\s+(\d+)/gm)].map(([, number]) => Number(number));
      return [
        {
          ...device,
          facts: {
            ...device.facts,
            ...known({
              'usb.manufacturer': text('iManufacturer'),
              'usb.product': text('iProduct'),
              'usb.serial': text('iSerial'),
              'usb.functions': functionsOf(classes),
            }),
          },
        },
      ];
    });
  },
};

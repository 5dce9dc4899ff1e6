import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { usbList } from '../../src/observations/evidence/sysfs.ts';

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-sysfs-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A list as the kernel shows it: a folder for each device and for each interface, a file for each value (Documentation/ABI/stable/sysfs-bus-usb). */
function sysfs(entries: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const root = mkdtempSync(join(folder, 'devices-'));
  for (const [name, files] of Object.entries(entries)) {
    mkdirSync(join(root, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(root, name, file), text);
  }
  return root;
}

test("Linux's own list: devices without hubs and interfaces, with what they do", () => {
  expect(
    usbList(
      sysfs({
        usb1: { idVendor: '1d6b\n', idProduct: '0002\n' },
        '1-0:1.0': { bInterfaceClass: '09\n' },
        '1-10': { idVendor: '046d\n', idProduct: 'c31c\n' },
        '1-2.3': {
          idVendor: '1d6b\n',
          idProduct: '0104\n',
          manufacturer: 'PiKVM\n',
          product: 'Composite KVM Device\n',
          serial: 'CAFEBABE\n',
        },
        '1-2.3:1.0': { bInterfaceClass: '03\n' },
        '1-2.3:1.1': { bInterfaceClass: '08\n' },
        '1-2.3:1.2': { bInterfaceClass: 'ff\n' },
        '1-9': { manufacturer: 'gone while we read\n' },
      }),
    ),
  ).toEqual([
    {
      part: 'usb 1-2.3',
      probe: 'usb',
      facts: {
        'usb.vid': '1d6b',
        'usb.pid': '0104',
        'usb.manufacturer': 'PiKVM',
        'usb.product': 'Composite KVM Device',
        'usb.serial': 'CAFEBABE',
        'usb.functions': ['hid', 'storage'],
      },
    },
    { part: 'usb 1-10', probe: 'usb', facts: { 'usb.vid': '046d', 'usb.pid': 'c31c' } },
  ]);
});

test('a computer without the list is not one without devices', () => {
  expect(usbList(join(folder, 'none'))).toBeUndefined();
  expect(usbList(sysfs({}))).toEqual([]);
});

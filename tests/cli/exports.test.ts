import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import { type Device, placesOf } from '../../src/devices/device.ts';

const FOLDER = fileURLToPath(new URL('../observations/exports', import.meta.url));
const CLI = fileURLToPath(new URL('../../bin/kvmsweep.js', import.meta.url));

/** Exports in the form of each tool, written without looking at how they are read. */
const FOUND: Readonly<Record<string, readonly string[]>> = {
  'defender.csv': ['on ws-0042.corp.example: TinyPilot', 'on ws-0050.corp.example: JetKVM'],
  'defender.json': ['on ws-0042.corp.example: JetKVM'],
  'event-6416.xml': ['on ws-0055.corp.example: NanoKVM'],
  'get-pnpdevice.csv': ['on ws-0042: PiKVM V4 Plus', 'on ws-0077: NanoKVM', 'was on ws-0099: Comet'],
  'get-pnpdevice.json': ['on lab-3: JetKVM', 'was on lab-4: Comet'],
  'intune.json': ['on ws-0061: PiKVM'],
  'lsusb-v.txt': ['on pc: JetKVM'],
  'lsusb.txt': ['on pc: NanoKVM'],
  'osquery-usb.json': ['on pc: PiKVM'],
  'osqueryd.results.log': ['on mac-07: TinyPilot', 'on srv-01: JetKVM', 'was on srv-02: One-KVM', 'on srv-03: NanoKVM', 'on srv-04: Comet'],
  'system-profiler-15.json': ['on mac-12: Comet'],
  'system-profiler-26.json': ['on pc: PiKVM'],
  'udevadm.txt': ['on pc: One-KVM'],
  'wmimonitorid.json': ['on pc: PiKVM V3'],
};

test('there is an expectation for every export', () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(Object.keys(FOUND).toSorted());
});

test.for(Object.entries(FOUND))('what is plugged in, by %s', ([file, found]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, 'evidence', join(FOLDER, file), '--host', 'pc', '--format', 'ndjson'],
    { encoding: 'utf8' },
  );
  expect(status, stderr).toBe(0);
  const devices = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Device);
  expect(
    devices.map((device) => {
      const { addresses, product, model, level } = device;
      expect(level).not.toBe('possible');
      expect(addresses).toEqual([]);
      return `${placesOf(device).join()}: ${[product, model].filter((part) => part !== undefined).join(' ')}`;
    }),
  ).toEqual(found);
});

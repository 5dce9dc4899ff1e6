import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import type { Device } from '../../src/devices/device.ts';

const FOLDER = fileURLToPath(new URL('../observations/exports', import.meta.url));
const CLI = fileURLToPath(new URL('../../bin/kvmsweep.js', import.meta.url));

/** Exports in the form of each tool, written without looking at how they are read. */
const FOUND: Readonly<Record<string, readonly string[]>> = {
  'defender.csv': ['ws-0042.corp.example: TinyPilot'],
  'defender.json': ['ws-0042.corp.example: JetKVM'],
  'get-pnpdevice.csv': ['ws-0042: PiKVM V4 Plus', 'ws-0077: NanoKVM', 'ws-0099: Comet'],
  'get-pnpdevice.json': ['lab-3: JetKVM', 'lab-4: Comet'],
  'lsusb-v.txt': ['pc: JetKVM'],
  'lsusb.txt': ['pc: NanoKVM'],
  'osquery-usb.json': ['pc: PiKVM'],
  'osqueryd.results.log': ['srv-01: JetKVM', 'srv-02: One-KVM', 'srv-03: NanoKVM', 'srv-04: Comet'],
  'system-profiler-15.json': ['mac-12: Comet'],
  'system-profiler-26.json': ['pc: PiKVM'],
  'wmimonitorid.json': ['pc: PiKVM V3'],
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
    devices.map(({ addresses, product, model, level }) => {
      expect(level).not.toBe('possible');
      return `${addresses.join()}: ${[product, model].filter((part) => part !== undefined).join(' ')}`;
    }),
  ).toEqual(found);
});

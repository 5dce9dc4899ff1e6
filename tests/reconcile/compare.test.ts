import { expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import {
  classDiffers,
  generationDiffers,
  modelDiffers,
  productDiffers,
  vendorDiffers,
  versionDiffers,
} from '../../src/reconcile/compare.ts';
import { device, IDRAC } from './build.ts';

function seenAs(rest: Partial<Device>): Device {
  return device('10.0.0.1', rest);
}

const dell = seenAs(IDRAC);
const ilo = seenAs({ class: 'bmc', vendor: 'HPE', product: 'iLO', generation: '5' });
const kx = seenAs({ vendor: 'Raritan', product: 'Dominion KX', generation: 'III' });

test.for<{ approved: string; seen: Device; differs: boolean }>([
  { approved: 'Dell', seen: dell, differs: false },
  { approved: 'DELL Inc.', seen: dell, differs: false },
  { approved: 'Dell EMC', seen: dell, differs: false },
  { approved: 'Dell Technologies', seen: dell, differs: false },
  { approved: 'Hewlett-Packard', seen: ilo, differs: false },
  { approved: 'Hewlett Packard Enterprise', seen: ilo, differs: false },
  { approved: 'HP', seen: ilo, differs: false },
  { approved: 'Dell', seen: ilo, differs: true },
  { approved: 'Super Micro Computer, Inc.', seen: seenAs({ class: 'bmc', vendor: 'Supermicro' }), differs: false },
  { approved: 'GL Technologies', seen: seenAs({ vendor: 'GL.iNet' }), differs: false },
  { approved: 'Legrand', seen: kx, differs: false },
  { approved: 'Emerson Network Power', seen: seenAs({ class: 'console-server', vendor: 'Avocent' }), differs: false },
  { approved: 'Gigabyte', seen: seenAs({ class: 'bmc', vendor: 'AMI', product: 'MegaRAC' }), differs: false }, // the firmware is AMI's
  { approved: 'Lenovo', seen: seenAs({ class: 'amt', vendor: 'Intel', product: 'AMT' }), differs: false },
  { approved: 'Raspberry Pi', seen: seenAs({}), differs: false },
  { approved: 'Dell', seen: seenAs({}), differs: true },
  { approved: '', seen: dell, differs: false },
  { approved: 'Inc.', seen: dell, differs: false },
])('vendor "$approved" against $seen.vendor: $differs', ({ approved, seen, differs }) =>
  expect(vendorDiffers(approved, seen)).toBe(differs),
);

test('a device of no known maker differs from none', () => {
  const { vendor: _, ...unknown } = dell;
  expect(vendorDiffers('HPE', unknown)).toBe(false);
});

test.for<{ approved: string; seen: Device; differs: boolean }>([
  { approved: 'iDRAC', seen: dell, differs: false },
  { approved: 'iDRAC9 Enterprise', seen: dell, differs: false },
  { approved: 'Integrated Dell Remote Access Controller 9', seen: dell, differs: false },
  { approved: 'PowerEdge R740', seen: dell, differs: false }, // the server, not its controller
  { approved: 'iLO 5', seen: dell, differs: true },
  { approved: 'PiKVM V4', seen: dell, differs: true },
  { approved: 'ProLiant DL380 Gen10', seen: ilo, differs: false },
  { approved: 'Integrated Lights-Out 5', seen: ilo, differs: false },
  { approved: 'PiKVM V4 Plus', seen: seenAs({}), differs: false },
  { approved: 'TinyPilot Voyager 2a', seen: seenAs({}), differs: true },
  { approved: 'Dominion KX III', seen: kx, differs: false },
  { approved: 'DKX3-216', seen: kx, differs: true }, // unknown words: what that means is decided with the maker
  { approved: 'NanoKVM', seen: seenAs({ vendor: 'Sipeed', product: 'NanoKVM-Pro' }), differs: false },
  { approved: 'GLKVM', seen: seenAs({ vendor: 'GL.iNet', product: 'Comet' }), differs: false },
  { approved: 'Smart PDU', seen: seenAs({ class: 'pdu', vendor: 'Raritan', product: 'PX3' }), differs: true },
])('product "$approved" against $seen.product: $differs', ({ approved, seen, differs }) =>
  expect(productDiffers(approved, seen)).toBe(differs),
);

test.for<{ approved: string; seen: Device; differs: boolean }>([
  { approved: 'iDRAC9 Enterprise', seen: dell, differs: false },
  { approved: 'iDRAC 8', seen: dell, differs: true },
  { approved: 'iDRAC', seen: dell, differs: false },
  { approved: 'PiKVM V3', seen: seenAs({ generation: 'V4' }), differs: true },
  { approved: 'Dominion KX II', seen: kx, differs: false }, // Roman numbers are not compared
])('generation "$approved" against $seen.generation: $differs', ({ approved, seen, differs }) =>
  expect(generationDiffers(approved, seen)).toBe(differs),
);

test.for<{ approved: string; model: string; differs: boolean }>([
  { approved: 'R740', model: 'PowerEdge R740', differs: false },
  { approved: 'PowerEdge R740', model: 'R740', differs: false },
  { approved: 'PowerEdge R640', model: 'PowerEdge R740', differs: true },
  { approved: 'ProLiant DL380 Gen10', model: 'DL380 Gen10 Plus', differs: false },
  { approved: 'ProLiant DL380 Gen10', model: 'DL380 Gen11', differs: true },
  { approved: 'DKX3-216', model: 'DKX3-432', differs: true },
  { approved: 'dkx3 216', model: 'DKX3-216', differs: false },
  { approved: 'iDRAC9', model: 'PowerEdge R740', differs: false }, // what else it could be called
  { approved: 'Voyager', model: 'V4 Plus', differs: true },
  { approved: 'X', model: 'Y', differs: true },
])('model "$approved" against $model: $differs', ({ approved, model, differs }) =>
  expect(modelDiffers(approved, seenAs({ ...IDRAC, model }))).toBe(differs),
);

test('a model that is not shown differs from none', () => expect(modelDiffers('R740', dell)).toBe(false));

test.for<{ approved: string; version: string; differs: boolean }>([
  { approved: '6.10.30.00', version: '6.10.30.00', differs: false },
  { approved: '6.10', version: '6.10.30.00', differs: false },
  { approved: '6.1', version: '6.10.30.00', differs: true },
  { approved: '6.10.30.00', version: '6.10', differs: false },
  { approved: 'v4.84', version: '4.84', differs: false },
  { approved: 'Version 4.84', version: 'v4.84', differs: false },
  { approved: '4.85', version: '4.84', differs: true },
  { approved: '4.84', version: 'v4.66 - v4.128', differs: false },
  { approved: '4.9', version: 'v4.66 - v4.128', differs: true },
  { approved: '5.0', version: 'v4.66 - v4.128', differs: true },
])('version "$approved" against $version: $differs', ({ approved, version, differs }) =>
  expect(versionDiffers(approved, seenAs({ version }))).toBe(differs),
);

test('classes of one family are not told apart', () => {
  expect(classDiffers('kvm-switch', seenAs({ class: 'ip-kvm' }))).toBe(false);
  expect(classDiffers('serial-server', seenAs({ class: 'console-server' }))).toBe(false);
  expect(classDiffers('bmc', seenAs({ class: 'ip-kvm' }))).toBe(true);
  expect(classDiffers('pdu', seenAs({ class: 'console-server' }))).toBe(true);
});

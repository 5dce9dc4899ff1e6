import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { readEvidence } from '../../src/observations/evidence/read.ts';
import { byEndpoint, type Observation, readObservation } from '../../src/observations/observation.ts';

/** An EDID of one block, with the checksum that it should have. */
export function edidOf({ vendor, product, name, serial }: { vendor: string; product: number; name?: string; serial?: string }): Buffer {
  const bytes = Buffer.alloc(128);
  Buffer.from('00ffffffffffff00', 'hex').copy(bytes);
  bytes.writeUInt16BE(
    Buffer.from(vendor).reduce((sum, letter) => sum * 32 + letter - 64, 0),
    8,
  );
  bytes.writeUInt16LE(product, 10);
  const texts: (readonly [number, string])[] = [
    ...(name === undefined ? [] : [[0xfc, name] as const]),
    ...(serial === undefined ? [] : [[0xff, serial] as const]),
  ];
  for (const [i, [kind, text]] of texts.entries()) {
    bytes[54 + 18 * i + 3] = kind;
    bytes.write(`${text}\n`.padEnd(13), 54 + 18 * i + 5, 'latin1');
  }
  bytes[127] = (256 - (bytes.reduce((sum, byte) => sum + byte, 0) % 256)) % 256;
  return bytes;
}

const codes = (text: string): number[] => [...Buffer.from(text.padEnd(16, '\0'))];
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

const PNP = `"Status","Class","FriendlyName","InstanceId","Manufacturer","SystemName"
"OK","USB","USB Composite Device","USB\\VID_1D6B&PID_0104\\CAFEBABE","(Standard USB Host Controller)","WS-0042"
"OK","HIDClass","USB Input Device","USB\\VID_1D6B&PID_0104&MI_00\\6&1A2B3C4D&0&0000","(Standard system devices)","WS-0042"
"OK","Keyboard","HID Keyboard Device","HID\\VID_1D6B&PID_0104&MI_00\\7&1A2B3C4D&0&0000","(Standard keyboards)","WS-0042"
"OK","CDROM","PiKVM Optical Drive USB Device","USBSTOR\\CDROM&VEN_PIKVM&PROD_OPTICAL_DRIVE&REV_1.00\\CAFEBABE&0","(Standard CD-ROM drives)","WS-0042"
"OK","Monitor","Generic Monitor (PiKVM V4 Plus)","DISPLAY\\LNX7773\\5&1A2B3C4D&0&UID4352","(Standard monitor types)","WS-0042"
"OK","USB","USB Root Hub (USB 3.0)","USB\\ROOT_HUB30\\4&1A2B3C4D&0&0","(Standard USB HUBs)","WS-0042"
`;
const PNP_FACTS = [
  { 'usb.vid': '1d6b', 'usb.pid': '0104', 'usb.serial': 'CAFEBABE', 'usb.functions': ['hid'] },
  { 'usb.storage.vendor': 'PIKVM', 'usb.storage.product': 'OPTICAL DRIVE' },
  { 'edid.vendor': 'LNX', 'edid.product': '7773', 'edid.name': 'PiKVM V4 Plus' },
];
const GADGET = {
  'usb.vid': '1d6b',
  'usb.pid': '0104',
  'usb.manufacturer': 'PiKVM',
  'usb.product': 'PiKVM Composite Device',
  'usb.serial': 'CAFEBABE',
};
const ONE = {
  InstanceId: 'USB\\VID_3346&PID_1009\\0123456789ABCDEF',
  FriendlyName: 'USB Composite Device',
  HardwareID: ['USB\\VID_3346&PID_1009'],
  PSComputerName: null,
  SystemName: 'WS-0042',
  Present: true,
};
const NANO = { 'usb.vid': '3346', 'usb.pid': '1009', 'usb.serial': '0123456789ABCDEF' };
const MONITOR = {
  InstanceName: 'DISPLAY\\LNX7771\\5&1A2B3C4D&0&UID4352_0',
  ManufacturerName: codes('LNX'),
  ProductCodeID: codes('7771'),
  SerialNumberID: codes('CAFEBABE'),
  UserFriendlyName: codes('PiKVM V3'),
  Active: true,
  PSComputerName: 'WS-0042',
};
const DISPLAY = { 'edid.vendor': 'LNX', 'edid.product': '7771', 'edid.name': 'PiKVM V3', 'edid.serial': 'CAFEBABE' };
const EVENT = {
  Timestamp: '2026-11-20T08:00:00.1234567Z',
  DeviceName: 'ws-0042',
  ActionType: 'PnpDeviceConnected',
  AdditionalFields: JSON.stringify({
    ClassName: 'USB',
    DeviceId: 'USB\\VID_1D6B&PID_0104\\CAFEBABE',
    DeviceDescription: 'USB Composite Device',
    VendorIds: 'USB\\VID_1D6B&PID_0104',
  }),
};
const EVENT_CSV = `"Timestamp","DeviceName","ActionType","AdditionalFields"\n"${EVENT.Timestamp}","ws-0042","PnpDeviceConnected","${EVENT.AdditionalFields.replaceAll('"', '""')}"\n`;
const EVENT_FACTS = { 'usb.vid': '1d6b', 'usb.pid': '0104', 'usb.serial': 'CAFEBABE' };
const ROW = {
  usb_address: '1',
  usb_port: '4',
  vendor: 'PiKVM',
  vendor_id: '1d6b',
  model: 'PiKVM Composite Device',
  model_id: '0104',
  serial: 'CAFEBABE',
  removable: '0',
};
const LOG = { name: 'usb', hostIdentifier: 'ws-0042', calendarTime: 'Fri Nov 20 08:00:00 2026 UTC', unixTime: 1_795_161_600 };
const VERBOSE = `
Bus 001 Device 004: ID 1d6b:0104 Linux Foundation Multifunction Composite Gadget
Device Descriptor:
  idVendor           0x1d6b Linux Foundation
  idProduct          0x0104 Multifunction Composite Gadget
  iManufacturer           1 PiKVM
  iProduct                2 PiKVM Composite Device
  iSerial                 3 CAFEBABE
    Interface Descriptor:
      bInterfaceClass         3 Human Interface Device
    Interface Descriptor:
      bInterfaceClass         8 Mass Storage

Bus 001 Device 001: ID 1d6b:0002 Linux Foundation 2.0 root hub
Device Descriptor:
  idVendor           0x1d6b Linux Foundation
  iManufacturer           3 (error)
      bInterfaceClass         9 Hub
`;
const MAC_USB = {
  _name: 'PiKVM Composite Device',
  vendor_id: '0x1d6b  (Linux Foundation)',
  product_id: '0x0104',
  serial_num: 'CAFEBABE',
  manufacturer: 'PiKVM',
  location_id: '0x02100000 / 3',
};
const MAC_HOST = {
  _name: 'PiKVM Composite Device',
  USBDeviceKeyVendorID: '0x1d6b',
  USBDeviceKeyProductID: '0x0104',
  USBDeviceKeyVendorName: 'PiKVM',
  USBDeviceKeySerialNumber: 'CAFEBABE',
  USBKeyLocationID: '0x02100000',
};
const MAC_DISPLAY = {
  _name: 'PiKVM V3',
  '_spdisplays_display-vendor-id': '31d8',
  '_spdisplays_display-product-id': '7771',
  '_spdisplays_display-serial-number': '1010101',
};

const VALID: readonly [string, string | Buffer, readonly object[]][] = [
  ['Get-PnpDevice, CSV', PNP, PNP_FACTS],
  [
    'Get-PnpDevice, CSV of Windows PowerShell with its #TYPE line',
    `#TYPE Selected.Microsoft.Management.Infrastructure.CimInstance\r\n${PNP.replaceAll('\n', '\r\n')}`,
    PNP_FACTS,
  ],
  ['Get-PnpDevice, CSV in UTF-16', utf16(PNP), PNP_FACTS],
  ['Get-PnpDevice, CSV in UTF-8 with a byte order mark', `\ufeff${PNP}`, PNP_FACTS],
  ['Get-PnpDevice, CSV with semicolons', PNP.replaceAll('","', '";"'), PNP_FACTS],
  [
    'Get-PnpDevice, lists that came out as text',
    '"InstanceId","HardwareID","SystemName"\n"USB\\VID_3346&PID_1009\\0123456789ABCDEF","System.String[]","WS-0042"\n',
    [NANO],
  ],
  ['Get-PnpDevice, JSON', JSON.stringify([ONE]), [NANO]],
  ['Get-PnpDevice, JSON of a single device', JSON.stringify(ONE), [NANO]],
  ['Get-PnpDevice, JSON in UTF-16, over many lines', utf16(JSON.stringify([ONE], null, 4)), [NANO]],
  ['Get-PnpDevice, JSON with value and Count', JSON.stringify({ value: [ONE], Count: 1 }), [NANO]],
  [
    'functions without their device',
    PNP.split('\n')
      .filter((line) => !line.includes('CAFEBABE"') && !/CDROM|DISPLAY/.test(line))
      .join('\n'),
    [{ 'usb.vid': '1d6b', 'usb.pid': '0104', 'usb.functions': ['hid'] }],
  ],
  ['WmiMonitorID', JSON.stringify([MONITOR]), [DISPLAY]],
  ['WmiMonitorID of one display', JSON.stringify(MONITOR), [DISPLAY]],
  [
    'WmiMonitorID, CSV, whose lists are lost',
    '"InstanceName","ManufacturerName","PSComputerName"\n"DISPLAY\\LNX7771\\5&1&0&UID1_0","System.UInt16[]","WS-0042"\n',
    [{ 'edid.vendor': 'LNX', 'edid.product': '7771' }],
  ],
  ['PnpDeviceConnected, CSV', EVENT_CSV, [EVENT_FACTS]],
  ['PnpDeviceConnected, JSON of the API', JSON.stringify({ Schema: [{ Name: 'Timestamp' }], Results: [EVENT] }), [EVENT_FACTS]],
  ['PnpDeviceConnected among other events', JSON.stringify([{ ...EVENT, ActionType: 'UsbDriveMounted' }, EVENT]), [EVENT_FACTS]],
  [
    'lsusb',
    'Bus 001 Device 004: ID 1d6b:0104 Linux Foundation Multifunction Composite Gadget\nBus 001 Device 001: ID 1d6b:0002\n',
    [
      { 'usb.vid': '1d6b', 'usb.pid': '0104' },
      { 'usb.vid': '1d6b', 'usb.pid': '0002' },
    ],
  ],
  [
    'lsusb -v',
    VERBOSE,
    [
      { ...GADGET, 'usb.functions': ['hid', 'storage'] },
      { 'usb.vid': '1d6b', 'usb.pid': '0002' },
    ],
  ],
  ['EDID', edidOf({ vendor: 'LNX', product: 0x7771, name: 'PiKVM V3', serial: 'CAFEBABE' }), [DISPLAY]],
  [
    'EDID as hex digits',
    edidOf({ vendor: 'LNX', product: 0x7771, name: 'PiKVM V3', serial: 'CAFEBABE' })
      .toString('hex')
      .replace(/(.{32})/g, '$1\n'),
    [DISPLAY],
  ],
  [
    'system_profiler to macOS 15',
    JSON.stringify({
      SPUSBDataType: [{ _name: 'USB31Bus', _items: [{ _name: 'Hub', vendor_id: '0x05e3', product_id: '0x0610', _items: [MAC_USB] }] }],
    }),
    [{ 'usb.vid': '05e3', 'usb.pid': '0610', 'usb.product': 'Hub' }, GADGET],
  ],
  [
    'system_profiler from macOS 26 on',
    JSON.stringify({ SPUSBDataType: [], SPUSBHostDataType: [{ _name: 'bus', _items: [MAC_HOST] }] }),
    [GADGET],
  ],
  [
    'system_profiler, displays',
    JSON.stringify({ SPDisplaysDataType: [{ _name: 'Apple M2', spdisplays_ndrvs: [MAC_DISPLAY] }] }),
    [{ ...DISPLAY, 'edid.serial': '1010101' }],
  ],
  ['osquery, a list', JSON.stringify([ROW]), [GADGET]],
  [
    'osquery, snapshots',
    `${JSON.stringify({ ...LOG, action: 'snapshot', snapshot: [ROW] })}\n${JSON.stringify({ ...LOG, action: 'snapshot', snapshot: [] })}\n`,
    [GADGET],
  ],
  ['osquery, differences', `${JSON.stringify({ ...LOG, action: 'added', columns: ROW })}\n`, [GADGET]],
  ['osquery, a batch', JSON.stringify({ ...LOG, diffResults: { added: [ROW], removed: [] } }), [GADGET]],
];

const DAMAGED: readonly [string, string | Buffer, RegExp][] = [
  ['nothing', '', /^x: it is empty/],
  ['blanks', ' \n\n', /^x: it holds no text/],
  ['garbage', Buffer.from('89504e470d0a1a0a0000000d4948445200', 'hex'), /^x: it is neither text nor an EDID/],
  ['another CSV', 'name,colour\na,red\n', /^x: it is none of the exports/],
  ['prose', 'Get-PnpDevice : The term is not recognized', /^x: it is none of the exports/],
  ['JSON that ends early', JSON.stringify([ONE], null, 2).slice(0, -12), /^x:\d+(:\d+)?: it is damaged JSON .*export it again/],
  ['JSON with a mistake', '[\n{"InstanceId": "x" "y"}\n]', /^x:2:20: it is damaged JSON \(Expected ',' or '}' after property value\)/],
  ['JSON with a mistake that is not placed', '[\n{"InstanceId": }\n]', /^x: it is damaged JSON \(Unexpected token '}'\): export it again/],
  ['a list of nothing', '[]', /^x: it is none of the exports/],
  [
    'ids that came out as System.String[]',
    '"HardwareID","SystemName"\n"System.String[]","WS-0042"\n',
    /^x:2: its lists came out as "System.String\[\]".*Select-Object/,
  ],
  ['EDID, cut', edidOf({ vendor: 'LNX', product: 1 }).subarray(0, 100), /^x: this EDID has 100 bytes/],
  [
    'EDID, a bit turned',
    Buffer.from(edidOf({ vendor: 'LNX', product: 1 }).map((byte, i) => (i === 40 ? byte ^ 1 : byte))),
    /^x: the checksum of block 0/,
  ],
  ['CSV of which no row is whole', '"InstanceId","Class"\n"USB\\VID_1D6B&PID_0104\\1\n', /^x:2: its quotes are never closed/],
];

const bytesOf = (content: string | Buffer): Buffer => (typeof content === 'string' ? Buffer.from(content) : content);
const factsOf = (observations: readonly Observation[]): object[] => observations.map(({ facts }) => facts);

describe('exports of computers', () => {
  test.each(VALID)('%s', (_, content, facts) => {
    const { observations, problems } = readEvidence('x', bytesOf(content), 'WS-0042');
    expect(factsOf(observations)).toEqual(facts);
    expect(new Set(observations.map(({ host }) => host))).toEqual(new Set(['ws-0042']));
    expect(problems).toEqual([]);
    for (const one of observations) expect(readObservation(JSON.parse(JSON.stringify(one)))).toEqual(one);
    // No two things of one computer are one.
    expect(byEndpoint(observations)).toHaveLength(facts.length);
  });

  test.each(DAMAGED)('damaged: %s', (_, content, message) => {
    expect(() => readEvidence('x', bytesOf(content), 'ws-0042')).toThrow(InputError);
    expect(() => readEvidence('x', bytesOf(content), 'ws-0042')).toThrow(message);
  });

  test('who does not say of which computer it is, is asked', () => {
    expect(() => readEvidence('x', Buffer.from('Bus 001 Device 004: ID 1d6b:0104 x'))).toThrow(
      /^x does not say of which computer it is: name it with --host NAME$/,
    );
    expect(() => readEvidence('x', Buffer.from(JSON.stringify({ ...ONE, SystemName: 'localhost' })))).toThrow(/--host/);
  });

  test('the export knows its computer better than --host', () => {
    expect(readEvidence('x', Buffer.from(PNP), 'other').observations[0]?.host).toBe('ws-0042');
  });

  test('one display told by two exports is one', () => {
    const pnp = readEvidence(
      'x',
      Buffer.from(JSON.stringify({ InstanceId: 'DISPLAY\\LNX7771\\5&1a2b3c4d&0&UID4352', SystemName: 'WS-0042' })),
    );
    const wmi = readEvidence('y', Buffer.from(JSON.stringify(MONITOR)));
    expect(byEndpoint([...pnp.observations, ...wmi.observations])).toMatchObject([
      { part: 'DISPLAY\\LNX7771\\5&1A2B3C4D&0&UID4352', facts: DISPLAY },
    ]);
  });

  test('what was attached before is told, and said to be', () => {
    const gone = [
      JSON.stringify({ ...ONE, Present: false }),
      JSON.stringify({ ...ONE, Present: undefined, Status: 'Unknown' }),
      JSON.stringify({ ...LOG, action: 'removed', columns: ROW }),
    ];
    for (const text of gone)
      expect(readEvidence('x', Buffer.from(text)).observations[0]?.note).toBe('attached before, not when this was exported');
  });

  test('rows that are none cost themselves only, and are told with their line', () => {
    const { observations, problems } = readEvidence('x', Buffer.from(`${PNP}"OK","USB"\n`));
    expect(observations).toHaveLength(3);
    expect(problems).toMatchObject([{ place: { file: 'x', line: 8 } }]);
    const log = readEvidence('x', Buffer.from(`${JSON.stringify({ ...LOG, action: 'added', columns: ROW })}\n{"name":"usb","hostIde`));
    expect(log.observations).toHaveLength(1);
    expect(log.problems).toMatchObject([{ place: { line: 2 } }]);
    const events = readEvidence('x', Buffer.from(JSON.stringify([EVENT, { ...EVENT, AdditionalFields: '{"Class' }])));
    expect(events.problems).toHaveLength(1);
  });

  test('times are kept', () => {
    expect(readEvidence('x', Buffer.from(EVENT_CSV)).observations[0]?.at).toBe('2026-11-20T08:00:00.123Z');
    expect(readEvidence('x', Buffer.from(JSON.stringify({ ...LOG, action: 'added', columns: ROW }))).observations[0]?.at).toBe(
      '2026-11-20T08:00:00.000Z',
    );
  });

  test('texts are bounded', () => {
    const [one] = readEvidence('x', Buffer.from(JSON.stringify([{ ...ROW, model: 'x'.repeat(100_000) }])), 'h').observations;
    expect(one?.facts['usb.product']).toHaveLength(4096);
  });

  test('whatever the bytes, there are observations or an error that says where', () => {
    const damaged = fc
      .tuple(
        fc.constantFrom(...VALID.map(([, content]) => bytesOf(content))),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        fc.boolean(),
      )
      .map(([bytes, changes, end, cut]) => {
        const copy = Buffer.from(bytes);
        for (const [at, byte] of changes) copy[at % copy.length] = byte;
        return cut ? copy.subarray(0, end % copy.length) : copy;
      });
    fc.assert(
      fc.property(
        fc.oneof(
          damaged,
          fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
          fc.json().map((text) => Buffer.from(text)),
          fc.string().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            for (const one of readEvidence('x', bytes, 'h').observations)
              expect(readObservation(JSON.parse(JSON.stringify(one)))).toEqual(one);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
            expect((error as InputError).problems.length).toBeGreaterThan(0);
            expect((error as Error).message).toContain('x');
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

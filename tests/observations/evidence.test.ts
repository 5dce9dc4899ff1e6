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

const DRIVE = {
  ...EVENT,
  ActionType: 'UsbDriveMounted',
  AdditionalFields: JSON.stringify({
    BusType: 'Usb',
    DriveLetter: 'E:',
    Manufacturer: 'JetKVM  ',
    ProductName: 'Virtual Media',
    ProductRevision: '0510',
    SerialNumber: '8a2f',
  }),
};
const DRIVE_FACTS = { 'usb.storage.vendor': 'JETKVM', 'usb.storage.product': 'VIRTUAL MEDIA', 'usb.serial': '8a2f' };
const DISPLAYED = { name: 'PiKVM V3', product_id: '7771', serial_number: '1010101', vendor_id: '31d8', online: '1' };
const DISPLAYED_FACTS = { ...DISPLAY, 'edid.serial': '1010101' };
const UDEV = `P: /devices/usb1/1-4
E: DEVTYPE=usb_device
E: BUSNUM=001
E: DEVNUM=004
E: ID_VENDOR_ENC=PiKVM
E: ID_VENDOR_ID=1d6b
E: ID_MODEL_ENC=PiKVM\\x20Composite\\x20Device
E: ID_MODEL_ID=0104
E: ID_SERIAL_SHORT=CAFEBABE
E: ID_USB_INTERFACES=:030101:030102:080650:ff0000:

P: /devices/usb1/1-4/1-4:1.0
E: DEVTYPE=usb_interface
E: ID_VENDOR_ID=1d6b
E: ID_MODEL_ID=0104

P: /devices/usb1/1-5
E: DEVTYPE=usb_device
E: BUSNUM=001
E: DEVNUM=005
E: ID_VENDOR_ENC=1a86
E: ID_VENDOR_ID=1a86
E: ID_MODEL_ENC=e129
E: ID_MODEL_ID=e129
`;
const UDEV_FACTS = [
  { ...GADGET, 'usb.functions': ['hid', 'storage'] },
  { 'usb.vid': '1a86', 'usb.pid': 'e129' },
];
function eventXml(id: string, number = '6416'): string {
  return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><EventID>${number}</EventID><TimeCreated SystemTime='2026-11-20T08:00:00.1234567Z'/><Computer>WS-0042</Computer></System><EventData><Data Name='DeviceId'>${id.replaceAll('&', '&amp;')}</Data><Data Name='DeviceDescription'>USB Composite Device</Data><Data Name='ClassName'>USB</Data></EventData></Event>`;
}
const EVENT_XML = eventXml('USB\\VID_1D6B&PID_0104\\CAFEBABE');
const EVENTS_XML = `<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n<Events>${EVENT_XML}${eventXml('SWD\\PRINTENUM\\x')}${eventXml('USB\\VID_1D6B&PID_0104\\OTHER', '4624')}</Events>`;
const RUN_STATE = {
  preRemediationDetectionScriptOutput: 'found USB\\VID_1D6B&PID_0104\\CAFEBABE, "DISPLAY\\LNX7771\\5&1&0&UID1";\r\n',
  lastStateUpdateDateTime: '2026-11-20T08:00:00Z',
  managedDevice: { deviceName: 'WS-0042' },
};
const RUN_FACTS = [EVENT_FACTS, { 'edid.vendor': 'LNX', 'edid.product': '7771' }];

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
  ['UsbDriveMounted', JSON.stringify([DRIVE, EVENT]), [EVENT_FACTS, DRIVE_FACTS]],
  ['UsbDriveMounted by its older name', JSON.stringify({ ...DRIVE, ActionType: 'UsbDriveMount' }), [DRIVE_FACTS]],
  ['UsbDriveUnmounted, which tells nothing', JSON.stringify([EVENT, { ...DRIVE, ActionType: 'UsbDriveUnmounted' }]), [EVENT_FACTS]],
  ['udevadm', UDEV, UDEV_FACTS],
  ['udevadm of Windows line ends', UDEV.replaceAll('\n', '\r\n'), UDEV_FACTS],
  ['events 6416', EVENTS_XML, [EVENT_FACTS]],
  ['events 6416 in UTF-16', utf16(EVENTS_XML), [EVENT_FACTS]],
  ['events 6416 without a root', `${EVENT_XML}\n${eventXml('DISPLAY\\LNX7771\\5&1&0&UID1')}\n`, RUN_FACTS],
  ['Intune, JSON of Graph', JSON.stringify({ value: [RUN_STATE, { ...RUN_STATE, preRemediationDetectionScriptOutput: '' }] }), RUN_FACTS],
  [
    'Intune, CSV',
    `DeviceName,PreRemediationDetectionScriptOutput\nWS-0042,"${RUN_STATE.preRemediationDetectionScriptOutput.replaceAll('"', '""')}"\n`,
    RUN_FACTS,
  ],
  ['osquery, displays', JSON.stringify([DISPLAYED]), [DISPLAYED_FACTS]],
  ['osquery, displays in a log', JSON.stringify({ ...LOG, action: 'snapshot', snapshot: [DISPLAYED] }), [DISPLAYED_FACTS]],
  [
    'osquery, the display that a Mac has built in',
    JSON.stringify([{ ...DISPLAYED, vendor_id: '610', serial_number: '0' }]),
    [{ ...DISPLAYED_FACTS, 'edid.vendor': 'APP', 'edid.serial': undefined }],
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
  ['XML that ends early', EVENT_XML.slice(0, -60), /^x:1: it is damaged XML \(unclosed tag/],
  ['XML of something else', '<html><body>Sign in</body></html>', /^x: it is none of the exports/],
  ['CSV of which no row is whole', '"InstanceId","Class"\n"USB\\VID_1D6B&PID_0104\\1\n', /^x:2: its quotes are never closed/],
];

const bytesOf = (content: string | Buffer): Buffer => (typeof content === 'string' ? Buffer.from(content) : content);
const factsOf = (observations: readonly Observation[]): object[] => observations.map(({ facts }) => facts);

/** Whether each thing is there, by exports of one record each. */
function presentIn(...records: readonly object[]): (boolean | undefined)[] {
  const read = records.flatMap((one) => readEvidence('x', Buffer.from(JSON.stringify(one)), 'ws-0042').observations);
  return byEndpoint(read).map(({ present }) => present);
}

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

  test('events behind a damage are left out, and told', () => {
    const { observations, problems } = readEvidence('x', Buffer.from(`${EVENT_XML}\n<Event><System></Data>${EVENT_XML}`));
    expect(factsOf(observations)).toEqual([EVENT_FACTS]);
    expect(problems).toMatchObject([{ place: { file: 'x', line: 2 } }]);
  });

  test('whether it is there is what the latest list says: the latest by time, or one without a time', () => {
    const removed = { ...LOG, action: 'removed', columns: ROW };
    const added = { ...LOG, action: 'added', columns: ROW };
    expect(presentIn(added)).toEqual([true]);
    expect(presentIn(removed)).toEqual([false]);
    expect(presentIn(added, removed)).toEqual([false]);
    expect(presentIn({ ...removed, unixTime: LOG.unixTime + 60 }, added)).toEqual([false]);
    expect(presentIn({ ...added, unixTime: LOG.unixTime + 60 }, removed)).toEqual([true]);
    expect(presentIn(EVENT, { ...ONE, InstanceId: 'USB\\VID_1D6B&PID_0104\\CAFEBABE', Present: false })).toEqual([false]);
    expect(presentIn({ ...ONE, InstanceId: 'USB\\VID_1D6B&PID_0104\\CAFEBABE', Present: false }, EVENT)).toEqual([false]);
  });

  test('functions without their device are gone where all of them are', () => {
    const rows = ['MI_00', 'MI_01'].map((name) => ({ InstanceId: `USB\\VID_1D6B&PID_0104&${name}\\6&1&0&0`, SystemName: 'ws-0042' }));
    const notes = (...present: readonly boolean[]): (boolean | undefined)[] =>
      readEvidence('x', Buffer.from(JSON.stringify(rows.map((row, i) => ({ ...row, Present: present[i] }))))).observations.map(
        (one) => one.present,
      );
    expect(notes(false, true)).toEqual([undefined]);
    expect(notes(false, false)).toEqual([false]);
  });

  test('times are kept', () => {
    expect(readEvidence('x', Buffer.from(EVENT_XML)).observations[0]?.at).toBe('2026-11-20T08:00:00.123Z');
    expect(readEvidence('x', Buffer.from(JSON.stringify(RUN_STATE))).observations[0]?.at).toBe('2026-11-20T08:00:00.000Z');
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

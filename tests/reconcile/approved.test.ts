import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { InputError, problemText } from '../../src/errors.ts';
import { type ApprovedAsset, type ApprovedList, readApproved, sourceText } from '../../src/reconcile/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-approved-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function written(content: string | Buffer, ending = 'csv'): string {
  files += 1;
  const file = join(folder, `${files}.${ending}`);
  writeFileSync(file, content);
  return file;
}

function read(content: string | Buffer, ending?: string): ApprovedList {
  return readApproved(written(content, ending));
}

/** Without what is empty, and without the folder. */
function brief({ source, ...rest }: ApprovedAsset): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ ...rest, at: source.line ?? source.index }).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  );
}

function texts(list: ApprovedList): string[] {
  return list.problems.map((one) =>
    problemText(one)
      .replace(`${folder}/`, '')
      .replace(/^\d+\.\w+/, ''),
  );
}

function notes(list: ApprovedList): string[] {
  return list.notes.map((note) => note.replace(/^.*?\.(?:csv|json): /, ''));
}

/** The problems of a list that cannot be used, with the folder taken out. */
function refused(content: string | Buffer, ending?: string): string[] {
  const file = written(content, ending);
  try {
    readApproved(file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map((one) => problemText(one).replaceAll(file, 'FILE'));
  }
  throw new Error('it was taken');
}

const ROW = { name: 'Büro', addresses: ['10.0.0.5'], at: 2 };

test.for<{ name: string; content: string | Buffer; assets: unknown[] }>([
  { name: 'comma', content: 'Name,IP\nBüro,10.0.0.5\n', assets: [ROW] },
  { name: 'semicolon', content: 'Name;IP\r\nBüro;10.0.0.5\r\n', assets: [ROW] },
  { name: 'tab', content: 'Name\tIP\nBüro\t10.0.0.5', assets: [ROW] },
  { name: 'bar', content: 'Name|IP\nBüro|10.0.0.5', assets: [ROW] },
  { name: 'old Mac line ends', content: 'Name,IP\rBüro,10.0.0.5\r', assets: [ROW] },
  {
    name: 'line ends of both kinds',
    content: 'Name,IP\r\nBüro,10.0.0.5\nb,10.0.0.6\r\n',
    assets: [ROW, { name: 'b', names: ['b'], addresses: ['10.0.0.6'], at: 3 }],
  },
  { name: 'quotes', content: '"Name","IP"\n"Büro" , "10.0.0.5"\n', assets: [ROW] },
  { name: 'UTF-8 with a mark', content: '\ufeffName,IP\nBüro,10.0.0.5', assets: [ROW] },
  { name: 'UTF-16LE', content: Buffer.from('\ufeffName,IP\nBüro,10.0.0.5', 'utf16le'), assets: [ROW] },
  { name: 'UTF-16BE', content: Buffer.from('\ufeffName,IP\nBüro,10.0.0.5', 'utf16le').swap16(), assets: [ROW] },
  { name: 'Windows-1252', content: Buffer.from('Name,IP\nBüro,10.0.0.5', 'latin1'), assets: [ROW] },
  { name: 'sep=;', content: 'sep=;\nName;IP\nBüro;10.0.0.5', assets: [{ ...ROW, at: 3 }] },
  { name: 'sep= a tab', content: 'sep=\t\nName\tIP\nBüro\t10.0.0.5', assets: [{ ...ROW, at: 3 }] },
  { name: 'sep= another character', content: 'sep=^\nName^IP\nBüro^10.0.0.5', assets: [{ ...ROW, at: 3 }] },
  { name: '#TYPE of Export-Csv', content: '#TYPE Selected.System.String\r\n"Name","IP"\r\n"Büro","10.0.0.5"', assets: [{ ...ROW, at: 3 }] },
  { name: 'empty lines', content: '\n\nName,IP\n\n,,\nBüro,10.0.0.5\n\n', assets: [{ ...ROW, at: 6 }] },
  {
    name: 'a cell of several lines',
    content: 'Name,IP\n"Büro","10.0.0.5\n10.0.0.6"\nb,10.0.0.7\n',
    assets: [
      { ...ROW, addresses: ['10.0.0.5', '10.0.0.6'] },
      { name: 'b', names: ['b'], addresses: ['10.0.0.7'], at: 4 },
    ],
  },
  { name: 'headings of several lines', content: '"Device\nname","IP\naddress"\nBüro,10.0.0.5\n', assets: [{ ...ROW, at: 4 }] },
  { name: 'inches', content: 'Name,IP\n19" rack,10.0.0.5\n', assets: [{ ...ROW, name: '19" rack' }] },
  { name: 'cells behind the last heading, all empty', content: 'Name,IP,,\nBüro,10.0.0.5,,,,\n', assets: [ROW] },
  {
    name: 'one column of lists',
    content: 'mac\n00:00:5e:00:53:10, 00:00:5e:00:53:11\n',
    assets: [{ macs: ['00:00:5E:00:53:10', '00:00:5E:00:53:11'], at: 2 }],
  },
  { name: 'JSON', content: '[{"name":"Büro","ip":"10.0.0.5"}]', assets: [{ ...ROW, at: 0 }] },
  {
    name: 'JSON with a mark, in an object',
    content: '\ufeff{"assets":[{"Name":"Büro","IP Address":["10.0.0.5"]}]}',
    assets: [{ ...ROW, at: 0 }],
  },
])('a list of $name', ({ content, assets }) => {
  const list = read(content);
  expect(list.assets.map(brief)).toEqual(assets);
  expect(list.problems).toEqual([]);
});

test('the reading of Windows-1252 is noted, with its own characters', () => {
  const list = read(Buffer.concat([Buffer.from('Name,IP\nB'), Buffer.from([0x92, 0x80]), Buffer.from(',10.0.0.5\n')]));
  expect(list.assets[0]?.name).toBe('B’€');
  expect(notes(list)).toEqual(['it is not UTF-8 and is read as Windows-1252']);
});

test.for<{ name: string; heading: string; cell: string; expected: Record<string, unknown> }>([
  { name: 'MAC', heading: 'MAC Address', cell: '0000.5e00.5310', expected: { macs: ['00:00:5E:00:53:10'] } },
  { name: 'MAC with blanks', heading: 'mac', cell: '00 00 5e 00 53 10', expected: { macs: ['00:00:5E:00:53:10'] } },
  { name: 'MAC with dropped zeros', heading: 'HW-address', cell: '0:0:5e:0:53:10', expected: { macs: ['00:00:5E:00:53:10'] } },
  {
    name: 'several MACs',
    heading: 'mac_addresses',
    cell: '00005e005310; 00-00-5E-00-53-11|00:00:5e:00:53:10',
    expected: { macs: ['00:00:5E:00:53:10', '00:00:5E:00:53:11'] },
  },
  { name: 'a MAC that looks like a number', heading: 'mac', cell: '00005E005310', expected: { macs: ['00:00:5E:00:53:10'] } },
  { name: 'a MAC kept as text', heading: 'mac', cell: '="00005E005310"', expected: { macs: ['00:00:5E:00:53:10'] } },
  { name: 'a MAC behind an apostrophe', heading: 'mac', cell: "'00005E005310", expected: { macs: ['00:00:5E:00:53:10'] } },
  { name: 'an unset MAC is none', heading: 'mac', cell: '00:00:00:00:00:00 00:00:5e:00:53:10', expected: { macs: ['00:00:5E:00:53:10'] } },
  { name: 'address with its network', heading: 'IPv4 Address', cell: '10.0.0.5/24', expected: { addresses: ['10.0.0.5'] } },
  { name: 'address of a /31', heading: 'ip', cell: '10.0.0.4/31', expected: { addresses: ['10.0.0.4'] } },
  { name: 'IPv6', heading: 'ipv6', cell: '2001:DB8:0:0::5/64', expected: { addresses: ['2001:db8::5'] } },
  { name: 'IPv6 with a zone', heading: 'ip', cell: 'fe80::1%eth0', expected: { addresses: ['fe80::1'] } },
  { name: 'IPv6 in brackets', heading: 'ip', cell: '[2001:db8::5]', expected: { addresses: ['2001:db8::5'] } },
  { name: 'IPv4 in IPv6', heading: 'ip', cell: '::ffff:10.0.0.5', expected: { addresses: ['10.0.0.5'] } },
  {
    name: 'several addresses',
    heading: 'IP addresses',
    cell: '10.0.0.5, 10.0.0.6\n2001:db8::5',
    expected: { addresses: ['10.0.0.5', '10.0.0.6', '2001:db8::5'] },
  },
  { name: 'a name in a column of addresses', heading: 'ip', cell: 'KVM1.example.com', expected: { names: ['kvm1.example.com'] } },
  { name: 'serial number', heading: 'Service Tag', cell: ' 00AB 12 ', expected: { serials: ['00AB 12'] } },
  { name: 'a serial number with an E is none of a spreadsheet', heading: 'S/N', cell: '12E4567', expected: { serials: ['12E4567'] } },
  {
    name: 'UUID',
    heading: 'SMBIOS UUID',
    cell: '{00112233-4455-6677-8899-AABBCCDDEEFF}',
    expected: { uuids: ['00112233445566778899aabbccddeeff'] },
  },
  {
    name: 'host name',
    heading: 'DNS Name',
    cell: 'KVM1.Example.com.',
    expected: { name: 'KVM1.Example.com.', names: ['kvm1.example.com'] },
  },
  {
    name: 'an address in a column of host names',
    heading: 'hostname',
    cell: '10.0.0.5',
    expected: { name: '10.0.0.5', addresses: ['10.0.0.5'] },
  },
  { name: 'a name that could be a host’s', heading: 'Device name', cell: 'KVM-7', expected: { name: 'KVM-7', names: ['kvm-7'] } },
])('identifiers: $name', ({ heading, cell, expected }) => {
  const list = read(JSON.stringify([{ [heading]: cell }]), 'json');
  expect(list.assets.map(brief)).toEqual([{ ...expected, at: 0 }]);
});

test.for<{ name: string; headings: string; row: string; expected: Record<string, unknown> }>([
  {
    name: 'texts',
    headings: 'Asset tag,Ticket,Display name,Manufacturer,Product,Model,Firmware,Owner,Site',
    row: 'T-1,CHG-9,Rack 3,Dell Inc.,iDRAC9,R740,6.10,NetOps,Berlin',
    expected: {
      id: 'T-1',
      ticket: 'CHG-9',
      name: 'Rack 3',
      vendor: 'Dell Inc.',
      product: 'iDRAC9',
      model: 'R740',
      version: '6.10',
      owner: 'NetOps',
      site: 'Berlin',
    },
  },
  { name: 'what says nothing is absent', headings: 'Vendor,Model,Owner', row: 'N/A,-,unknown', expected: {} },
  { name: 'our class', headings: 'Class', row: 'console-server', expected: { class: 'console-server' } },
  { name: 'a usual word for it', headings: 'Type', row: 'Terminal Server', expected: { class: 'console-server' } },
  { name: 'several of it', headings: 'Category', row: 'PDUs', expected: { class: 'pdu' } },
  {
    name: 'days',
    headings: 'Not before,Valid until',
    row: '2026-01-01,2026-12-31',
    expected: { validFrom: '2026-01-01T00:00:00.000Z', validUntil: '2026-12-31T23:59:59.999Z' },
  },
  {
    name: 'a time with its zone',
    headings: 'expires',
    row: '2026-12-31T18:00+01:00',
    expected: { validUntil: '2026-12-31T17:00:00.000Z' },
  },
  {
    name: 'a time as databases write it',
    headings: 'expires',
    row: '2026-12-31 18:00:00',
    expected: { validUntil: '2026-12-31T18:00:00.000Z' },
  },
  { name: 'no end', headings: 'expires', row: 'never', expected: {} },
  { name: 'approved', headings: 'Approved', row: 'Yes', expected: {} },
  { name: 'an exception', headings: 'Ignore,Reason,Approved', row: 'yes,lab toy,no', expected: { ignored: { reason: 'lab toy' } } },
  { name: 'no exception', headings: 'Ignore,Reason', row: 'no,because', expected: {} },
  { name: 'the key of the certificate', headings: 'SPKI SHA-256', row: 'AB'.repeat(32), expected: { certificate: 'ab'.repeat(32) } },
  {
    name: 'the same as a pin',
    headings: 'spki',
    row: `sha256/${Buffer.from('ab'.repeat(32), 'hex').toString('base64')}`,
    expected: { certificate: 'ab'.repeat(32) },
  },
  { name: 'active', headings: 'Status', row: 'Active', expected: {} },
])('values: $name', ({ headings, row, expected }) => {
  const list = read(`IP,${headings}\n10.0.0.5,${row}\n`);
  expect(list.assets.map(brief)).toEqual([{ addresses: ['10.0.0.5'], at: 2, ...expected }]);
});

test('values: windows', () => {
  const [asset] = read('IP,Window\n10.0.0.5,"Sat 22:00-06:00 Europe/Berlin; Mon-Fri 00:00-24:00 UTC"\n').assets;
  expect(asset?.windows).toEqual([
    { days: [6], fromMinute: 1320, toMinute: 360, timeZone: 'Europe/Berlin', text: 'Sat 22:00-06:00 Europe/Berlin' },
    { days: [1, 2, 3, 4, 5], fromMinute: 0, toMinute: 1440, timeZone: 'UTC', text: 'Mon-Fri 00:00-24:00 UTC' },
  ]);
});

test.for<{ name: string; headings: string; row: string; says: string }>([
  {
    name: 'MAC in scientific notation',
    headings: 'MAC',
    row: '5.00E+05',
    says: '"5.00E+05" is what a spreadsheet made of it; format the column as text and enter it again',
  },
  {
    name: 'the same in other countries',
    headings: 'MAC',
    row: '"5,00E+05"',
    says: '"5,00E+05" is what a spreadsheet made of it; format the column as text and enter it again',
  },
  {
    name: 'the same among others',
    headings: 'MAC',
    row: '00005e005310;5E+11',
    says: '"5E+11" is what a spreadsheet made of it; format the column as text and enter it again',
  },
  {
    name: 'serial number in scientific notation',
    headings: 'Serial',
    row: '1.23E+11',
    says: '"1.23E+11" is what a spreadsheet made of it; format the column as text and enter it again',
  },
  {
    name: 'MAC without its zeros',
    headings: 'MAC',
    row: '5310',
    says: '"5310" has 4 of the 12 digits of a MAC address; a spreadsheet may have cut leading zeros',
  },
  {
    name: 'MAC of a group',
    headings: 'MAC',
    row: '00:00:5e:00:01:05',
    says: '"00:00:5e:00:01:05" is the MAC address of a group, not of a device',
  },
  { name: 'no MAC', headings: 'MAC', row: 'lost', says: '"lost" is no MAC address' },
  { name: 'no UUID', headings: 'UUID', row: '1234', says: '"1234" is no UUID' },
  { name: 'no address', headings: 'OOB IP', row: '10.0.0.256', says: '"10.0.0.256" is no IP address: 256 is more than 255' },
  { name: 'a street', headings: 'OOB IP', row: 'Rack', says: '"Rack" is no IP address' },
  {
    name: 'a network',
    headings: 'OOB IP',
    row: '10.0.0.0/24',
    says: '"10.0.0.0/24" is a network; a record approves one device, and a rule what is in a network',
  },
  {
    name: 'an IPv6 network',
    headings: 'OOB IP',
    row: '2001:db8::/64',
    says: '"2001:db8::/64" is a network; a record approves one device, and a rule what is in a network',
  },
  {
    name: 'a range',
    headings: 'OOB IP',
    row: '10.0.0.5-9',
    says: '"10.0.0.5-9" is a range; a record approves one device, and a rule what is in a network',
  },
  {
    name: 'a prefix that is none',
    headings: 'OOB IP',
    row: '10.0.0.5/33',
    says: '"10.0.0.5/33": after the / stands a prefix length, 0 to 32',
  },
  { name: 'broadcast', headings: 'OOB IP', row: '255.255.255.255', says: '"255.255.255.255" is no address that a device can have' },
  {
    name: 'a date of some country',
    headings: 'Expires',
    row: '03/04/2026',
    says: '"03/04/2026" means another day in another country; write it as 2026-12-31 (ISO 8601), or say how dates are written: --date-format DD/MM/YYYY',
  },
  {
    name: 'the same with dots',
    headings: 'Expires',
    row: '3.4.26',
    says: '"3.4.26" means another day in another country; write it as 2026-12-31 (ISO 8601), or say how dates are written: --date-format DD/MM/YYYY',
  },
  { name: 'a date in words', headings: 'Valid from', row: 'Nov 2026', says: '"Nov 2026" is no date; write it as 2026-12-31 (ISO 8601)' },
  { name: 'the number of a day', headings: 'Valid from', row: '46022', says: '"46022" is no date; write it as 2026-12-31 (ISO 8601)' },
  { name: 'a day that there is not', headings: 'Expires', row: '2026-02-30', says: 'there is no day "2026-02-30"' },
  { name: 'a time that there is not', headings: 'Expires', row: '2026-02-28T25:00Z', says: 'there is no time "25:00"' },
  {
    name: 'an end before the begin',
    headings: 'Valid from,Valid until',
    row: '2026-02-02,2026-02-01',
    says: 'the approval ends (2026-02-01) before it begins (2026-02-02)',
  },
  { name: 'neither yes nor no', headings: 'Ignore', row: 'CHG-1', says: '"CHG-1" is neither yes nor no' },
  { name: 'an exception without a reason', headings: 'Ignore,Reason', row: 'yes,', says: 'an exception needs a reason' },
  {
    name: 'a window without a zone',
    headings: 'Window',
    row: 'Sat 22:00-06:00',
    says: 'the window "Sat 22:00-06:00" names no time zone; write it as Sat 22:00-06:00 Europe/Berlin',
  },
  { name: 'no key', headings: 'SPKI', row: 'abc', says: '"abc" is no SHA-256 of a public key (64 hex digits)' },
  {
    name: 'several things at once',
    headings: 'MAC,Expires',
    row: 'x,y',
    says: '"x" is no MAC address; "y" is no date; write it as 2026-12-31 (ISO 8601)',
  },
])('a record is left out: $name', ({ headings, row, says }) => {
  const list = read(`Name,${headings}\ngood${headings.replaceAll(/[^,]/g, '').replace(/^/, ',')}\nbad,${row}\n`);
  expect(list.assets.map(({ name }) => name)).toEqual(['good']);
  expect(texts(list)).toEqual([`:3: ${says} (the record is left out)`]);
  expect(notes(list).at(-1)).toBe('1 record of 2 left out because of what is wrong in them');
  expect(list.setAside.map(({ asset, why }) => `${asset.name}: ${why}`)).toEqual(['bad: it is left out because of what is wrong in it']);
});

test('all bad rows are reported at once, each with its line, and the good ones are kept', () => {
  const list = read(
    'Name,IP,Expires\na,10.0.0.1,2026-12-31\nb,10.0.0.2\nc,10.0.0.3,2026-12-31,x\n"d"e,10.0.0.4,2026-12-31\nf,10.0.0.5,03/04/2026\n,,2026-12-31\ng,10.0.0.6,\n',
  );
  expect(list.assets.map(({ name }) => name)).toEqual(['a', 'g']);
  expect(texts(list)).toEqual([
    ':3: it has 2 cells, and there are 3 headings (the record is left out)',
    ':4: it has 4 cells, and there are 3 headings; a value that holds the separator stands in quotes (the record is left out)',
    ':5: text stands behind a closing quote; a quote within quotes is doubled ("") (the record is left out)',
    ':6: "03/04/2026" means another day in another country; write it as 2026-12-31 (ISO 8601), or say how dates are written: --date-format DD/MM/YYYY (the record is left out)',
    ':7: nothing in it names a device (a serial number, MAC, UUID, host name or IP address) (the record is left out)',
  ]);
});

test('quotes that are never closed cost one row', () => {
  const list = read('Name,IP\na,10.0.0.1\n"b,10.0.0.2\nc,10.0.0.3\n');
  expect(list.assets.map(({ name }) => name)).toEqual(['a', 'c']);
  expect(texts(list)).toEqual([':3: its quotes are never closed (the record is left out)']);
});

test('records that approve nothing are noted, with the reason', () => {
  const list = read(
    'Name,Approved,Install status,IP\na,yes,Installed,10.0.0.1\nb,no,Installed,10.0.0.2\nc,,Installed,10.0.0.3\nd,yes,Retired - disposed,10.0.0.4\ne,yes,7,10.0.0.5\nf,yes,Disposed,what\n',
  );
  expect(list.assets.map(({ name }) => name)).toEqual(['a']);
  expect(list.problems).toEqual([]);
  expect(notes(list)).toEqual(['5 records approve nothing, by their status or because they say so: 3, 4, 5, 6, 7']);
  expect(list.setAside.map(({ why }) => why)).toEqual([
    'its "Approved" is "no"',
    'its "Approved" is empty',
    'its "Install status" is "Retired - disposed"',
    'its "Install status" is "7"',
    'its "Install status" is "Disposed"',
  ]);
});

test('of two headings for one meaning the more specific is read, and where it is empty the other', () => {
  const list = read('IP Address,OOB IP,Name\n10.0.0.1,10.9.0.1/16,a\n10.0.0.2,,b\n');
  expect(list.assets.map(({ addresses }) => addresses)).toEqual([['10.9.0.1'], ['10.0.0.2']]);
  expect(notes(list)).toEqual(['"OOB IP" is read before "IP Address" (IP address); what comes later counts where the first is empty']);
});

test('two headings that are equally specific both count for addresses; for texts the first does', () => {
  const list = read('IPv4 Address,IPv6 Address,Serial,Serial Number\n10.0.0.1,2001:db8::1,A1,A2\n');
  expect(list.assets[0]).toMatchObject({ addresses: ['10.0.0.1', '2001:db8::1'], serials: ['A1'] });
  expect(notes(list)).toEqual([
    '"Serial" is read before "Serial Number" (serial number); what comes later counts where the first is empty',
  ]);
});

test('headings of no known meaning, and classes of no known class, are noted once', () => {
  const list = read('IP,Colour,Class,Shelf\n10.0.0.1,red,Server,1\n10.0.0.2,blue,Server,2\n10.0.0.3,blue,bmc,2\n');
  expect(list.assets.map(({ class: kind }) => kind)).toEqual([undefined, undefined, 'bmc']);
  expect(notes(list)).toEqual([
    'ignored: 2 columns of no known meaning ("Colour", "Shelf")',
    'the class "Server" is none of ours and is not compared (2 records)',
  ]);
});

test('the choice of host name over label: a label for people is no identifier', () => {
  const list = read('FQDN,Name\nkvm1.example.com,PiKVM\n,Rack 3\n,pikvm\n');
  expect(list.assets.map(({ name, names }) => [name, names])).toEqual([
    ['PiKVM', ['kvm1.example.com']],
    ['pikvm', ['pikvm']],
  ]);
  expect(texts(list)).toEqual([
    ':3: nothing in it names a device (a serial number, MAC, UUID, host name or IP address) (the record is left out)',
  ]);
});

test('JSON: lists, references as inventory systems give them, and what is no record', () => {
  const list = read(
    JSON.stringify([
      {
        name: 'a',
        ip_addresses: ['10.0.0.1', { address: '10.0.0.2/24' }],
        macs: ['00005e005310'],
        manufacturer: { display_value: 'Dell', link: 'x' },
        model: { name: 'R740' },
        approved: true,
      },
      { name: 'b', ip: null, mac: 5310, approved: 'CHG-1' },
      'c',
      { ip: '10.0.0.4', approved: false },
    ]),
    'json',
  );
  expect(list.assets.map(brief)).toEqual([
    { name: 'a', names: ['a'], addresses: ['10.0.0.1', '10.0.0.2'], macs: ['00:00:5E:00:53:10'], vendor: 'Dell', model: 'R740', at: 0 },
  ]);
  expect(texts(list)).toEqual([
    '[1]: "5310" has 4 of the 12 digits of a MAC address; a spreadsheet may have cut leading zeros; "CHG-1" is neither yes nor no (the record is left out)',
    '[2]: it is no object (the record is left out)',
  ]);
  expect(list.setAside.map(({ asset }) => sourceText(asset.source).replace(/^.*json/, ''))).toEqual(['[1]', '[2]', '[3]']);
});

test.for<{ name: string; content: string | Buffer; ending?: string; says: string[] }>([
  { name: 'an empty file', content: '', says: ['FILE holds no approved assets'] },
  { name: 'empty lines', content: '\n \n', says: ['FILE holds no approved assets'] },
  {
    name: 'headings only',
    content: 'IP,Name\n',
    says: ['FILE: holds no approved asset with a usable identifier, so nothing can be reconciled'],
  },
  {
    name: 'no column that names a device',
    content: 'Colour,Owner\nred,me\n',
    says: [
      'FILE: no column names a device (looked for MAC, serial, UUID, host name and IP address under their usual headings); the headings are: "Colour", "Owner". If one of them does, say so: --map mac="HEADING"',
    ],
  },
  {
    name: 'no usable record, with all that is wrong',
    content: 'IP\nx\n10.0.0.0/8\n',
    says: [
      'FILE:2: "x" is no IP address (the record is left out)',
      'FILE:3: "10.0.0.0/8" is a network; a record approves one device, and a rule what is in a network (the record is left out)',
      'FILE: holds no approved asset with a usable identifier, so nothing can be reconciled',
    ],
  },
  {
    name: 'a spreadsheet',
    content: Buffer.from('PK\u0003\u0004\0\0'),
    ending: 'xlsx',
    says: ['cannot read FILE: it is no text (a spreadsheet is to be saved as CSV)'],
  },
  {
    name: 'JSON of another form',
    content: '{"devices":[]}',
    ending: 'json',
    says: ['FILE: it is neither a list of objects nor an object with a list "assets", "result", "results", "rows", "Devices" or "items"'],
  },
])('a list cannot be used: $name', ({ content, ending, says }) => expect(refused(content, ending)).toEqual(says));

test('a list cannot be used: broken JSON, no file, a folder', () => {
  expect(refused('[{', 'json')[0]).toMatch(/^FILE: it is not JSON: /);
  expect(() => readApproved(join(folder, 'nowhere.csv'))).toThrow(/there is no such file/);
  expect(() => readApproved(folder)).toThrow(/it is a folder/);
});

test('--map says what headings mean, and no other is read for that', () => {
  const file = written('Name,NIC 1,NIC-2,MAC,IP,ILO address\na,00005e005310,00005e005311,x,10.0.0.5,10.9.0.5\n');
  const found = readApproved(file, { map: ['mac=NIC 1', 'MAC Address=nic 2', 'ip=ILO address'] });
  expect(found.assets.map(brief)).toEqual([
    { name: 'a', names: ['a'], macs: ['00:00:5E:00:53:10', '00:00:5E:00:53:11'], addresses: ['10.9.0.5'], at: 2 },
  ]);
  expect(notes(found)).toEqual(['not read, because --map names others: "MAC", "IP"']);
});

test('--map finds the headings of a table that has no usual ones', () =>
  expect(readApproved(written('Gerät;Netz\nkvm-1;10.0.0.5\n'), { map: ['name=Gerät', 'address=Netz'] }).assets.map(brief)).toEqual([
    { name: 'kvm-1', names: ['kvm-1'], addresses: ['10.0.0.5'], at: 2 },
  ]));

test.for<{ name: string; reading: Parameters<typeof readApproved>[1]; says: string[] }>([
  { name: 'no =', reading: { map: ['NIC 1'] }, says: ['--map NIC 1: write it as MEANING=HEADING: --map mac="NIC 1"'] },
  {
    name: 'no meaning, and no heading',
    reading: { map: ['sereal=SN', 'mac='] },
    says: [
      '--map sereal=SN: "sereal" is no meaning; did you mean serial? (serial, mac, uuid, host, name, address, class, vendor, product, model, version, certificate, owner, site, ticket, id, status, approved, validFrom, validUntil, window, ignore, reason, network)',
      '--map mac=: write it as MEANING=HEADING: --map mac="NIC 1"',
    ],
  },
  {
    name: 'a heading that is not there',
    reading: { map: ['mac=NIC 3'] },
    says: ['--map mac=NIC 3: no list has a heading "NIC 3"; they are "Name", "IP"'],
  },
  {
    name: 'a date format that is none',
    reading: { dateFormat: 'DD/MM/YY' },
    says: ['--date-format DD/MM/YY: write it with DD, MM and YYYY: DD/MM/YYYY, MM/DD/YYYY, DD.MM.YYYY; a year of two digits is not read'],
  },
])('what an operator says of a list is refused: $name', ({ reading, says }) => {
  const file = written('Name,IP\na,10.0.0.5\n');
  try {
    readApproved(file, reading);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.problems.map(problemText)).toEqual(says.map((text) => expect.stringContaining(text) as string));
    return;
  }
  throw new Error('it was taken');
});

test.for<{ format: string; cell: string; until?: string; says?: string }>([
  { format: 'DD/MM/YYYY', cell: '03/04/2026', until: '2026-04-03T23:59:59.999Z' },
  { format: 'MM/DD/YYYY', cell: '03/04/2026', until: '2026-03-04T23:59:59.999Z' },
  { format: 'D.M.YYYY', cell: '3.4.2026', until: '2026-04-03T23:59:59.999Z' },
  { format: 'DD-MM-YYYY', cell: '03-04-2026 18:00', until: '2026-04-03T18:00:00.000Z' },
  { format: 'yyyy/mm/dd', cell: '2026/04/03', until: '2026-04-03T23:59:59.999Z' },
  { format: 'DD/MM/YYYY', cell: '2026-04-03', until: '2026-04-03T23:59:59.999Z' },
  { format: 'DD/MM/YYYY', cell: '04/13/2026', says: 'there is no day "2026-13-04"' },
  { format: 'DD/MM/YYYY', cell: '3.4.2026', says: '"3.4.2026" is no date as DD/MM/YYYY; write it as 2026-12-31 (ISO 8601)' },
])('--date-format $format: $cell', ({ format, cell: date, until, says }) => {
  const found = readApproved(written(`Name;Expires\ngood;\nbad;${date}\n`), { dateFormat: format });
  expect(found.assets[1]?.validUntil).toBe(until);
  expect(texts(found)).toEqual(says === undefined ? [] : [`:3: ${says} (the record is left out)`]);
});

test('several files are one list; what is wrong with any is told, of all at once', () => {
  const paths = [
    written('Name,IP\na,10.0.0.1\n'),
    written(Buffer.from('Name;IP\nBüro;10.0.0.2\n', 'latin1')),
    written('[{"ip":"10.0.0.3"}]', 'json'),
  ];
  const whole = readApproved(paths);
  expect(whole.rows).toBe(3);
  expect(whole.assets.map(({ addresses, source }) => [addresses[0], source.file])).toEqual([
    ['10.0.0.1', paths[0]],
    ['10.0.0.2', paths[1]],
    ['10.0.0.3', paths[2]],
  ]);
  const bad = [written('Colour\nred\n'), written('', 'csv'), join(folder, 'nowhere.csv')];
  expect(() => readApproved([...paths, ...bad])).toThrow(InputError);
  try {
    readApproved([...paths, ...bad]);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    expect(error.problems.map(({ code }) => code).toSorted()).toEqual(['empty-file', 'no-identifier-column', 'unreadable-file']);
  }
});

/** An answer of Snipe-IT. */
function page(name: string, total: number): string {
  return JSON.stringify({ total, rows: [{ name, asset_tag: name, serial: `${name}1` }] });
}

test('a page of several is noted, unless the others are there too', () => {
  const pages = [written(page('a', 2), 'json'), written(page('b', 2), 'json')];
  expect(readApproved(pages).notes.filter((note) => note.includes('pages'))).toEqual([]);
  expect(readApproved(pages.slice(0, 1)).notes[0]).toBe(
    `${pages[0]}: 1 record of 2; fetch the other pages too, and give each file with --approved`,
  );
  // As `jq -s` puts them together.
  expect(read(`[${page('a', 2)},${page('b', 2)}]`, 'json').assets.map(({ id, source }) => `${id} ${source.list}`)).toEqual([
    'a [0].rows',
    'b [1].rows',
  ]);
});

const cell = fc.oneof(
  fc.constantFrom(
    '10.0.0.5',
    '00005E005310',
    '5E+11',
    'yes',
    '2026-01-01',
    'kvm',
    '',
    '"',
    '""',
    '"a\nb"',
    'retired',
    'Sat 22:00-06:00 UTC',
    '10.0.0.0/8',
    '\ufeff',
    '=',
  ),
  fc.string({ maxLength: 12 }),
);
const heading = fc.constantFrom(
  'IP',
  'MAC',
  'Serial',
  'UUID',
  'Host',
  'Name',
  'Class',
  'Status',
  'Approved',
  'Expires',
  'Window',
  'Ignore',
  'Reason',
  'x',
);
const table = fc.record({
  separator: fc.constantFrom(',', ';', '\t', '|'),
  end: fc.constantFrom('\n', '\r\n', '\r'),
  headings: fc.array(heading, { minLength: 1, maxLength: 5 }),
  rows: fc.array(fc.array(cell, { maxLength: 6 }), { maxLength: 6 }),
});

function endsWell(content: string | Buffer): void {
  try {
    const list = read(content);
    expect(list.assets.length).toBeGreaterThan(0);
    for (const { serials, macs, uuids, names, addresses } of list.assets)
      expect(serials.length + macs.length + uuids.length + names.length + addresses.length).toBeGreaterThan(0);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}

test('any table ends in a list or an InputError, and no row is lost without a word', () =>
  fc.assert(
    fc.property(table, ({ separator, end, headings, rows }) => {
      const text = [headings, ...rows].map((row) => row.join(separator)).join(end);
      endsWell(text);
      if (rows.some((row) => row.some((one) => /["\n\r\0]/.test(one)))) return;
      try {
        const list = read(text);
        // Lines that hold nothing but separators and blanks are no records.
        const records = text
          .split(end)
          .slice(1)
          .filter((line) => line.split(separator).some((one) => one.trim() !== '')).length;
        if (!headings.every((one) => one === 'IP')) return;
        expect(list.assets.length + list.setAside.length).toBe(records);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }),
  ));

test('any text and any bytes end in a list or an InputError', () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), (noise) => endsWell(`IP,MAC\n10.0.0.1,\n${noise}`)));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => endsWell(Buffer.from(noise))));
  fc.assert(fc.property(fc.json(), (noise) => endsWell(noise)));
});

test('the example of the documentation is a list', () => {
  const list = readApproved('docs/examples/approved.csv');
  expect(list.problems).toEqual([]);
  expect(list.notes).toEqual([]);
  expect(list.assets.map(({ id }) => id)).toEqual(['KVM-0012', 'BMC-0131', 'CON-0051', 'KVM-0099', 'KVM-0200']);
  expect(list.assets[3]?.windows).toHaveLength(2);
  expect(list.assets[4]?.ignored?.reason).toMatch(/^classroom/);
});

test('20,000 rows are read in seconds', () => {
  const rows = Array.from(
    { length: 20_000 },
    (_, i) =>
      `kvm${i},"10.${i >> 16}.${(i >> 8) & 255}.${i & 255}",00:00:5e:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}:10,2027-01-01`,
  );
  const from = performance.now();
  const list = read(`Name,IP,MAC,Expires\n${rows.join('\n')}`);
  expect(list.assets.length + list.problems.length).toBe(20_000);
  expect(performance.now() - from).toBeLessThan(10_000);
});

import type { Device } from '../src/devices/device.ts';
import type { Inventory } from '../src/inventory/schema.ts';
import type { Identifier } from '../src/vocabulary.ts';
import { randomNumbers } from './random-numbers.ts';

/** An inventory, and a list of approved assets as teams have it: in files of several systems and encodings, with all that goes wrong in such lists. */
export interface Messy {
  readonly inventory: Inventory;
  readonly files: readonly { readonly name: string; readonly bytes: Buffer }[];
  readonly rows: number;
}

const KINDS = [
  { class: 'bmc', vendor: 'Dell', product: 'iDRAC', generation: '9', model: 'PowerEdge R740', word: 'iDRAC' },
  { class: 'bmc', vendor: 'HPE', product: 'iLO', generation: '5', model: 'ProLiant DL380 Gen10', word: 'Lights Out' },
  { class: 'ip-kvm', vendor: 'PiKVM', product: 'PiKVM', model: 'V4 Plus', word: 'KVM over IP' },
  { class: 'console-server', vendor: 'Opengear', product: 'OM2200', model: 'OM2216-L', word: 'Terminal server' },
  { class: 'pdu', vendor: 'APC', product: 'Rack PDU', model: 'AP8959', word: 'Rack PDU' },
] as const;

interface Made {
  readonly device: Device;
  readonly kind: (typeof KINDS)[number];
  readonly address: string;
  readonly mac: string;
  readonly serial: string;
  readonly name: string;
}

/** So many devices in 10.0.0.0/16, of which the last are named by no record, and so many rows. */
export function messyList(deviceCount: number, rowCount: number, seed = 1): Messy {
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const made = Array.from({ length: deviceCount }, (_, at) => madeDevice(at, KINDS[at % KINDS.length] as (typeof KINDS)[number]));
  const known = made.slice(0, Math.floor(deviceCount * 0.9));
  const rows: Record<string, string>[] = [];
  for (let at = 0; rows.length < rowCount; at += 1) {
    const subject = at < known.length ? (known[at] as Made) : undefined;
    const row = subject === undefined ? absentRow(at, random) : presentRow(subject, pick);
    rows.push(spoiled(row, random));
    // One in twenty is written twice: by another team, in other words.
    if (random() < 0.05 && rows.length < rowCount) rows.push({ ...row, tag: `DUP-${at}`, owner: 'Zweitgerät & Söhne' });
  }
  const shuffled = rows
    .map((row) => ({ row, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ row }) => row);
  const quarter = Math.ceil(rowCount / 4);
  const parts = [0, 1, 2, 3].map((part) => shuffled.slice(part * quarter, (part + 1) * quarter));
  return {
    inventory: inventoryOf(made.map(({ device }) => device)),
    files: FORMS.map((form, part) => form(parts[part] ?? [])),
    rows: rowCount,
  };
}

function hex(number: number, digits: number): string {
  return number.toString(16).padStart(digits, '0').toUpperCase();
}

function macOf(at: number): string {
  const digits = hex(at, 6);
  return `00:00:5E:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4)}`.replace('00:00:5E:00:01', '00:00:5E:A0:01');
}

function madeDevice(at: number, kind: (typeof KINDS)[number]): Made {
  const address = `10.0.${at >> 8}.${at & 255}`;
  const [mac, serial, name] = [macOf(at + 0x100000), `SN${String(at).padStart(7, '0')}`, `rac-${at}.example.com`];
  const told: Identifier[] = [
    ...(at % 3 === 0 ? [{ kind: 'serial', value: serial, from: 'redfish' } as const] : []),
    ...(at % 4 < 2 ? [{ kind: 'mac', value: mac, from: 'neighbour table' } as const] : []),
    { kind: 'fqdn', value: name, from: 'tls' },
    { kind: 'ip', value: address, from: 'address' },
  ];
  const { word: _word, ...shown } = kind;
  const device: Device = {
    deviceKey: `kvm-${at}`,
    ...shown,
    version: `6.${at % 40}.00`,
    certainty: 95,
    level: 'certain',
    addresses: [address],
    identifiers: told,
    endpoints: [{ host: address, port: 443, transport: 'tcp', probe: 'https' }],
    evidence: [
      {
        fingerprint: 'bench',
        rule: 'title',
        fact: 'http.title',
        text: `${kind.vendor} ${kind.product}`,
        certainty: 95,
        endpoint: `${address}:443`,
      },
    ],
    alternatives: [],
    posture: [],
  };
  return { device, kind, address, mac, serial, name };
}

/** What a team writes of a device that is there. */
function presentRow({ kind, address, mac, serial, name }: Made, pick: <T>(list: readonly T[]) => T): Record<string, string> {
  const spelt = pick([
    mac,
    mac.toLowerCase().replaceAll(':', '-'),
    mac.replaceAll(':', ''),
    mac
      .replaceAll(':', '')
      .toLowerCase()
      .replace(/(.{4})(?=.)/g, '$1.'),
  ]);
  return {
    tag: `KVM-${serial.slice(2)}`,
    name,
    address: pick([address, `${address}/24`, `${address}; 192.0.2.${address.split('.')[3]}`, `${address}\n2001:db8::${serial.slice(5)}`]),
    mac: pick([spelt, `${spelt}|00:00:00:00:00:00`, '']),
    serial: pick([serial, serial.toLowerCase(), `${serial} `, '']),
    kind: kind.word,
    maker: pick([kind.vendor, `${kind.vendor} Inc.`, '']),
    owner: pick(['Überwachung', 'Équipe réseau', 'Lab Services']),
    until: pick(['2027-12-31', '2027-12-31T18:00+01:00', 'never', '2026-01-31', '2026-12-10', '']),
    status: pick(['In use', 'Installed', '']),
  };
}

/** What it writes of one that is not. */
function absentRow(at: number, random: () => number): Record<string, string> {
  const far = random() < 0.5;
  return {
    tag: `KVM-A${at}`,
    name: `gone-${at}.example.com`,
    // The sweep asked 10.0.0.0/16.
    address: far ? `10.7.${(at >> 8) & 255}.${at & 255}` : `10.0.${64 + ((at >> 8) & 63)}.${at & 255}`,
    mac: random() < 0.5 ? macOf(at + 0x400000) : '',
    serial: '',
    kind: 'BMC',
    maker: 'Dell',
    owner: 'Überwachung',
    until: '2027-12-31',
    status: 'In use',
  };
}

/** One row in eight has something wrong with it, or approves nothing. */
function spoiled(row: Record<string, string>, random: () => number): Record<string, string> {
  const faults: readonly Record<string, string>[] = [
    { mac: '5.00E+05' },
    { until: '03/04/2026' },
    { address: '10.0.0.300' },
    { address: '10.0.0.0/24' },
    { status: 'Retired' },
    { status: 'Disposed' },
    { name: '', address: '', mac: '', serial: '' },
    { mac: '5310' },
  ];
  return random() < 0.125 ? { ...row, ...faults[Math.floor(random() * faults.length)] } : row;
}

type Form = (rows: readonly Record<string, string>[]) => { readonly name: string; readonly bytes: Buffer };

function textOf(
  rows: readonly Record<string, string>[],
  headings: Readonly<Record<string, string>>,
  separator: string,
  always: boolean,
): string {
  const quoted = (cell: string): string =>
    always || cell.includes(separator) || /["\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  const keys = Object.keys(headings);
  return [Object.values(headings), ...rows.map((row) => keys.map((key) => row[key] ?? ''))]
    .map((cells) => cells.map(quoted).join(separator))
    .join('\r\n');
}

const FORMS: readonly Form[] = [
  // A spreadsheet that was saved as "CSV UTF-8".
  (rows) => ({
    name: 'spreadsheet.csv',
    bytes: Buffer.from(
      `\ufeff${textOf(rows, { tag: 'Asset tag', name: 'Device name', address: 'IP Address', mac: 'MAC Address', serial: 'Serial Number', kind: 'Category', maker: 'Manufacturer', owner: 'Owner', until: 'Valid until', status: 'Status' }, ',', false)}\r\n`,
    ),
  }),
  // The same of a country whose decimal sign is the comma.
  (rows) => ({
    name: 'tabelle.csv',
    bytes: Buffer.from(
      `sep=;\r\n${textOf(rows, { tag: 'Inventarnummer', name: 'Name', address: 'IP-Adresse', mac: 'MAC-Adresse', serial: 'Seriennummer', kind: 'Typ', maker: 'Hersteller', owner: 'Owner', until: 'Valid until', status: 'Status' }, ';', false)}\r\n`,
      'latin1',
    ),
  }),
  // Export-Csv of Windows PowerShell 5.1, redirected.
  (rows) => ({
    name: 'powershell.csv',
    bytes: Buffer.from(
      `\ufeff#TYPE Selected.System.Management.Automation.PSCustomObject\r\n${textOf(rows, { tag: 'AssetTag', name: 'HostName', address: 'IPAddress', mac: 'MacAddress', serial: 'SerialNumber', kind: 'Class', maker: 'Vendor', owner: 'ManagedBy', until: 'Expires', status: 'State' }, ',', true)}\r\n`,
      'utf16le',
    ),
  }),
  // ServiceNow.
  (rows) => ({
    name: 'cmdb_ci.csv',
    bytes: Buffer.from(
      textOf(
        rows,
        {
          tag: 'asset_tag',
          name: 'fqdn',
          address: 'ip_address',
          mac: 'mac_address',
          serial: 'serial_number',
          kind: 'u_kind',
          maker: 'manufacturer',
          owner: 'owned_by.name',
          until: 'u_approved_until',
          status: 'install_status',
        },
        ',',
        true,
      ),
      'latin1',
    ),
  }),
];

function inventoryOf(devices: readonly Device[]): Inventory {
  return {
    schemaVersion: 1,
    tool: { name: 'kvmsweep', version: '0.0.0', fingerprints: 'bench' },
    run: {
      arguments: ['scan', '10.0.0.0/16'],
      startedAt: '2026-11-26T08:00:00.000Z',
      endedAt: '2026-11-26T09:00:00.000Z',
      sourceAddresses: ['10.0.255.1'],
      seed: 1,
      rate: 2000,
      ratePerNetwork: 1000,
      retries: 1,
    },
    asked: { hosts: 65_536, ranges: ['10.0.0.0-10.0.255.255'], names: {}, ports: ['443/tcp=https'] },
    completeness: { complete: true, limitations: [], notes: [] },
    devices,
    unrecognised: [],
  };
}

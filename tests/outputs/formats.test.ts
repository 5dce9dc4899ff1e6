import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'csv-parse/sync';
import { afterAll, expect, test } from 'vitest';
import type { Inventory } from '../../src/inventory/schema.ts';
import type { Exported } from '../../src/outputs/formats/format.ts';
import { TEXT_FORMATS } from '../../src/outputs/formats/index.ts';
import { SUMMARIES } from '../../src/outputs/formats/summaries.ts';
import { reconcile } from '../../src/reconcile/index.ts';
import { CLASSES, STATES } from '../../src/vocabulary.ts';
import { asset, device, IDRAC, inventory, list } from '../reconcile/build.ts';

const NASTY = "=cmd|'/C calc'!A0 \"<&>\u001b[2J\u202e\ud800\u0000&lt;script&gt;\r\n-end";

const KNOWN = device('10.0.0.17', {
  ...IDRAC,
  deviceKey: 'kvm-a',
  model: 'PowerEdge R640',
  version: '7.00',
  serial: 'C3N8QF2',
  hostname: 'idrac-C3N8QF2',
  posture: ['default-certificate'],
  ids: { serial: 'C3N8QF2', mac: '84:7B:EB:F1:0A:36' },
  firstSeen: '2026-11-20T10:00:00.000Z',
  lastSeen: '2026-11-26T13:09:24.394Z',
});
const DEVICES = [
  KNOWN,
  device('10.0.0.18', { deviceKey: 'kvm-b', hostname: 'pikvm', addresses: ['10.0.0.18', 'fd00::18'], ids: { mac: '00:00:5E:00:53:18' } }),
  device('10.0.0.19', { deviceKey: 'kvm-c', model: NASTY, version: NASTY, serial: NASTY, hostname: NASTY }),
  device('10.0.0.20', {
    deviceKey: 'kvm-d',
    hostname: 'pdu.example.net',
    class: 'pdu',
    vendor: 'APC',
    product: 'Rack PDU',
    endpoints: [{ host: '10.0.0.20', port: 161, transport: 'udp', probe: 'snmp' }],
  }),
  device('10.0.0.21', {
    deviceKey: 'kvm-e',
    class: 'vnc-software',
    vendor: 'TigerVNC',
    product: 'TigerVNC',
    endpoints: [{ host: '10.0.0.21', port: 5900, transport: 'tcp', probe: 'rfb' }],
  }),
  device('x', { deviceKey: 'kvm-f', addresses: [], endpoints: [], identifiers: [], attachedTo: [{ computer: 'ws-0042', present: true }] }),
];
const INVENTORY: Inventory = {
  ...inventory(DEVICES, { ports: ['443/tcp=https', '22/tcp=ssh@living', '161/udp=snmp'], names: { '10.0.0.17': 'sql07.example.net' } }),
  run: {
    arguments: ['scan', '10.0.0.0/24', NASTY],
    startedAt: '2026-11-26T13:09:21.605Z',
    endedAt: '2026-11-26T13:09:34.930Z',
    sourceAddresses: ['10.0.0.1'],
    seed: 1,
    rate: 2000,
    ratePerNetwork: 1000,
    retries: 1,
  },
  unrecognised: [
    { host: '10.0.0.9', mac: '00:00:5E:00:53:09', macVendor: NASTY, endpoints: [] },
    { host: '10.0.0.10', endpoints: ['443/tcp=https'] },
  ],
};
const FINDINGS = reconcile(
  INVENTORY,
  list([
    asset({ id: 'A1', serials: ['C3N8QF2'], owner: 'Database | Team' }),
    asset({ id: 'A2', serials: ['NOT-THERE'], addresses: ['10.0.0.99'] }),
  ]),
  { now: new Date('2026-11-26T14:00:00Z') },
);
const RECONCILED: Exported = { inventory: INVENTORY, findings: FINDINGS };

function written(id: string, exported: Exported = RECONCILED): { text: string; notes: readonly string[] } {
  const format = TEXT_FORMATS.find((one) => one.id === id);
  if (format === undefined) throw new Error(`there is no form ${id}`);
  return format.text(exported);
}

function lines<T>(id: string, exported?: Exported): T[] {
  return written(id, exported)
    .text.trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

test('the help names every form there is, and no other', () => {
  for (const { id, summary } of TEXT_FORMATS) expect(SUMMARIES).toHaveProperty(id, summary);
  expect(new Set([...TEXT_FORMATS.map(({ id }) => id), 'sentinel'])).toEqual(new Set(Object.keys(SUMMARIES)));
  expect(new Set(TEXT_FORMATS.map(({ id }) => id)).size).toBe(TEXT_FORMATS.length);
});

test.for(TEXT_FORMATS.map(({ id }) => id))(
  '%s: the same inventory is the same text; an empty one is a text too; nothing acts on a terminal',
  (id) => {
    expect(written(id)).toEqual(written(id));
    expect(() => written(id, { inventory: inventory([]) })).not.toThrow();
    expect(() => written(id, { inventory: INVENTORY })).not.toThrow();
    expect(written(id).text.replace(/[\r\n]|^\ufeff/g, '')).not.toMatch(/[\p{Cc}\u202e]/u);
  },
);

// ---- nmap ----

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const TOOLS = ['xmllint', 'ndiff'] as const;
const missing = TOOLS.filter((tool) => spawnSync(tool, ['--version']).error !== undefined);
if (missing.length > 0) {
  if (process.env['KVMSWEEP_REAL'] === 'required') throw new Error(`${missing.join(' and ')} missing (Debian: libxml2-utils, ndiff, nmap)`);
  process.stderr.write(
    `tests of nmap XML with its own tools are skipped: ${missing.join(' and ')} missing (Debian: libxml2-utils, ndiff, nmap)\n`,
  );
}

function nmapFile(name: string, exported: Exported): string {
  const file = join(folder, name);
  writeFileSync(file, written('nmap-xml', exported).text);
  return file;
}

test.skipIf(missing.length > 0).for([
  ['with findings', RECONCILED],
  ['without findings', { inventory: INVENTORY }],
  ['empty', { inventory: inventory([]) }],
  ['incomplete', { inventory: inventory([KNOWN], { complete: false }) }],
] as const)("nmap-xml: valid by nmap's own DTD: %s", ([name, exported]) => {
  const { status, stderr } = spawnSync(
    'xmllint',
    ['--noout', '--dtdvalid', '/usr/share/nmap/nmap.dtd', nmapFile(`${name}.xml`, exported)],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test.skipIf(missing.length > 0)('nmap-xml: ndiff reads it, and sees a device that moved its port', () => {
  const before = nmapFile('before.xml', RECONCILED);
  const moved = { ...KNOWN, endpoints: [{ host: '10.0.0.17', port: 8443, transport: 'tcp', probe: 'https' } as const] };
  const after = nmapFile('after.xml', { ...RECONCILED, inventory: { ...INVENTORY, devices: [moved, ...DEVICES.slice(1)] } });
  expect(spawnSync('ndiff', [before, before]).status).toBe(0);
  const { status, stdout } = spawnSync('ndiff', [before, after], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toContain('sql07.example.net (10.0.0.17');
  expect(stdout).toMatch(/^-443\/tcp\s+open\s+ssl\/http/m);
  expect(stdout).toMatch(/^\+8443\/tcp\s+open/m);
});

test('nmap-xml: what each host is, and what the counts say', () => {
  const { text, notes } = written('nmap-xml');
  expect(text).toContain('<scaninfo type="connect" protocol="tcp" numservices="2" services="443,22"/>');
  expect(text).toContain('<address addr="84:7B:EB:F1:0A:36" addrtype="mac"/>');
  expect(text, 'of two addresses it is not known which has the card').not.toContain('00:00:5E:00:53:18');
  expect(text).toContain('<elem key="state">approved-present</elem>');
  expect(text).toContain('<service name="http" tunnel="ssl" method="probed" conf="10"/>');
  // 10.0.0.9 is known by its MAC only, 10.0.0.10 answered; there is no account of a sweep in this inventory.
  expect(text).toContain('<hosts up="8" down="248" total="256"/>');
  expect(text, 'text that looks like an entity stays what it is').toContain('&amp;lt;script&amp;gt;');
  expect(notes.join()).toMatch(/1 device attached to computers/);
});

// ---- tables ----

test('csv: a row for each device, no formula, a byte order mark and CRLF for Excel', () => {
  const { text, notes } = written('csv');
  expect(text.startsWith('\ufeffAddresses,Attached to,Class,')).toBe(true);
  expect(text.split('\r\n').length).toBe(DEVICES.length + 2);
  const rows: Record<string, string>[] = parse(text, { columns: true, bom: true });
  expect(rows.length).toBe(DEVICES.length);
  expect(rows[1]).toMatchObject({ Addresses: '10.0.0.18;fd00::18', 'Device key': 'kvm-b', State: 'unapproved' });
  for (const row of rows) for (const cell of Object.values(row)) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
  expect(rows[2]?.['Model']).toMatch(/^'=cmd/);
  expect(notes).toContainEqual(expect.stringMatching(/1 approved asset that no device carries/));
  expect(written('csv', { inventory: INVENTORY }).text.split('\r\n')[0]).not.toContain('State');
});

test('splunk: the columns of an asset lookup, is_expected by the findings, no name that is not its own', () => {
  const rows: Record<string, string>[] = parse(written('splunk').text, { columns: true });
  expect(Object.keys(rows[0] ?? {})).toHaveLength(18);
  expect(rows.map(({ ip, mac, nt_host, dns, owner, is_expected }) => [ip, mac, nt_host, dns, owner, is_expected])).toEqual([
    ['10.0.0.17', '84:7b:eb:f1:0a:36', 'idrac-C3N8QF2', '', 'Database / Team', 'true'],
    ['10.0.0.18|fd00::18', '00:00:5e:00:53:18', '', '', '', 'false'],
    ['10.0.0.19', '', '', '', '', 'false'],
    ['10.0.0.20', '', '', 'pdu.example.net', '', 'false'],
  ]);
  expect(rows[0]?.['category']).toBe('remote_access|bmc|approved-present');
  const without: Record<string, string>[] = parse(written('splunk', { inventory: INVENTORY }).text, { columns: true });
  expect(without.map(({ is_expected }) => is_expected)).toEqual(['', '', '', '']);
});

// ---- JSON: schemas of the documented fields ----

const ajv = new Ajv({ allErrors: true, strict: false });
const MAC = { type: 'string', pattern: '^([0-9A-Fa-f]{2}[:-]){5}([0-9A-Fa-f]{2})$' };

/** ocsf/ocsf-schema 1.8.0: what Device Inventory Info and its objects require. */
const OCSF = {
  type: 'object',
  required: ['activity_id', 'category_uid', 'class_uid', 'type_uid', 'severity_id', 'time', 'metadata', 'device'],
  properties: {
    activity_id: { const: 2 },
    category_uid: { const: 5 },
    class_uid: { const: 5001 },
    type_uid: { const: 500_102 },
    severity_id: { type: 'integer', minimum: 1, maximum: 5 },
    time: { type: 'integer', minimum: 0 },
    metadata: {
      type: 'object',
      required: ['version', 'product'],
      properties: { version: { const: '1.8.0' }, product: { type: 'object', required: ['name'] } },
    },
    device: {
      type: 'object',
      required: ['type_id', 'uid'],
      properties: {
        type_id: { const: 99 },
        type: { enum: [...CLASSES] },
        mac: MAC,
        is_trusted: { type: 'boolean' },
        first_seen_time: { type: 'integer' },
        last_seen_time: { type: 'integer' },
        owner: { type: 'object', required: ['name'] },
        hw_info: { type: 'object' },
        network_interfaces: {
          type: 'array',
          items: {
            type: 'object',
            required: ['type_id'],
            properties: {
              mac: MAC,
              open_ports: { type: 'array', items: { type: 'object', required: ['port'], properties: { port: { type: 'integer' } } } },
            },
          },
        },
      },
    },
    observables: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'type_id', 'value'],
        properties: { type_id: { enum: [1, 2, 3] }, value: { type: 'string' } },
      },
    },
    unmapped: { type: 'object' },
  },
};

/** glpi-project/inventory_format: the part that a device of the network has. */
const GLPI = {
  type: 'object',
  required: ['content', 'deviceid', 'itemtype', 'action'],
  additionalProperties: false,
  properties: {
    deviceid: { type: 'string', minLength: 1 },
    itemtype: { enum: ['Unmanaged', 'Computer', 'Phone', 'NetworkEquipment', 'Printer'] },
    action: { enum: ['inventory', 'netdiscovery', 'netinventory'] },
    content: {
      type: 'object',
      required: ['versionclient', 'network_device'],
      additionalProperties: false,
      properties: {
        versionclient: { type: 'string' },
        network_device: {
          type: 'object',
          required: ['type'],
          additionalProperties: false,
          properties: {
            type: { type: 'string', pattern: '^(Unmanaged|Computer|Networking|Printer|Storage|Power|Phone|Video|KVM)$' },
            ...Object.fromEntries(
              ['name', 'description', 'manufacturer', 'model', 'serial', 'firmware', 'mac'].map((name) => [
                name,
                { type: 'string', minLength: 1 },
              ]),
            ),
            ips: { type: 'array', items: { type: 'string' }, minItems: 1 },
          },
        },
      },
    },
  },
};

/** ServiceNow, Identification and Reconciliation API. */
const SOURCE_INFO = {
  type: 'object',
  required: ['source_name', 'source_native_key'],
  additionalProperties: false,
  properties: {
    source_name: { const: 'kvmsweep' },
    source_native_key: { type: 'string' },
    source_recency_timestamp: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d$' },
  },
};
const TEXTS = { type: 'object', additionalProperties: { type: 'string', minLength: 1, maxLength: 4000 } };
const IRE = {
  type: 'object',
  required: ['items'],
  additionalProperties: false,
  properties: {
    relations: { type: 'array', maxItems: 0 },
    items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['className', 'internal_id', 'values', 'sys_object_source_info'],
        additionalProperties: false,
        properties: {
          className: {
            enum: ['cmdb_ci_outofband_device', 'cmdb_ci_peripheral', 'cmdb_ci_pdu', 'cmdb_ci_ups', 'cmdb_ci_netgear', 'cmdb_ci_hardware'],
          },
          internal_id: { type: 'string' },
          values: { ...TEXTS, required: ['name'], not: { anyOf: [{ required: ['manufacturer'] }, { required: ['model_id'] }] } },
          lookup: {
            type: 'array',
            items: {
              type: 'object',
              required: ['className', 'values'],
              properties: { className: { enum: ['cmdb_serial_number', 'cmdb_ci_network_adapter'] }, values: TEXTS },
            },
          },
          sys_object_source_info: SOURCE_INFO,
        },
      },
    },
  },
};

function expectValid(schema: object, value: unknown): void {
  const validate = ajv.compile(schema);
  validate(value);
  expect(validate.errors).toBeNull();
}

test('ocsf: every event has what the schema requires', () => {
  const events = lines<{ device: Record<string, unknown>; severity_id: number; time: number }>('ocsf');
  expect(events).toHaveLength(DEVICES.length);
  for (const event of events) expectValid(OCSF, event);
  expect(events[0]).toMatchObject({
    time: Date.parse('2026-11-26T13:09:34.930Z'),
    severity_id: 1,
    device: { type: 'bmc', is_trusted: true, mac: '84:7B:EB:F1:0A:36', owner: { name: 'Database | Team' } },
  });
  expect(events[1]).toMatchObject({ severity_id: 4, device: { is_trusted: false } });
  for (const event of lines('ocsf', { inventory: inventory([KNOWN]) })) expectValid(OCSF, event);
});

test('glpi: a document for each device that is one; a KVM is a KVM, and nothing is a BMC', () => {
  const documents = lines<{ content: { network_device: { type: string; ips?: string[] } }; deviceid: string }>('glpi');
  for (const document of documents) expectValid(GLPI, document);
  expect(documents.map(({ content, deviceid }) => [deviceid, content.network_device.type])).toEqual([
    ['kvmsweep-kvm-a', 'Networking'],
    ['kvmsweep-kvm-b', 'KVM'],
    ['kvmsweep-kvm-c', 'KVM'],
    ['kvmsweep-kvm-d', 'Power'],
    ['kvmsweep-kvm-f', 'KVM'],
  ]);
  expect(written('glpi').notes.join('\n')).toMatch(/3 devices without a serial number: GLPI refuses them/);
});

test('servicenow: classes, names that match nobody else, no reference by its text', () => {
  const body = JSON.parse(written('servicenow').text) as {
    items: { className: string; values: Record<string, string>; lookup?: unknown }[];
  };
  expectValid(IRE, body);
  expect(body.items.map(({ className, values }) => [className, values['name']])).toEqual([
    ['cmdb_ci_outofband_device', 'idrac-C3N8QF2'],
    ['cmdb_ci_peripheral', 'PiKVM kvm-b'],
    ['cmdb_ci_peripheral', 'PiKVM kvm-c'],
    ['cmdb_ci_pdu', 'pdu.example.net'],
    ['cmdb_ci_peripheral', 'PiKVM kvm-f'],
  ]);
  expect(body.items[0]).toMatchObject({
    values: { serial_number: 'C3N8QF2', mac_address: '84:7b:eb:f1:0a:36', firmware_version: '7.00', ip_address: '10.0.0.17' },
    lookup: [{ className: 'cmdb_serial_number' }, { className: 'cmdb_ci_network_adapter' }],
  });
});

test.for(CLASSES)('servicenow: a device of class %s is never one of cmdb_ci_kvm', (kind) => {
  expect(written('servicenow', { inventory: inventory([device('10.0.0.5', { class: kind })]) }).text).not.toMatch(/cmdb_ci_kvm/);
});

// ---- metrics ----

test('prometheus: each metric once, samples of our own words only, none missing at zero', () => {
  const { text } = written('prometheus');
  const names = [...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(/^(?:# (?:HELP|TYPE) kvmsweep_[a-z_]+ .+|kvmsweep_[a-z_]+(?:\{[a-z]+="[a-z-]+"\})? -?\d+(?:\.\d+)?)$/);
  expect(text).toContain('kvmsweep_devices{class="ip-kvm"} 3\n');
  expect(text).toContain('kvmsweep_findings{state="impostor"} 0\n');
  for (const state of STATES) expect(text).toContain(`kvmsweep_findings{state="${state}"}`);
  expect(text).toContain('kvmsweep_last_scan_timestamp_seconds 1795698574.93\n');
  expect(text).not.toMatch(/10\.0\.0|84:7B/);
});

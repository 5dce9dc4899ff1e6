import { Ajv } from 'ajv';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { validate as isUuid, version as uuidVersion } from 'uuid';
import type { Device } from '../../../src/devices/device.ts';
import { armLiteral } from '../../../src/outputs/sentinel/arm.ts';
import { cell } from '../../../src/outputs/sentinel/cells.ts';
import { type Row, sentinelContract } from '../../../src/outputs/sentinel/columns.ts';
import { changesOf } from '../../../src/outputs/sentinel/items.ts';
import { bytesOf, LIMITS } from '../../../src/outputs/sentinel/limits.ts';
import { bundleList } from '../../../src/outputs/sentinel/watchlist-files.ts';
import { asset, device, IDRAC } from '../../reconcile/build.ts';
import { against, bundle, fileText, rowsOf, sweep } from './build.ts';

const contract = sentinelContract();

/** Whatever a device may say, in every field that it fills. */
const HOSTILE = [
  'a,"b"\r\n10.0.0.9,kvm-injected,,,',
  '=HYPERLINK("http://192.0.2.1";"x")',
  '[concat(resourceGroup().id)]',
  '[443,5900]',
  'x'.repeat(20_000),
  '\u202egnp.exe\u0000\u001b[31m',
  '\ud800 lone',
  '漢'.repeat(5000),
  '\ufeffSearchIp',
  "'; drop",
  '\u2028line\u2029',
];
const hostile: Device[] = HOSTILE.map((text, i) =>
  device(`10.0.0.${i + 1}`, {
    deviceKey: `kvm-${i}`,
    model: text,
    version: text,
    serial: text,
    hostname: text,
    ids: { mac: '00:00:5E:00:53:01' },
    endpoints: Array.from({ length: 400 }, (_, port) => ({
      host: `10.0.0.${i + 1}`,
      port: port + 1,
      transport: 'tcp' as const,
      probe: 'http',
    })),
    evidence: Array.from({ length: 60 }, () => ({
      fingerprint: 'f',
      rule: text.slice(0, 100),
      fact: 'http.title',
      text,
      certainty: 50,
      endpoint: 'x',
    })),
  }),
);
const approved = against(asset({ addresses: ['10.0.0.1'], owner: HOSTILE[0] ?? '', site: HOSTILE[2] ?? '', id: HOSTILE[4] ?? '' }));
const whole = bundle(sweep(24, hostile), undefined, {
  against: approved,
  adminSubnets: [{ Cidr: '10.9.0.0/16', Zone: 'ops', Purpose: 'jump hosts' }],
});

/** `WatchlistProperties` and `WatchlistItemProperties` of api-version 2025-09-01, as documented. */
const WATCHLIST = {
  type: 'object',
  required: ['properties'],
  additionalProperties: false,
  properties: {
    properties: {
      type: 'object',
      required: ['displayName', 'provider', 'itemsSearchKey'],
      additionalProperties: false,
      properties: {
        displayName: { type: 'string', minLength: 3, maxLength: 64, pattern: '^[A-Za-z0-9][A-Za-z0-9 _-]*[A-Za-z0-9]$' },
        provider: { type: 'string', minLength: 1 },
        source: { type: 'string' },
        sourceType: { enum: ['Local', 'AzureStorage'] },
        itemsSearchKey: { type: 'string' },
        contentType: { enum: ['text/csv', 'text/tsv'] },
        numberOfLinesToSkip: { type: 'integer', minimum: 0 },
        rawContent: { type: 'string' },
        description: { type: 'string' },
      },
      dependentRequired: { rawContent: ['contentType', 'numberOfLinesToSkip'] },
    },
  },
};
const ITEM = {
  type: 'object',
  required: ['id', 'body'],
  additionalProperties: false,
  properties: {
    id: { type: 'string' },
    body: {
      type: 'object',
      required: ['properties'],
      additionalProperties: false,
      properties: {
        properties: {
          type: 'object',
          required: ['itemsKeyValue'],
          additionalProperties: false,
          properties: { itemsKeyValue: { type: 'object', additionalProperties: { type: 'string' } } },
        },
      },
    },
  },
};
const ajv = new Ajv({ strict: false });
const isWatchlist = ajv.compile(WATCHLIST);
const isItem = ajv.compile(ITEM);

function readCsv(text: string): Record<string, string>[] {
  return parse(text, { columns: true, record_delimiter: '\r\n' });
}

test('every list of the contract is written', () => {
  const { lists } = bundle(sweep(24, hostile), undefined, {
    adminSubnets: [{ Cidr: '10.9.0.0/16' }],
    fingerprints: [
      {
        id: 'x',
        title: 'x',
        class: 'ip-kvm',
        sources: ['x'],
        rules: [
          {
            all: [
              { fact: 'usb.vid', equals: '1d6b' },
              { fact: 'usb.pid', equals: '0104' },
            ],
            certainty: 25,
          },
        ],
        examples: [],
        near_misses: [],
      } as never,
    ],
  });
  expect(lists.map(({ watchlist }) => watchlist.alias)).toEqual(contract.watchlists.map(({ alias }) => alias));
  // The writers give a value for exactly the columns that the rules read.
  for (const { watchlist, changed } of lists)
    for (const { row } of changed) expect(Object.keys(row)).toEqual(watchlist.columns.map(({ name }) => name));
});

describe.for(whole.lists)('$watchlist.alias', ({ watchlist, items, names }) => {
  const csv = fileText(whole, names.csv[0] ?? '');

  test('CSV: no byte order mark, CRLF, the columns in order, short lines, no row too large, the key never blank and once', () => {
    expect(csv.startsWith(`${watchlist.columns.map(({ name }) => name).join(',')}\r\n`)).toBe(true);
    const lines = csv.split('\r\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(items.length + 1);
    for (const line of lines) {
      expect(line.length).toBeLessThan(LIMITS.lineCharacters);
      expect(bytesOf(line)).toBeLessThan(LIMITS.rowBytes);
      expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e\u2028\u2029]/u);
      expect(line.isWellFormed()).toBe(true);
    }
    const keys = readCsv(csv).map((row) => row[watchlist.key]);
    expect(keys.every((key) => key !== undefined && key.trim() !== '')).toBe(true);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('CSV, REST body, template, items and flat objects hold the same rows', () => {
    const rows = items.map(({ row }) => row);
    expect(readCsv(csv)).toEqual(rows);
    const body = JSON.parse(fileText(whole, names.bodies[0] ?? '')) as { properties: { rawContent: string; itemsSearchKey: string } };
    expect(isWatchlist(body), JSON.stringify(isWatchlist.errors)).toBe(true);
    expect(body.properties).toMatchObject({ rawContent: csv, itemsSearchKey: watchlist.key, sourceType: 'Local' });
    const template = JSON.parse(fileText(whole, names.templates[0] ?? '')) as { resources: { properties: unknown }[] };
    expect(template.resources[0]?.properties).toEqual(body.properties);
    const lines = fileText(whole, names.items).trimEnd().split('\n');
    for (const line of lines) expect(isItem(JSON.parse(line)), JSON.stringify(isItem.errors)).toBe(true);
    expect(
      lines.map((line) => (JSON.parse(line) as { body: { properties: { itemsKeyValue: Row } } }).body.properties.itemsKeyValue),
    ).toEqual(rows);
    expect(JSON.parse(fileText(whole, names.flat))).toEqual(rows);
  });

  test('the list without rows is a body too', () => {
    const body: unknown = JSON.parse(fileText(whole, names.empty));
    expect(isWatchlist(body), JSON.stringify(isWatchlist.errors)).toBe(true);
    expect(body).not.toHaveProperty('properties.rawContent');
  });

  test('ids are UUIDs of version 5, of one item each, and the same every time', () => {
    const ids = items.map(({ id }) => id);
    for (const id of ids) expect([isUuid(id), uuidVersion(id)]).toEqual([true, 5]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('an id is that of list, device and address, for ever', () => {
  const ids = bundle(sweep(24, [device('10.0.0.1', { deviceKey: 'kvm-a' })])).lists.flatMap(({ items }) => items.map(({ id }) => id));
  expect(ids).toMatchInlineSnapshot(`
    [
      "d60c493d-5bdb-5673-84d4-5c7c715681ce",
      "803f6697-ec1f-53bc-a6e1-eb87ff892f85",
    ]
  `);
});

test('what a device says stays text, and joins: formulas are left as they are', () => {
  const models = rowsOf(whole).map((row) => row['Model'] ?? '');
  expect(models).toContain('=HYPERLINK("http://192.0.2.1";"x")');
  expect(models).toContain('[443,5900]');
  expect(models).toContain('a,"b" 10.0.0.9,kvm-injected,,,');
  expect(rowsOf(whole).map((row) => row['DeviceKey'])).not.toContain('kvm-injected');
});

test('whatever a device says is one line of a bounded length, and well-formed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const written = cell(text);
      expect(written).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
      expect(written.length).toBeLessThanOrEqual(180);
      expect(written.isWellFormed()).toBe(true);
    }),
  );
});

/** Every string of a template that Azure takes for an expression. */
function expressions(value: unknown): string[] {
  if (typeof value === 'string') return value.startsWith('[') && value.endsWith(']') && !value.startsWith('[[') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(expressions) : [];
}

const MEANT = [
  /^\[concat\(parameters\('workspaceName'\),'\/Microsoft\.SecurityInsights\/Kvm\w+'\)\]$/,
  /^\[parameters\('(?:ruleName|location)'\)\]$/,
  /^\[resourceId\('Microsoft\.OperationalInsights\/workspaces', parameters\('workspaceName'\)\)\]$/,
  /^\[(?:reference\()?resourceId\('Microsoft\.Insights\/dataCollectionRules', parameters\('ruleName'\)\)\)?(?:\.immutableId|\.endpoints\.logsIngestion)?\]$/,
];

test('templates: documented fields, and no expression but ours', () => {
  const templates = whole.files.filter(({ name }) => /\.(?:arm|rule)\.json$/.test(name));
  expect(templates).toHaveLength(4);
  for (const { name, text } of templates) {
    const template = JSON.parse(text) as Record<string, unknown>;
    expect(
      Object.keys(template).filter((key) => key !== 'outputs'),
      name,
    ).toEqual(['$schema', 'contentVersion', 'parameters', 'resources']);
    expect(bytesOf(text)).toBeLessThan(LIMITS.templateBytes);
    for (const expression of expressions(template))
      expect(
        MEANT.some((one) => one.test(expression)),
        expression,
      ).toBe(true);
  }
});

test.for([
  ['[concat(1)]', '[[concat(1)]'],
  ['[443] and more', '[443] and more'],
  ['[[x]', '[[[x]'],
  ['plain', 'plain'],
] as const)('a literal %j in a template is %j', ([literal, written]) => {
  expect(armLiteral({ a: [literal] })).toEqual({ a: [written] });
});

const RESERVED = new Set(['_ResourceId', 'id', '_SubscriptionId', 'TenantId', 'Type', 'UniqueId', 'Title']);
const OF_WATCHLIST = new Set([
  'Type',
  'TenantId',
  'TimeGenerated',
  'Source',
  'Provider',
  'Notes',
  'Tags',
  'SearchKey',
  'WatchlistItem',
  '_DTItemId',
  'LastUpdatedTimeUTC',
]);

describe('the table', () => {
  const [table] = contract.tables;
  const body = JSON.parse(fileText(whole, 'KvmSweepDevices.table.json')) as {
    properties: { schema: { name: string; columns: { name: string; type: string }[] } };
  };
  const rule = JSON.parse(fileText(whole, 'KvmSweepDevices.rule.json')) as {
    resources: [
      {
        kind: string;
        properties: {
          streamDeclarations: Record<string, { columns: { name: string; type: string }[] }>;
          dataFlows: { streams: string[]; outputStream: string }[];
        };
      },
    ];
  };
  const declared = rule.resources[0].properties.streamDeclarations[table.stream]?.columns ?? [];

  test('names are allowed, and the same in table and stream', () => {
    const { name, columns } = body.properties.schema;
    expect(name).toBe('KvmSweepDevices_CL');
    expect(columns.map((column) => column.name)).toEqual(declared.map((column) => column.name));
    for (const column of columns) {
      expect(column.name).toMatch(/^[A-Za-z][A-Za-z0-9_]{0,44}$/);
      expect(RESERVED.has(column.name), column.name).toBe(false);
    }
    expect(columns.length).toBeLessThanOrEqual(500);
    for (const { columns: ofList } of contract.watchlists)
      for (const column of ofList) expect(OF_WATCHLIST.has(column.name), column.name).toBe(false);
  });

  test('types are those of the tables API and of a stream declaration', () => {
    const types = new Set(body.properties.schema.columns.map(({ type }) => type));
    for (const type of types) expect(['string', 'int', 'long', 'real', 'boolean', 'dateTime', 'dynamic', 'guid']).toContain(type);
    for (const { type } of declared) expect(['string', 'int', 'long', 'real', 'boolean', 'datetime', 'dynamic']).toContain(type);
    expect(rule.resources[0]).toMatchObject({
      kind: 'Direct',
      properties: { dataFlows: [{ streams: [table.stream], outputStream: 'Custom-KvmSweepDevices_CL' }] },
    });
  });

  test('records: arrays below one call, fields below 64 KB, of the declared types, all of one time', () => {
    const many = bundle(sweep(24, Array.from({ length: 40 }, () => hostile).flat()));
    const files = many.files.filter(({ name }) => name.endsWith('.records.json'));
    expect(files.length).toBeGreaterThan(1);
    const records = files.flatMap(({ text }) => {
      expect(bytesOf(text)).toBeLessThan(1_000_000);
      return JSON.parse(text) as Record<string, unknown>[];
    });
    expect(records).toHaveLength(40 * hostile.length);
    const typeOf = new Map(table.columns.map(({ name, type }) => [name, type]));
    for (const record of records) {
      expect(record['TimeGenerated']).toBe('2026-11-24T12:30:00Z');
      for (const [name, value] of Object.entries(record)) {
        expect(bytesOf(JSON.stringify(value))).toBeLessThan(LIMITS.fieldBytes);
        const type = typeOf.get(name);
        const fits =
          type === 'dynamic'
            ? Array.isArray(value)
            : type === 'int'
              ? Number.isInteger(value)
              : type === 'boolean'
                ? value === true
                : typeof value === 'string';
        expect(fits, `${name}: ${JSON.stringify(value)}`).toBe(true);
      }
    }
  });

  test('a record has every column that is known, and one for each address; a device without address has one too', () => {
    const one = device('10.0.0.1', {
      ...IDRAC,
      addresses: ['10.0.0.1', '10.0.0.2'],
      model: 'm',
      version: 'v',
      firstSeen: '2026-11-01T00:00:00.000Z',
      lastSeen: '2026-11-24T12:20:00.000Z',
    });
    const records = JSON.parse(
      fileText(bundle(sweep(24, [one, { ...device('10.0.0.5'), addresses: [] }])), 'KvmSweepDevices.records.json'),
    ) as Record<string, unknown>[];
    expect(Object.keys(records[0] ?? {})).toEqual(table.columns.map(({ name }) => name));
    expect(records.map((record) => record['Ip'])).toEqual(['10.0.0.1', '10.0.0.2', '']);
  });
});

const rows = (count: number): Row[] =>
  Array.from({ length: count }, (_, i) => ({
    SearchIp: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
    DeviceKey: `kvm-${String(i).padStart(12, '0')}`,
    Mac: '00:00:5E:00:53:10',
    Kind: 'bmc',
    Vendor: 'Dell',
    Product: 'iDRAC',
    Model: 'PowerEdge R740',
    Serial: 'ABC1234',
    Hostname: 'idrac-ABC1234.management.example.com',
    State: 'approved-present',
    Severity: 'info',
    ApprovalId: 'CHG0029119',
    ApprovalExpires: '2031-03-31T23:59:59Z',
    Owner: 'Platform Team',
    Site: 'DC1 row A',
    OpenPorts: '443/tcp;623/udp;5900/tcp',
    FirstSeen: '2026-11-26',
  }));

describe('large lists', () => {
  const [watchlist] = contract.watchlists;
  const listOf = (count: number): ReturnType<typeof bundleList> => {
    if (watchlist === undefined) throw new Error('no watchlist');
    return bundleList(watchlist, changesOf(watchlist, rows(count), [], { keeps: () => false, full: false }));
  };

  test.for([
    [3000, 1, 1],
    [15_000, 1, 4],
    [20_000, 2, 5],
  ] as const)('%i rows are %i CSV files and %i templates, each within its limit', ([count, csv, templates]) => {
    const { files, names } = listOf(count);
    expect([names.csv.length, names.bodies.length, names.templates.length]).toEqual([csv, csv, templates]);
    const text = (name: string): string => files.find((file) => file.name === name)?.text ?? '';
    const read = names.csv.flatMap((name) => {
      expect(bytesOf(text(name))).toBeLessThanOrEqual(LIMITS.csvBytes);
      return readCsv(text(name));
    });
    expect(read).toHaveLength(count);
    for (const name of names.templates) {
      const { resources } = JSON.parse(text(name)) as { resources: [{ properties: { rawContent: string } }] };
      expect(bytesOf(resources[0].properties.rawContent)).toBeLessThanOrEqual(LIMITS.templateBytes);
    }
  });

  test('more changes than a month allows are refused', () => {
    const devices = Array.from({ length: 2 }, (_, i) =>
      device('x', {
        deviceKey: `kvm-${i}`,
        addresses: Array.from({ length: 50_001 }, (_unused, host) => `10.${i}.${host >> 8}.${host & 255}`),
      }),
    );
    expect(() => bundle(sweep(24, devices))).toThrow(/would change 100003 watchlist items.*takes 100000 a month/s);
  });

  test('5,000 devices take less than 2 seconds of the processor, and what comes of the next sweep too', () => {
    const devices = Array.from({ length: 5000 }, (_, i) =>
      device(`10.0.${i >> 8}.${i & 255}`, {
        ...IDRAC,
        deviceKey: `kvm-${i}`,
        ids: {
          serial: `S${i}`,
          mac: `00:00:5E:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}:01`.toUpperCase(),
        },
      }),
    );
    const records = against(...devices.slice(0, 4000).map((_, i) => asset({ serials: [`S${i}`], owner: 'x' })));
    const of = { ranges: ['10.0.0.0-10.0.255.255'] };
    const start = process.threadCpuUsage().user / 1000;
    const first = bundle(sweep(24, devices, of), undefined, { against: records });
    const between = process.threadCpuUsage().user / 1000;
    const second = bundle(sweep(25, devices, of), first.state, { against: records });
    const end = process.threadCpuUsage().user / 1000;
    expect(second.lists.flatMap(({ changed, deleted }) => [...changed, ...deleted])).toEqual([]);
    expect(between - start).toBeLessThan(2000);
    expect(end - between).toBeLessThan(2000);
  });
});

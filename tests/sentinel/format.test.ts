import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { TEMPLATE, template } from '../../scripts/sentinel.ts';
import { COLUMNS } from './kusto.ts';
import { hunting, operations, rules, xdr } from './pack.ts';

/**
 * What the checks of the Azure-Sentinel repository ask of a rule, and no other keys.
 * Azure/Azure-Sentinel .script/tests/detectionTemplateSchemaValidation/Models/ScheduledTemplateInternalModel.cs, AlertDetailsOverride.cs,
 * EntityMappingIdentifiers.cs (of the entity types that the pack uses), wiki page Query-Style-Guide.
 */
const IDENTIFIERS = {
  IP: ['Address'],
  Host: ['HostName', 'DnsDomain', 'FullName', 'NetBiosName', 'NTDomain'],
  Account: ['Name', 'NTDomain', 'UPNSuffix', 'Sid', 'FullName'],
};
const text = (maxLength: number, pattern?: string) => ({
  type: 'string',
  minLength: 1,
  maxLength,
  ...(pattern === undefined ? {} : { pattern }),
});
const QUERY = {
  id: { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' },
  name: text(64, '^[A-Z].*[^.]$'),
  version: text(20, '^\\d+\\.\\d+\\.\\d+$'),
  description: text(5000, '^(This query searches for|Identifies) '),
  requiredDataConnectors: {
    type: 'array',
    items: {
      type: 'object',
      required: ['connectorId', 'dataTypes'],
      additionalProperties: false,
      properties: {
        // Of ValidConnectorIds.json there (003ca2f).
        connectorId: {
          enum: ['MicrosoftThreatProtection', 'PaloAltoNetworks', 'Fortinet', 'CheckPoint', 'AzureFirewall', 'SquidProxy', 'Zscaler'],
        },
        dataTypes: { type: 'array', minItems: 1, items: { type: 'string' } },
      },
    },
  },
  tactics: { type: 'array', minItems: 1, uniqueItems: true, items: { enum: ['InitialAccess', 'CommandAndControl', 'Discovery'] } },
  relevantTechniques: { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string', pattern: '^T\\d{4}(\\.\\d{3})?$' } },
  tags: { type: 'array', contains: { const: 'T1219.003' }, items: { type: 'string' } },
  query: text(10_000),
  entityMappings: {
    type: 'array',
    minItems: 1,
    maxItems: 5,
    items: {
      oneOf: Object.entries(IDENTIFIERS).map(([entityType, identifiers]) => ({
        type: 'object',
        required: ['entityType', 'fieldMappings'],
        additionalProperties: false,
        properties: {
          entityType: { const: entityType },
          fieldMappings: {
            type: 'array',
            minItems: 1,
            maxItems: 3,
            items: {
              type: 'object',
              required: ['identifier', 'columnName'],
              additionalProperties: false,
              properties: { identifier: { enum: identifiers }, columnName: { type: 'string' } },
            },
          },
        },
      })),
    },
  },
};
const ajv = new Ajv({ allErrors: true });
const isHunting = ajv.compile({
  type: 'object',
  required: ['id', 'name', 'version', 'description', 'requiredDataConnectors', 'tactics', 'relevantTechniques', 'tags', 'query'],
  additionalProperties: false,
  properties: QUERY,
});
const DURATION = { type: 'string', pattern: '^\\d+[mhd]$' };
const isRule = ajv.compile({
  type: 'object',
  required: [
    'id',
    'name',
    'version',
    'kind',
    'description',
    'severity',
    'requiredDataConnectors',
    'queryFrequency',
    'queryPeriod',
    'triggerOperator',
    'triggerThreshold',
    'tactics',
    'relevantTechniques',
    'tags',
    'query',
    'entityMappings',
    'customDetails',
    'eventGroupingSettings',
  ],
  additionalProperties: false,
  properties: {
    ...QUERY,
    kind: { const: 'Scheduled' },
    severity: { enum: ['Informational', 'Low', 'Medium', 'High'] },
    queryFrequency: DURATION,
    queryPeriod: DURATION,
    triggerOperator: { enum: ['gt', 'lt', 'eq', 'ne'] },
    triggerThreshold: { type: 'integer', minimum: 0, maximum: 10_000 },
    customDetails: {
      type: 'object',
      maxProperties: 20,
      propertyNames: { maxLength: 20, pattern: '^[a-zA-Z]+\\w*$' },
      additionalProperties: { type: 'string', maxLength: 500, pattern: '^[a-zA-Z_]+\\w*$' },
    },
    alertDetailsOverride: {
      type: 'object',
      additionalProperties: false,
      properties: {
        alertDisplayNameFormat: text(256),
        alertDescriptionFormat: text(5000),
        alertSeverityColumnName: { type: 'string' },
      },
    },
    eventGroupingSettings: {
      type: 'object',
      required: ['aggregationKind'],
      additionalProperties: false,
      properties: { aggregationKind: { enum: ['AlertPerResult', 'SingleAlert'] } },
    },
    incidentConfiguration: { type: 'object' },
  },
});
/** MITRE ATT&CK: the tactics that each technique belongs to. */
const TACTICS: Readonly<Record<string, readonly string[]>> = {
  T1046: ['Discovery'],
  T1200: ['InitialAccess'],
  T1219: ['CommandAndControl'],
};
const MINUTES = { m: 1, h: 60, d: 1440 };

test.for(rules)('$file is a rule as the Azure-Sentinel repository takes it', ({ content }) => {
  expect(isRule(content) ? [] : isRule.errors).toEqual([]);
  const [period, frequency] = [content.queryPeriod, content.queryFrequency].map(
    (duration = '') => Number(duration.slice(0, -1)) * MINUTES[duration.slice(-1) as keyof typeof MINUTES],
  ) as [number, number];
  expect(frequency).toBeGreaterThanOrEqual(5);
  expect(period).toBeGreaterThanOrEqual(frequency);
  expect(period).toBeLessThanOrEqual(14 * MINUTES.d);
  // A period of two days or more allows one run an hour at most.
  if (period >= 2 * MINUTES.d) expect(frequency).toBeGreaterThanOrEqual(MINUTES.h);
});

test.for(hunting)('$file is a hunting query as the Azure-Sentinel repository takes it', ({ content }) =>
  expect(isHunting(content) ? [] : isHunting.errors).toEqual([]),
);

test.for([...rules, ...hunting])(
  '$file: tactics and techniques are of each other; T1219.003 is told, and not in relevantTechniques',
  ({ content }) => {
    expect(content.relevantTechniques.flatMap((technique) => TACTICS[technique] ?? [technique]).toSorted()).toEqual(
      content.tactics.toSorted(),
    );
    expect(content.description).toContain('T1219.003');
    for (const format of Object.values(content.alertDetailsOverride ?? {}))
      expect(format.match(/\{\{/g)?.length ?? 0).toBeLessThanOrEqual(3);
  },
);

test.for([
  { name: 'a severity that there is not', change: { severity: 'Critical' } },
  { name: 'a key that the repository does not know', change: { falsePositives: [] } },
  { name: 'a name with a full stop', change: { name: 'Connection to a device.' } },
  { name: 'an id that is no GUID', change: { id: 'kvm-1' } },
  { name: 'a detail with a long key', change: { customDetails: { AKeyOfMoreThanTwentyLetters: 'DeviceKey' } } },
  {
    name: 'a connector that there is not',
    change: { requiredDataConnectors: [{ connectorId: 'Kvmsweep', dataTypes: ['KvmSweepDevices_CL'] }] },
  },
  {
    name: 'an identifier of another entity',
    change: { entityMappings: [{ entityType: 'IP', fieldMappings: [{ identifier: 'HostName', columnName: 'DeviceName' }] }] },
  },
])('the check finds $name', ({ change }) => expect(isRule({ ...rules[0]?.content, ...change })).toBe(false));

test('ids and names are unique', () => {
  for (const key of ['id', 'name'] as const) {
    const values = [...rules, ...hunting].map(({ content }) => content[key]);
    expect(new Set(values).size).toBe(values.length);
  }
});

function filesOf(kind: 'rule' | 'hunting'): string[] {
  return Object.entries(operations.queries)
    .filter(([, operation]) => operation.kind === kind)
    .map(([file]) => file)
    .toSorted();
}

test('every query has its operations, and every operation its query', () => {
  expect(filesOf('rule')).toEqual(rules.map(({ file }) => file));
  expect(filesOf('hunting')).toEqual(hunting.map(({ file }) => file));
  const variants = Object.entries(operations.queries).filter(([, operation]) => operation.xdr);
  expect(variants.map(([file]) => file).toSorted()).toEqual(xdr.map(({ file }) => file));
});

test.for(Object.entries(operations.queries))(
  '%s: what it needs, what fires it wrongly, what slips by, how it is validated',
  ([, operation]) => {
    expect(operation.needs).not.toHaveLength(0);
    expect(operation.slipsBy).not.toHaveLength(0);
    for (const { what, tune } of [...operation.falsePositives, ...operations.common.falsePositives])
      expect(what !== '' && tune !== '').toBe(true);
    expect(operation.validate.steps).not.toHaveLength(0);
    expect(operation.validate.signals).not.toHaveLength(0);
    // One host is not enough for `validate vnc` as it is, which makes the signal of the fan-out.
    for (const step of operation.validate.steps.filter((one) => /validate vnc HOST\b/.test(one))) expect(step).toContain('--rule ');
    // A step may name no other commands than there are.
    for (const command of operation.validate.steps.join(' ').matchAll(/kvmsweep (\w+)(?: (\w+))?/g))
      expect(`${command[1]} ${command[1] === 'validate' ? command[2] : ''}`.trim()).toMatch(
        /^(validate (ipmi|vnc|usb)|scan|demo|evidence)$/,
      );
  },
);

test('the false positives that everybody has are told with the data that stops them', () => {
  const told = operations.common.falsePositives.map(({ what }) => what).join('\n');
  for (const subject of [/iDRAC, iLO.*maintenance window/, /KVM switches.*server rooms/, /Opengear, Lantronix/, /Incident responders/])
    expect(told).toMatch(subject);
});

interface Resource {
  readonly type: string;
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

test('the template is what `npm run -s sentinel` makes of the rules, the hunting queries and the workbook', () => {
  expect(readFileSync(TEMPLATE, 'utf8')).toBe(template());
  const { resources } = JSON.parse(template()) as { resources: readonly Resource[] };
  for (const { content } of [...rules, ...hunting]) {
    const one = resources.filter((resource) => resource.name.includes(content.id));
    expect(one.map((resource) => [resource.properties['displayName'], resource.properties['query']])).toEqual([
      [content.name, content.query],
    ]);
  }
  expect(resources).toHaveLength(rules.length + hunting.length + 1);
  // A text in square brackets is an expression of ARM: no text of ours may look like one.
  const expressions = [...template().matchAll(/"(\[(?:[^"\\]|\\.)*)"/g)].map((match) => match[1] as string);
  expect(expressions.filter((one) => !/^\[(concat\(parameters|parameters|resourceId|resourceGroup)\(/.test(one))).toEqual([]);
});

test('docs/detections.md names every query and every variant', () => {
  const page = readFileSync('docs/detections.md', 'utf8');
  for (const { file, content } of [...rules, ...hunting]) {
    expect(page).toContain(`\`${file}\``);
    expect(page).toContain(content.name);
  }
});

/** Columns that Sentinel's table Watchlist, or every Log Analytics table, has already. */
const RESERVED = [
  'Type',
  'TenantId',
  'Source',
  'Provider',
  'Notes',
  'Tags',
  'SearchKey',
  'WatchlistItem',
  '_DTItemId',
  'LastUpdatedTimeUTC',
  '_ResourceId',
  'id',
  '_SubscriptionId',
  'UniqueId',
  'Title',
];

test('the columns have names that Sentinel takes', () => {
  for (const { alias, key, columns, displayName } of COLUMNS.watchlists) {
    expect(alias).toMatch(/^[A-Za-z0-9][\w -]{1,62}[A-Za-z0-9]$/);
    expect(displayName.length).toBeLessThanOrEqual(64);
    expect(columns[0]?.name).toBe(key);
    expect(columns.filter((column) => column.name === 'TimeGenerated')).toEqual([]);
    // These change with each sweep, and a watchlist may change 100,000 items a month.
    expect(columns.filter((column) => /LastSeen|ScanId|Certainty$/.test(column.name) && alias === 'KvmDevices')).toEqual([]);
  }
  for (const list of [...COLUMNS.watchlists, ...COLUMNS.tables]) {
    const names = list.columns.map((column) => column.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[A-Z][A-Za-z]{1,44}$/.test(name) || RESERVED.includes(name))).toEqual([]);
    expect(list.columns.filter((column) => column.holds === '')).toEqual([]);
  }
  const types = COLUMNS.tables.flatMap((table) => table.columns.map((column) => column.type));
  expect(types.filter((type) => !['string', 'int', 'long', 'real', 'boolean', 'datetime', 'dynamic'].includes(type))).toEqual([]);
});

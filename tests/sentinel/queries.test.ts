import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { CLASSES, STATES } from '../../src/vocabulary.ts';
import { analyse, COLUMNS } from './kusto.ts';
import { hunting, type Named, operations, type Query, rules, seed, workbook, workbookQueries, xdr } from './pack.ts';

const queries = [...rules, ...hunting];
/** Every query text of the pack, with where it runs. */
const texts = [
  ...queries.map(({ file, content }) => ({ file, text: content.query, where: 'workspace' as const })),
  ...workbookQueries.map(({ file, content }) => ({
    file,
    text: content.replaceAll('{TimeRange}', '> ago(7d)'),
    where: 'workspace' as const,
  })),
  ...xdr.map(({ file, content }) => ({ file: `xdr/${file}`, text: content, where: 'xdr' as const })),
];

/** A query with its comments taken out. `//` in a text would be cut as well; none has it. */
function code(text: string): string {
  return text.replaceAll(/\/\/.*$/gm, '');
}

/** The names of the watchlists that a query reads. */
function listsOf(text: string): string[] {
  return [...new Set([...text.matchAll(/_GetWatchlist\('(\w+)'\)/g)].map((match) => match[1] as string))].toSorted();
}

/** The values of `let name = dynamic([...])`. */
function listOf(text: string, name: string): (string | number)[] {
  const found = new RegExp(`let ${name} = dynamic\\((\\[[^\\]]*\\])\\)`).exec(text)?.[1];
  if (found === undefined) throw new Error(`no list ${name}`);
  return JSON.parse(found.replaceAll("'", '"')) as (string | number)[];
}

function queryOf(file: string): string {
  return texts.find((one) => one.file === file)?.text ?? '';
}

test.for(texts)('$file parses and binds, with its watchlists and where they are absent', ({ text, where }) => {
  for (const lists of ['absent', 'present'] as const) {
    const { errors, columns } = analyse(text, where, lists);
    expect(errors, lists).toEqual([]);
    expect(Object.keys(columns)).not.toHaveLength(0);
  }
});

test.for([
  { name: 'a column that does not exist', query: 'DeviceNetworkEvents | where Timestmp > ago(1h)', where: 'xdr', message: /Timestmp/ },
  {
    name: 'the column of the other product',
    query: 'DeviceNetworkEvents | where Timestamp > ago(1h)',
    where: 'workspace',
    message: /Timestamp/,
  },
  {
    name: 'the column of this product there',
    query: 'DeviceNetworkEvents | where TimeGenerated > ago(1h)',
    where: 'xdr',
    message: /TimeGenerated/,
  },
  {
    name: 'a column of a watchlist without column_ifexists',
    query: "_GetWatchlist('KvmDevices') | project State",
    where: 'workspace',
    message: /State/,
  },
  { name: 'an ASIM parser in Defender XDR', query: '_Im_NetworkSession()', where: 'xdr', message: /_Im_NetworkSession/ },
  { name: 'a table that is not declared', query: 'DeviceNetworkEvent | count', where: 'workspace', message: /DeviceNetworkEvent/ },
  {
    name: 'a function that does not exist',
    query: 'DeviceNetworkEvents | where ipv4_is_privat(RemoteIP)',
    where: 'workspace',
    message: /ipv4_is_privat/,
  },
  { name: 'a reserved name', query: 'let latest = 1; print latest', where: 'workspace', message: /latest|expected/i },
  { name: 'a bracket too few', query: 'DeviceNetworkEvents | where not(RemoteIP has "1"', where: 'workspace', message: /\)/ },
  { name: 'a parameter that the parser has not', query: '_Im_NetworkSession(dstport=623)', where: 'workspace', message: /argument name/ },
] as const)('the binder finds $name', ({ query, where, message }) => {
  const { errors } = analyse(query, where);
  expect(errors.map((error) => error.message).join('\n')).toMatch(message);
  expect(errors[0]?.start).toBeGreaterThanOrEqual(0);
});

test('of each real query a broken copy is refused', () => {
  const passed = texts.filter(
    ({ text, where }) => analyse(text.replace(/\bTimeGenerated\b|\bTimestamp\b|\bSearchKey\b/, 'NoSuchColumn'), where).errors.length === 0,
  );
  expect(passed.map((one) => one.file)).toEqual([]);
});

test.for(queries)('$file: entities, details and alert texts name columns of its result', ({ content }) => {
  const { columns } = analyse(content.query);
  const missing = namedColumns(content).filter((name) => !(name in columns));
  expect(missing).toEqual([]);
});

test('an entity that names no column of the result is found', () => {
  const content = (rules[0] as Named<Query>).content;
  const { columns } = analyse(`${content.query}\n| project-away SourceAddress`);
  expect(namedColumns(content).filter((name) => !(name in columns))).toEqual(['SourceAddress']);
});

function namedColumns(query: Query): string[] {
  const override = query.alertDetailsOverride ?? {};
  return [
    ...(query.entityMappings ?? []).flatMap((mapping) => mapping.fieldMappings.map((field) => field.columnName)),
    ...Object.values(query.customDetails ?? {}),
    ...Object.values(override).flatMap((text) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] as string)),
    ...Object.entries(override).flatMap(([key, value]) => (key.endsWith('ColumnName') ? [value] : [])),
  ];
}

test.for(texts)('$file reads columns that its watchlists have', ({ text }) => {
  const lists = listsOf(text);
  const known = COLUMNS.watchlists.filter((list) => lists.includes(list.alias));
  expect(known.map((list) => list.alias).toSorted()).toEqual(lists);
  const columns = new Set(known.flatMap((list) => list.columns.map((column) => column.name)));
  const read = [...text.matchAll(/column_ifexists\('(\w+)'/g)].map((match) => match[1] as string);
  expect(read.filter((name) => !columns.has(name))).toEqual([]);
});

test.for(texts)('$file uses words of the vocabulary', ({ text }) => {
  // `wrong-network` is the state of an approved device where the network policy allows none of its class.
  const words = new Set<string>([
    ...STATES,
    'wrong-network',
    ...CLASSES,
    'critical',
    'high',
    'medium',
    'low',
    'info',
    'certain',
    'likely',
    'possible',
  ]);
  const used = [
    ...code(text).matchAll(
      /\b(?:ListedState|DeviceState|State|Kind|DeviceSeverity|Severity|Level) (?:==|!=|in|!in) (\([^)]*'[^)]*\)|'[^']*')/g,
    ),
  ]
    .flatMap((match) => [...(match[1] as string).matchAll(/'([^']*)'/g)].map((word) => word[1] as string))
    .concat(/let unwanted/.test(text) ? (listOf(text, 'unwanted') as string[]) : []);
  expect(used.filter((word) => !words.has(word))).toEqual([]);
});

test.for(texts.filter(({ text }) => /DeviceNetworkEvents|_Im_\w+\(/.test(code(text))))(
  '$file leaves out the scanners and knows IPv6 forms',
  ({ text }) => {
    expect(listsOf(text)).toContain('KvmScanners');
    expect(text).toMatch(/!in~? \((scanners)\)/);
    expect(text).toContain("startswith '::ffff:'");
  },
);

test.for(texts.filter(({ text }) => /ipv4_is_\w+\(/.test(text)))('$file: no IPv4 test is left null by an IPv6 address', ({ text }) => {
  const bare = [...code(text).matchAll(/(coalesce\()?(ipv[46]_is_\w+)\(/g)]
    .filter((match) => match[1] === undefined)
    .map((match) => match[2]);
  expect(bare).toEqual([]);
});

test.for(texts.filter(({ text }) => listsOf(text).includes('KvmDevices') && text.includes('column_ifexists')))(
  '$file takes the newest row of each address',
  ({ file, text }) => {
    // Only the newest row of a key counts; where any row does (a MAC that was ever listed), none needs to be chosen.
    if (!file.includes('appliance-known')) expect(text).toContain('summarize arg_max(LastUpdatedTimeUTC, *) by SearchKey');
    expect(text).not.toMatch(/lookup kind=\w+ \(?_GetWatchlist/);
  },
);

test.for(rules)('$file: its windows are those of its schedule', ({ content }) => {
  const text = code(content.query);
  const minutes = [...text.matchAll(/(?:TimeGenerated > |starttime=)ago\((\w+)\)/g)].map((match) => inMinutes(match[1] as string));
  expect(Math.max(...minutes)).toBe(inMinutes(content.queryPeriod as string));
  const frequency = inMinutes(content.queryFrequency as string);
  const asim = /starttime=ago\((\w+)\), endtime=ago\((\w+)\)/.exec(text);
  if (asim === null) {
    // By arrival: every event is told, however late it came within the period. Sentinel may keep the newest five minutes from a run.
    expect(text).toContain('ingestion_time()');
    const arrivals = [...text.matchAll(/(?:ingestion_time\(\)|Arrived) (?:>|<=) ago\((\w+)\)/g)].map((match) =>
      inMinutes(match[1] as string),
    );
    expect(new Set(arrivals)).toEqual(new Set([frequency + 5]));
  } else expect(inMinutes(asim[1] as string) - inMinutes(asim[2] as string)).toBe(frequency); // by time: one run's window after the other's
});

/** `90m`, `1h`, `14d`. */
function inMinutes(text: string): number {
  const match = /^(\d+)([mhd])$/.exec(text);
  if (match === null) throw new Error(`no duration: ${text}`);
  return Number(match[1]) * { m: 1, h: 60, d: 1440 }[match[2] as 'm' | 'h' | 'd'];
}

test.for(xdr)('xdr/$file returns what a custom detection needs', ({ file, content }) => {
  expect(Object.keys(analyse(content, 'xdr').columns)).toEqual(expect.arrayContaining(['Timestamp', 'DeviceId', 'ReportId']));
  expect(operations.queries[file]?.xdr).toBe(true);
  expect(content).toMatch(/^\/\/ .*T1219\.003/);
});

/** Of the first query's lists what is kept, as it is matched now. */
function kept(list: readonly { readonly value: string | number; readonly kept: boolean; readonly as?: string }[]): (string | number)[] {
  return list.filter((one) => one.kept).map((one) => one.as ?? one.value);
}

test('the lists of the first query: what is kept is in its successor, what is not has its reason', () => {
  expect(seed.ports.map((one) => one.value)).toEqual([5900, 5901, 443, 80, 8080, 623, 5000, 8443, 8888]);
  expect(seed.names.map((one) => one.value)).toEqual([
    'TinyPilot',
    'PiKVM',
    'Raritan',
    'Avocent',
    'ATEN',
    'iDRAC',
    'iLO',
    'IPMI',
    'Lantronix',
    'Opengear',
    'KVM',
    'Digi',
    'CyberPower',
    'ServerTech',
    'Supermicro IPMI',
  ]);
  expect(seed.userAgents.map((one) => one.value)).toEqual(['TinyPilot', 'PiKVM', 'noVNC', 'websockify']);
  const entries = [...seed.ports, ...seed.names, ...seed.userAgents];
  expect(entries.filter((one) => one.why === '' || (!one.kept && (one.instead ?? '') === ''))).toEqual([]);
  for (const file of ['connections-by-port-and-name', 'xdr/connections-by-port-and-name']) {
    expect(listOf(queryOf(file), 'listedPorts'), file).toEqual(kept(seed.ports));
    expect(listOf(queryOf(file), 'names'), file).toEqual(kept(seed.names));
  }
  for (const file of ['web-console-reached', 'web-console-on-endpoints', 'xdr/web-console-on-endpoints'])
    expect(listOf(queryOf(file), 'consolePaths'), file).toEqual(seed.paths.map((one) => one.value));
  expect(listOf(queryOf('web-console-on-endpoints'), 'names')).toEqual(expect.arrayContaining(kept(seed.names)));
});

/** The pattern that a query gives to `extract`, or to `matches regex`, for a column. Kusto's expressions are RE2's. */
function patternOf(file: string, before: string): RE2JS {
  const pattern = new RegExp(`${before}[^@\\n]*@'([^']*)'`).exec(queryOf(file))?.[1];
  if (pattern === undefined) throw new Error(`no pattern after ${before}`);
  return RE2JS.compile(pattern);
}

function extracted(pattern: RE2JS, group: number, text: string): string {
  const matcher = pattern.matcher(text);
  return matcher.find() ? (matcher.group(group) ?? '') : '';
}

test.for([
  { name: 'keyboard gadget', id: 'USB\\VID_1D6B&PID_0104\\CAFEBABE', key: 'VID_1D6B&PID_0104' },
  { name: 'function of a composite device', id: 'USB\\VID_1D6B&PID_0104&MI_01\\6&1A2B3C4D&0&0001', key: 'VID_1D6B&PID_0104' },
  { name: 'its keyboard', id: 'HID\\VID_1D6B&PID_0104&MI_00\\7&1A2B3C4D&0&0000', key: 'VID_1D6B&PID_0104' },
  { name: 'display', id: 'DISPLAY\\LNX7777\\5&1A2B3C4D&0&UID4352', key: 'LNX7777' },
  { name: 'virtual drive', id: 'USBSTOR\\CDROM&VEN_PIKVM&PROD_OPTICAL_DRIVE&REV_1.00\\CAFEBABE&0', key: 'VEN_PIKVM' },
  { name: 'virtual disk', id: 'USBSTOR\\DISK&VEN_NANOKVM&PROD_USB_MASS_STORAGE&REV_0000\\0123&0', key: 'VEN_NANOKVM' },
  { name: 'battery', id: 'ACPI\\PNP0C0A\\1', key: '' },
  { name: 'network card', id: 'PCI\\VEN_8086&DEV_15F3&SUBSYS_86721043&REV_03\\6&1A2B3C4D&0&00000010', key: '' },
])('the id of a $name is read from its instance path', ({ id, key }) => {
  for (const file of ['kvm-attached-to-computer', 'xdr/kvm-attached-to-computer']) {
    const found = [
      extracted(patternOf(file, 'UsbId = extract'), 0, id),
      extracted(patternOf(file, 'DisplayId = extract'), 1, id),
      extracted(patternOf(file, 'DriveId = extract'), 1, id),
    ];
    expect(found.find((text) => text !== '') ?? '').toBe(key);
  }
});

test.for([
  { name: 'ILOCZ12345678.example.com', named: true },
  { name: 'ilocz12345678', named: true },
  { name: 'ilona-laptop', named: false },
  { name: 'pilot0123456789', named: false },
])('$name is the name of an iLO: $named', ({ name, named }) => {
  for (const [file, before] of [
    ['web-console-on-endpoints', 'ServerName matches regex'],
    ['appliance-known-to-defender-only', 'DeviceName matches regex'],
  ] as const)
    expect(patternOf(file, before).matcher(name).find(), file).toBe(named);
});

test('the workbook asks for what it says', () => {
  expect(workbook.items.map((item) => item.name)).toEqual([
    'title',
    'parameters',
    'last-sweep',
    'by-state',
    'by-class',
    'not-approved',
    'new-since-last-sweep',
    'connections',
    'posture',
  ]);
  const parameters = workbook.items.flatMap((item) => item.content.parameters ?? []).map((one) => one.name);
  const used = workbookQueries.flatMap(({ content }) => [...content.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string));
  expect(used.filter((name) => !parameters.includes(name))).toEqual([]);
});

test.for(queries)('$file: its operations say what it reads', ({ file, content }) => {
  const operation = operations.queries[file];
  expect(operation?.lists.toSorted()).toEqual(listsOf(content.query));
  const tables = [
    ...new Set(
      [...code(content.query).matchAll(/\b(Device(?:Network)?(?:Events|Info)|KvmSweepDevices_CL|_Im_\w+)\b/g)].map(
        (match) => match[1] as string,
      ),
    ),
  ];
  expect(operation?.tables.toSorted()).toEqual(tables.toSorted());
});

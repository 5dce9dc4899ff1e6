import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { problemText } from '../../src/errors.ts';
import { type ApprovedAsset, type ApprovedList, readApproved, reconcile, sourceText } from '../../src/reconcile/index.ts';
import { device, inventory } from './build.ts';

/** Files in the form of each system, written from its documentation and source (named in docs/approved-lists.md), not from how they are read. */
const FOLDER = fileURLToPath(new URL('./exports', import.meta.url));

function read(...files: string[]): ApprovedList {
  return readApproved(files.map((file) => join(FOLDER, file)));
}

/** Without what is empty. */
function brief({ source, ...rest }: ApprovedAsset): Record<string, unknown> {
  return Object.fromEntries([
    ...Object.entries(rest).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
    ['at', sourceText(source).replace(`${FOLDER}/`, '')],
  ]);
}

function plain(text: string): string {
  return text.replaceAll(`${FOLDER}/`, '');
}

interface Case {
  readonly files: readonly string[];
  readonly assets: readonly Record<string, unknown>[];
  /** Records that approve nothing, or are left out, with the reason. */
  readonly aside?: readonly string[];
  readonly problems?: readonly string[];
  /** Among others. */
  readonly notes?: readonly string[];
}

const SQL07 = { name: 'sql07', vendor: 'Dell', model: 'PowerEdge R740', site: 'DC1', owner: 'Database Team', id: 'A-00131' };
const KX3 = {
  vendor: 'Raritan',
  model: 'Dominion KX III',
  serials: ['HKT0123456'],
  macs: ['00:00:5E:00:53:19'],
  class: 'ip-kvm',
  site: 'DC1',
};

const CASES: readonly Case[] = [
  {
    files: ['netbox-4.6-devices.json', 'netbox-4.6-interfaces.json', 'netbox-4.6-mac-addresses.json', 'netbox-4.6-ip-addresses.json'],
    assets: [
      {
        ...SQL07,
        name: 'sql07 (management)',
        ticket: 'CHG0041',
        class: 'bmc',
        serials: ['C3N8QF2'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        names: ['idrac-sql07.example.com'],
        validUntil: '2027-06-30T23:59:59.999Z',
        at: 'netbox-4.6-devices.json#results[0]',
      },
      {
        ...SQL07,
        ticket: 'CHG0041',
        macs: ['00:00:5E:00:53:17'],
        addresses: ['10.0.7.17'],
        names: ['sql07.example.com'],
        validUntil: '2027-06-30T23:59:59.999Z',
        computer: true,
        at: 'netbox-4.6-devices.json#results[0]',
      },
      {
        name: 'con-a07',
        names: ['con-a07'],
        class: 'console-server',
        vendor: 'Opengear',
        model: 'OM2216-L',
        serials: ['22162007010203'],
        macs: ['00:00:5E:00:53:18'],
        addresses: ['10.9.7.18', '2001:db8:9::18'],
        site: 'DC1',
        at: 'netbox-4.6-devices.json#results[1]',
      },
      {
        name: 'fw1',
        names: ['fw1'],
        vendor: 'Fortinet',
        model: 'FG-100F',
        addresses: ['10.9.7.20'],
        site: 'DC1',
        at: 'netbox-4.6-devices.json#results[3]',
      },
    ],
    aside: [
      'netbox-4.6-devices.json#results[2]: its "status" is "decommissioning"',
      'netbox-4.6-ip-addresses.json#results[5]: it is assigned to no device in NetBox',
      'netbox-4.6-ip-addresses.json#results[6]: it is the address of a virtual machine',
    ],
    notes: ['1 IP address that devices share (VRRP, anycast …) or that are deprecated name no device'],
  },
  {
    files: ['netbox-2.11-devices.json', 'netbox-2.11-interfaces.json', 'netbox-2.8-ip-addresses.json'],
    assets: [
      {
        name: 'esx3 (management)',
        class: 'bmc',
        vendor: 'HPE',
        model: 'ProLiant DL380 Gen10',
        serials: ['CZJ12345AB'],
        macs: ['00:00:5E:00:53:95'],
        addresses: ['10.1.9.5'],
        names: ['ilo-esx3.example.com'],
        site: 'Köln',
        at: 'netbox-2.11-devices.json#results[0]',
      },
      {
        name: 'esx3',
        names: ['esx3'],
        vendor: 'HPE',
        model: 'ProLiant DL380 Gen10',
        macs: ['00:00:5E:00:53:05'],
        addresses: ['10.1.0.5'],
        site: 'Köln',
        computer: true,
        at: 'netbox-2.11-devices.json#results[0]',
      },
    ],
  },
  {
    files: ['netbox.csv'],
    assets: [
      { ...SQL07, name: 'sql07 (management)', class: 'bmc', serials: ['C3N8QF2'], addresses: ['10.9.7.17'], at: 'netbox.csv:2' },
      { ...SQL07, names: ['sql07'], addresses: ['10.0.7.17'], computer: true, at: 'netbox.csv:2' },
      {
        name: 'con-a07',
        names: ['con-a07'],
        class: 'console-server',
        vendor: 'Opengear',
        model: 'OM2216-L',
        serials: ['22162007010203'],
        addresses: ['10.9.7.18'],
        site: 'DC1',
        at: 'netbox.csv:3',
      },
    ],
    aside: ['netbox.csv:4: its "Status" is "Decommissioning"'],
    notes: ['it is read as an export of NetBox'],
  },
  {
    files: ['servicenow.csv'],
    assets: [
      {
        id: 'P1000131',
        name: 'idrac-sql07',
        names: ['idrac-sql07.example.com'],
        serials: ['C3N8QF2'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        vendor: 'Dell Inc.',
        model: 'Dell PowerEdge R740',
        owner: 'Jürgen Große',
        site: 'Düsseldorf',
        at: 'servicenow.csv:2',
      },
      {
        id: 'P1000140',
        name: 'pdu-a07',
        names: ['pdu-a07'],
        serials: ['5A1234E00001'],
        addresses: ['10.9.7.40'],
        class: 'pdu',
        vendor: 'APC',
        model: 'AP8959',
        owner: 'Rechenzentrum',
        site: 'Düsseldorf',
        at: 'servicenow.csv:3',
      },
      // A virtual machine of Linux, and no KVM switch.
      {
        name: 'vm-host-3',
        names: ['vm-host-3'],
        macs: ['00:00:5E:00:53:03'],
        addresses: ['10.0.7.3'],
        owner: 'Linux',
        site: 'Düsseldorf',
        at: 'servicenow.csv:4',
      },
    ],
    aside: ['servicenow.csv:5: its "install_status" is "Retired"'],
    notes: ['it is not UTF-8 and is read as Windows-1252', 'ignored: 1 column of no known meaning ("u_approved_until")'],
  },
  ...(['false', 'true', 'all'] as const).map((shape): Case => ({
    files: [`servicenow-${shape}.json`],
    assets: [
      {
        id: 'P1000131',
        name: 'idrac-sql07',
        names: ['idrac-sql07'],
        serials: ['C3N8QF2'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        ...(shape === 'false' ? {} : { vendor: 'Dell Inc.', model: 'Dell PowerEdge R740' }),
        ...(shape === 'true' ? { site: 'Düsseldorf' } : {}),
        at: `servicenow-${shape}.json#result[0]`,
      },
      ...(shape === 'true'
        ? [
            {
              id: 'aa290cc60a0a0bb400000bdb386af1ce',
              name: 'vm-host-3',
              names: ['vm-host-3'],
              addresses: ['10.0.7.3'],
              at: 'servicenow-true.json#result[1]',
            },
          ]
        : []),
    ],
    aside: shape === 'true' ? [] : [`servicenow-${shape}.json#result[1]: its "install_status" is "${shape === 'all' ? 'Retired' : '7'}"`],
    notes:
      shape === 'false'
        ? [
            'references that are given by number only are not read (manufacturer, model_id, location); fetch them with sysparm_display_value=true',
          ]
        : [],
  })),
  {
    files: ['snipe-it.json'],
    assets: [
      {
        id: 'KVM-0012',
        name: 'KVM "Lab & Test"',
        serials: ['PK4-0012'],
        macs: ['00:00:5E:00:53:10'],
        addresses: ['192.0.2.12'],
        class: 'ip-kvm',
        vendor: 'PiKVM',
        model: 'PiKVM V4 Plus',
        owner: "Lab O'Brien",
        site: 'HQ & Annex',
        at: 'snipe-it.json#rows[0]',
      },
    ],
    aside: ['snipe-it.json#rows[1]: its "status_label" is "archived"'],
  },
  {
    files: ['snipe-it.csv'],
    assets: [
      {
        id: 'KVM-0012',
        name: 'kvm-lab-03',
        names: ['kvm-lab-03'],
        serials: ['PK4-0012'],
        macs: ['00:00:5E:00:53:10'],
        addresses: ['192.0.2.12'],
        class: 'ip-kvm',
        vendor: 'PiKVM',
        model: 'PiKVM V4 Plus',
        site: 'HQ',
        at: 'snipe-it.csv:2',
      },
    ],
    aside: ['snipe-it.csv:3: its "Status" is "Archived"'],
    notes: ['ignored: 2 columns of no known meaning ("Company", "Notes")'],
  },
  {
    files: ['glpi-computer.json', 'glpi-network.json'],
    assets: [
      {
        id: 'A-00131',
        name: 'sql07 (management)',
        class: 'bmc',
        vendor: 'Dell Inc.',
        model: 'PowerEdge R740',
        serials: ['C3N8QF2'],
        uuids: ['4c4c454400334e108038c3c04f514632'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        at: 'glpi-computer.json',
      },
      {
        id: 'A-00131',
        name: 'sql07',
        names: ['sql07.example.com'],
        vendor: 'Dell Inc.',
        model: 'PowerEdge R740',
        macs: ['00:00:5E:00:53:17'],
        addresses: ['10.0.7.17'],
        computer: true,
        at: 'glpi-computer.json',
      },
      { ...KX3, name: 'kx3-dc1', names: ['kx3-dc1'], addresses: ['10.9.7.19'], version: '4.6.0', at: 'glpi-network.json' },
    ],
  },
  { files: ['glpi-de.csv'], assets: [{ ...KX3, id: 'INV-19', name: 'kx3-dc1', names: ['kx3-dc1'], at: 'glpi-de.csv:2' }] },
  { files: ['glpi-fr.csv'], assets: [{ ...KX3, id: 'INV-19', name: 'kx3-dc1', names: ['kx3-dc1'], at: 'glpi-fr.csv:2' }] },
  {
    files: ['splunk-assets.csv'],
    assets: [
      {
        name: 'idrac-sql07.example.com',
        names: ['idrac-sql07.example.com', 'idrac-sql07.corp.example'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17', '2001:db8:9::17'],
        class: 'bmc',
        owner: 'dba',
        at: 'splunk-assets.csv:2',
      },
    ],
    aside: ['splunk-assets.csv:3: its "is_expected" is "false"', 'splunk-assets.csv:4: its "is_expected" is empty'],
  },
  {
    files: ['phpipam.csv'],
    assets: [
      {
        name: 'idrac-sql07.example.com',
        names: ['idrac-sql07.example.com'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        owner: 'dba',
        at: 'phpipam.csv:6',
      },
      { name: 'con-a07', names: ['con-a07'], addresses: ['10.9.7.18'], at: 'phpipam.csv:7' },
    ],
    notes: ['its headings are in line 5; what stands above is not read'],
  },
  {
    files: ['infoblox.csv'],
    assets: [
      {
        name: 'idrac-sql07.example.com',
        names: ['idrac-sql07.example.com'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17', '10.9.7.117'],
        owner: 'Database Team',
        site: 'DC1',
        at: 'infoblox.csv:6',
      },
      { name: 'con-a07', names: ['con-a07'], macs: ['00:00:5E:00:53:18'], addresses: ['10.9.7.18'], at: 'infoblox.csv:9' },
    ],
    aside: [
      'infoblox.csv:10: it is left out because of what is wrong in it',
      'infoblox.csv:11: it is left out because of what is wrong in it',
    ],
    problems: [
      'infoblox.csv:10: its quotes are never closed (the record is left out)',
      'infoblox.csv:11: no line "header-arecord" before it says what its columns are (the record is left out)',
    ],
    notes: ['lines of these kinds name no device: network (1 line)'],
  },
  {
    files: ['infoblox-wapi.json'],
    assets: [
      {
        name: 'idrac-sql07.example.com',
        names: ['idrac-sql07.example.com'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        site: 'DC1',
        at: 'infoblox-wapi.json#result[0]',
      },
      {
        name: 'con-a07.example.com',
        names: ['con-a07.example.com'],
        macs: ['00:00:5E:00:53:18'],
        addresses: ['10.9.7.18'],
        at: 'infoblox-wapi.json#result[1]',
      },
    ],
  },
  {
    files: ['lansweeper.csv'],
    assets: [
      {
        name: 'idrac-sql07',
        names: ['idrac-sql07'],
        serials: ['C3N8QF2'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        vendor: 'Dell',
        model: 'PowerEdge R740',
        at: 'lansweeper.csv:2',
      },
    ],
  },
  {
    files: ['lansweeper.json'],
    assets: [
      {
        name: 'idrac-sql07',
        names: ['idrac-sql07'],
        serials: ['C3N8QF2'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        class: 'bmc',
        vendor: 'Dell',
        model: 'PowerEdge R740',
        at: 'lansweeper.json#data.site.assetResources.items[0]',
      },
    ],
  },
  {
    files: ['device42.json'],
    assets: [
      {
        id: 'A-00131',
        name: 'idrac-sql07',
        names: ['idrac-sql07'],
        serials: ['C3N8QF2'],
        uuids: ['4c4c454400334e108038c3c04f514632'],
        macs: ['00:00:5E:00:53:97'],
        addresses: ['10.9.7.17'],
        vendor: 'Dell',
        model: 'PowerEdge R740',
        site: 'DC1',
        at: 'device42.json#Devices[0]',
      },
    ],
  },
];

test('there is a case for every export', () =>
  expect(CASES.flatMap(({ files }) => files).toSorted()).toEqual(readdirSync(FOLDER).toSorted()));

test.for(CASES)('$files', ({ files, assets, aside = [], problems = [], notes = [] }) => {
  const list = read(...files);
  expect(list.problems.map((one) => plain(problemText(one)))).toEqual(problems);
  expect(list.assets.map(brief)).toEqual(assets);
  expect(list.setAside.map(({ asset, why }) => plain(`${sourceText(asset.source)}: ${why}`)).toSorted()).toEqual([...aside].toSorted());
  expect(list.rows).toBe(assets.length + aside.length);
  for (const note of notes)
    expect(
      list.notes.some((one) => one.endsWith(note)),
      list.notes.join('\n'),
    ).toBe(true);
});

test('a server of NetBox is never missed, and an IP-KVM in its place is found all the same', () => {
  const swept = inventory([device('10.0.7.17')], { ranges: ['10.0.7.0-10.0.7.255'] });
  const states = reconcile(swept, read('netbox.csv'), { now: new Date('2026-11-26T12:00:00Z') }).map(
    ({ state, name }) => `${state} ${name}`,
  );
  expect(states).toEqual(['impostor PiKVM', 'not-checked sql07', 'not-checked sql07 (management)', 'not-checked con-a07']);
});

test('interfaces of NetBox alone name their devices', () =>
  expect(read('netbox-4.6-interfaces.json').assets.map(({ name, macs, source }) => [name, macs, source.index])).toEqual([
    ['sql07', ['00:00:5E:00:53:17'], 0],
    ['con-a07', ['00:00:5E:00:53:18'], 2],
    ['fw1', [], 3],
  ]));

test('columns of NetBox are what the operator says that they are', () => {
  const list = readApproved(join(FOLDER, 'netbox.csv'), { map: ['class=Type', 'host=Name'] });
  expect(list.assets.map(({ names, addresses }) => [names, addresses])).toEqual([
    [['sql07'], ['10.9.7.17']],
    [['con-a07'], ['10.9.7.18']],
  ]);
});

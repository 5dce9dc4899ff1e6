import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import { InputError } from '../../src/errors.ts';
import {
  type ApprovedAsset,
  failing,
  type Finding,
  type NetworkPolicy,
  outOfPolicy,
  parsePolicy,
  readPolicy,
  reconcile,
} from '../../src/reconcile/index.ts';
import { asset, device, IDRAC, inventory, list } from './build.ts';

const NOW = new Date('2026-11-22T18:00:00Z');
const MAC = '00:00:5E:00:53:10';

const POLICY = `# where what may be
allowed:
  - classes: [bmc]
    networks: [10.9.0.0/16, 'fd00:9::/64']
    note: management network
  - { classes: [controllers], networks: [10.8.0.0/16] }
  - { classes: [ip-kvm], networks: [10.9.1.0/24] }
  - { classes: [ip-kvm], networks: [10.7.0.1-10.7.0.9, 10.6.0.1] }
`;

interface Case {
  readonly name: string;
  readonly device: Device;
  readonly assets?: readonly ApprovedAsset[];
  readonly policy?: string;
  readonly expected: string;
  readonly says?: RegExp;
}

const NAMED = { serials: ['S1'] };
const ids = { serial: 'S1' };

function one({ device: seen, assets, policy = POLICY }: Case): Finding | undefined {
  const [finding, ...more] = reconcile(inventory([seen], { ranges: [] }), list(assets ?? [asset(NAMED)]), {
    now: NOW,
    policy: parsePolicy(policy, 'policy.yaml'),
  }).filter(({ deviceKey }) => deviceKey !== undefined);
  expect(more).toEqual([]);
  return finding;
}

test.for<Case>([
  { name: 'approved, in one of its networks', device: device('10.9.3.4', { ...IDRAC, ids }), expected: 'approved-present info' },
  { name: 'approved, in its IPv6 network', device: device('fd00:9::1', { ...IDRAC, ids }), expected: 'approved-present info' },
  {
    name: 'approved, outside',
    device: device('10.20.0.5', { ...IDRAC, ids }),
    expected: 'wrong-network high policy.yaml:3 10.20.0.5<10.9.0.0/16 and fd00:9::/64',
    says: /^It is S1 \(approved\.csv:\d+\) by its serial number\. 10\.20\.0\.5 is outside of the networks in which a bmc is allowed: 10\.9\.0\.0\/16 and fd00:9::\/64 \(policy\.yaml:3, management network\)\. Move it there, or correct the policy\.$/,
  },
  {
    name: 'a class by its own name counts before a word for several',
    device: device('10.8.0.1', { ...IDRAC, ids }),
    expected: 'wrong-network high policy.yaml:3 10.8.0.1<10.9.0.0/16 and fd00:9::/64',
  },
  { name: 'a word for several classes', device: device('10.8.0.1', { class: 'amt', ids }), expected: 'approved-present info' },
  {
    name: 'a word for several classes, outside',
    device: device('10.9.0.1', { class: 'amt', ids }),
    expected: 'wrong-network high policy.yaml:6 10.9.0.1<10.8.0.0/16',
  },
  {
    name: 'entries of one class add up',
    device: device('10.7.0.9', { ids, addresses: ['10.6.0.1', '10.7.0.9', '10.9.1.1'] }),
    expected: 'approved-present info',
  },
  {
    name: 'with one of two addresses',
    device: device('10.7.0.10', { ids, addresses: ['10.7.0.9', '10.7.0.10'] }),
    expected: 'wrong-network high policy.yaml:7 10.7.0.10<10.9.1.0/24, 10.7.0.1-10.7.0.9 and 10.6.0.1',
  },
  { name: 'a class that the policy does not name', device: device('10.20.0.5', { class: 'pdu', ids }), expected: 'approved-present info' },
  {
    name: 'all but software and what is no remote-access hardware',
    device: device('10.20.0.5', { class: 'pdu', ids }),
    policy: 'allowed: [{ classes: [all], networks: [10.0.0.0/24] }]',
    expected: 'wrong-network low policy.yaml:1 10.20.0.5<10.0.0.0/24',
  },
  {
    name: 'it lets in anyone',
    device: device('10.20.0.5', { ...IDRAC, ids, posture: ['ipmi-anonymous-login'] }),
    expected: 'wrong-network critical policy.yaml:3 10.20.0.5<10.9.0.0/16 and fd00:9::/64',
  },
  {
    name: 'unapproved stays unapproved, and says so',
    device: device('10.20.0.5', IDRAC),
    expected: 'unapproved high policy.yaml:3 10.20.0.5<10.9.0.0/16 and fd00:9::/64',
    says: /^No record of the approved list names it\. Approve it, or take it off the network\. 10\.20\.0\.5 is outside of the networks/,
  },
  {
    name: 'what has moved stays moved',
    device: device('10.20.0.5', { ...IDRAC, ids }),
    assets: [asset({ ...NAMED, addresses: ['10.9.0.1'] })],
    expected: 'moved high policy.yaml:3 10.20.0.5<10.9.0.0/16 and fd00:9::/64',
  },
  {
    name: 'what ends soon is in the wrong network first',
    device: device('10.20.0.5', { ...IDRAC, ids }),
    assets: [asset({ ...NAMED, validUntil: '2026-11-30T00:00:00Z' })],
    expected: 'wrong-network high policy.yaml:3 10.20.0.5<10.9.0.0/16 and fd00:9::/64',
    says: /approval ends on 2026-11-30/,
  },
  {
    name: 'an exception is one from the policy too',
    device: device('10.20.0.5', { ...IDRAC, ids }),
    assets: [asset({ ...NAMED, ignored: { reason: 'test bench' } })],
    expected: 'ignored info',
  },
  {
    name: 'a link-local address says nothing of the network',
    device: device('10.9.0.1', { ...IDRAC, ids, addresses: ['10.9.0.1', '169.254.0.7', 'fe80::1%eth0'] }),
    expected: 'approved-present info',
  },
  {
    name: 'a class that begins with a vowel',
    device: device('10.20.0.5', { ids }),
    policy: 'allowed: [{ classes: [ip-kvm], networks: [10.0.0.0/24] }]',
    expected: 'wrong-network high policy.yaml:1 10.20.0.5<10.0.0.0/24',
    says: /in which an ip-kvm is allowed/,
  },
  { name: 'the name of a computer is no address', device: device('ws-0042', { ids }), expected: 'approved-present info' },
  { name: 'a device without an address', device: device('10.0.0.1', { ids, addresses: [] }), expected: 'approved-present info' },
  {
    name: 'software that the policy names',
    device: device('10.20.0.5', { class: 'vnc-software' }),
    policy: 'allowed: [{ classes: [vnc-software], networks: [10.0.0.0/24] }]',
    expected: 'wrong-network info policy.yaml:1 10.20.0.5<10.0.0.0/24',
    says: /^10\.20\.0\.5 is outside/,
  },
])('policy: $name', (row) => {
  const finding = one(row);
  const { state, severity, policy, conflicts = [] } = finding ?? {};
  const network = conflicts.find(({ what }) => what === 'network');
  expect(
    [
      state,
      severity,
      ...(policy === undefined ? [] : [`${policy.file}:${policy.line}`]),
      ...(network === undefined ? [] : [`${network.seen}<${network.approved}`]),
    ].join(' '),
  ).toBe(row.expected);
  if (row.says !== undefined) expect(finding?.explanation).toMatch(row.says);
});

test('policy: without an approved list it tells what is outside, and nothing else', () => {
  const found = outOfPolicy(
    inventory([
      device('10.9.0.1', IDRAC),
      device('10.20.0.5', { ...IDRAC, firstSeen: '2026-11-01T00:00:00.000Z' }),
      device('10.20.0.6', { class: 'pdu' }),
      device('10.20.0.7', { class: 'not-remote-access' }),
    ]),
    parsePolicy(POLICY, 'policy.yaml'),
  );
  expect(found).toEqual([
    {
      state: 'wrong-network',
      severity: 'high',
      deviceKey: 'kvm-10.20.0.5',
      class: 'bmc',
      name: 'Dell iDRAC 9',
      addresses: ['10.20.0.5'],
      firstSeen: '2026-11-01T00:00:00.000Z',
      policy: { file: 'policy.yaml', line: 3 },
      matched: [],
      conflicts: [{ what: 'network', approved: '10.9.0.0/16 and fd00:9::/64', seen: '10.20.0.5' }],
      explanation:
        '10.20.0.5 is outside of the networks in which a bmc is allowed: 10.9.0.0/16 and fd00:9::/64 (policy.yaml:3, management network). Move it there, or correct the policy.',
    },
  ]);
});

test('policy: --fail-on wrong-network names what is outside, whatever else is said of it', () => {
  const found = reconcile(
    inventory([device('10.20.0.5', { ...IDRAC, ids: { mac: MAC } }), device('10.20.0.6', { class: 'pdu' })]),
    list([]),
    {
      now: NOW,
      policy: parsePolicy(POLICY, 'policy.yaml'),
    },
  );
  expect(failing(found, 'wrong-network').map(({ state, addresses }) => `${state} ${addresses.join()}`)).toEqual(['unapproved 10.20.0.5']);
});

test.for([
  ['', /^p\.yaml holds no network policy$/],
  ['allowed: []', /^p\.yaml:1:1: allowed: it allows nothing: name classes and networks$/],
  ['- bmc', /^p\.yaml:1:1: a policy is `allowed:` and below it/],
  [
    'allowed:\n  - { classes: [ip-kvn], networks: [10.0.0.0/8] }',
    /^p\.yaml:2:\d+: allowed\[0\]\.classes\[0\]: "ip-kvn" is no class; did you mean ip-kvm\? \(ip-kvm, bmc, /,
  ],
  ['allowed:\n  - { classes: [not-remote-access], networks: [10.0.0.0/8] }', /"not-remote-access" is no class/],
  [
    'allowed:\n  - classes: [bmc]\n    networks:\n      - 10.0.0.0/8\n      - 10.0.0.0/99\n',
    /^p\.yaml:5:9: allowed\[0\]\.networks\[1\]: "10\.0\.0\.0\/99" is no network: \/99 is more than \/32$/,
  ],
  ['allowed:\n  - { classes: [bmc], networks: [oob-net] }', /"oob-net" is no network: a name is none; write 10\.9\.0\.0\/16/],
  ['allowed:\n  - { classes: bmc, networks: [10.0.0.0/8] }', /allowed\[0\]\.classes: it is a list of classes: \[bmc, amt\]$/],
  ['allowed:\n  - { classes: [bmc], networks: [10] }', /allowed\[0\]\.networks\[0\]: it is a network as text/],
  ['allowed:\n  - { classes: [bmc], networks: [10.0.0.0/8], nets: [] }', /^p\.yaml:2:\d+: allowed\[0\]\.nets: there is no such key$/],
  ['allowed:\n  - { classes: [bmc], networks: [10.0.0.0/8]\n', /^p\.yaml:\d+:\d+: .*flow/i],
  ['allowed: *nothing', /^p\.yaml:1:\d+: .*alias/i],
  [
    'allowed:\n  - { classes: [bmc] }\n  - { networks: [10.0.0.0/8] }',
    /networks: it is a list of networks[^]*classes: it is a list of classes/,
  ],
] as const)('policy: %j is refused with file, line and reason', ([text, says]) => {
  let thrown: unknown;
  try {
    parsePolicy(text, 'p.yaml');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(InputError);
  expect((thrown as InputError).message).toMatch(says);
});

/** Which classes may be where. */
function plain({ byClass }: NetworkPolicy): unknown {
  return [...byClass].map(([kind, entries]) => [kind, entries.flatMap(({ networks, note }) => [note, ...networks])]);
}

test('policy: the example of the docs is one, and so is what stands in their text', () => {
  const shown = /```yaml\n(?<yaml>[^`]*)```/.exec(readFileSync('docs/reconcile.md', 'utf8'))?.groups?.['yaml'] ?? '';
  expect(plain(parsePolicy(shown, 'networks.yaml'))).toEqual(plain(readPolicy('docs/examples/networks.yaml')));
});

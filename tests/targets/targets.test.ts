import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InputError, problemText } from '../../src/errors.ts';
import { budgetFor } from '../../src/sweep/budget.ts';
import { type AddressRange, blocksOf, formatAddress, parseAddress, spaceOf, urlHost, withoutZone } from '../../src/targets/addresses.ts';
import { ALSO, parseAlso, withAlso } from '../../src/targets/also.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet, rangeText } from '../../src/targets/hosts.ts';
import { parseShard } from '../../src/targets/shard.ts';
import { collectTargets, splitList } from '../../src/targets/lists.ts';
import { parseRange, parseTargets } from '../../src/targets/parse.ts';
import { Permutation } from '../../src/targets/permutation.ts';
import { KNOWN_PORTS, mayBeSerialLine } from '../../src/targets/known-ports.ts';
import { DEFAULT_PORTS, parsePorts, portText } from '../../src/targets/ports.ts';

function rangeOf(text: string): string {
  const range = parseRange(text);
  return 'reason' in range ? `no: ${range.reason}` : rangeText(range);
}

test.for([
  ['10.0.0.5', '10.0.0.5'],
  ['10.0.0.0/24', '10.0.0.0-10.0.0.255'],
  ['10.0.0.7/24', '10.0.0.0-10.0.0.255'],
  ['10.0.0.5/32', '10.0.0.5'],
  ['10.0.0.5-20', '10.0.0.5-10.0.0.20'],
  ['10.0.0.250-10.0.1.5', '10.0.0.250-10.0.1.5'],
  ['0.0.0.0/0', '0.0.0.0-255.255.255.255'],
  ['fd00::1', 'fd00::1'],
  ['FD00:0::0001', 'fd00::1'],
  ['fd00::/120', 'fd00::-fd00::ff'],
  ['fd00::1-fd00::9', 'fd00::1-fd00::9'],
  ['::ffff:192.168.1.1', '192.168.1.1'],
] as const)('a target: %s is %s', ([text, range]) => expect(rangeOf(text)).toBe(range));

test.for([
  ['10.0.0.256', /256 is more than 255/],
  ['10.0.0', /four parts, this has 3/],
  ['10.0.0.010', /begins with a zero/],
  ['10.0.0.0/33', /more than \/32/],
  ['10.0.0.0/', /prefix length/],
  ['10.0.0.0/abc', /prefix length/],
  ['/24', /no address before/],
  ['fd00::/129', /more than \/128/],
  ['::ffff:10.0.0.0/120', /IPv4-mapped/],
  ['10.0.0.20-5', /ends before it begins/],
  ['10.0.0.5-300', /no end of a range/],
  ['10.0.0.5-fd00::1', /same family/],
  ['2001:db8::1%eth0', /only a single link-local address has a zone/],
  ['fe80::%eth0/112', /only a single link-local/],
  ['fe80::1%eth0;id', /only a single link-local/],
  ['host:443', /ports are given with -p/],
  ['-x-', /neither an address nor a host name/],
  ['a b', /neither/],
] as const)('no target: %s', ([text, reason]) => expect(rangeOf(text)).toMatch(reason));

test('a name is a name, and names are told from mistyped addresses', () => {
  const { names, problems } = parseTargets(['bmc-7.example.net', 'localhost', '10.0.0.999'].map((text) => ({ text, place: {} })));
  expect(names.map(({ text }) => text)).toEqual(['bmc-7.example.net', 'localhost']);
  expect(problems).toHaveLength(1);
});

test('IPv6 blocks are swept up to a /112, and wider ones are refused with another way', () => {
  const { ranges, problems } = parseTargets([
    { text: 'fd00::/112', place: {} },
    { text: 'fd00::/64', place: { file: 'list', line: 3 } },
  ]);
  expect(ranges).toHaveLength(1);
  expect(problemText(problems[0] as never)).toMatch(/^list:3: "fd00::\/64" holds 2\^64 addresses.*neighbour table/);
});

test('bad lines of a list are all reported, with file, line and reason', () => {
  const targets = splitList('\ufeff10.0.0.0/24 # office\r\n\r\n# nothing\r\n10.0.0.0/99, 10.1.0.1\nfoo_/bar\n', 'nets.txt');
  const { ranges, problems } = parseTargets(targets);
  expect(ranges.map(({ text }) => text)).toEqual(['10.0.0.0/24', '10.1.0.1']);
  expect(problems.map(problemText)).toEqual([
    'nets.txt:4: "10.0.0.0/99" is no target: /99 is more than /32',
    'nets.txt:5: "foo_/bar" is no target: there is no address before the /',
  ]);
});

test('an unreadable and an empty list are problems, and the others are read all the same', async () => {
  const { targets, problems } = await collectTargets(['10.0.0.1', '@/no/such/list', '-'], [], () => Promise.resolve('# only a comment\n'));
  expect(targets).toHaveLength(1);
  expect(problems.map(problemText)).toEqual(['cannot read /no/such/list: there is no such file', 'standard input holds no targets']);
});

test.for(['{\n  "schemaVersion": 1,\n  "host": "kvm-lab"\n}', '{"v":1,"kind":"run"}\n{"v":1}', '[{"host": "kvm-lab"}]', '["kvm-lab"]'])(
  'JSON that is no list of targets: none of its words is looked up as a name (%s)',
  async (text) => {
    const { targets, problems } = await collectTargets(['-'], [], () => Promise.resolve(text));
    expect(targets).toEqual([]);
    expect(problems.map(problemText)).toEqual([expect.stringMatching(/^standard input: it is JSON, and none of masscan/)]);
  },
);

test('hosts are counted and numbered without being expanded', () => {
  const hosts = new HostSet(['10.0.0.0/8', 'fd00::/112'].map((text) => parseRange(text) as never));
  expect(hosts.count).toBe(2 ** 24 + 65_536);
  expect(formatAddress(hosts.at(2 ** 24 - 1))).toBe('10.255.255.255');
  expect(formatAddress(hosts.at(2 ** 24 + 255))).toBe('fd00::ff');
  expect(() => hosts.at(hosts.count)).toThrow(RangeError);
});

function expand(ranges: readonly { first: number; last: number }[]): Set<number> {
  return new Set(ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)));
}

test('ranges, exclusions and numbers agree with sets of addresses', () => {
  const range = fc
    .tuple(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 40 }))
    .map(([first, size]) => ({ first, last: first + size }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 8 }), fc.array(range, { maxLength: 8 }), (wanted, unwanted) => {
      const hosts = new HostSet(wanted).without(unwanted);
      const expected = [...expand(wanted)].filter((address) => !expand(unwanted).has(address)).toSorted((a, b) => a - b);
      expect([...hosts]).toEqual(expected);
      expect(hosts.count).toBe(expected.length);
      for (const [index, address] of expected.entries()) {
        expect(hosts.at(index)).toBe(address);
        expect(hosts.indexOf(address)).toBe(index);
      }
      for (const address of expand(unwanted)) expect(hosts.indexOf(address)).toBeUndefined();
    }),
  );
});

test('blocks of a range cover it exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 70_000 }), (first, size) => {
      const last = Math.min(2 ** 32 - 1, first + size);
      const hosts = new HostSet(blocksOf({ first, last }).map((text) => parseRange(text) as never));
      expect(hosts.ranges).toEqual([{ first, last }]);
    }),
  );
});

test('an address reads back as it was written', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const address = parseAddress(text);
      expect(address).toBeDefined();
      expect(parseAddress(formatAddress(address as number))).toBe(address);
    }),
  );
});

test('a permutation gives each value once, the same order for the same seed, another for another', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (size, seed) => {
      const order = new Permutation(size, seed);
      const values = Array.from({ length: size }, (_, i) => order.at(i));
      expect([...values].toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
      expect(values).toEqual(Array.from({ length: size }, (_, i) => new Permutation(size, seed).at(i)));
    }),
    { numRuns: 50 },
  );
  const [a, b] = [1, 2].map((seed) => Array.from({ length: 500 }, (_, i) => new Permutation(500, seed).at(i)));
  expect(a).not.toEqual(b);
});

test('a permutation spreads neighbours: consecutive values are rarely close', () => {
  const order = new Permutation(65_536 * 10, 7);
  const close = Array.from({ length: 10_000 }, (_, i) => Math.abs(order.at(i) - order.at(i + 1)) < 2560).filter(Boolean).length;
  expect(close).toBeLessThan(200); // by chance 0.8 %
});

test.for([
  ['10.0.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'carrier-grade-nat'],
  ['169.254.1.1', 'link-local'],
  ['127.0.0.1', 'loopback'],
  ['8.8.8.8', 'public'],
  ['224.0.0.1', 'special'],
  ['255.255.255.255', 'special'],
  ['0.0.0.0', 'special'],
  ['fd00::1', 'unique-local'],
  ['fe80::1', 'link-local'],
  ['::1', 'loopback'],
  ['2001:4860::1', 'public'],
  ['ff02::1', 'special'],
] as const)('%s is %s', ([text, space]) => expect(spaceOf(parseAddress(text) as number)).toBe(space));

test.for([
  ['10.0.0.0/8', {}, undefined],
  ['10.0.0.0/7', {}, /public addresses \(11\.0\.0\.0\/8\)/],
  ['8.8.8.0/24', {}, /--allow-public/],
  ['8.8.8.0/24', { allowPublic: true }, undefined],
  ['192.168.255.0-192.169.0.5', {}, /192\.169\.0\.0/],
  ['fd00::/112', {}, undefined],
  ['2001:db8::1', {}, /public/],
  ['127.0.0.0/24', { only: '127.0.0.0/8,::1/128' }, undefined],
  ['10.0.0.1', { only: '127.0.0.0/8,::1/128' }, /outside KVMSWEEP_ONLY/],
  ['8.8.8.8', { allowPublic: true, only: '10.0.0.0/8' }, /outside KVMSWEEP_ONLY/],
] as const)('the guard on %s with %o', ([text, options, refusal]) => {
  const range = parseRange(text) as { first: number; last: number };
  const found = new Guard(options).check(text, range);
  if (refusal === undefined) expect(found).toBeUndefined();
  else expect(problemText(found as never)).toMatch(refusal);
});

function may(guard: Guard, ...networks: string[]): boolean {
  return guard.linkRefusal(networks.map((text) => parseRange(text) as AddressRange)) === undefined;
}

test('the guard allows a whole link only where each address of its networks is allowed', () => {
  expect(may(new Guard(), '10.1.0.0/24')).toBe(true);
  expect(may(new Guard(), '10.1.0.0/24', '203.0.113.0/24')).toBe(false);
  expect(may(new Guard({ allowPublic: true }), '10.1.0.0/24', '203.0.113.0/24')).toBe(true);
  expect(may(new Guard({ only: '10.1.0.0/25' }), '10.1.0.0/24')).toBe(false);
  expect(may(new Guard({ only: '10.1.0.0/25,10.1.0.128/25' }), '10.1.0.0/24')).toBe(true);
  expect(may(new Guard({ only: '10.1.0.0/16' }), '10.1.0.0/24', '10.2.0.0/24')).toBe(false);
});

test('the guard judges single addresses as it judges ranges', () => {
  const guards = [new Guard(), new Guard({ only: '10.2.0.0/16' }), new Guard({ allowPublic: true })];
  fc.assert(
    fc.property(fc.ipV4(), fc.constantFrom(...guards), (text, guard) => {
      const address = parseAddress(text) as number;
      if (spaceOf(address) === 'special') return;
      expect(guard.refusal(address) === undefined).toBe(guard.check(text, { first: address, last: address }) === undefined);
    }),
    { numRuns: 2000 },
  );
});

test('a link-local address keeps its zone, and one in another zone is another host', () => {
  const [eth, wifi, bare] = ['fe80::1%eth0', 'fe80::1%wlan0', 'fe80::1'].map(parseAddress) as [bigint, bigint, bigint];
  expect([eth, wifi, bare].map(formatAddress)).toEqual(['fe80::1%eth0', 'fe80::1%wlan0', 'fe80::1']);
  expect(new Set([eth, wifi, bare]).size).toBe(3);
  expect([eth, wifi].map(withoutZone)).toEqual([bare, bare]);
  expect(spaceOf(eth)).toBe('link-local');
  expect(parseAddress('fe80:0::1%eth0')).toBe(eth);
  expect(urlHost('fe80::1%eth0')).toBe('[fe80::1]');
  const hosts = new HostSet([eth, wifi].map((address) => ({ first: address, last: address })));
  expect(hosts.count).toBe(2);
  expect(parseRange(rangeText(hosts.ranges[1] as AddressRange))).toMatchObject(hosts.ranges[1] as object);
  expect(new Guard({ only: 'fe80::/10' }).refusal(eth)).toBeUndefined();
  expect(new Guard({ only: 'fe80::/10' }).check('x', { first: eth, last: eth })).toBeUndefined();
  expect(new Guard({ only: '10.0.0.0/8' }).refusal(eth)).toBeDefined();
});

test('a KVMSWEEP_ONLY that cannot be read stops the process instead of being ignored', () => {
  expect(() => new Guard({ only: '10.0.0.0/8,oops/9' })).toThrow(InputError);
});

function portsOf(text: string): string[] {
  const { ports, problems } = parsePorts(text);
  return problems.length > 0 ? problems.map(problemText) : ports.map(portText);
}

test.for([
  [
    DEFAULT_PORTS,
    [
      '21/tcp=ftp@living',
      '22/tcp=ssh@living',
      '23/tcp=telnet@living',
      '80/tcp=http',
      '443/tcp=https',
      '5000/tcp=listen-http',
      '5900/tcp=rfb',
      '5901/tcp=rfb',
      '6080/tcp=http@living',
      '8080/tcp=http',
      '8443/tcp=https',
      '8888/tcp=http',
      '16992/tcp=http@living',
      '16993/tcp=https@living',
      '161/udp=snmp',
      '623/udp=ipmi',
      '1900/udp=ssdp@living',
      '2362/udp=addp@living',
      '3211/udp=aidp@living',
      '4800/udp=moxa@living',
      '5353/udp=mdns@living',
      '30718/udp=lantronix@living',
    ],
  ],
  ['U:137,427,3702,10001', ['137/udp=netbios', '427/udp=slp', '3702/udp=wsd', '10001/udp=ubiquiti']],
  ['1137/udp=netbios@living', ['1137/udp=netbios@living']],
  ['443', ['443/tcp=https']],
  ['22,80', ['22/tcp=ssh', '80/tcp=http']],
  ['2222=ssh@living,4001', ['2222/tcp=ssh@living', '4001/tcp=listen']],
  ['T:5900-5902,U:623', ['5900/tcp=rfb', '5901/tcp=rfb', '5902/tcp=rfb', '623/udp=ipmi']],
  ['U:161,623,T:80', ['80/tcp=http', '161/udp=snmp', '623/udp=ipmi']],
  ['8443=https,1623/udp=ipmi', ['8443/tcp=https', '1623/udp=ipmi']],
  ['9000=http, 9001=rfb', ['9000/tcp=http', '9001/tcp=rfb']],
  ['80,80,80', ['80/tcp=http']],
] as const)('ports: %s', ([text, ports]) => expect(portsOf(text)).toEqual(ports));

test.for([
  ['0', /1 to 65535/],
  ['70000', /1 to 65535/],
  ['90-80', /ends before it begins/],
  ['http', /no port or range/],
  ['80,,81', /between two commas/],
  ['80=gopher', /tcp ports speak http, https, tls, rfb/],
  ['1623/udp', /say what 1623\/udp speaks/],
  ['1-65535', /at most 1024 ports/],
  ['4001=http', /may be a serial line/],
  ['9100=https@living', /may be a serial line/],
] as const)('no ports: %s', ([text, reason]) => expect(portsOf(text).join('\n')).toMatch(reason));

test('the wide set asks everybody everything over TCP, and what is written reads back', () => {
  const { ports } = parsePorts('wide');
  expect(ports.filter(({ living, transport }) => living && transport === 'tcp')).toEqual([]);
  expect(ports.length).toBeGreaterThan(parsePorts('default').ports.length);
  for (const set of ['default', 'wide', '2222=ssh@living,80'])
    expect(parsePorts(parsePorts(set).ports.map(portText).join(','))).toEqual(parsePorts(set));
});

test.for<{ words: readonly string[]; channels: readonly string[]; says?: RegExp }>([
  { words: [], channels: [] },
  { words: ['dns,netbios'], channels: ['netbios', 'dns'] },
  { words: ['wsd', ' slp , wsd', 'ubiquiti'], channels: ['wsd', 'slp', 'ubiquiti'] },
  {
    words: ['netbois'],
    channels: [],
    says: /--also netbois: there is no such channel, did you mean "netbios"\? \(netbios, wsd, slp, ubiquiti, dns\)/,
  },
  { words: ['dns,'], channels: ['dns'], says: /--also "": there is no such channel/ },
  { words: ['toString'], channels: [], says: /no such channel/ },
])('--also $words', ({ words, channels, says }) => {
  const read = parseAlso(words);
  expect(read.channels).toEqual(channels);
  const text = read.problems.map(problemText).join('\n');
  if (says === undefined) expect(text).toBe('');
  else expect(text).toMatch(says);
});

test('channels that are opted into are asked of living addresses, at a port that was named as it was named', () => {
  const named = parsePorts('80,137/udp,1427/udp=slp').ports;
  const all = withAlso(named, ['netbios', 'slp', 'dns']).map(portText);
  expect(all).toEqual(['80/tcp=http', '137/udp=netbios', '1427/udp=slp', '427/udp=slp@living']);
  expect(portsOf(all.join(',')).toSorted(), 'as it is in the journal').toEqual(all.toSorted());
  expect(withAlso(named, ['dns'])).toEqual(named);
});

test.for([
  ['default', [], 12],
  ['wide', [], 12],
  ['80', ['netbios'], 14],
  ['80', ['netbios', 'wsd', 'slp', 'ubiquiti', 'dns'], 20],
  ['80,137/udp,1137/udp=netbios', ['netbios'], 14],
] as const)('a device gets at most so many datagrams in a sweep of %s with %j: %i', ([ports, also, datagrams]) =>
  expect(budgetFor(withAlso(parsePorts(ports).ports, also)).datagrams).toBe(datagrams),
);

test('no set of ports holds what must be opted into', () => {
  const opted = KNOWN_PORTS.filter(({ of }) => of === 'also').map(({ protocol }) => protocol);
  expect(opted.length).toBe(Object.keys(ALSO).length - 1);
  for (const set of ['default', 'wide']) for (const { protocol } of parsePorts(set).ports) expect(opted).not.toContain(protocol);
});

test('no known port that may be a serial line is written to', () => {
  const serial = KNOWN_PORTS.filter(({ transport, port }) => transport === 'tcp' && mayBeSerialLine(port));
  expect(serial.length).toBeGreaterThan(0);
  expect(serial.filter(({ protocol }) => protocol !== 'listen')).toEqual([]);
});

test('anything as a target or a port list ends in a result or a problem', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseTargets([{ text, place: {} }])));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('0123456789.-/:,=TUhtpsudcifm ')) }), (text) => {
      parseTargets([{ text, place: {} }]);
      parsePorts(text);
    }),
  );
});

test('the shards of a sweep are its addresses, each in one of them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: 20 }), (size, of) => {
      const all = new HostSet([
        { first: 0x0a_00_00_00, last: 0x0a_00_00_00 + size - 1 },
        { first: 0x0a_09_00_00, last: 0x0a_09_00_02 },
      ]);
      const shards = Array.from({ length: of }, (_, i) => all.part({ part: i + 1, of }));
      expect(new Set(shards.flatMap((shard) => [...shard]))).toEqual(new Set(all));
      expect(shards.reduce((sum, { count }) => sum + count, 0)).toBe(all.count);
      for (const shard of shards)
        for (const address of all) {
          const index = shard.indexOf(address);
          if (index !== undefined) expect(shard.at(index)).toBe(address);
          expect(shards.filter((one) => one.indexOf(address) !== undefined)).toHaveLength(1);
        }
    }),
    { numRuns: 30 },
  );
});

test.for(['0/4', '5/4', '1/0', '1', '1/2/3', '-1/4', '1/99999', ''])('"%s" is no shard', (text) =>
  expect(parseShard(text)).toBeUndefined(),
);

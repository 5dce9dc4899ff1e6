import { afterEach, expect, test } from 'vitest';
import { InputError, problemText } from '../../src/errors.ts';
import { type ReverseName, ReverseNames, reverseNameOf } from '../../src/sweep/reverse.ts';
import { type AddressNumber, formatAddress, parseAddress } from '../../src/targets/addresses.ts';
import { Guard } from '../../src/targets/guard.ts';
import { AuditLog } from '../support/audit-log.ts';
import { type NameServer, startNameServer, type NameServerOptions } from '../support/name-server.ts';

const servers: NameServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function serve(options: NameServerOptions): Promise<NameServer> {
  const server = await startNameServer(options);
  servers.push(server);
  return server;
}

const guard = new Guard({ only: '127.0.0.0/8' });
const address = (text: string): AddressNumber => parseAddress(text) as AddressNumber;

async function ask(
  reverse: ReverseNames,
  addresses: Iterable<AddressNumber>,
  isOver: () => boolean = () => false,
): Promise<{ found: ReverseName[]; audit: AuditLog; result: Awaited<ReturnType<ReverseNames['ask']>> }> {
  const found: ReverseName[] = [];
  const audit = new AuditLog();
  const result = await reverse.ask(addresses, { audit, onName: (name) => found.push(name), isOver });
  return { found, audit, result };
}

test.for([
  ['192.0.2.7', '7.2.0.192.in-addr.arpa'],
  ['2001:db8::567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
] as const)('the name to ask for %s is %s', ([text, name]) => expect(reverseNameOf(address(text))).toBe(name));

test('names are asked for once each, of several the first in the alphabet counts, and what has none has none', async () => {
  const server = await serve({
    names: {
      '7.2.0.192.in-addr.arpa': ['kvm-7.example.net'],
      '8.2.0.192.in-addr.arpa': ['web.example.net', 'bmc-8.example.net'],
      '10.2.0.192.in-addr.arpa': [],
    },
  });
  const reverse = new ReverseNames(guard, [server.server]);
  const { found, audit, result } = await ask(
    reverse,
    ['192.0.2.7', '192.0.2.8', '192.0.2.9', '192.0.2.10'].map((text) => address(text)),
  );
  expect(Object.fromEntries(found.map(({ address: at, name }) => [formatAddress(at), name]))).toEqual({
    '192.0.2.7': 'kvm-7.example.net',
    '192.0.2.8': 'bmc-8.example.net',
  });
  expect(result).toEqual({ asked: 4, named: 2, left: 0 });
  expect(server.asked.toSorted()).toEqual([
    '10.2.0.192.in-addr.arpa',
    '7.2.0.192.in-addr.arpa',
    '8.2.0.192.in-addr.arpa',
    '9.2.0.192.in-addr.arpa',
  ]);
  const port = Number(server.server.split(':')[1]);
  expect(audit.entries.map(({ what }) => what)).toContain('dns.ptr 7.2.0.192.in-addr.arpa');
  expect(audit.entries).toHaveLength(4);
  for (const entry of audit.entries) expect(entry).toMatchObject({ host: '127.0.0.1', port, transport: 'udp' });
});

test('at most 16 questions are under way, and no more addresses are held than that', async () => {
  const server = await serve({ names: {}, delayMs: 20 });
  let drawn = 0;
  function* many(): Generator<AddressNumber> {
    for (; drawn < 200; drawn += 1) {
      expect(drawn - server.asked.length).toBeLessThanOrEqual(16);
      yield (address('10.0.0.0') as number) + drawn;
    }
  }
  const { result } = await ask(new ReverseNames(guard, [server.server]), many());
  expect(result).toEqual({ asked: 200, named: 0, left: 0 });
  expect(server.most()).toBeLessThanOrEqual(16);
  expect(server.most()).toBeGreaterThan(8);
});

test('a dead name server is passed over for a living one, which is asked first from then on', async () => {
  const dead = await serve({ names: {}, silent: true });
  const living = await serve({ names: { '1.0.0.10.in-addr.arpa': ['one.example.net'] } });
  const reverse = new ReverseNames(guard, [dead.server, living.server]);
  const from = performance.now();
  const { found } = await ask(reverse, [address('10.0.0.1')]);
  expect(found.map(({ name }) => name)).toEqual(['one.example.net']);
  expect(performance.now() - from).toBeGreaterThan(1500);
  expect(dead.asked).toHaveLength(1);
  const { result } = await ask(
    reverse,
    Array.from({ length: 20 }, (_, i) => (address('10.0.0.2') as number) + i),
  );
  expect(result).toEqual({ asked: 20, named: 0, left: 0 });
  expect(dead.asked).toHaveLength(1);
});

test('where nobody answers it is given up, and said how many were not asked for', async () => {
  const dead = await serve({ names: {}, silent: true });
  const { result } = await ask(
    new ReverseNames(guard, [dead.server]),
    Array.from({ length: 100 }, (_, i) => (address('10.0.0.0') as number) + i),
  );
  expect(result.asked).toBeGreaterThanOrEqual(32);
  expect(result.asked).toBeLessThanOrEqual(48);
  expect(result).toMatchObject({ named: 0, left: 100 - result.asked });
});

test('nothing more is asked once it is over', async () => {
  const server = await serve({ names: {} });
  const { result } = await ask(
    new ReverseNames(guard, [server.server]),
    Array.from({ length: 50 }, (_, i) => (address('10.0.0.0') as number) + i),
    () => server.asked.length >= 10,
  );
  expect(result.asked).toBeLessThan(50);
  expect(result.asked + result.left).toBe(50);
  expect(server.asked).toHaveLength(result.asked);
});

test.for([
  { name: 'none at all', servers: [], says: /no name server/ },
  {
    name: 'outside of KVMSWEEP_ONLY',
    servers: ['192.0.2.53', '[2001:db8::53]:5353'],
    says: /192\.0\.2\.53.*outside of KVMSWEEP_ONLY \(127\.0\.0\.0\/8\)/,
  },
])('name servers: $name is an error before anything is asked', ({ servers: named, says }) => {
  let thrown: unknown;
  try {
    void new ReverseNames(guard, named);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(InputError);
  expect((thrown as InputError).problems.map(problemText).join()).toMatch(says);
});

test('of several name servers those within KVMSWEEP_ONLY are asked', () => {
  expect(new ReverseNames(guard, ['192.0.2.53', '127.0.0.1', '[::1]:53']).servers).toEqual(['127.0.0.1']);
  expect(new ReverseNames(new Guard(), ['192.0.2.53']).servers).toEqual(['192.0.2.53']);
});

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { AuditFile } from '../../src/sweep/audit.ts';
import { Bits, EndpointSet, packNumbers, unpackNumbers } from '../../src/sweep/bits.ts';
import { Budget, DEFAULT_BUDGET, readsWith } from '../../src/sweep/budget.ts';
import { Gates } from '../../src/sweep/gates.ts';
import { blindSpots, socketLimit } from '../../src/sweep/guards.ts';
import { Neighbours } from '../../src/sweep/neighbours.ts';
import { clientHello } from '../../src/sweep/client-hello.ts';
import type { UdpProbe } from '../../src/sweep/contract.ts';
import { costOf, estimate } from '../../src/sweep/cost.ts';
import { type Coverage, covered } from '../../src/sweep/coverage.ts';
import { emptyPort, ledgerErrors, sumPorts } from '../../src/sweep/ledger.ts';
import { Bucket, HostTimes, Pace, RoundTrip } from '../../src/sweep/pace.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import { jsonText, printable } from '../../src/text.ts';

test('numbers packed for the journal come back', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 2 ** 32 })), { maxLength: 60 }),
      (numbers) => {
        expect(unpackNumbers(packNumbers(numbers))).toEqual([...numbers].toSorted((a, b) => a - b));
      },
    ),
  );
});

test('bits are a set', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 999 })), (numbers) => {
      const bits = new Bits(1000);
      const set = new Set<number>();
      for (const number of numbers) {
        expect(bits.add(number)).toBe(!set.has(number));
        set.add(number);
      }
      for (let i = 0; i < 1000; i += 1) expect(bits.has(i)).toBe(set.has(i));
      const walked: number[] = [];
      for (let at = bits.next(0); at !== undefined; at = bits.next(at + 1)) walked.push(at);
      expect(walked).toEqual([...set].toSorted((a, b) => a - b));
    }),
  );
});

test('a set of endpoints is a set, whether a port is asked everywhere or of the living', () => {
  const endpoints = fc.array(fc.integer({ min: 0, max: 20 * 5 - 1 }));
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), endpoints, (isEverywhere, added) => {
      const some = new EndpointSet(20, isEverywhere);
      const set = new Set<number>();
      for (const endpoint of added) {
        expect(some.add(endpoint)).toBe(!set.has(endpoint));
        set.add(endpoint);
      }
      for (let i = 0; i < 100; i += 1) expect(some.has(i)).toBe(set.has(i));
    }),
  );
});

test('a bucket gives its rate and never more than a burst at once', () => {
  const bucket = new Bucket(1000, 0);
  let sent = 0;
  for (let now = 0; now <= 2000; now += 7) {
    const may = bucket.available(now);
    expect(may).toBeLessThanOrEqual(64);
    bucket.take(may);
    sent += may;
  }
  expect(sent).toBeGreaterThan(1950);
  expect(sent).toBeLessThanOrEqual(2064);
});

test('what a held-up loop kept back leaves afterwards, in bursts, and no more of it than a fiftieth of a second', () => {
  const bucket = new Bucket(10_000, 0);
  bucket.take(bucket.available(0));
  const bursts = [1000, 1000, 1000, 1000, 1000].map((now) => {
    const may = bucket.available(now);
    bucket.take(may);
    return may;
  });
  expect(bursts).toEqual([64, 64, 64, 8, 0]);
});

test('one /24 gets its share, others are not held up by it', () => {
  const pace = new Pace(2000, 100, 0);
  let [here, there] = [0, 0];
  for (let now = 1; now <= 1000; now += 1) {
    for (let i = 0; i < 3; i += 1) {
      if (pace.bucket.available(now) >= 1 && pace.admit(0x0a000001 + i, 1, now)) here += 1;
      if (pace.bucket.available(now) >= 1 && pace.admit(0x0b000000 + now * 256, 1, now)) there += 1;
    }
  }
  expect(here).toBeLessThanOrEqual(100 + 64);
  expect(there).toBeGreaterThan(1000);
});

test('time-outs follow the round trip between 300 and 800 ms', () => {
  const trip = new RoundTrip();
  expect(trip.timeoutMs).toBe(800);
  for (let i = 0; i < 50; i += 1) trip.sample(2);
  expect(trip.timeoutMs).toBe(300);
  for (let i = 0; i < 200; i += 1) trip.sample(i % 2 === 0 ? 150 : 350);
  expect(trip.timeoutMs).toBeGreaterThan(500);
  trip.sample(60_000);
  expect(trip.timeoutMs).toBe(800);
});

test('a host that has answered well within the time-out of all is not waited for longer; one that is late, or has not answered, is', () => {
  const times = new HostTimes(8);
  expect(times.furtherMs(0)).toBe(800);
  for (let i = 0; i < 50; i += 1) times.connected(0, 2);
  expect(times.firstMs).toBe(300);
  expect(times.furtherMs(0)).toBe(300);
  expect(times.furtherMs(1)).toBe(800);
  times.asked(2, 1000);
  times.answered(2, 1020);
  times.asked(3, 1000);
  times.answered(3, 1250);
  expect([2, 3].map((host) => times.furtherMs(host))).toEqual([300, 800]);
  // What was quick once and late another time is waited for; the clock of a host begins again after seventeen minutes.
  times.connected(0, 200);
  times.asked(4, 65_535 * 16);
  times.answered(4, 65_536 * 16 + 20);
  expect([0, 4].map((host) => times.furtherMs(host))).toEqual([800, times.firstMs]);
  expect(times.firstMs).toBeLessThan(800);
});

test('a gate lets two in, a slow device one, and forgets those that are gone', async () => {
  const gates = new Gates();
  const [A, B] = [0x0a000001, 0x0a000002];
  const [first, second] = await Promise.all([gates.enter(A), gates.enter(A)]);
  expect(gates.full(A)).toBe(true);
  expect(gates.full(B)).toBe(false);
  let third = false;
  const waiting = gates.enter(A).then((release) => {
    third = true;
    return release;
  });
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(third).toBe(false);
  first();
  first();
  (await waiting)();
  second();
  gates.slow(A);
  const only = await gates.enter(A);
  expect(gates.full(A)).toBe(true);
  only();
});

test('a budget ends connections, requests and datagrams, each with its reason', () => {
  const budget = new Budget({ ...DEFAULT_BUDGET, connects: 2, requests: 1, datagrams: 1 });
  budget.countConnect();
  budget.connect();
  expect(() => budget.connect()).toThrow(/2 connections were made/);
  budget.request();
  expect(() => budget.request()).toThrow(ProbeError);
  expect([budget.datagram(), budget.datagram()]).toEqual([true, false]);
  const deaf = new Budget(DEFAULT_BUDGET);
  deaf.deaf();
  deaf.deaf();
  expect(() => deaf.connect()).toThrow(/stopped responding/);
});

test('a ledger that does not add up says so', () => {
  const sound = { ...emptyPort(10), asked: 8, skipped: { interrupted: 2 }, answered: 1, refused: 2, silent: 3, unreachable: 1, givenUp: 1 };
  expect(ledgerErrors({ '80/tcp': sound })).toEqual([]);
  expect(ledgerErrors({ '80/tcp': { ...sound, silent: 2 } })).toEqual(['80/tcp: asked 8, accounted for 7']);
  expect(ledgerErrors({ '80/tcp': { ...sound, planned: 11 } })).toEqual(['80/tcp: planned 11, asked 8 and skipped 2']);
  expect(sumPorts([sound, sound])).toMatchObject({ planned: 20, asked: 16, skipped: { interrupted: 4 } });
});

test('the audit record is a line of JSON for everything that left, with its bytes', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'kvmsweep-')), 'audit.ndjson');
  const audit = new AuditFile(file);
  audit.record({ at: 0, host: '127.0.0.1', transport: 'udp', port: 623, what: 'ipmi.asf-ping', bytes: Buffer.from('0600', 'hex') });
  audit.record({ at: 0, host: '127.0.0.1', transport: 'tcp', port: 80, what: 'connect' });
  audit.close();
  expect(readFileSync(file, 'utf8')).toBe(
    '{"at":"1970-01-01T00:00:00.000Z","host":"127.0.0.1","transport":"udp","port":623,"what":"ipmi.asf-ping","bytes":2,"hex":"0600"}\n{"at":"1970-01-01T00:00:00.000Z","host":"127.0.0.1","transport":"tcp","port":80,"what":"connect"}\n',
  );
});

test('the hello of the TLS library fits one segment and offers what old controllers speak', async () => {
  const hellos = await clientHello();
  for (const { bytes } of hellos) {
    expect(bytes.length).toBeLessThan(700);
    expect(bytes.subarray(0, 3).toString('hex')).toBe('160301');
    // TLS_RSA_WITH_AES_128_CBC_SHA: all that a TLS 1.0 controller has.
    expect(bytes.includes(Buffer.from('002f', 'hex'))).toBe(true);
  }
});

test('JSON on a terminal is shown, not obeyed, and reads back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const json = jsonText({ text });
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ text })));
      expect(json).toBe(printable(json));
    }),
  );
});

test('what a set of ports costs is what a sweep of silent addresses sends', () => {
  const probes = [
    { id: 'ipmi', hello: () => [{ bytes: Buffer.alloc(12) }, { bytes: Buffer.alloc(23) }] },
  ] as unknown as readonly UdpProbe[];
  const { ports } = parsePorts('80,443,9443=https,22=ssh@living,623/udp=ipmi,1623/udp=ipmi@living');
  const cost = costOf(ports, probes);
  expect(cost).toEqual({ silent: 5, again: 4, living: 3 });
  expect(costOf(ports, probes, 'full')).toEqual({ silent: 5, again: 5, living: 3 });
  // Where none of the usual ports is among them, the first four stand in for them.
  expect(costOf(parsePorts('81-90').ports, probes)).toEqual({ silent: 10, again: 4, living: 0 });
});

test.for<{ name: string; addresses: number; plan: Partial<Parameters<typeof estimate>[0]>; seconds: number; packets: number }>([
  { name: 'two passes', addresses: 1024, plan: {}, seconds: (1024 * 9) / 1000 + 1.6, packets: 1024 * 9 },
  { name: 'too many for a second pass', addresses: 8192, plan: {}, seconds: (8192 * 5) / 1000 + 0.8, packets: 8192 * 5 },
  {
    name: 'a second pass whatever it costs',
    addresses: 8192,
    plan: { coverage: 'full' },
    seconds: (8192 * 10) / 1000 + 1.6,
    packets: 8192 * 10,
  },
  { name: 'no second pass', addresses: 1024, plan: { retries: 0 }, seconds: (1024 * 5) / 1000 + 0.8, packets: 1024 * 5 },
  { name: 'the rate of two networks', addresses: 512, plan: { ratePerNetwork: 100 }, seconds: (512 * 9) / 200 + 1.6, packets: 512 * 9 },
])('a sweep takes its packets at its rate, and a time-out a pass: $name', ({ addresses, plan, seconds, packets }) => {
  const probes = [
    { id: 'ipmi', hello: () => [{ bytes: Buffer.alloc(12) }, { bytes: Buffer.alloc(23) }] },
  ] as unknown as readonly UdpProbe[];
  const hosts = new HostSet([{ first: 0x0a_00_00_00, last: 0x0a_00_00_00 + addresses - 1 }]);
  const { ports } = parsePorts('80,443,9443=https,22=ssh@living,623/udp=ipmi,1623/udp=ipmi@living');
  const said = estimate({ hosts, ports, rate: 1000, ratePerNetwork: 1000, retries: 1, ...plan }, probes);
  expect(said.seconds).toBeCloseTo(seconds);
  expect(said.packets.first + said.packets.further).toBe(packets);
});

test('where a sweep looks for life first, only the usual ports are asked of every address', () => {
  const { ports } = parsePorts('80,443,5901,9443=https,22=ssh@living,623/udp=ipmi');
  const asked = (coverage: Coverage): string[] =>
    covered(ports, coverage).flatMap(({ living, port, transport }) => (living === true ? [] : [`${port}/${transport}`]));
  expect(asked('life')).toEqual(['80/tcp', '443/tcp', '623/udp']);
  expect(asked('auto')).toEqual(['80/tcp', '443/tcp', '5901/tcp', '9443/tcp', '623/udp']);
  expect(asked('full')).toEqual(asked('auto'));
});

test('what a system does not tell is told', () => {
  const seeing = { overflows: () => 0 } as unknown as Neighbours;
  expect(blindSpots({ onLink: true, platform: 'linux' }, seeing)).toEqual([]);
  const blind = { overflows: () => undefined } as unknown as Neighbours;
  expect(blindSpots({ onLink: true, platform: 'linux' }, blind)).toEqual([
    'this system does not tell whether its neighbour table overflowed: what was lost there is not noticed',
  ]);
  expect(blindSpots({ onLink: true, platform: 'darwin' }, blind)[0]).toMatch(/connection-tracking.*dropped.*neighbour table/);
  expect(blindSpots({ onLink: false, platform: 'win32' }, blind)[0]).not.toMatch(/neighbour/);
  expect(socketLimit()).toBeGreaterThanOrEqual(16);
});

test.for([
  { given: { communities: 0, users: 0 }, reads: 0 },
  { given: { communities: 1, users: 0 }, reads: 15 },
  { given: { communities: 0, users: 1 }, reads: 16 },
  { given: { communities: 5, users: 3 }, reads: 25 },
])('with $given a device may get $reads datagrams more, on an account of their own', ({ given, reads }) => {
  expect(readsWith(given)).toBe(reads);
  const budget = new Budget({ ...DEFAULT_BUDGET, reads: readsWith(given) });
  budget.countSweep(3, given.communities);
  budget.countSweep(3, given.communities);
  expect(Array.from({ length: 40 }, () => budget.read()).filter(Boolean)).toHaveLength(reads - given.communities);
  expect(Array.from({ length: 40 }, () => budget.datagram()).filter(Boolean)).toHaveLength(12 - 3);
});

test('a further question in a protocol takes neither what is kept for other protocols, nor what opted channels have', () => {
  const budget = new Budget({ ...DEFAULT_BUDGET, datagrams: DEFAULT_BUDGET.datagrams + 2 });
  budget.countSweep(6);
  expect([budget.furtherDatagram(5), budget.furtherDatagram(5)]).toEqual([true, false]);
  expect(Array.from({ length: 5 }, () => budget.datagram())).toEqual([true, true, true, true, true]);
  expect(budget.furtherDatagram(0)).toBe(false);
  expect([budget.datagram(), budget.datagram(), budget.datagram()]).toEqual([true, true, false]);
});

import type { Socket } from 'node:dgram';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { ForbiddenError } from '../../src/errors.ts';
import { type BudgetLimits, DEFAULT_BUDGET, type Spent } from '../../src/sweep/budget.ts';
import type { UdpProbe } from '../../src/sweep/contract.ts';
import { Devices } from '../../src/sweep/device.ts';
import { Gates } from '../../src/sweep/gates.ts';
import { Guards } from '../../src/sweep/guards.ts';
import { packNumbers } from '../../src/sweep/bits.ts';
import { ledgerErrors } from '../../src/sweep/ledger.ts';
import { MESSAGES } from '../../src/sweep/messages.ts';
import { Neighbours } from '../../src/sweep/neighbours.ts';
import { AllowedPaths } from '../../src/sweep/paths.ts';
import type { Checkpoint } from '../../src/sweep/state.ts';
import type { SweepPlan } from '../../src/sweep/plan.ts';
import type { SweepHandlers } from '../../src/sweep/handlers.ts';
import { Sweep } from '../../src/sweep/sweep.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parseRange } from '../../src/targets/parse.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import { parseWindow, type TimeWindow } from '../../src/windows.ts';
import { AuditLog } from '../support/audit-log.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A TCP server that counts its connections; all of 127.0.0.0/8 is this machine. */
async function serve(host: string, port: number): Promise<{ most: number; total: number }> {
  const load = { now: 0, most: 0, total: 0 };
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    load.now += 1;
    load.total += 1;
    load.most = Math.max(load.most, load.now);
    socket.on('close', () => (load.now -= 1)).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return load;
}

const NEIGHBOURS = await Neighbours.look();

function hostsOf(...targets: string[]): HostSet {
  return new HostSet(targets.map((text) => parseRange(text) as never));
}

interface Setup {
  readonly sweep: Sweep;
  readonly audit: AuditLog;
  readonly open: string[];
  readonly checkpoints: Checkpoint[];
  readonly devices: Devices;
}

function setUp(
  plan: Partial<SweepPlan> & { hosts: HostSet },
  ports: string,
  handlers: Partial<SweepHandlers> = {},
  probes: readonly UdpProbe[] = [],
  { budget = {}, ...more }: { guards?: Guards; clock?: () => Date; budget?: Partial<BudgetLimits> } = {},
): Setup {
  const audit = new AuditLog();
  const whole: SweepPlan = { ports: parsePorts(ports).ports, seed: 1, rate: 2000, ratePerNetwork: 2000, retries: 1, ...plan };
  const devices = new Devices({
    guard: Guard.fromEnvironment(),
    audit,
    paths: new AllowedPaths([]),
    gates: new Gates(),
    hosts: whole.hosts,
    ports: whole.ports,
    budget: { ...DEFAULT_BUDGET, ...budget },
  });
  const open: string[] = [];
  const checkpoints: Checkpoint[] = [];
  const handle: SweepHandlers = {
    onOpen: async ({ device, plan: port, socket, release }) => {
      open.push(`${device.host}:${port.port}`);
      socket.destroy();
      release();
    },
    onReset: () => undefined,
    onAnswer: async () => undefined,
    onNeighbour: () => undefined,
    unwanted: () => undefined,
    onCheckpoint: (checkpoint) => checkpoints.push(JSON.parse(JSON.stringify(checkpoint)) as Checkpoint),
    ...handlers,
  };
  const sweep = new Sweep(whole, devices, NEIGHBOURS, probes, handle, more);
  closers.push(() => sweep.close());
  return { sweep, audit, open, checkpoints, devices };
}

test('every endpoint is asked once and is accounted for', async () => {
  await serve('127.50.0.7', 18080);
  await serve('127.50.0.9', 18443);
  const { sweep, audit, open } = setUp({ hosts: hostsOf('127.50.0.0/26') }, '18080=http,18443=https,15900=rfb');
  await sweep.run();
  expect(open.toSorted()).toEqual(['127.50.0.7:18080', '127.50.0.9:18443']);
  const { total, ports, packets, alive } = sweep.ledger;
  expect(total).toMatchObject({ planned: 192, asked: 192, answered: 2, refused: 190, silent: 0, lost: 0, givenUp: 0 });
  expect(ports['18080/tcp']).toMatchObject({ answered: 1, refused: 63 });
  expect(ledgerErrors(ports)).toEqual([]);
  expect(alive).toBe(64);
  // Refused is an answer: nothing is tried twice.
  expect(packets.tcp).toBe(192);
  const asked = audit.entries.map(({ host, port }) => `${host}:${port}`);
  expect(new Set(asked).size).toBe(192);
  expect(asked).not.toEqual([...asked].toSorted());
  expect(sweep.limitations).toEqual([]);
});

test('never more than two connections to one device, those of the conversation counted', async () => {
  const loads = await Promise.all([18001, 18002, 18003, 18004, 18005, 18006].map((port) => serve('127.50.1.1', port)));
  let now = 0;
  let most = 0;
  const { sweep } = setUp({ hosts: hostsOf('127.50.1.1') }, '18001-18006', {
    onOpen: async ({ socket, release }) => {
      now += 1;
      most = Math.max(most, now);
      await sleep(60);
      now -= 1;
      socket.destroy();
      release();
    },
  });
  await sweep.run();
  expect(sweep.ledger.total.answered).toBe(6);
  expect(most).toBe(2);
  expect(loads.map(({ total }) => total)).toEqual([1, 1, 1, 1, 1, 1]);
});

test('the rate is an upper limit, and the smaller one of a /24 holds', async () => {
  for (const [rate, ratePerNetwork, limit] of [
    [400, 2000, 400],
    [2000, 300, 300],
  ] as const) {
    const { sweep, audit } = setUp({ hosts: hostsOf('127.50.2.0/24'), rate, ratePerNetwork, retries: 0 }, '18080=http');
    await sweep.run();
    const times = audit.entries.map(({ ms }) => ms);
    expect(times).toHaveLength(256);
    const seconds = ((times.at(-1) as number) - (times[0] as number)) / 1000;
    // A burst of 64 may leave at once at the beginning.
    expect((256 - 64) / seconds).toBeLessThanOrEqual(limit * 1.1);
    for (const [i, at] of times.entries())
      expect(times.filter((other) => other >= at && other < at + 100).length, `packet ${i}`).toBeLessThanOrEqual(64 + limit * 0.11 + 2);
  }
});

test('an address that the guard refuses is never dialled: the sweep ends with the reason', async () => {
  const { sweep, audit } = setUp({ hosts: hostsOf('10.255.255.1') }, '80');
  await expect(sweep.run()).rejects.toThrow(ForbiddenError);
  expect(audit.entries).toEqual([]);
});

/** A UDP probe with a request that the allow-list has. */
function pinger(onTalk: () => void = () => undefined): UdpProbe {
  return {
    id: 'ipmi',
    speaks: 'datagrams',
    hello: (attempt) => [
      { name: 'ipmi.asf-ping', bytes: Buffer.from(`0600ff06000011be80${(attempt + 1).toString(16).padStart(2, '0')}0000`, 'hex') },
    ],
    recognise: (bytes) => (bytes[8] === 0x40 ? 'ipmi.asf-ping' : undefined),
    talk: async () => {
      onTalk();
      return {};
    },
  };
}

test('UDP goes first; its silence is silence after a second try, never closed', async () => {
  await serve('127.50.3.1', 18080);
  const { sweep, audit } = setUp({ hosts: hostsOf('127.50.3.0/30') }, '18080=http,16230/udp=ipmi', {}, [pinger()]);
  await sweep.run();
  expect(audit.entries.slice(0, 4).every(({ transport }) => transport === 'udp')).toBe(true);
  expect(sweep.ledger.ports['16230/udp']).toMatchObject({ planned: 4, asked: 4, answered: 0, refused: 0, silent: 4 });
  expect(sweep.ledger.packets.udp).toBe(8);
  const [first, second] = audit.entries.filter(({ transport, host }) => transport === 'udp' && host === '127.50.3.2');
  expect((second?.ms ?? 0) - (first?.ms ?? 0)).toBeGreaterThan(1400);
});

test('ports of living addresses: only they are asked, after the others, and the account says who was not', async () => {
  await serve('127.50.8.1', 18080);
  await serve('127.50.8.1', 18022);
  // On loopback every address lives, because it refuses; what does not is made by an address that nobody has.
  const hosts = hostsOf('127.50.8.0/30');
  const asked: string[] = [];
  const { sweep, audit, open } = setUp({ hosts }, '18080=http,18022=ssh@living,18023=telnet@living', {
    unwanted: (device, { port }) => {
      asked.push(`${device.host}:${port}`);
      return device.host === '127.50.8.2' && port === 18023 ? 'it is surely of another maker' : undefined;
    },
  });
  await sweep.run();
  expect(open.toSorted()).toEqual(['127.50.8.1:18022', '127.50.8.1:18080']);
  const { ports, packets } = sweep.ledger;
  expect(ports['18022/tcp']).toMatchObject({ planned: 4, asked: 4, answered: 1, refused: 3, skipped: {} });
  expect(ports['18023/tcp']).toMatchObject({ planned: 4, asked: 3, refused: 3, skipped: { 'it is surely of another maker': 1 } });
  expect(ledgerErrors(ports)).toEqual([]);
  expect(packets.tcp).toBe(11);
  expect(asked).toHaveLength(8);
  const order = audit.entries.map(({ port }) => port);
  expect(order.slice(0, 4)).toEqual([18080, 18080, 18080, 18080]);
});

test('ports of living addresses: who gave no sign of life is not asked', async () => {
  const { sweep, audit } = setUp({ hosts: hostsOf('127.50.9.0/29') }, '16235/udp=ipmi,18022=ssh@living,16236/udp=ipmi@living', {}, [
    pinger(),
  ]);
  await sweep.run();
  expect(audit.entries.filter(({ port }) => port !== 16235)).toEqual([]);
  expect(sweep.ledger.ports['16235/udp']).toMatchObject({ planned: 8, asked: 8, silent: 8 });
  for (const port of ['18022/tcp', '16236/udp'])
    expect(sweep.ledger.ports[port]).toMatchObject({ planned: 8, asked: 0, skipped: { 'no sign of life': 8 } });
  expect(ledgerErrors(sweep.ledger.ports)).toEqual([]);
});

test('a device is not asked more while somebody talks to it, and not at all beyond its datagrams', async () => {
  await serve('127.50.10.1', 18080);
  let talking = false;
  const asked: boolean[] = [];
  const ports = Array.from({ length: 14 }, (_, at) => `${16240 + at}/udp=ipmi@living`).join(',');
  const { sweep, audit } = setUp(
    { hosts: hostsOf('127.50.10.1') },
    `18080=http,${ports}`,
    {
      onOpen: async ({ socket, release }) => {
        talking = true;
        await sleep(300);
        talking = false;
        socket.destroy();
        release();
      },
      unwanted: () => void asked.push(talking),
    },
    [pinger()],
  );
  await sweep.run();
  expect(asked).toHaveLength(14);
  expect(asked).not.toContain(true);
  expect(audit.entries.filter(({ transport }) => transport === 'udp')).toHaveLength(12);
  expect(sweep.ledger.total).toMatchObject({
    planned: 15,
    asked: 13,
    silent: 12,
    skipped: { 'it has had all the datagrams that it may get': 2 },
  });
  expect(ledgerErrors(sweep.ledger.ports)).toEqual([]);
});

test.for([5, 60, 120])('stopped after %s of the living are asked and resumed: each is asked once', async (stopAt) => {
  const hosts = hostsOf('127.50.11.0/26');
  const ports = '18080=http,18022=ssh@living,18023=telnet@living';
  let seen = 0;
  const first = setUp({ hosts, rate: 200, ratePerNetwork: 200 }, ports, {
    unwanted: () => {
      seen += 1;
      if (seen === stopAt) first.sweep.stop('interrupted');
      return undefined;
    },
  });
  await first.sweep.run();
  expect(ledgerErrors(first.sweep.ledger.ports)).toEqual([]);
  expect(Object.keys(first.sweep.ledger.total.skipped)).toEqual(['interrupted']);
  const second = setUp({ hosts }, ports);
  second.sweep.resume(first.checkpoints, []);
  await second.sweep.run();
  expect(second.sweep.ledger.total).toMatchObject({ planned: 192, asked: 192, refused: 192, skipped: {} });
  const asked = [...first.audit.entries, ...second.audit.entries].map(({ host, port }) => `${host}:${port}`);
  expect(new Set(asked).size).toBe(192);
  expect(asked.length).toBe(192);
});

test('a UDP answer from an address that was not asked is counted apart and talked to by nobody', async () => {
  const dgram = await import('node:dgram');
  const stranger = dgram.createSocket('udp4');
  const victim = dgram.createSocket('udp4');
  await new Promise<void>((resolve) => stranger.bind(16231, '127.50.4.99', resolve));
  await new Promise<void>((resolve) => victim.bind(16231, '127.50.4.1', resolve));
  closers.push(
    () => void stranger.close(),
    () => void victim.close(),
  );
  const pong = Buffer.from('0600ff06000011be40010010000011be0000000081000000000000', 'hex');
  victim.on('message', (_, { port, address }) => stranger.send(pong, port, address));
  const answered: string[] = [];
  const { sweep } = setUp(
    { hosts: hostsOf('127.50.4.1') },
    '16231/udp=ipmi',
    { onAnswer: async (device) => void answered.push(device.host) },
    [pinger()],
  );
  await sweep.run();
  expect(answered).toEqual([]);
  expect(sweep.ledger).toMatchObject({ stray: 2, total: { answered: 0, silent: 1 } });
});

/** A UDP probe whose answers may come from any port; its question is a search. */
function searcher(): UdpProbe {
  const search = Buffer.from(MESSAGES.find(({ name }) => name === 'ssdp.root')?.template ?? '', 'hex');
  return {
    id: 'ssdp',
    speaks: 'datagrams',
    anyPort: true,
    hello: () => [{ name: 'ssdp.root', bytes: search }],
    recognise: (bytes) => (bytes.toString('latin1').startsWith('found') ? 'ssdp.root' : undefined),
    talk: async () => ({}),
  };
}

test('answers that may come from any port are those of the address that was asked, and of no other', async () => {
  const dgram = await import('node:dgram');
  const bind = async (host: string, port: number): Promise<Socket> => {
    const socket = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(port, host, resolve));
    closers.push(() => void socket.close());
    return socket;
  };
  // The first is alive and answers from another port; the second is alive and asked, but a stranger and a target that is not alive answer for it.
  await serve('127.50.12.1', 18080);
  await serve('127.50.12.2', 18080);
  const [one, other, two, stranger, silent] = await Promise.all([
    bind('127.50.12.1', 16251),
    bind('127.50.12.1', 0),
    bind('127.50.12.2', 16251),
    bind('127.50.12.99', 0),
    bind('127.50.12.3', 0),
  ]);
  one?.on('message', (_, { port, address }) => {
    other?.send('something else', port, address);
    other?.send('found', port, address);
    other?.send('found again', port, address);
  });
  two?.on('message', (_, { port, address }) => {
    stranger?.send('found', port, address);
    silent?.send('found', port, address);
  });
  const answers: string[] = [];
  const { sweep } = setUp(
    { hosts: hostsOf('127.50.12.1-127.50.12.2', '127.50.12.3') },
    '18080=http,16251/udp=ssdp@living',
    {
      unwanted: (device) => (device.host === '127.50.12.3' ? 'not here' : undefined),
      onAnswer: async (device, plan, talk) => {
        await sleep(200);
        answers.push(`${device.host} ${plan.port} ${talk.endpoint.port} ${talk.answers.map(({ bytes }) => bytes.toString()).join()}`);
      },
    },
    [searcher()],
  );
  await sweep.run();
  expect(answers).toEqual(['127.50.12.1 16251 16251 found']);
  const { ports, stray } = sweep.ledger;
  expect(ports['16251/udp']).toMatchObject({ planned: 3, asked: 2, answered: 1, silent: 1, skipped: { 'not here': 1 } });
  // What is no answer, the stranger's, and that of a target that nothing was sent to.
  expect(stray).toBe(3);
  expect(ledgerErrors(ports)).toEqual([]);
});

test('a fault while talking to a device does not lose the sweep: it is thrown when it is over', async () => {
  await serve('127.50.5.1', 18080);
  const { sweep } = setUp({ hosts: hostsOf('127.50.5.0/29') }, '18080=http', {
    onOpen: async ({ release }) => {
      release();
      throw new Error('disk full');
    },
  });
  await expect(sweep.run()).rejects.toThrow('disk full');
});

test.for([0.1, 0.5, 0.9])('stopped at %s and resumed: the account is that of one sweep, and no endpoint is asked twice', async (share) => {
  await serve('127.50.6.20', 18080);
  await serve('127.50.6.90', 18081);
  const plan = { hosts: hostsOf('127.50.6.0/25'), rate: 1000, ratePerNetwork: 1000 };
  const ports = '18080=http,18081=http,18082=http';
  const first = setUp(plan, ports);
  const watch = setInterval(() => {
    if (first.sweep.ledger.total.asked >= share * 384) first.sweep.stop('interrupted');
  }, 2);
  await first.sweep.run();
  clearInterval(watch);
  expect(first.sweep.limitations.map(({ what }) => what)).toEqual(['interrupted']);
  expect(ledgerErrors(first.sweep.ledger.ports)).toEqual([]);
  const second = setUp(plan, ports);
  second.sweep.resume(first.checkpoints, []);
  await second.sweep.run();
  expect(second.sweep.ledger.total).toMatchObject({ planned: 384, asked: 384, answered: 2, refused: 382, silent: 0 });
  expect(second.sweep.limitations).toEqual([]);
  const asked = [...first.audit.entries, ...second.audit.entries].map(({ host, port }) => `${host}:${port}`);
  expect(new Set(asked).size).toBe(384);
  expect(asked.length).toBe(384);
  expect([...first.open, ...second.open].toSorted()).toEqual(['127.50.6.20:18080', '127.50.6.90:18081']);
});

test('a conversation that was open when the sweep was stopped is held again after the resume, and counted once', async () => {
  await serve('127.50.7.1', 18080);
  const plan = { hosts: hostsOf('127.50.7.0/28') };
  const begun: (() => void)[] = [];
  const first = setUp(plan, '18080=http', { onOpen: () => new Promise<void>((resolve) => begun.push(resolve)) });
  setTimeout(() => first.sweep.stop('interrupted'), 400);
  await first.sweep.run();
  expect(begun).toHaveLength(1);
  const second = setUp(plan, '18080=http');
  second.sweep.resume(first.checkpoints, []);
  await second.sweep.run();
  expect(second.open).toEqual(['127.50.7.1:18080']);
  expect(second.sweep.ledger.total).toMatchObject({ asked: 16, answered: 1, refused: 15 });
  const third = setUp(plan, '18080=http');
  third.sweep.resume(first.checkpoints, [{ host: hostsOf('127.50.7.1').at(0), port: parsePorts('18080=http').ports[0] as never }]);
  await third.sweep.run();
  expect(third.open, 'what was said is on the disk').toEqual([]);
  expect(third.sweep.ledger.total).toMatchObject({ asked: 16, answered: 1, refused: 15 });
});

test('what a device has had is known to the resume, but for conversations that are held again', async () => {
  await serve('127.50.15.1', 18080);
  await serve('127.50.15.2', 18080);
  const ports = '18080=http,18081=http@living';
  const plan = { hosts: hostsOf('127.50.15.0/29'), retries: 0 };
  let open = 0;
  const first = setUp(plan, ports, {
    onOpen: async ({ device: { host, budget }, release, socket }) => {
      budget.request();
      budget.request();
      open += 1;
      if (open === 2) first.sweep.stop('interrupted');
      // That with the other one is open when the sweep ends.
      if (host === '127.50.15.2') await sleep(3000);
      socket.destroy();
      release();
    },
  });
  await first.sweep.run();
  const had = new Map<string, Spent>();
  const second = setUp(plan, ports, {
    unwanted: ({ host, budget }) => {
      had.set(host, budget.spent);
      return undefined;
    },
  });
  second.sweep.resume(first.checkpoints, []);
  await second.sweep.run();
  expect(Object.fromEntries([...had].filter(([host]) => /[12]$/.test(host)))).toEqual({
    '127.50.15.1': [1, 2, 0, 0, 0],
    '127.50.15.2': [1, 0, 0, 0, 0],
  });
});

test('killed with the answer to a datagram on its way: it is asked for again, and counted once', async () => {
  const dgram = await import('node:dgram');
  const plan = { hosts: hostsOf('127.50.16.0/26'), rate: 100, ratePerNetwork: 100, retries: 0 };
  const first = setUp(plan, '16270/udp=ipmi', {}, [pinger()]);
  const watch = setInterval(() => {
    if (first.audit.entries.length >= 32) first.sweep.stop('interrupted');
  }, 2);
  await first.sweep.run();
  clearInterval(watch);
  // The answer of whom was asked last comes when nobody hears it any more.
  const { host } = first.audit.entries.at(-1) as { host: string };
  const device = dgram.createSocket('udp4');
  await new Promise<void>((resolve) => device.bind(16270, host, resolve));
  closers.push(() => void device.close());
  device.on('message', (bytes, from) => {
    const pong = Buffer.from(bytes);
    pong[8] = 0x40;
    device.send(pong, from.port, from.address);
  });
  const second = setUp(plan, '16270/udp=ipmi', {}, [pinger()]);
  second.sweep.resume(first.checkpoints, []);
  await second.sweep.run();
  expect(second.sweep.ledger.total).toMatchObject({ planned: 64, asked: 64, answered: 1, silent: 63 });
  expect(ledgerErrors(second.sweep.ledger.ports)).toEqual([]);
  const asked = Map.groupBy([...first.audit.entries, ...second.audit.entries], (entry) => entry.host);
  expect(asked.size).toBe(64);
  expect(asked.get(host)).toHaveLength(2);
  expect([...asked.values()].every(({ length }) => length <= 2)).toBe(true);
});

/** A connection-tracking table that is full from the second look to the fourth. */
function fullForAWhile(): { guards: Guards; fullAt: () => number; roomAt: () => number } {
  const looks: number[] = [];
  const guards = new Guards(NEIGHBOURS, () => {
    looks.push(performance.now());
    return looks.length >= 2 && looks.length <= 4 ? 0.99 : 0.1;
  });
  return { guards, fullAt: () => looks[1] ?? Infinity, roomAt: () => looks[4] ?? Infinity };
}

test.for([
  { targets: '127.50.13.0/24', addresses: 256, when: 'when all has gone out' },
  { targets: '127.50.12.0-127.50.13.127', addresses: 384, when: 'in the middle' },
])(
  'our own connection-tracking table is full $when: nothing is sent, and what was asked in the bad window is asked again and counted once',
  async ({ targets, addresses }) => {
    const { guards, fullAt, roomAt } = fullForAWhile();
    const plan = { hosts: hostsOf(targets), rate: 100, ratePerNetwork: 100, retries: 0 };
    const { sweep, audit } = setUp(plan, '16260/udp=ipmi', {}, [pinger()], { guards });
    await sweep.run();
    const times = audit.entries.map(({ ms }) => ms);
    // What leaves in the turn of the look itself has left.
    expect(times.filter((ms) => ms > fullAt() + 5 && ms < roomAt())).toEqual([]);
    const { ports, packets } = sweep.ledger;
    expect(ports['16260/udp']).toMatchObject({ planned: addresses, asked: addresses, silent: addresses });
    expect(ledgerErrors(ports)).toEqual([]);
    const asked = Map.groupBy(audit.entries, ({ host }) => host);
    expect(asked.size).toBe(addresses);
    const again = [...asked.values()].filter((entries) => entries.length > 1);
    // A second at that rate, between the last look that found room and the first that found none.
    expect(again.length).toBeGreaterThanOrEqual(90);
    expect(again.length).toBeLessThanOrEqual(170);
    expect(again.every((entries) => entries.length === 2 && (entries[0]?.ms ?? 0) <= fullAt() + 5)).toBe(true);
    expect(packets.udp).toBe(addresses + again.length);
    expect(sweep.limitations).toEqual([]);
    expect(sweep.notes.join()).toContain(`${again.length} endpoints were to be asked again`);
  },
);

test('stopped while that table is full and resumed: what was in the bad window is asked again then', async () => {
  const { guards, fullAt } = fullForAWhile();
  const plan = { hosts: hostsOf('127.50.14.0/24'), rate: 100, ratePerNetwork: 100, retries: 0 };
  const first = setUp(plan, '16261/udp=ipmi', {}, [pinger()], { guards });
  const watch = setInterval(() => {
    if (performance.now() > fullAt() + 500) first.sweep.stop('interrupted');
  }, 20);
  await first.sweep.run();
  clearInterval(watch);
  expect(first.sweep.limitations.map(({ what }) => what)).toEqual(['interrupted', 'connection-tracking']);
  expect(ledgerErrors(first.sweep.ledger.ports)).toEqual([]);
  const second = setUp({ ...plan, rate: 2000, ratePerNetwork: 2000 }, '16261/udp=ipmi', {}, [pinger()]);
  second.sweep.resume(first.checkpoints, []);
  await second.sweep.run();
  expect(second.sweep.ledger.total).toMatchObject({ planned: 256, asked: 256, silent: 256 });
  expect(ledgerErrors(second.sweep.ledger.ports)).toEqual([]);
  const asked = Map.groupBy([...first.audit.entries, ...second.audit.entries], ({ host }) => host);
  expect(asked.size).toBe(256);
  const again = [...asked.values()].filter((entries) => entries.length === 2).length;
  expect(again).toBeGreaterThanOrEqual(90);
  expect(second.audit.entries.length).toBe(256 - first.audit.entries.length + again);
});

/** Two devices whose conversations hear that a further connection is not answered: the first times, `deafTimes` in all. */
async function cutOff(
  network: string,
  { deafTimes, ports, more }: { deafTimes: number; ports: string; more?: Parameters<typeof setUp>[4] },
): Promise<Setup & { talks: string[]; beforeTimer: () => Checkpoint[] }> {
  const [port] = parsePorts(ports).ports;
  for (const at of [5, 9]) await serve(`${network}.${at}`, port?.port ?? 0);
  const talks: string[] = [];
  const early: Checkpoint[] = [];
  const setup = setUp(
    { hosts: hostsOf(`${network}.0/28`) },
    ports,
    {
      onOpen: async ({ device, plan, socket, release }) => {
        talks.push(`${device.host}:${plan.port}`);
        // Two connections in a row: the device is given up.
        if (talks.length <= deafTimes) {
          await sleep(20);
          for (const _ of [1, 2]) {
            device.budget.deaf();
            setup.devices.onDeaf(device.address, performance.now());
          }
          await sleep(50);
        } else device.budget.connect();
        socket.destroy();
        release();
        if (talks.length === 2) setTimeout(() => early.splice(0, Infinity, ...setup.checkpoints), 200);
      },
    },
    [],
    more,
  );
  await setup.sweep.run();
  return { ...setup, talks, beforeTimer: () => early };
}

test('conversations that the path cut off are held again when it is open, within the account of the device, and the sweep is complete', async () => {
  const { sweep, talks, beforeTimer } = await cutOff('127.50.40', { deafTimes: 2, ports: '18080=http' });
  expect(talks.toSorted()).toEqual(['127.50.40.5', '127.50.40.5', '127.50.40.9', '127.50.40.9'].map((host) => `${host}:18080`));
  expect(sweep.limitations).toEqual([]);
  expect(sweep.notes.join()).toContain('open ports stopped answering while the sweep went on, once');
  expect(sweep.ledger.total).toMatchObject({ planned: 16, asked: 16, answered: 2, refused: 14 });
  expect(ledgerErrors(sweep.ledger.ports)).toEqual([]);
  // It is written down at once: killed now, a resume holds them.
  const resumed = setUp({ hosts: hostsOf('127.50.40.0/28') }, '18080=http');
  resumed.sweep.resume(beforeTimer(), []);
  await resumed.sweep.run();
  expect(resumed.open.toSorted()).toEqual(['127.50.40.5:18080', '127.50.40.9:18080']);
  expect(resumed.sweep.ledger.total).toMatchObject({ planned: 16, asked: 16, answered: 2, refused: 14 });
});

test.for([
  {
    name: 'the account of the device is spent',
    network: '127.50.41',
    ports: '18080=http',
    budget: { connects: 0 },
    deafTimes: 2,
    talks: 2,
  },
  { name: 'it is cut off again and again', network: '127.50.42', ports: '18080=http', budget: {}, deafTimes: 99, talks: 8 },
])('conversations that were cut off are missing where $name', async ({ network, ports, budget, deafTimes, talks }) => {
  const cut = await cutOff(network, { deafTimes, ports, more: { budget } });
  expect(cut.talks).toHaveLength(talks);
  expect(cut.sweep.limitations.map(({ what }) => what)).toEqual(['path']);
  expect(cut.sweep.limitations[0]?.text).toContain('2 conversations with devices were cut off and could not be held again');
});

test('a conversation that the path cannot have cut off is not held again: it counts connections, or goes on where it began', async () => {
  const { sweep, talks } = await cutOff('127.50.43', { deafTimes: 2, ports: '15900=rfb' });
  expect(talks).toHaveLength(2);
  expect(sweep.limitations).toEqual([]);
});

test('killed while it was about to be found out whether the path is choked and resumed: what is doubtful is asked again', async () => {
  const plan = { hosts: hostsOf('127.50.44.0/27'), retries: 0 };
  const first = setUp(plan, '16262/udp=ipmi', {}, [pinger()]);
  await first.sweep.run();
  expect(first.audit.entries).toHaveLength(32);
  const last = first.checkpoints.at(-1) as Checkpoint;
  const path = { canaries: '', share: 1, doubtful: packNumbers([3, 4, 30]) };
  const second = setUp(plan, '16262/udp=ipmi', {}, [pinger()]);
  second.sweep.resume([...first.checkpoints.slice(0, -1), { ...last, path }], []);
  await second.sweep.run();
  expect(second.audit.entries.map(({ host }) => host).toSorted()).toEqual(['127.50.44.3', '127.50.44.30', '127.50.44.4']);
});

test('where nothing beyond a router answers to many packets a note says that nobody can tell whether they arrived', async () => {
  for (const [targets, isTold] of [
    ['127.50.48.0/21', false],
    ['127.50.48.0/20', true],
  ] as const) {
    const { sweep } = setUp({ hosts: hostsOf(targets), rate: 10_000, ratePerNetwork: 10_000, retries: 0 }, '16263/udp=ipmi', {}, [
      pinger(),
    ]);
    await sweep.run();
    expect(sweep.notes.some((note) => note.startsWith('nothing beyond a router answered'))).toBe(isTold);
    expect(sweep.limitations).toEqual([]);
  }
});

test.for([
  { targets: '127.50.64.0/21', first: 'udp' },
  { targets: '127.50.64.0/20', first: 'tcp' },
])(
  '$first goes first to $targets: not so many datagrams before a port is found that tells whether they arrive',
  async ({ targets, first }) => {
    const { sweep, audit } = setUp({ hosts: hostsOf(targets) }, '16265/udp=ipmi,18083=http', {}, [pinger()]);
    setTimeout(() => sweep.stop('enough'), 200);
    await sweep.run();
    expect(audit.entries[0]?.transport).toBe(first);
  },
);

test('a pass of many packets ends with one more connection to a port that was found open: a canary', async () => {
  const load = await serve('127.50.16.9', 18080);
  const { sweep, audit } = setUp({ hosts: hostsOf('127.50.16.0/21'), rate: 10_000, ratePerNetwork: 10_000 }, '18080=http,18081=http');
  await sweep.run();
  expect(load.total).toBe(2);
  expect(audit.entries.filter(({ what }) => what === 'canary').map(({ host, port }) => `${host}:${port}`)).toEqual(['127.50.16.9:18080']);
  const { total, packets } = sweep.ledger;
  expect(total).toMatchObject({ planned: 4096, asked: 4096, answered: 1, refused: 4095 });
  expect(packets.tcp).toBe(4097);
  expect(sweep.limitations).toEqual([]);
});

test('who speaks first, or counts logins, is no canary: where nothing else is open, a closed port is', async () => {
  const load = await serve('127.50.24.9', 15900);
  const { sweep, audit } = setUp({ hosts: hostsOf('127.50.24.0/21'), rate: 10_000, ratePerNetwork: 10_000 }, '15900=rfb,18022=ssh');
  await sweep.run();
  expect(load.total).toBe(1);
  const canaries = audit.entries.filter(({ what }) => what === 'canary').map(({ host, port }) => `${host}:${port}`);
  expect(canaries.length).toBeGreaterThanOrEqual(1);
  expect(canaries).not.toContain('127.50.24.9:15900');
  expect(sweep.ledger.packets.tcp).toBe(4096 + canaries.length);
});

const NIGHT = parseWindow('daily 22:00-05:00 UTC') as TimeWindow;
const AT_NIGHT = new Date('2026-11-26T23:00:00Z');
const BY_DAY = new Date('2026-11-27T12:00:00Z');

test('outside the window nothing new is sent, what is under way ends, and it goes on when the window opens', async () => {
  await serve('127.50.32.1', 18080);
  let talking = 0;
  const [from, closeAt, openAt] = [performance.now(), 600, 2200];
  const since = (): number => performance.now() - from;
  const clock = (): Date => (since() < closeAt || since() > openAt ? AT_NIGHT : BY_DAY);
  const plan = { hosts: hostsOf('127.50.32.0/23'), rate: 300, ratePerNetwork: 300, window: NIGHT };
  const setup = setUp(
    plan,
    '18080=http',
    {
      onOpen: async ({ socket, release }) => {
        await sleep(50);
        talking += 1;
        socket.destroy();
        release();
      },
    },
    [],
    { clock },
  );
  const waiting = new Set<string | undefined>();
  const watch = setInterval(() => waiting.add(setup.sweep.progress.waiting), 50);
  await setup.sweep.run();
  clearInterval(watch);
  const times = setup.audit.entries.map(({ ms }) => ms - from);
  expect(times.some((ms) => ms < closeAt)).toBe(true);
  // The clock is looked at once a second.
  expect(times.filter((ms) => ms > closeAt + 1100 && ms < openAt)).toEqual([]);
  expect(times.some((ms) => ms > openAt)).toBe(true);
  expect(waiting).toEqual(new Set([undefined, 'until 22:00']));
  expect(talking).toBe(1);
  expect(setup.sweep.ledger.total).toMatchObject({ planned: 512, asked: 512, answered: 1, refused: 511 });
  expect(setup.sweep.limitations).toEqual([]);
});

test('begun outside the window it sends nothing; stopped there it ends at once, and a resume sweeps it all', async () => {
  const plan = { hosts: hostsOf('127.50.34.0/26'), window: NIGHT };
  const first = setUp(plan, '18080=http,16262/udp=ipmi', {}, [pinger()], { clock: () => BY_DAY });
  setTimeout(() => first.sweep.stop('interrupted'), 1500);
  const from = performance.now();
  await first.sweep.run();
  expect(performance.now() - from).toBeLessThan(2500);
  expect(first.audit.entries).toEqual([]);
  expect(first.sweep.ledger.total).toMatchObject({ planned: 128, asked: 0, skipped: { interrupted: 128 } });
  expect(ledgerErrors(first.sweep.ledger.ports)).toEqual([]);
  const second = setUp(plan, '18080=http,16262/udp=ipmi', {}, [pinger()], { clock: () => AT_NIGHT });
  second.sweep.resume(first.checkpoints, []);
  await second.sweep.run();
  expect(second.sweep.ledger.total).toMatchObject({ planned: 128, asked: 128, refused: 64, silent: 64, skipped: {} });
});

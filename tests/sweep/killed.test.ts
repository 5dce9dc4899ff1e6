import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { DEFAULT_BUDGET } from '../../src/sweep/budget.ts';
import { Devices } from '../../src/sweep/device.ts';
import type { Dialled } from '../../src/sweep/dial.ts';
import { Gates } from '../../src/sweep/gates.ts';
import { ledgerErrors } from '../../src/sweep/ledger.ts';
import { Neighbours } from '../../src/sweep/neighbours.ts';
import { AllowedPaths } from '../../src/sweep/paths.ts';
import type { Checkpoint } from '../../src/sweep/state.ts';
import { Sweep } from '../../src/sweep/sweep.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parseRange } from '../../src/targets/parse.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import { AuditLog } from '../support/audit-log.ts';

type Answer = (host: number, port: number) => Promise<Dialled>;
const wire = vi.hoisted(() => ({ dials: [] as { endpoint: string; at: number }[], answer: undefined as Answer | undefined }));
/** A network of which only the outcomes are known: a silent address on the way to one is nothing that loopback has. */
vi.mock('../../src/sweep/dial.ts', () => ({
  startDialling: (host: number, port: number, ...[, , , done]: [number, unknown, string, (dialled: Dialled) => void]) => {
    wire.dials.push({ endpoint: `${host}:${port}`, at: performance.now() });
    void wire.answer?.(host, port).then(done);
  },
}));

/** So many addresses that silent ones are asked once. */
const HOSTS = new HostSet([parseRange('127.48.0.0-127.48.16.63') as never]);
const PORTS = parsePorts('18080=http,18081=http').ports;
const isLiving = (host: number): boolean => host % 64 === 1;

/** Whether nothing comes from an endpoint of those that are asked. */
const isMute = (endpoint: string): boolean => !(isLiving(Number.parseInt(endpoint, 10)) && endpoint.endsWith(':18080'));

async function sweepOf(
  checkpoints: readonly Checkpoint[],
  retries: number,
  onCheckpoint: (checkpoint: Checkpoint) => void,
): Promise<Sweep> {
  const plan = { hosts: HOSTS, ports: PORTS, seed: 3, rate: 5000, ratePerNetwork: 5000, retries };
  const devices = new Devices({
    guard: Guard.fromEnvironment(),
    audit: new AuditLog(),
    paths: new AllowedPaths([]),
    gates: new Gates(),
    hosts: HOSTS,
    ports: PORTS,
    budget: DEFAULT_BUDGET,
  });
  const sweep = new Sweep(plan, devices, await Neighbours.look(), [], {
    onOpen: async () => undefined,
    onReset: () => undefined,
    onAnswer: async () => undefined,
    onNeighbour: () => undefined,
    unwanted: () => undefined,
    onCheckpoint,
  });
  sweep.resume(checkpoints, []);
  return sweep;
}

const outcome = (of: 'refused' | 'silent', ms: number): Promise<Dialled> => sleep(ms, { outcome: of, code: 'as told', ms });

test.for([1, 0])(
  'killed with much on its way, --retries %s: what was awaited for a short time is asked again, and the account is one',
  async (retries) => {
    wire.dials = [];
    // Nothing comes of the others until the process is killed: the oldest have been on their way for long.
    const end = new AbortController();
    wire.answer = (host, port) =>
      isLiving(host) && port === 18080
        ? outcome('refused', 1)
        : new Promise((resolve) => end.signal.addEventListener('abort', () => resolve({ outcome: 'silent', code: 'as told', ms: 800 })));
    let checkpoints: Checkpoint[] = [];
    const first = await sweepOf([], retries, (checkpoint) => checkpoints.push(JSON.parse(JSON.stringify(checkpoint)) as Checkpoint));
    const running = first.run();
    while (wire.dials.length < 4500) await sleep(1);
    checkpoints = [...checkpoints];
    const kill = checkpoints;
    const before = wire.dials;
    first.stop('interrupted');
    checkpoints = [];
    await running;
    end.abort();
    first.close();

    wire.dials = [];
    wire.answer = () => outcome('silent', 1);
    const second = await sweepOf(kill, retries, () => undefined);
    await second.run();
    second.close();
    const { ports, total } = second.ledger;
    expect(ledgerErrors(ports)).toEqual([]);
    expect(total).toMatchObject({ planned: 8320, asked: 8320 });
    const again = Map.groupBy(wire.dials, ({ endpoint }) => endpoint);
    const savedAt = kill.at(-1)?.ms ?? 0;
    const silent = before.filter(({ endpoint, at }) => isMute(endpoint) && at < savedAt);
    const [dead, living] = [false, true].map((is) => silent.filter(({ endpoint }) => isLiving(Number.parseInt(endpoint, 10)) === is));
    const timesOf = (list: typeof silent = []): Set<number> => new Set(list.map(({ endpoint }) => again.get(endpoint)?.length ?? 0));
    const old = ({ at }: { at: number }): boolean => at < savedAt - 400;
    const young = ({ at }: { at: number }): boolean => at > savedAt - 100;
    expect(dead?.filter(old).length).toBeGreaterThan(500);
    expect(timesOf(dead?.filter(young)), 'a short time').toEqual(new Set([1]));
    // Where there is no second pass each try is the only one.
    expect(timesOf(dead?.filter(old)), 'a long time').toEqual(new Set([retries === 0 ? 1 : 0]));
    // Of an address that was known to live: the try that was cut short, and the one of the second pass.
    const askedAt = new Map(before.map(({ endpoint, at }) => [endpoint, at]));
    const known = living?.filter(({ endpoint, at }) => (askedAt.get(endpoint.replace('18081', '18080')) ?? Infinity) < at && old({ at }));
    expect(known?.length).toBeGreaterThan(0);
    expect(timesOf(known), 'living').toEqual(new Set([1 + retries]));
  },
);

import { expect, test } from 'vitest';
import type { Devices } from '../../src/sweep/device.ts';
import { Guards } from '../../src/sweep/guards.ts';
import type { Neighbours } from '../../src/sweep/neighbours.ts';
import { Pace } from '../../src/sweep/pace.ts';
import { PathGuard } from '../../src/sweep/path-guard.ts';
import { SweepState } from '../../src/sweep/state.ts';
import { TalksUnderWay } from '../../src/sweep/talks-under-way.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import type { PortPlan } from '../../src/targets/port-plan.ts';
import { parsePorts } from '../../src/targets/ports.ts';

const { ports } = parsePorts('80,443,U:623');
const [WEB] = ports as [PortPlan];
const HOSTS = 4096;

/** The guard of a sweep of 4,096 addresses that sends nothing. */
function guardOf(isOnLink = false): { guard: PathGuard; guards: Guards; state: SweepState; devices: Devices } {
  const devices = {} as Devices;
  const guards = new Guards({ overflows: () => undefined } as unknown as Neighbours, () => undefined);
  const state = new SweepState(new HostSet([{ first: 0x0a4d0000, last: 0x0a4d0000 + HOSTS - 1 }]), ports, false);
  const guard = new PathGuard({
    rate: 2000,
    devices,
    state,
    guards,
    pace: new Pace(2000, 2000, 0),
    underWay: new TalksUnderWay(),
    isOnLink: () => isOnLink,
    onBad: () => undefined,
    onFault: (error) => {
      throw error;
    },
  });
  return { guard, guards, state, devices };
}

test('where the first port answers late a note says so, until the path has borne as much again', () => {
  const { guard, guards, state } = guardOf();
  for (let host = 0; host < HOSTS; host += 1) guard.silent(state.endpoint(host, 0), host);
  state.packets.tcp = HOSTS;
  guard.found(state.endpoint(7, 1), WEB);
  guard.found(state.endpoint(8, 1), WEB);
  guard.finish();
  expect(guard.repeats.size).toBe(0);
  expect(guards.limitations).toEqual([]);
  expect(guard.notes).toEqual([expect.stringContaining('no TCP port beyond a router answered until 4,096 packets had left')]);
  state.packets.tcp = 2 * HOSTS;
  expect(guard.notes).toEqual([]);
});

test('where the first port answers late and the path chokes before it has borne as much again, all before is asked again', () => {
  const { guard, guards, state, devices } = guardOf();
  for (let host = 0; host < HOSTS; host += 1) guard.silent(state.endpoint(host, 0), host);
  state.settle(state.endpoint(9, 0), 'answered');
  state.packets.tcp = HOSTS;
  guard.found(state.endpoint(7, 1), WEB);
  state.packets.tcp = 2 * HOSTS - 1;
  for (const host of [7, 8]) devices.onDeaf(0x0a4d0000 + host, performance.now());
  expect(guard.repeats.size).toBe(HOSTS - 1);
  for (const endpoint of guard.repeats.next(HOSTS)) guard.repeats.end(endpoint);
  guard.finish();
  expect(guards.limitations).toEqual([]);
  expect(guard.notes).toEqual([expect.stringContaining('open ports stopped answering while the sweep went on, once')]);
});

test.for([
  { name: 'where it answers early', before: HOSTS - 1, isOnLink: false },
  { name: 'where no router is in between', before: HOSTS, isOnLink: true },
])('nothing is asked again $name', ({ before, isOnLink }) => {
  const { guard, state } = guardOf(isOnLink);
  for (let host = 0; host < before; host += 1) guard.silent(state.endpoint(host, 0), host);
  guard.found(state.endpoint(7, 1), WEB);
  expect(guard.repeats.size).toBe(0);
  expect(guard.notes).toEqual([]);
});

test.for([
  { name: 'nothing at all', udp: false, isOnLink: false, note: 'nothing tells whether 4,096 packets arrived' },
  { name: 'something by UDP', udp: true, isOnLink: false, note: 'could not be watched' },
  { name: 'nothing on our own link', udp: false, isOnLink: true, note: undefined },
])('no TCP port answers, but $name', ({ udp, isOnLink, note }) => {
  const { guard, guards, state } = guardOf(isOnLink);
  for (let host = 0; host < HOSTS; host += 1) guard.silent(state.endpoint(host, 0), host);
  if (udp) guard.heard(state.endpoint(7, 2));
  guard.finish();
  expect(guards.limitations).toEqual([]);
  if (note === undefined) expect(guard.notes).toEqual([]);
  else expect(guard.notes.join()).toContain(note);
});

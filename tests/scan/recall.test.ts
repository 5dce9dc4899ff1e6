import { expect, test } from 'vitest';
import { Matcher } from '../../src/fingerprints/match.ts';
import type { Observation } from '../../src/observations/observation.ts';
import { Conversations } from '../../src/scan/conversation.ts';
import type { Device } from '../../src/sweep/device.ts';
import { parsePorts } from '../../src/targets/ports.ts';

const { ports } = parsePorts('U:2362,U:3211,443');

function conversations(): Conversations {
  return new Conversations({ matcher: new Matcher([]), ports, onObservation: () => undefined, onFault: () => undefined });
}

test('a resume knows in whose protocol a device answered before', () => {
  const [addp, aidp] = ports as [(typeof ports)[number], (typeof ports)[number]];
  const device = { host: '192.0.2.7' } as Device;
  const said = (outcome: Observation['outcome']): Observation[] => [
    { v: 1, kind: 'observation', host: device.host, transport: 'udp', port: aidp.port, probe: aidp.protocol, outcome, facts: {} },
  ];
  const resumed = conversations();
  expect(resumed.unwanted(device, addp)).toBeUndefined();
  resumed.recall(said('silent'));
  expect(resumed.unwanted(device, addp)).toBeUndefined();
  resumed.recall(said('answered'));
  expect(resumed.unwanted(device, addp)).toBe('it answered in the protocol of another maker');
  expect(resumed.unwanted(device, aidp)).toBeUndefined();
});

import { expect, test } from 'vitest';
import { snmpGiven, snmpNotes, type SnmpReading, snmpReading } from '../../src/inventory/snmp-notes.ts';
import type { EndpointFacts } from '../../src/observations/observation.ts';
import type { ReadEntry } from '../../src/observations/read.ts';

const endpoint = (outcomes: EndpointFacts['outcomes'], facts: EndpointFacts['facts'] = {}): EndpointFacts => ({
  host: '192.0.2.1',
  transport: 'udp',
  port: 161,
  probes: [],
  outcomes,
  facts,
});

test.for<{ name: string; endpoint: EndpointFacts; reading: SnmpReading | undefined }>([
  { name: 'no agent', endpoint: endpoint({ https: 'answered' }), reading: undefined },
  { name: 'an agent that did not answer', endpoint: endpoint({ snmp: 'silent' }), reading: undefined },
  { name: 'nobody asked', endpoint: endpoint({ snmp: 'answered' }), reading: 'not asked' },
  { name: 'read', endpoint: endpoint({ snmp: 'answered', 'snmp-read': 'answered' }), reading: 'read' },
  {
    name: 'it took the community and fell silent',
    endpoint: endpoint({ snmp: 'answered', 'snmp-read': 'silent' }, { 'snmp.sysObjectID': '1.3' }),
    reading: 'read',
  },
  { name: 'refused', endpoint: endpoint({ snmp: 'answered', 'snmp-read': 'refused' }, { 'snmp.engine.pen': 1 }), reading: 'refused' },
  { name: 'silent to all of them', endpoint: endpoint({ snmp: 'answered', 'snmp-read': 'silent' }), reading: 'refused' },
  { name: 'read by another tool', endpoint: endpoint({ snmp: 'answered' }, { 'snmp.sysDescr': 'x' }), reading: 'read' },
])('SNMP at an endpoint: $name', ({ endpoint: one, reading }) => expect(snmpReading(one)).toBe(reading));

const run = (snmp?: unknown, at = '2026-11-22T18:00:00.000Z'): ReadEntry => ({
  v: 1,
  kind: 'run',
  at,
  ...(snmp === undefined ? {} : { snmp }),
});
const GIVEN = { communities: 2, users: 1 };

test.for<{ name: string; runs: ReadEntry[]; readings: (SnmpReading | undefined)[]; notes: RegExp[] }>([
  { name: 'no agents', runs: [run()], readings: [undefined, undefined], notes: [] },
  {
    name: 'one',
    runs: [run()],
    readings: ['not asked', undefined],
    notes: [/^1 address answered SNMP; sysDescr not asked: give --snmp-community$/],
  },
  {
    name: 'many',
    runs: [run()],
    readings: Array.from({ length: 1200 }, () => 'not asked' as const),
    notes: [/^1,200 addresses answered SNMP; sysDescr not asked/],
  },
  { name: 'all read', runs: [run(GIVEN)], readings: ['read', 'read'], notes: [] },
  {
    name: 'some refused',
    runs: [run(GIVEN)],
    readings: ['read', 'refused', 'refused'],
    notes: [/^2 addresses of 3 that answered SNMP took none of the credentials given/],
  },
  {
    name: 'a resume without',
    runs: [run(GIVEN), run(undefined, '2026-11-22T19:00:00.000Z')],
    readings: ['read', 'not asked'],
    notes: [/^1 address answered SNMP; sysDescr not asked/, /not when it was resumed at 2026-11-22T19:00:00\.000Z.*give them again/],
  },
  { name: 'a resume with', runs: [run(GIVEN), run(GIVEN)], readings: ['read'], notes: [] },
  { name: 'the second resume without', runs: [run(GIVEN), run(GIVEN), run(undefined, 'T')], readings: [], notes: [/resumed at T/] },
  {
    name: 'given only later',
    runs: [run(), run(GIVEN, 'T')],
    readings: ['not asked', 'read'],
    notes: [/sysDescr not asked/, /from the resume at T on/],
  },
])('notes of reading SNMP: $name', ({ runs, readings, notes }) => {
  const said = snmpNotes(runs, readings);
  expect(said).toHaveLength(notes.length);
  for (const [at, note] of notes.entries()) expect(said[at]).toMatch(note);
});

test('how many credentials were given is taken from lines of a journal that say so', () => {
  expect(snmpGiven([run()])).toBeUndefined();
  expect(snmpGiven([run(GIVEN)])).toEqual(GIVEN);
  expect(snmpGiven([run(GIVEN), run({ communities: 8, users: 0 }), run()])).toEqual({ communities: 8, users: 0 });
  for (const odd of ['many', 7, { communities: 'x', users: 1 }, { communities: 1 }, null, []])
    expect(snmpGiven([run(odd)])).toBeUndefined();
});

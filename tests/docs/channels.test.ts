import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { factVocabulary } from '../../src/fingerprints/facts.ts';
import { MESSAGES } from '../../src/sweep/messages.ts';
import { PEERS } from '../real/peers.ts';

/** docs/channels.md says of every channel what is sent and which real server it was tried with: held against what the code has. */
const rows = readFileSync('docs/channels.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, channel = '', sent = '', , facts = '', peer = '']) => ({
    channels: [...channel.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name),
    messages: [...sent.matchAll(/`([a-z]+\.[\w.-]+)`(?: (\d+))?/g)].map(([, name = '', size]) => ({ name, size })),
    facts: [...facts.matchAll(/`([\w.]+)\.\*`/g)].map(([, prefix = '']) => prefix),
    peer,
  }));

test('every message that can be sent stands there, with its size where it has one', () => {
  const told = new Map(rows.flatMap(({ messages }) => messages.map(({ name, size }) => [name, size] as const)));
  expect(Object.fromEntries(told)).toEqual(
    Object.fromEntries(MESSAGES.map(({ name, template }) => [name, template === undefined ? undefined : String(template.length / 2)])),
  );
});

test('every fact that a probe sets is of a channel there', () => {
  const prefixes = rows.flatMap(({ channels, facts }) => facts.map((prefix) => ({ channels, prefix })));
  const missing = [...factVocabulary().values()].filter(
    ({ name, probe }) =>
      probe !== 'none' && !prefixes.some(({ channels, prefix }) => channels.includes(probe) && name.startsWith(`${prefix}.`)),
  );
  expect(missing.map(({ name, probe }) => `${name} of ${probe}`)).toEqual([]);
});

test('the real servers are those of the tests, and where there is none it says so', () => {
  const channels = rows.flatMap(({ channels: names, peer }) => names.map((name) => ({ name, peer })));
  expect(Object.keys(PEERS).filter((probe) => !channels.some(({ name }) => name === probe))).toEqual([]);
  for (const { name, peer } of channels) {
    if (peer === 'simulated') expect(PEERS[name], name).toBeUndefined();
    else expect(peer, name).toContain(PEERS[name]?.server);
  }
});

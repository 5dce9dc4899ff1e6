import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listen } from '../../src/probes/listen.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { playback, SILENCE } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const banner = (text: string): Facts => ({ 'banner.text': text, 'banner.hex': Buffer.from(text, 'latin1').toString('hex') });

test.for<{ name: string; says: string; facts: Facts }>([
  {
    name: 'an SSH server',
    says: 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\0\0\x04\x3c',
    facts: { ...banner('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\0\0\x04\x3c'), 'ssh.banner': 'SSH-2.0-OpenSSH_9.2p1 Debian-2' },
  },
  {
    name: 'an SSH server that greets first',
    says: 'Welcome\r\nSSH-1.99-Cisco\n',
    facts: { ...banner('Welcome\r\nSSH-1.99-Cisco\n'), 'ssh.banner': 'SSH-1.99-Cisco' },
  },
  { name: 'a Raritan KVM', says: '\0\0\0\x0b<CSC/>\0', facts: banner('\0\0\0\x0b<CSC/>\0') },
  { name: 'a telnet server with escape sequences', says: '\xff\xfd\x18\x1b[2Jlogin: ', facts: banner('\xff\xfd\x18\x1b[2Jlogin: ') },
  { name: 'a talkative server', says: 'y'.repeat(5000), facts: banner('y'.repeat(4096)) },
])('listen: $name', async ({ says, facts }) => {
  const wire = playback(says, SILENCE);
  const heard = await listen.talk(wire, {});
  expect(heard).toEqual(facts);
  expect(wire.sent).toBe('');
  expectVocabulary(heard, 'listen');
});

test('listen: silence is told as silence, after two seconds, with nothing said', async () => {
  const wire = playback(SILENCE);
  await expect(listen.talk(wire, {})).rejects.toMatchObject({ kind: 'silent', facts: {} });
  expect(wire.waitedMs).toBe(2000);
  expect(wire.sent).toBe('');
});

test('listen: a server that hangs up at once is cut off, not silent', () =>
  expect(listen.talk(playback(), {})).rejects.toMatchObject({ kind: 'cut-off' }));

test('listen: any bytes are a banner', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (noise) =>
      expectVocabulary(await listen.talk(playback([...noise], SILENCE), {}), 'listen'),
    ),
  ));

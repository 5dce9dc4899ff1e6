import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { ftp } from '../../src/probes/ftp.ts';
import { ssh } from '../../src/probes/ssh.ts';
import { telnet } from '../../src/probes/telnet.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { playback, type Say, SILENCE } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

const NAMES = ['kex', 'key', 'enc-out', 'enc-in', 'mac-out', 'mac-in', 'none', 'none', '', ''];

/** An SSH_MSG_KEXINIT packet with these ten lists (RFC 4253 sections 6 and 7.1). */
function kexinit(lists: readonly string[] = NAMES): Buffer {
  const names = lists.map((list) => {
    const text = Buffer.from(list, 'latin1');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(text.length);
    return Buffer.concat([length, text]);
  });
  const payload = Buffer.concat([Buffer.from([20]), Buffer.alloc(16, 0xaa), ...names, Buffer.alloc(5)]);
  const padding = 8 - ((payload.length + 5) % 8) + 8;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + padding + 1);
  head.writeUInt8(padding, 4);
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

const LISTED = {
  kex_algorithms: ['kex'],
  server_host_key_algorithms: ['key'],
  encryption_algorithms_client_to_server: ['enc-out'],
  encryption_algorithms_server_to_client: ['enc-in'],
  mac_algorithms_client_to_server: ['mac-out'],
  mac_algorithms_server_to_client: ['mac-in'],
  compression_algorithms_client_to_server: ['none'],
  compression_algorithms_server_to_client: ['none'],
};

function said(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
}

test.for<{ name: string; says: Say; facts: Facts }>([
  {
    name: 'OpenSSH, which waits for our identification',
    says: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n',
    facts: { 'ssh.banner': 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3' },
  },
  {
    name: 'dropbear, which sends its lists unasked',
    says: said('SSH-2.0-dropbear_2022.83\r\n', kexinit()),
    facts: { 'ssh.banner': 'SSH-2.0-dropbear_2022.83', 'ssh.algorithms': LISTED },
  },
  {
    name: 'a server with words before its identification',
    says: said('Authorized use only\r\nSSH-2.0-mpSSH_0.2.1\n', kexinit(['a,b', ...NAMES.slice(1)])),
    facts: { 'ssh.banner': 'SSH-2.0-mpSSH_0.2.1', 'ssh.algorithms': { ...LISTED, kex_algorithms: ['a', 'b'] } },
  },
  { name: 'lists that are cut off', says: said('SSH-2.0-x\r\n', kexinit().subarray(0, 60)), facts: { 'ssh.banner': 'SSH-2.0-x' } },
  {
    name: 'a list longer than its packet',
    says: said('SSH-2.0-x\r\n', Buffer.from('0000002804140000000000000000000000000000000000ffffff', 'hex'), Buffer.alloc(40)),
    facts: { 'ssh.banner': 'SSH-2.0-x' },
  },
  {
    name: 'another packet than KEXINIT',
    says: said('SSH-2.0-x\r\n', '\0\0\0\x0c\x06\x01abcdefghij'),
    facts: { 'ssh.banner': 'SSH-2.0-x' },
  },
])('SSH: $name', async ({ says, facts }) => {
  const wire = playback(says, SILENCE);
  const heard = await ssh.talk(wire, {});
  expect(heard).toEqual(facts);
  expect(wire.sent).toBe('');
  expectVocabulary(heard, 'ssh');
});

test.for<{ name: string; says: Say; facts: Facts }>([
  {
    name: 'options, then a prompt',
    says: '\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27\r\nDRAC login: ',
    facts: { 'telnet.options': ['DO 24', 'DO 32', 'DO 35', 'DO 39'], 'telnet.banner': '\r\nDRAC login: ' },
  },
  { name: 'options only', says: '\xff\xfb\x01\xff\xfe\x22', facts: { 'telnet.options': ['WILL 1', 'DONT 34'] } },
  { name: 'text only', says: 'Model name : NPort 5110\r\n', facts: { 'telnet.banner': 'Model name : NPort 5110\r\n' } },
  { name: 'a doubled 255 and a command', says: 'a\xff\xffb\xff\xf1c', facts: { 'telnet.banner': 'a\xffbc' } },
  { name: 'a sub-negotiation', says: 'a\xff\xfa\x18\x01\xff\xf0b', facts: { 'telnet.banner': 'ab' } },
  { name: 'a sub-negotiation without an end', says: 'a\xff\xfa\x18\x01bbbb', facts: { 'telnet.banner': 'a' } },
  { name: 'a verb without an option', says: 'a\xff\xfd', facts: { 'telnet.banner': 'a' } },
])('telnet: $name', async ({ says, facts }) => {
  const wire = playback(says, SILENCE);
  const heard = await telnet.talk(wire, {});
  expect(heard).toEqual(facts);
  expect(wire.sent).toBe('');
  expectVocabulary(heard, 'telnet');
});

test.for<{ name: string; says: Say; facts: Facts }>([
  {
    name: 'one line',
    says: '220 CyberPower Systems FTP Server Ready.\r\n',
    facts: { 'ftp.banner': '220 CyberPower Systems FTP Server Ready.' },
  },
  { name: 'several lines', says: '220-one\r\n two\r\n220 three\r\n', facts: { 'ftp.banner': '220-one\r\n two\r\n220 three' } },
  { name: 'a refusal', says: '421 Too many connections\r\n', facts: { 'ftp.banner': '421 Too many connections' } },
])('FTP: $name', async ({ says, facts }) => {
  const wire = playback(says, SILENCE);
  const heard = await ftp.talk(wire, {});
  expect(heard).toEqual(facts);
  expect(wire.sent).toBe('');
  expect(wire.waitedMs, 'a whole reply is enough').toBe(0);
  expectVocabulary(heard, 'ftp');
});

const PROBES = [ssh, telnet, ftp];

test.for(PROBES)('$id: silence is silent, hanging up is cut off, and another protocol is told with what it said', async (probe) => {
  await expect(probe.talk(playback(SILENCE), {})).rejects.toMatchObject({ kind: 'silent' });
  await expect(probe.talk(playback(), {})).rejects.toMatchObject({ kind: 'cut-off' });
  await expect(probe.talk(playback('HTTP/1.1 400 Bad Request\r\n\r\n', SILENCE), {})).rejects.toMatchObject({
    kind: 'not-this-protocol',
    facts: { 'banner.text': 'HTTP/1.1 400 Bad Request\r\n\r\n' },
  });
});

test.for(PROBES)('$id: any bytes end in facts or a ProbeError, and nothing is said', (probe) =>
  fc.assert(
    fc.asyncProperty(fc.constantFrom('', 'SSH-2.0-x\r\n', '220 ', '\xff\xfd'), fc.uint8Array({ maxLength: 300 }), async (begin, noise) => {
      const wire = playback(said(begin, Buffer.from(noise)), SILENCE);
      try {
        expectVocabulary(await probe.talk(wire, {}), probe.id);
      } catch (error) {
        if (!(error instanceof ProbeError)) throw error;
      }
      expect(wire.sent).toBe('');
    }),
  ),
);

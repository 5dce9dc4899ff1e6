import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { rfb } from '../../src/probes/rfb.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { playback, SILENCE, type Say } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

type Turns = readonly (Say | typeof SILENCE)[];

const u32 = (number: number): number[] => [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255];
const refusal = (text: string): number[] => [...u32(text.length), ...Buffer.from(text, 'latin1')];

interface Answered {
  readonly name: string;
  readonly device: Turns;
  readonly facts: Facts;
  readonly sent: string;
}

test.for<Answered>([
  {
    name: '3.8 lists its types',
    device: ['RFB 003.008\n', [2, 19, 2]],
    facts: { 'rfb.version': '003.008', 'rfb.security': [19, 2] },
    sent: 'RFB 003.008\n',
  },
  {
    name: '3.7 is answered in 3.7',
    device: ['RFB 003.007\n', [1, 1]],
    facts: { 'rfb.version': '003.007', 'rfb.security': [1] },
    sent: 'RFB 003.007\n',
  },
  {
    name: '3.3 decides on its own',
    device: ['RFB 003.003\n', [0, 0, 0, 1]],
    facts: { 'rfb.version': '003.003', 'rfb.security': [1] },
    sent: 'RFB 003.003\n',
  },
  {
    name: '3.5 never was one: 3.3',
    device: ['RFB 003.005\n', [0, 0, 0, 2]],
    facts: { 'rfb.version': '003.005', 'rfb.security': [2] },
    sent: 'RFB 003.003\n',
  },
  {
    name: '5.0 is answered in 3.8',
    device: ['RFB 005.000\n', [2, 5, 30]],
    facts: { 'rfb.version': '005.000', 'rfb.security': [5, 30] },
    sent: 'RFB 003.008\n',
  },
  {
    name: 'Apple is answered in 3.8',
    device: ['RFB 003.889\n', [4, 30, 33, 36, 35]],
    facts: { 'rfb.version': '003.889', 'rfb.security': [30, 33, 36, 35] },
    sent: 'RFB 003.008\n',
  },
  {
    name: 'ATEN iKVM is answered in 3.8',
    device: ['RFB 055.008\n', [1, 16]],
    facts: { 'rfb.version': '055.008', 'rfb.security': [16] },
    sent: 'RFB 003.008\n',
  },
  {
    name: 'a repeater waits for an id, which is not said',
    device: ['RFB 000.000\n', SILENCE],
    facts: { 'rfb.version': '000.000' },
    sent: '',
  },
  { name: 'a version of another form gets no answer', device: ['RFB 240.6\n', SILENCE], facts: { 'rfb.version': '240.6' }, sent: '' },
  {
    name: '3.8 refuses after the versions',
    device: ['RFB 003.008\n', [0, ...refusal('Too many authentication failures')]],
    facts: { 'rfb.version': '003.008', 'rfb.reason': 'Too many authentication failures' },
    sent: 'RFB 003.008\n',
  },
  {
    name: '3.3 refuses after the versions',
    device: ['RFB 003.003\n', [0, 0, 0, 0, ...refusal('no')]],
    facts: { 'rfb.version': '003.003', 'rfb.reason': 'no' },
    sent: 'RFB 003.003\n',
  },
  {
    name: 'TigerVNC 1.12 locks out before it was spoken to',
    device: [Buffer.concat([Buffer.from('RFB 003.003\n'), Buffer.from([0, 0, 0, 0, ...refusal('Too many security failures')])])],
    facts: { 'rfb.version': '003.003', 'rfb.reason': 'Too many security failures' },
    sent: '',
  },
  {
    name: 'a reason shorter than promised is kept',
    device: ['RFB 003.008\n', [0, ...u32(4_000_000_000), 0x6e, 0x6f]],
    facts: { 'rfb.version': '003.008', 'rfb.reason': 'no' },
    sent: 'RFB 003.008\n',
  },
  {
    name: 'a long reason is cut',
    device: ['RFB 003.008\n', [0, ...refusal('x'.repeat(5000))]],
    facts: { 'rfb.version': '003.008', 'rfb.reason': 'x'.repeat(512) },
    sent: 'RFB 003.008\n',
  },
  {
    name: 'an empty reason is none',
    device: ['RFB 003.008\n', [0, 0, 0, 0, 0]],
    facts: { 'rfb.version': '003.008' },
    sent: 'RFB 003.008\n',
  },
])('RFB: $name', async ({ device, facts, sent }) => {
  const wire = playback(...device);
  const said = await rfb.talk(wire, {});
  expect(said).toEqual(facts);
  expect(wire.sent).toBe(sent);
  expectVocabulary(said, 'rfb');
});

interface Failed {
  readonly name: string;
  readonly device: Turns;
  readonly kind: string;
  readonly facts: Facts;
  readonly sent?: string;
}

const banner = (text: string): Facts => ({ 'banner.text': text, 'banner.hex': Buffer.from(text, 'latin1').toString('hex') });

test.for<Failed>([
  { name: 'says nothing', device: [SILENCE], kind: 'silent', facts: {} },
  { name: 'hangs up without a word', device: [], kind: 'cut-off', facts: {} },
  { name: 'is an SSH server', device: ['SSH-2.0-dropbear\r\n', SILENCE], kind: 'not-this-protocol', facts: banner('SSH-2.0-dropbear\r\n') },
  { name: 'is a Raritan KVM', device: ['\0\0\0\x0b<CSC/>\0', SILENCE], kind: 'not-this-protocol', facts: banner('\0\0\0\x0b<CSC/>\0') },
  { name: 'is an IBM BladeCenter KVM', device: ['LFB 1.05\n', SILENCE], kind: 'not-this-protocol', facts: banner('LFB 1.05\n') },
  { name: 'is an Avocent video session', device: ['BEEF\x83\0\0', SILENCE], kind: 'not-this-protocol', facts: banner('BEEF\x83\0\0') },
  { name: 'speaks TLS', device: [[0x15, 3, 1, 0, 2, 2, 0x46]], kind: 'not-this-protocol', facts: banner('\x15\x03\x01\0\x02\x02F') },
  { name: 'stops within the version', device: ['RFB 003', SILENCE], kind: 'not-this-protocol', facts: banner('RFB 003') },
  { name: 'says more than 4 KiB', device: ['x'.repeat(9000), SILENCE], kind: 'not-this-protocol', facts: banner('x'.repeat(4096)) },
  {
    name: 'hangs up on our version',
    device: ['RFB 009.123\n', ''],
    kind: 'cut-off',
    facts: { 'rfb.version': '009.123' },
    sent: 'RFB 003.008\n',
  },
  {
    name: 'is silent after our version',
    device: ['RFB 003.008\n', SILENCE],
    kind: 'cut-off',
    facts: { 'rfb.version': '003.008' },
    sent: 'RFB 003.008\n',
  },
  {
    name: 'promises more types than it has',
    device: ['RFB 003.008\n', [5, 1, 2]],
    kind: 'cut-off',
    facts: { 'rfb.version': '003.008' },
    sent: 'RFB 003.008\n',
  },
  {
    name: 'stops within the type of 3.3',
    device: ['RFB 003.003\n', [0, 0]],
    kind: 'cut-off',
    facts: { 'rfb.version': '003.003' },
    sent: 'RFB 003.003\n',
  },
])('RFB: a server that $name', async ({ device, kind, facts, sent = '' }) => {
  const wire = playback(...device);
  await expect(rfb.talk(wire, {})).rejects.toMatchObject({ name: 'ProbeError', kind, facts });
  expect(wire.sent).toBe(sent);
  expectVocabulary(facts, 'rfb');
});

test('RFB: silence is waited for five seconds, and nothing is said into it', async () => {
  const wire = playback(SILENCE);
  await expect(rfb.talk(wire, {})).rejects.toBeInstanceOf(ProbeError);
  expect(wire.waitedMs).toBe(5000);
  expect(wire.sent).toBe('');
});

const VERSIONS = ['', 'RFB 003.003\n', 'RFB 003.007\n', 'RFB 003.008\n', 'RFB 005.000\n', 'RFB 000.000\n', 'RFB 9'];

test('RFB: any bytes end in facts or a ProbeError, and at most our version is sent', () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...VERSIONS),
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ maxLength: 64 }),
      fc.boolean(),
      async (version, first, second, stays) => {
        const hello = Buffer.concat([Buffer.from(version), first]);
        const wire = stays ? playback(hello, [...second], SILENCE) : playback(hello, [...second]);
        try {
          expectVocabulary(await rfb.talk(wire, {}), 'rfb');
        } catch (error) {
          if (!(error instanceof ProbeError)) throw error;
          expectVocabulary(error.facts, 'rfb');
        }
        expect(['', 'RFB 003.003\n', 'RFB 003.007\n', 'RFB 003.008\n']).toContain(wire.sent);
      },
    ),
  ));

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProbeError } from '../../src/errors.ts';
import { probes } from '../../src/probes/index.ts';
import type { UdpProbe } from '../../src/sweep/contract.ts';
import { greeting, hexBytes } from '../support/answers.ts';
import { PlaybackDatagrams } from '../support/playback.ts';
import { expectVocabulary } from './facts.ts';

/** What holds of all discovery probes, whatever a device says. */
const { addp, aidp, lantronix, moxa, netbios, slp, ubiquiti, wsd } = probes;

/** A probe with the beginning of a right answer: noise alone would be told apart at once. */
const BEGUN: readonly { readonly id: string; readonly probe: UdpProbe; readonly begun: Buffer }[] = (
  [
    [addp, hexBytes('44494749 0002 ffff')],
    [aidp, Buffer.concat([hexBytes('01 41494450'), greeting(aidp).bytes.subarray(5, 7), hexBytes('81 0000ffff')])],
    [lantronix, hexBytes('000000f7')],
    [moxa, hexBytes('81000018 00000000')],
    [netbios, Buffer.concat([greeting(netbios).bytes.subarray(0, 2), hexBytes('8400 0000 0001 0000 0000 c00c 0021 0001 00000000 ffff')])],
    [slp, Buffer.concat([hexBytes('02 0a 00ffff 0000 000000'), greeting(slp).bytes.subarray(10, 12), hexBytes('0002 656e 0000 ffff')])],
    [ubiquiti, hexBytes('0100 0190')],
    [
      wsd,
      Buffer.from(
        greeting(wsd)
          .bytes.toString()
          .replace('wsa:MessageID', 'wsa:RelatesTo')
          .replace('<wsd:Probe/>', '<ProbeMatch>')
          .split('</soap:Body>')[0] ?? '',
      ),
    ],
  ] as const
).map(([probe, begun]) => ({ id: probe.id, probe, begun }));

/** More than any real device says by far. */
const MOST_CHARS = 32 * 1024;

async function read(probe: UdpProbe, bytes: Buffer, later: Buffer): Promise<void> {
  const name = greeting(probe).name;
  // The sweep hands over what is recognised; a probe stands what is not, too.
  probe.recognise(bytes);
  const wire = new PlaybackDatagrams([{ name, bytes }], () => later);
  try {
    const facts = await probe.talk(wire, {});
    expectVocabulary(facts, probe.id);
    expect(JSON.stringify(facts).length).toBeLessThan(MOST_CHARS);
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
  }
  expect(wire.asked.length).toBeLessThanOrEqual(1);
}

test.for(BEGUN)('$id: any bytes end in facts or a ProbeError, and at most one more question', ({ probe, begun }) =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(Buffer.alloc(0), begun),
      fc.oneof(fc.uint8Array({ maxLength: 400, size: 'max' }), fc.uint8Array({ minLength: 400, maxLength: 400 })),
      fc.uint8Array({ maxLength: 100 }),
      (begins, noise, later) => read(probe, Buffer.concat([begins, noise]), Buffer.from(later)),
    ),
    { numRuns: 400 },
  ),
);

test.for(BEGUN)('$id: 64 KiB of the same is read in no time', async ({ probe, begun }) => {
  const from = performance.now();
  for (const filling of [
    Buffer.alloc(1),
    Buffer.from([0xff]),
    Buffer.from('<a>'),
    Buffer.from('(a=b),'),
    hexBytes('020000'),
    hexBytes('c00c'),
  ]) {
    const bytes = Buffer.concat([begun, Buffer.alloc(65_507 - begun.length, filling)]);
    await read(probe, bytes, bytes);
  }
  expect(performance.now() - from).toBeLessThan(2000);
});

test('each begins with one datagram, and asks a device that answers nothing for nothing more', async () => {
  for (const { probe } of BEGUN) {
    const wire = new PlaybackDatagrams([]);
    await expect(probe.talk(wire, {})).rejects.toMatchObject({ kind: 'silent' });
    expect(wire.asked).toEqual([]);
    expect(greeting(probe).bytes.length).toBeLessThanOrEqual(520);
  }
});

test('none takes what another is answered with, nor its own request', () => {
  const requests = BEGUN.map(({ probe }) => greeting(probe).bytes);
  for (const { probe } of BEGUN) for (const bytes of requests) expect(probe.recognise(bytes), probe.id).toBeUndefined();
  for (const { probe } of BEGUN)
    for (const { probe: other, begun } of BEGUN)
      if (other !== probe) expect(probe.recognise(Buffer.concat([begun, Buffer.alloc(16)])), `${probe.id} of ${other.id}`).toBeUndefined();
});

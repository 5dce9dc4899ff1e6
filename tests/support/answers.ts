import type { Datagram, UdpProbe } from '../../src/sweep/contract.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { PlaybackDatagrams, type Say } from './playback.ts';

/** Bytes in hex, with blanks for whoever reads them. */
export function hexBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

/** What a probe makes of one answer to its own request, as the sweep hands it over; undefined where it does not recognise it. */
export async function heard(
  probe: UdpProbe,
  answer: Buffer,
  respond: (request: Datagram) => Say | undefined = () => undefined,
): Promise<{ facts: Facts; asked: readonly Datagram[] } | undefined> {
  const name = probe.recognise(answer);
  if (name === undefined) return undefined;
  const wire = new PlaybackDatagrams([{ name, bytes: answer }], respond);
  return { facts: await probe.talk(wire, {}), asked: wire.asked };
}

/** The one datagram that a probe greets with. */
export function greeting(probe: UdpProbe, attempt = 0, random = 0x5eed_1234): Datagram {
  const [first, ...rest] = probe.hello(attempt, () => random);
  if (first === undefined || rest.length > 0)
    throw new Error(`${probe.id} greets with ${rest.length + (first === undefined ? 0 : 1)} datagrams`);
  return first;
}

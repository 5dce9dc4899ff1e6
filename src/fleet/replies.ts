import type { Listener, Place } from './connections.ts';
import { listenUdp } from './datagrams.ts';
import type { RepliesService } from './persona.ts';
import { fill, type Values } from './templates.ts';

/**
 * A UDP service that answers datagrams as its persona says, each by the first reply whose pattern it has.
 * @throws {InputError} `port-in-use`
 */
export function serveReplies(service: RepliesService, place: Place, values: Values): Promise<Listener> {
  const replies = service.replies.map(({ when, has, hex, text, fromAnotherPort }) => ({
    when: new RegExp(`^${when.replaceAll('.', '[0-9a-f]')}`, 'i'),
    has: (has ?? '').toLowerCase(),
    answer: {
      bytes: hex === undefined ? Buffer.from(fill(text ?? '', values), 'utf8') : Buffer.from(fill(hex, values), 'hex'),
      fromAnotherPort,
    },
  }));
  return listenUdp(
    place,
    (bytes) =>
      replies.find(({ when, has }) => when.test(bytes.toString('hex')) && bytes.toString('latin1').toLowerCase().includes(has))?.answer,
  );
}

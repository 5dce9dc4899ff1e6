import type { Listener, Place } from './connections.ts';
import { listenUdp } from './datagrams.ts';
import type { RepliesService } from './persona.ts';
import { fill, type Values } from './templates.ts';

type Reply = RepliesService['replies'][number];

/**
 * A UDP service that answers datagrams as its persona says, each by the first reply whose pattern it has.
 * @throws {InputError} `port-in-use`
 */
export function serveReplies(service: RepliesService, place: Place, values: Values): Promise<Listener> {
  const replies = service.replies.map((reply) => ({
    reply,
    when: new RegExp(`^${reply.when.replaceAll('.', '[0-9a-f]')}`, 'i'),
    has: (reply.has ?? '').toLowerCase(),
  }));
  return listenUdp(place, (heard) => {
    const found = replies.find(({ when, has }) => when.test(heard.toString('hex')) && heard.toString('latin1').toLowerCase().includes(has));
    return found === undefined ? undefined : { bytes: answer(found.reply, heard, values), fromAnotherPort: found.reply.fromAnotherPort };
  });
}

function answer({ hex, text, take, length, pad }: Reply, heard: Buffer, values: Values): Buffer {
  const encoding = hex === undefined ? 'latin1' : 'hex';
  const taken = Object.entries(take).map(([name, { at, bytes }]) => [name, heard.subarray(at, at + bytes).toString(encoding)] as const);
  const all = { ...values, ...Object.fromEntries(taken) };
  const said = hex === undefined ? Buffer.from(fill(text ?? '', all), 'utf8') : Buffer.from(fill(hex, all), 'hex');
  const bytes = pad === undefined ? said : Buffer.concat([said, padding(fill(pad.hex, all), pad.to - said.length)]);
  if (length !== undefined) bytes.writeUIntBE(bytes.length - length.from, length.at, length.bytes);
  return bytes;
}

function padding(hex: string, bytes: number): Buffer {
  return Buffer.alloc(Math.max(0, bytes), hex, 'hex');
}

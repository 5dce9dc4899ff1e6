import { type Answer, decode, encode } from 'dns-packet';
import type { Listener, Place } from './connections.ts';
import { listenUdp } from './datagrams.ts';
import type { MdnsService } from './persona.ts';
import { fill, type Values } from './templates.ts';

const TTL_SECONDS = 10;
const ALL_TYPES = '_services._dns-sd._udp.local';

/**
 * A multicast DNS responder that is asked from an ordinary port: number and questions come back, with all records at once.
 *
 * Spec: RFC 6762 section 6.7, RFC 6763 sections 4 to 6 and 9.
 * @throws {InputError} `port-in-use`
 */
export function serveMdns(service: MdnsService, place: Place, values: Values): Promise<Listener> {
  const host = fill(service.host, values);
  const addresses = service.addresses.map((address): Answer => ({ type: 'A', name: host, ttl: TTL_SECONDS, data: fill(address, values) }));
  const offers = service.services.map(({ type, instance, port, txt }) => {
    const name = `${fill(instance, values)}.${type}.local`;
    const about: Answer[] = [
      { type: 'SRV', name, ttl: TTL_SECONDS, data: { port, target: host } },
      { type: 'TXT', name, ttl: TTL_SECONDS, data: txt.map((text) => fill(text, values)) },
    ];
    return { name, type: `${type}.local`, about };
  });
  const reverse = `${place.host.split('.').toReversed().join('.')}.in-addr.arpa`;
  const answersTo = (name: string, type: string): Answer[] => {
    if (type === 'PTR' && name === ALL_TYPES)
      return offers.map((offer) => ({ type: 'PTR', name: ALL_TYPES, ttl: TTL_SECONDS, data: offer.type }));
    if (type === 'PTR' && name === reverse) return service.reverse ? [{ type: 'PTR', name: reverse, ttl: TTL_SECONDS, data: host }] : [];
    if (type === 'PTR')
      return offers
        .filter((offer) => offer.type === name)
        .flatMap((offer): Answer[] => [{ type: 'PTR', name, ttl: TTL_SECONDS, data: offer.name }, ...offer.about, ...addresses]);
    const records = [...addresses, ...offers.flatMap(({ about }) => about)];
    return records.filter((record) => record.type === type && record.name.toLowerCase() === name);
  };
  return listenUdp(place, (bytes) => {
    const { id = 0, questions = [], flag_qr: isAnswer } = readQuery(bytes) ?? {};
    if (isAnswer === true) return undefined;
    const answers = questions.flatMap((question) => answersTo(question.name.toLowerCase(), question.type));
    return answers.length === 0 ? undefined : encode({ type: 'response', id, flags: 0x0400, questions, answers: distinct(answers) });
  });
}

/** Undefined where it is no DNS message, to which a responder says nothing. */
function readQuery(bytes: Buffer): ReturnType<typeof decode> | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

function distinct(answers: readonly Answer[]): Answer[] {
  return [...new Map(answers.map((answer) => [JSON.stringify(answer), answer])).values()];
}

import { probes, tlsRaw } from '../probes/index.ts';
import { tlsFacts } from '../probes/tls.ts';
import { HandshakeError, type HandshakeRead } from '../sweep/secure.ts';
import type { SocketWire } from '../sweep/socket-wire.ts';
import type { Facts } from '../vocabulary.ts';
import type { Attempt, Talk } from './talk.ts';

/**
 * The certificate of a port, by the ladder of docs/read-only.md, at most three connections: the library's hello; a cautious one where that was cut off
 * or unanswered; a raw one, which only reads the certificate, where the device and the library have no TLS in common. Where the device said that this is
 * so, the cautious hello is left out: it offers nothing that the first did not, but for the name, which it leaves out. A device that breaks off after it has
 * shown its certificate, because it wants to see one of ours, is asked no more.
 * Returns the secured connection, or `plain` where something else is spoken; nothing where no session came about.
 */
export async function certificateOf(talk: Talk, first: SocketWire): Promise<SocketWire | 'plain' | undefined> {
  const { device, plan, deadline } = talk;
  let tried: Attempt<unknown> = await handshake(talk, first);
  if (tried.outcome === 'answered') return first;
  if (tried.outcome === 'not-this-protocol') {
    talk.write('tls', tried);
    return 'plain';
  }
  let read = readBefore(tried);
  if (!isDisagreement(tried) || (read === undefined && device.name !== undefined)) {
    device.beCautious(plan.port);
    const opened = await talk.attempt(() => device.open(plan.port, 'https', deadline));
    tried = opened.value === undefined ? opened : await handshake(talk, opened.value);
    if (tried.outcome === 'answered') return opened.value;
    read ??= readBefore(tried);
  }
  if (read !== undefined)
    talk.write('tls', { ...tried, outcome: 'answered', note: `${tried.note}, after its certificate had come` }, tlsFacts(read));
  else if (tried.error instanceof HandshakeError) await rawCertificate(talk, tried, tried.error);
  else talk.write('tls', tried);
  return undefined;
}

/** The last rung: the certificate from a hello made by hand, over a connection of its own. */
async function rawCertificate(talk: Talk, tried: Attempt<unknown>, { message, over }: HandshakeError): Promise<void> {
  const raw = await talk.attempt(async () => {
    const wire = await talk.device.open(talk.plan.port, 'tls', talk.deadline);
    try {
      return await tlsRaw.talk(wire, { ...talk.context, noCommonSuite: over === 'suite' });
    } finally {
      await wire.end();
    }
  });
  if (raw.value !== undefined)
    talk.write('tls', { ...raw, note: `${message}; read from an old hello, so no page can be asked for over it` }, raw.value);
  else talk.write('tls', { ...tried, note: `${message}; to an old hello: ${raw.note}` }, raw.facts);
}

/** A handshake over a wire, written down where it succeeds; otherwise the wire is ended. */
async function handshake(talk: Talk, wire: SocketWire): Promise<Attempt<Facts>> {
  const tried = await talk.attempt(() => probes.tls.talk(wire, talk.context));
  if (tried.outcome === 'answered') talk.write('tls', tried, tried.value);
  else await wire.end();
  return tried;
}

/** What a handshake that failed had read by then. */
function readBefore({ error }: Attempt<unknown>): HandshakeRead | undefined {
  return error instanceof HandshakeError ? error.read : undefined;
}

/** Whether the device said what it and the library have not in common: the same question again gets the same answer. */
function isDisagreement({ error }: Attempt<unknown>): boolean {
  return error instanceof HandshakeError && error.over !== 'other';
}

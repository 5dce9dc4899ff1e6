import { Connection, type Listener, listenTcp, type Place } from './connections.ts';
import type { RfbService } from './persona.ts';
import { fill, type Values } from './templates.ts';

const VERSION_BYTES = 12;

/**
 * A VNC server up to its list of security types; nobody is authenticated. What a client says after that is written down.
 *
 * Spec: RFC 6143 sections 7.1.1 and 7.1.2; the lockout is TigerVNC's (common/rfb/Blacklist.cxx).
 * @throws {InputError} `port-in-use`
 */
export function serveRfb(service: RfbService, place: Place, values: Values): Promise<Listener> {
  const failures = new Map<string, number>();
  const lockedOut = (client: string): boolean => {
    const count = (failures.get(client) ?? 0) + 1;
    failures.set(client, count);
    return service.lockout !== undefined && count > service.lockout.after;
  };
  return listenTcp(place, async (socket) => {
    const { host, port, role, visits } = place;
    const connection = new Connection(socket, (bytes) => visits.add({ host, port, role, transport: 'tcp', at: performance.now(), bytes }));
    if (service.lockout !== undefined && lockedOut(socket.remoteAddress ?? '')) {
      // Sent before the client's version is read, so in the framing of 3.3 whatever the client speaks.
      await connection.say(Buffer.concat([Buffer.from('RFB 003.003\n'), word(0), text(service.lockout.reason)]));
      return connection.end('close');
    }
    if (!(await connection.rest(service.delayMs))) return;
    await connection.say(Buffer.from(`RFB ${service.version}\n`));
    // An UltraVNC repeater waits for the number of a viewer; it has no security types of its own.
    if (service.version === '000.000') return connection.end('hang');
    const hello = await connection.hear((bytes) => bytes.length >= VERSION_BYTES);
    if (hello === undefined) return connection.end('close');
    const { bytes, refused } = security(service, hello.toString('latin1', 0, VERSION_BYTES), values);
    await connection.say(bytes);
    await connection.end(refused ? 'close' : 'hang');
  });
}

function security(service: RfbService, hello: string, values: Values): { bytes: Buffer; refused: boolean } {
  const old = hello < 'RFB 003.007' || service.version < '003.007';
  if (old && service.refusal33 !== undefined)
    return { bytes: Buffer.concat([word(0), text(fill(service.refusal33, values))]), refused: true };
  const reason = fill(service.reason, values);
  if (service.types.length === 0)
    return {
      bytes: Buffer.concat([old ? word(0) : Buffer.from([0]), text(reason, service.reasonLength)]),
      refused: service.reasonLength === undefined,
    };
  return { bytes: old ? word(service.type33) : Buffer.from([service.types.length, ...service.types]), refused: false };
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(reason: string, length = Buffer.byteLength(reason)): Buffer {
  return Buffer.concat([word(length), Buffer.from(reason)]);
}

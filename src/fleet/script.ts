import { Connection, type Listener, listenTcp, type Place } from './connections.ts';
import type { ScriptService } from './persona.ts';
import { fill, type Values } from './templates.ts';

/**
 * A TCP service that says what its persona says, whatever it hears: banners, and devices that break off or say nothing.
 * @throws {InputError} `port-in-use`
 */
export function serveScript(service: ScriptService, place: Place, values: Values): Promise<Listener> {
  return listenTcp(place, async (socket) => {
    const { host, port, role, visits } = place;
    const connection = new Connection(socket, (bytes) => visits.add({ host, port, role, transport: 'tcp', at: performance.now(), bytes }));
    for (const step of service.steps) {
      if (step.heard && (await connection.hear((bytes) => bytes.length > 0)) === undefined) break;
      if (step.sleepMs > 0 && !(await connection.rest(step.sleepMs))) return;
      const bytes =
        step.hex === undefined ? Buffer.from(fill(step.text ?? '', values), 'utf8') : Buffer.from(fill(step.hex, values), 'hex');
      if (bytes.length > 0 && !(await connection.say(bytes))) return;
    }
    await connection.end(service.ends);
  });
}

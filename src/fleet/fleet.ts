import { isIPv4 } from 'node:net';
import { InputError, type Problem, problem } from '../errors.ts';
import { nearest } from '../text.ts';
import { type Listener, type Load, type Place, type Received, Visits } from './connections.ts';
import { serveIpmi } from './ipmi.ts';
import { serveMdns } from './mdns.ts';
import { loadPersonas, type Persona, type Service, TRUTH, type Truth } from './persona.ts';
import { serveReplies } from './replies.ts';
import { serveRfb } from './rfb.ts';
import { FLEET_PORTS, type FleetPorts, type Role } from './roles.ts';
import { serveScript } from './script.ts';
import { serveSnmp } from './snmp.ts';
import { fill, type Values } from './templates.ts';
import { type Authorities, serveWeb } from './web.ts';

/** A simulated device at an address. `parameters` replace the persona's own: serial number, MAC, host name. */
export interface Placement {
  readonly persona: string;
  readonly address: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface FleetOptions {
  readonly ports?: Partial<FleetPorts>;
  /** Instead of those of `data/fleet/`. */
  readonly personas?: readonly Persona[];
}

/** A device of a running fleet. */
export interface FleetHost {
  readonly address: string;
  readonly persona: string;
  /** With its parameters filled in. */
  readonly truth: Truth;
  readonly parameters: Values;
  /** The ports that it listens on, by role. */
  readonly ports: Readonly<Partial<Record<Role, number>>>;
}

/** A running fleet. */
export interface Fleet {
  readonly hosts: readonly FleetHost[];
  /** All that the devices were sent, in order. Grows while the fleet runs, up to 20,000. */
  readonly requests: readonly Received[];
  /** TCP connections of one device so far. */
  load(address: string): Load;
  /** Closes every socket, half-open ones too, and resolves when they are gone. */
  stop(): Promise<void>;
}

/**
 * Starts simulated devices on loopback addresses.
 * @throws {InputError} `port-in-use`, `forbidden-address` outside 127.0.0.0/8, `nothing-known` for an unknown persona; nothing is left running then
 */
export async function startFleet(
  placements: readonly Placement[],
  { ports: given = {}, personas = loadPersonas() }: FleetOptions = {},
): Promise<Fleet> {
  const ports: FleetPorts = { ...FLEET_PORTS, ...given };
  const devices = resolve(placements, new Map(personas.map((persona) => [persona.id, persona])));
  const visits = new Visits();
  const started = await Promise.allSettled(
    devices.flatMap(({ persona, address, values }) =>
      persona.services.map((service) =>
        serve(
          service,
          { host: address, port: ports[service.at], role: service.at, visits },
          { ...values, ...authorities(address, ports) },
          persona.id,
        ),
      ),
    ),
  );
  const listeners = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  let stopped: Promise<unknown> | undefined;
  const stop = async (): Promise<void> => {
    stopped ??= Promise.all(listeners.map((listener) => listener.stop()));
    await stopped;
  };
  const failures = started.flatMap((result) => (result.status === 'rejected' ? [toError(result.reason)] : []));
  if (failures.length > 0) {
    await stop();
    throw failures.every((error) => error instanceof InputError)
      ? new InputError(failures.flatMap(({ problems }) => problems))
      : failures[0];
  }
  return {
    hosts: devices.map(({ persona, address, values }) => ({
      address,
      persona: persona.id,
      truth: filled(persona.truth, values),
      parameters: values,
      ports: Object.fromEntries(persona.services.map(({ at }) => [at, ports[at]])),
    })),
    requests: visits.requests,
    load: (address) => visits.load(address),
    stop,
  };
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

interface Device {
  readonly persona: Persona;
  readonly address: string;
  readonly values: Values;
}

function resolve(placements: readonly Placement[], personas: ReadonlyMap<string, Persona>): Device[] {
  const problems: Problem[] = [];
  const taken = new Set<string>();
  const devices: Device[] = [];
  for (const { persona: id, address, parameters = {} } of placements) {
    const persona = personas.get(id);
    const wrong = wrongAddress(address, taken) ?? wrongPersona(id, persona, personas, parameters);
    taken.add(address);
    if (wrong !== undefined) problems.push(wrong);
    else if (persona !== undefined) devices.push({ persona, address, values: valuesOf(persona, address, parameters) });
  }
  if (problems.length > 0) throw new InputError(problems);
  return devices;
}

function wrongAddress(address: string, taken: ReadonlySet<string>): Problem | undefined {
  if (!isIPv4(address) || !address.startsWith('127.'))
    return problem('forbidden-address', { address, reason: 'simulated devices stand on 127.0.0.0/8 only' });
  return taken.has(address) ? problem('nothing-known', { what: `two simulated devices at ${address}` }) : undefined;
}

function wrongPersona(
  id: string,
  persona: Persona | undefined,
  personas: ReadonlyMap<string, Persona>,
  parameters: Readonly<Record<string, string>>,
): Problem | undefined {
  if (persona === undefined) {
    const near = nearest(id, personas.keys());
    return problem('nothing-known', { what: `there is no persona "${id}"${near === undefined ? '' : `; did you mean "${near}"?`}` });
  }
  const odd = Object.keys(parameters).find((name) => !Object.hasOwn(persona.parameters, name));
  return odd === undefined
    ? undefined
    : problem('nothing-known', {
        what: `the persona ${id} has no parameter "${odd}"; it has ${Object.keys(persona.parameters).join(', ')}`,
      });
}

/** A parameter may be made of those before it: `hostname: 'idrac-{{serial}}'`. */
function valuesOf(persona: Persona, address: string, parameters: Readonly<Record<string, string>>): Values {
  const values: Record<string, string> = { address, year: String(new Date().getUTCFullYear()) };
  for (const [name, usual] of Object.entries(persona.parameters)) values[name] = parameters[name] ?? fill(usual, values);
  return values;
}

function authorities(address: string, ports: FleetPorts): Authorities {
  const at = (port: number, usual: number): string => (port === usual ? address : `${address}:${port}`);
  return { http: at(ports.http, 80), https: at(ports.https, 443), alternative: at(ports.alternative, 80), httpPort: String(ports.http) };
}

function filled(truth: Truth, values: Values): Truth {
  return TRUTH.parse(
    Object.fromEntries(Object.entries(truth).map(([key, value]) => [key, typeof value === 'string' ? fill(value, values) : value])),
  );
}

function serve(service: Service, place: Place, values: Values & Authorities, persona: string): Promise<Listener> {
  switch (service.speaks) {
    case 'web':
      return serveWeb(service, place, values, `${persona} ${service.at}`);
    case 'rfb':
      return serveRfb(service, place, values);
    case 'script':
      return serveScript(service, place, values);
    case 'ipmi':
      return serveIpmi(service, place, values);
    case 'snmp':
      return serveSnmp(service, place, values);
    case 'replies':
      return serveReplies(service, place, values);
    case 'mdns':
      return serveMdns(service, place, values);
  }
}

import { OUTCOMES, type Facts, type FactValue, type Outcome, type Transport, TRANSPORTS } from '../vocabulary.ts';

/** The facts of one probe at one endpoint: one line of the journal. Transport and port are absent for what belongs to the address itself (its MAC). */
export interface Observation {
  readonly v: 1;
  readonly kind: 'observation';
  readonly host: string;
  readonly transport?: Transport;
  readonly port?: number;
  /** What of the host it is of, where that has no port: the device at a socket (`usb 1-4`), whose facts are those of no other. */
  readonly part?: string;
  readonly probe: string;
  /** ISO 8601, UTC, when the probe began. */
  readonly at?: string;
  /** How long it took. */
  readonly ms?: number;
  readonly outcome: Outcome;
  readonly facts: Facts;
  /** False for a part that was attached before, and is not any more. */
  readonly present?: boolean;
  /** Why it ended as it did, where that is not plain from the outcome. */
  readonly note?: string;
}

/**
 * Reads an observation, ours or another tool's. Only `host`, `probe` and `facts` are required; unknown facts are kept.
 * Returns the reason where it is none.
 */
export function readObservation(value: unknown): Observation | { readonly reason: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { reason: 'it is no object' };
  const { host, transport, port, part, probe, at, ms, outcome = 'answered', facts, present, note } = value as Record<string, unknown>;
  if (typeof host !== 'string' || host === '') return { reason: 'host is missing' };
  if (typeof probe !== 'string' || probe === '') return { reason: 'probe is missing' };
  if (typeof facts !== 'object' || facts === null || Array.isArray(facts)) return { reason: 'facts is missing' };
  if (transport !== undefined && !TRANSPORTS.includes(transport as Transport)) return { reason: 'transport is neither tcp nor udp' };
  if (port !== undefined && !(Number.isInteger(port) && (port as number) > 0 && (port as number) < 65536))
    return { reason: 'port is no port' };
  if (part !== undefined && (typeof part !== 'string' || part === '')) return { reason: 'part is no text' };
  if (!isOutcome(outcome)) return { reason: 'outcome is none of the known ones' };
  const observation: { -readonly [Key in keyof Observation]: Observation[Key] } = {
    v: 1,
    kind: 'observation',
    host,
    probe,
    outcome,
    facts: facts as Facts,
  };
  // Set one by one: spreading six of them into each of a hundred thousand takes as long as reading them from the file.
  if (transport !== undefined) observation.transport = transport as Transport;
  if (port !== undefined) observation.port = port as number;
  if (part !== undefined) observation.part = part;
  if (typeof at === 'string') observation.at = at;
  if (typeof ms === 'number') observation.ms = ms;
  if (typeof present === 'boolean') observation.present = present;
  if (typeof note === 'string') observation.note = note;
  return observation;
}

function isOutcome(value: unknown): value is Outcome {
  return typeof value === 'string' && (OUTCOMES.includes(value as (typeof OUTCOMES)[number]) || value.startsWith('skipped:'));
}

/** What is known of one endpoint: the facts of all probes that spoke to it. Without transport and port: of the address itself. */
export interface EndpointFacts {
  readonly host: string;
  readonly transport?: Transport;
  readonly port?: number;
  readonly part?: string;
  /** The probes that answered. */
  readonly probes: readonly string[];
  readonly outcomes: Readonly<Record<string, Outcome>>;
  readonly facts: Facts;
  /** Of a part: what the latest of its observations says. */
  readonly present?: boolean;
  /** The first and last time that something was seen, ISO 8601. */
  readonly first?: string;
  readonly last?: string;
}

/** Puts the observations of one host together by endpoint. Of two for one fact the later one counts; pages are added up. */
export function byEndpoint(observations: readonly Observation[]): EndpointFacts[] {
  const [only] = observations;
  // Of most addresses there is one observation: nothing has to be put together.
  if (only !== undefined && observations.length === 1) return [aloneAt(only)];
  const endpoints = new Map<
    string,
    {
      host: string;
      transport?: Transport;
      port?: number;
      part?: string;
      probes: Set<string>;
      outcomes: Record<string, Outcome>;
      facts: Record<string, FactValue>;
      times: string[];
      present?: boolean;
      toldAt: string;
    }
  >();
  for (const { host, transport, port, part, probe, outcome, facts, at, present } of observations) {
    const key = `${port ?? 0}/${transport ?? ''}/${part ?? ''}`;
    let endpoint = endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = {
        host,
        ...(transport === undefined ? {} : { transport }),
        ...(port === undefined ? {} : { port }),
        ...(part === undefined ? {} : { part }),
        probes: new Set(),
        outcomes: {},
        facts: {},
        times: [],
        toldAt: '',
      };
      endpoints.set(key, endpoint);
    }
    endpoint.outcomes[probe] = outcome;
    if (outcome === 'answered') endpoint.probes.add(probe);
    if (at !== undefined) endpoint.times.push(at);
    if (part !== undefined && (at ?? UNDATED) >= endpoint.toldAt) {
      endpoint.present = present ?? true;
      endpoint.toldAt = at ?? UNDATED;
    }
    for (const [name, value] of Object.entries(facts))
      endpoint.facts[name] = name === 'http.pages' ? { ...(endpoint.facts[name] as object | undefined), ...(value as object) } : value;
  }
  return [...endpoints.values()]
    .toSorted((a, b) => byText(a.transport, b.transport) || (a.port ?? 0) - (b.port ?? 0) || byText(a.part, b.part))
    .map(({ probes, times, toldAt: _toldAt, ...rest }) => {
      const sorted = times.toSorted();
      const [first] = sorted;
      const last = sorted.at(-1);
      return {
        ...rest,
        probes: [...probes].toSorted(),
        ...(first === undefined ? {} : { first }),
        ...(last === undefined ? {} : { last }),
      };
    });
}

/** A list without a time says what is attached now; those with one are of what happened before. Sorts behind all times. */
const UNDATED = '\uffff';

function aloneAt({ host, transport, port, part, probe, outcome, facts, at, present }: Observation): EndpointFacts {
  return {
    host,
    ...(transport === undefined ? {} : { transport }),
    ...(port === undefined ? {} : { port }),
    ...(part === undefined ? {} : { part }),
    probes: outcome === 'answered' ? [probe] : [],
    outcomes: { [probe]: outcome },
    facts,
    ...(part === undefined ? {} : { present: present ?? true }),
    ...(at === undefined ? {} : { first: at, last: at }),
  };
}

function byText(a = '', b = ''): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

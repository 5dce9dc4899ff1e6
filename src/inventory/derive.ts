import { version } from '../data.ts';
import type { Device, Unkeyed } from '../devices/device.ts';
import { devicesAt, spokenAt } from '../devices/from-host.ts';
import { fuse } from '../devices/fuse.ts';
import { InputError, inputError, type Problem } from '../errors.ts';
import { setHash } from '../fingerprints/load.ts';
import type { Matcher } from '../fingerprints/match.ts';
import { byEndpoint, type EndpointFacts } from '../observations/observation.ts';
import { indexObservations, type ReadEntry } from '../observations/read.ts';
import { withHistory } from './history.ts';
import { type Inventory, InventorySchema, type OwnFingerprints, SCHEMA_VERSION } from './schema.ts';
import { snmpGiven, snmpNotes, type SnmpReading, snmpReading } from './snmp-notes.ts';

export interface Derived {
  readonly inventory: Inventory;
  /** Corrupt lines of the file: left out, reported. */
  readonly problems: readonly Problem[];
  readonly observations: number;
}

/** What the journal's own lines tell of the sweep; each part is checked by the inventory's schema. */
type SweepPart = Pick<Inventory, 'run' | 'asked' | 'ledger' | 'completeness'>;

/**
 * Makes an inventory of a journal, or of any file of observations (`-` is standard input). The same function ends a sweep, so that an inventory
 * can be derived again from its journal, with the fingerprints of another day.
 * @param options.own which of the fingerprints are the operator's own
 * @throws {InputError} where the file cannot be read or holds nothing to work with
 */
export async function deriveInventory(
  file: string,
  matcher: Matcher,
  { previous = [], own }: { previous?: readonly Device[]; own?: OwnFingerprints | undefined } = {},
): Promise<Derived> {
  const entries: ReadEntry[] = [];
  let lastCheckpoint: ReadEntry | undefined;
  const resumedAt: string[] = [];
  const index = await indexObservations(file, (entry) => {
    if (entry.kind === 'checkpoint') lastCheckpoint = entry;
    else entries.push(entry);
  });
  try {
    if (index.observations === 0 && entries.length === 0)
      throw index.problems.length > 0
        ? new InputError(index.problems)
        : inputError('empty-file', { file: file === '-' ? 'standard input' : file, what: 'observations' });
    for (const entry of entries) if (entry.kind === 'run' && entry['resumed'] === true) resumedAt.push(String(entry['at']));
    const runs = entries.filter(({ kind }) => kind === 'run');
    const [run] = runs;
    // An end line before the last (resumed) beginning is that of an interruption which was continued.
    const last = entries.at(-1);
    const end = last?.kind === 'end' ? last : undefined;
    const sweep = sweepPart(run, end, lastCheckpoint, resumedAt, snmpGiven(runs));
    const now = new Date(sweep.run?.endedAt ?? (typeof lastCheckpoint?.['at'] === 'string' ? lastCheckpoint['at'] : Date.now()));
    const devices: Unkeyed[] = [];
    const unrecognised: Inventory['unrecognised'] = [];
    const readings: (SnmpReading | undefined)[] = [];
    for (const host of index.hosts) {
      const endpoints = byEndpoint(index.of(host));
      readings.push(...endpoints.map(snmpReading));
      const found = devicesAt(host, endpoints, matcher, now);
      devices.push(...found);
      if (found.length === 0) unrecognised.push(...unrecognisedAt(host, endpoints));
    }
    const inventory: Inventory = {
      schemaVersion: SCHEMA_VERSION,
      tool: {
        name: 'kvmsweep',
        version: version(),
        fingerprints: setHash(matcher.fingerprints),
        ...(own === undefined ? {} : { ownFingerprints: own }),
      },
      ...sweep,
      // Of observations that come from no sweep it is not known what was asked.
      completeness: {
        ...sweep.completeness,
        notes: [...sweep.completeness.notes, ...(run === undefined ? [] : snmpNotes(runs, readings))],
      },
      devices: withHistory(fuse(devices), previous),
      unrecognised,
    };
    return { inventory, problems: index.problems, observations: index.observations };
  } finally {
    index.close();
  }
}

/** An address that no definition claims, where it spoke a protocol or a neighbour answered for it. */
function unrecognisedAt(host: string, endpoints: readonly EndpointFacts[]): Inventory['unrecognised'] {
  const spoken = endpoints.flatMap(answeredText);
  const { 'mac.address': mac, 'mac.vendor': macVendor } = endpoints.find(({ port }) => port === undefined)?.facts ?? {};
  if (spoken.length === 0 && mac === undefined) return [];
  return [
    {
      host,
      ...(typeof mac === 'string' && mac !== '' ? { mac } : {}),
      ...(typeof macVendor === 'string' && macVendor !== '' ? { macVendor } : {}),
      endpoints: spoken,
    },
  ];
}

/** An endpoint that spoke a protocol: `443/tcp=https`. */
function answeredText(endpoint: EndpointFacts): string[] {
  const { port, transport } = endpoint;
  const spoken = spokenAt(endpoint);
  return port === undefined || transport === undefined || spoken === undefined ? [] : [`${port}/${transport}=${spoken}`];
}

function sweepPart(
  run: ReadEntry | undefined,
  end: ReadEntry | undefined,
  checkpoint: ReadEntry | undefined,
  resumedAt: readonly string[],
  snmp: ReturnType<typeof snmpGiven>,
): SweepPart {
  if (run === undefined)
    return { completeness: { complete: true, limitations: [], notes: ['made of observations that do not say what was asked'] } };
  const ledger = (end ?? checkpoint)?.['ledger'];
  const checked = InventorySchema.pick({ run: true, asked: true, ledger: true, completeness: true }).safeParse({
    run: {
      ...(typeof run['run'] === 'object' ? run['run'] : {}),
      ...(end === undefined ? {} : { endedAt: end['at'] }),
      ...(resumedAt.length === 0 ? {} : { resumedAt }),
    },
    ...(run['asked'] === undefined ? {} : { asked: { ...(run['asked'] as object), ...(snmp === undefined ? {} : { snmp }) } }),
    // A sweep that was killed in its first second has none.
    ...(ledger === undefined ? {} : { ledger }),
    completeness: end?.['completeness'] ?? {
      complete: false,
      limitations: [{ what: 'interrupted', text: 'the journal has no end: the sweep was cut off; continue it with scan --resume' }],
      notes: [],
    },
  });
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw inputError('not-a-journal', { file: 'its run line', reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` });
  }
  return checked.data;
}

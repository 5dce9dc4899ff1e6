import { version } from '../data.ts';
import type { Device, Unkeyed } from '../devices/device.ts';
import { devicesAt, spokenAt } from '../devices/from-host.ts';
import { fuse } from '../devices/fuse.ts';
import type { Problem } from '../errors.ts';
import { setHash } from '../fingerprints/load.ts';
import type { Matcher } from '../fingerprints/match.ts';
import { byEndpoint, type EndpointFacts } from '../observations/observation.ts';
import { sortedByAddress } from '../observations/read.ts';
import { withHistory } from './history.ts';
import { type JournalPart, openJournal } from './journal-part.ts';
import { type Inventory, type OwnFingerprints, SCHEMA_VERSION } from './schema.ts';
import { togetherOf } from './shards.ts';
import { snmpNotes, type SnmpReading, snmpReading } from './snmp-notes.ts';

export interface Derived {
  readonly inventory: Inventory;
  /** Corrupt lines of the file: left out, reported. */
  readonly problems: readonly Problem[];
  readonly observations: number;
}

/**
 * Makes an inventory of a journal, of the journals of several shards, or of any files of observations (`-` is standard input). The same function ends a
 * sweep, so that an inventory can be derived again from its journal, with the fingerprints of another day.
 * @param options.own which of the fingerprints are the operator's own
 * @throws {InputError} where a file cannot be read or holds nothing to work with, or where journals are no shards of one sweep
 */
export async function deriveInventory(
  files: string | readonly string[],
  matcher: Matcher,
  { previous = [], own }: { previous?: readonly Device[]; own?: OwnFingerprints | undefined } = {},
): Promise<Derived> {
  const parts: JournalPart[] = [];
  try {
    for (const file of typeof files === 'string' ? [files] : files) parts.push(await openJournal(file));
    const sweep = togetherOf(parts);
    // Shards are swept with the same credentials.
    const runs = parts.find((part) => part.runs.length > 0)?.runs ?? [];
    const untils = parts.flatMap(({ until }) => until ?? []).toSorted();
    const now = new Date(sweep.run?.endedAt ?? untils.at(-1) ?? Date.now());
    const devices: Unkeyed[] = [];
    const unrecognised: Inventory['unrecognised'] = [];
    const readings: (SnmpReading | undefined)[] = [];
    for (const host of hostsOf(parts)) {
      const endpoints = byEndpoint(parts.flatMap(({ index }) => index.of(host)));
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
        notes: [...sweep.completeness.notes, ...(runs.length === 0 ? [] : snmpNotes(runs, readings))],
      },
      devices: withHistory(fuse(devices), previous),
      unrecognised,
    };
    return {
      inventory,
      problems: parts.flatMap(({ index }) => index.problems),
      observations: parts.reduce((sum, { index }) => sum + index.observations, 0),
    };
  } finally {
    for (const { index } of parts) index.close();
  }
}

/** The hosts of all files, in the order of their addresses. */
function hostsOf(parts: readonly JournalPart[]): readonly string[] {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only.index.hosts;
  return sortedByAddress(new Set(parts.flatMap(({ index }) => index.hosts)));
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

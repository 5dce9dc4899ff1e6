import { networkInterfaces } from 'node:os';

import { InputError, ForbiddenError, inputError } from '../errors.ts';
import type { Matcher } from '../fingerprints/match.ts';
import { Journal, type JournalEntry } from '../observations/journal.ts';
import { indexObservations, type ReadEntry } from '../observations/read.ts';
import { probes } from '../probes/index.ts';
import { AuditFile, NO_AUDIT } from '../sweep/audit.ts';
import { DEFAULT_BUDGET } from '../sweep/budget.ts';
import { Devices } from '../sweep/device.ts';
import { rehearse } from '../sweep/exchange.ts';
import { Gates } from '../sweep/gates.ts';
import type { Limitation } from '../sweep/guards.ts';
import type { Ledger } from '../sweep/ledger.ts';
import type { AllowedPaths } from '../sweep/paths.ts';
import type { Checkpoint } from '../sweep/state.ts';
import { type Progress, Sweep } from '../sweep/sweep.ts';
import { formatAddress, parseAddress } from '../targets/addresses.ts';
import type { Guard } from '../targets/guard.ts';
import { HostSet, rangeText } from '../targets/hosts.ts';
import { parseRange } from '../targets/parse.ts';
import { parsePorts, type PortPlan, portText } from '../targets/ports.ts';
import { Conversations } from './conversation.ts';

/** What a sweep is to do. All of it goes into the journal, so that a resume needs nothing else. */
export interface ScanPlan {
  readonly hosts: HostSet;
  readonly ports: readonly PortPlan[];
  readonly seed: number;
  readonly rate: number;
  readonly ratePerNetwork: number;
  readonly retries: number;
  /** Milliseconds of talking to one device. */
  readonly hostTimeoutMs: number;
  /** As typed, secrets removed. */
  readonly arguments: readonly string[];
}

export interface ScanOptions {
  readonly journal: string;
  readonly matcher: Matcher;
  readonly guard: Guard;
  readonly paths: AllowedPaths;
  readonly audit?: string | undefined;
  readonly onProgress?: ((progress: ScanProgress) => void) | undefined;
  /** Aborting it ends the sweep with a valid, partial journal. */
  readonly signal?: AbortSignal | undefined;
}

export interface ScanProgress extends Progress {
  /** Hosts at which something is recognised. */
  readonly found: number;
  readonly elapsedMs: number;
}

export interface ScanResult {
  readonly ledger: Ledger;
  readonly complete: boolean;
  readonly limitations: readonly Limitation[];
}

const PROGRESS_MS = 250;

/** Sweeps, talks and writes everything down. The inventory is made of the journal afterwards (`deriveInventory`). @throws {InputError} */
export async function scan(plan: ScanPlan, options: ScanOptions): Promise<ScanResult> {
  const journal = Journal.create(options.journal);
  return run(plan, options, journal, { checkpoints: [], afterwards: [], resumed: false });
}

/** Continues the sweep of a journal: seed and position are in it. @throws {InputError} where it is no journal, or has ended */
export async function resumeScan(options: ScanOptions): Promise<ScanResult> {
  const file = options.journal;
  const checkpoints: Checkpoint[] = [];
  let begun: ReadEntry | undefined;
  let ended = false;
  const index = await indexObservations(file, (entry) => {
    if (entry.kind === 'run' && entry['resumed'] !== true) begun ??= entry;
    else if (entry.kind === 'checkpoint') checkpoints.push(entry['checkpoint'] as Checkpoint);
    else if (entry.kind === 'end') ended = !wasInterrupted(entry);
  });
  index.close();
  if (begun === undefined) throw inputError('not-a-journal', { file, reason: 'it does not begin with a run line' });
  if (ended)
    throw inputError('cannot-resume', {
      file,
      reason: 'its sweep has ended; there is nothing left to do (`kvmsweep identify` makes its inventory again)',
    });
  const plan = planOf(begun, file);
  const afterwards = index.afterCheckpoint.flatMap(({ host, transport, port, probe }) => {
    const address = parseAddress(host);
    const known = plan.ports.find((one) => one.transport === transport && one.port === port);
    // One connection per VNC server and run: what was said is on the disk, it is not asked again.
    return address !== undefined && known !== undefined && HEARD_ONCE.has(probe) ? [{ host: address, port: known }] : [];
  });
  return run(plan, options, Journal.continue(file, index.wholeBytes), { checkpoints, afterwards, resumed: true });
}

/** Probes of which one connection says all: where it is on the disk, it is not asked again. */
const HEARD_ONCE: ReadonlySet<string> = new Set(['rfb', 'ssh', 'telnet', 'ftp', 'listen']);

/** A sweep that was stopped (Ctrl-C) has an end line too, and can go on. */
function wasInterrupted(end: ReadEntry): boolean {
  const { limitations = [] } = (end['completeness'] ?? {}) as { limitations?: Limitation[] };
  return limitations.some(({ what }) => what === 'interrupted');
}

interface Past {
  readonly checkpoints: readonly Checkpoint[];
  readonly afterwards: Parameters<Sweep['resume']>[1];
  readonly resumed: boolean;
}

async function run(plan: ScanPlan, options: ScanOptions, journal: Journal, past: Past): Promise<ScanResult> {
  const from = performance.now();
  const audit = options.audit === undefined ? NO_AUDIT : new AuditFile(options.audit);
  const faults: string[] = [];
  const write = (kind: JournalEntry['kind'], rest: object): void => journal.write({ v: 1, kind, ...rest });
  const conversations = new Conversations({
    matcher: options.matcher,
    ports: plan.ports,
    onObservation: (observation) => journal.write(observation),
    onFault: (device, error) => {
      // What cannot be written down ends the sweep; what a device made us stumble over ends the conversation with it.
      if (error instanceof InputError) throw error;
      faults.push(
        `${device.host}: ${error instanceof ForbiddenError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    },
  });
  const devices = new Devices({
    guard: options.guard,
    audit,
    paths: options.paths,
    gates: new Gates(),
    hosts: plan.hosts,
    ports: plan.ports,
    budget: { ...DEFAULT_BUDGET, talkMs: plan.hostTimeoutMs },
  });
  const sweep = new Sweep(plan, devices, [probes.ipmi, probes.snmp, probes.mdns, probes.ssdp], {
    onOpen: (found) => conversations.open(found),
    onReset: (device, port) => conversations.reset(device, port),
    onAnswer: (device, port, talk) => conversations.answer(device, port, talk),
    unwanted: (device, port) => conversations.unwanted(device, port),
    onNeighbour: (device, mac) => conversations.neighbour(device, mac),
    onCheckpoint: (checkpoint) => {
      write('checkpoint', { at: new Date().toISOString(), checkpoint, ledger: sweep.ledger });
      journal.sync();
    },
  });
  if (past.resumed) {
    sweep.resume(past.checkpoints, past.afterwards);
    write('run', { resumed: true, at: new Date().toISOString() });
  } else write('run', { at: new Date().toISOString(), ...runEntry(plan) });
  const progress = (): void => options.onProgress?.({ ...sweep.progress, found: conversations.found, elapsedMs: performance.now() - from });
  const ticker = setInterval(progress, PROGRESS_MS);
  const onAbort = (): void => sweep.stop('interrupted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted === true) onAbort();
  try {
    await rehearse();
    await sweep.run();
    const limitations: Limitation[] = [...sweep.limitations, ...faultLimitations(faults)];
    const complete = limitations.length === 0;
    write('end', {
      at: new Date().toISOString(),
      ledger: sweep.ledger,
      completeness: { complete, limitations, notes: notesOf(plan, sweep) },
    });
    journal.sync();
    progress();
    return { ledger: sweep.ledger, complete, limitations };
  } finally {
    clearInterval(ticker);
    options.signal?.removeEventListener('abort', onAbort);
    sweep.close();
    journal.close();
    audit.close();
  }
}

function faultLimitations(faults: readonly string[]): Limitation[] {
  if (faults.length === 0) return [];
  return [
    {
      what: 'fault',
      text: `kvmsweep made ${faults.length} mistakes while talking to devices; what they said before is kept. Please report: ${faults.slice(0, 3).join(' | ')}`,
    },
  ];
}

function notesOf(plan: ScanPlan, sweep: Sweep): string[] {
  const notes = [...sweep.notes];
  if (plan.retries === 0) notes.push('every port of every address was asked once: a lost packet is a missed service (--retries 0)');
  else if (!sweep.retriesSilent)
    notes.push(
      `more than 4,096 addresses: silent ones were asked once, and again only where there was a sign of life; a lost packet may have hidden an address`,
    );
  if (!plan.ports.some(({ transport }) => transport === 'udp'))
    notes.push('no UDP port was asked: controllers that answer IPMI only are not in here');
  return notes;
}

function runEntry(plan: ScanPlan): object {
  const { hosts } = plan;
  return {
    run: {
      arguments: plan.arguments,
      startedAt: new Date().toISOString(),
      sourceAddresses: sourceAddresses(),
      seed: plan.seed,
      rate: plan.rate,
      ratePerNetwork: plan.ratePerNetwork,
      retries: plan.retries,
    },
    asked: {
      hosts: hosts.count,
      ranges: hosts.ranges.map(rangeText),
      names: Object.fromEntries([...hosts.names].map(([address, name]) => [formatAddress(address), name])),
      ports: plan.ports.map(portText),
    },
    hostTimeoutMs: plan.hostTimeoutMs,
  };
}

function sourceAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses.map(({ address }) => address))
    .toSorted();
}

function planOf(entry: ReadEntry, file: string): ScanPlan {
  const bad = (reason: string): InputError => inputError('cannot-resume', { file, reason });
  const {
    run: ran,
    asked,
    hostTimeoutMs,
  } = entry as unknown as {
    run?: { seed: number; rate: number; ratePerNetwork: number; retries: number; arguments: string[] };
    asked?: { ranges: string[]; names: Record<string, string>; ports: string[] };
    hostTimeoutMs?: number;
  };
  if (ran === undefined || asked === undefined || hostTimeoutMs === undefined) throw bad('its run line does not say what was asked');
  const ranges = asked.ranges.map((text) => {
    const range = parseRange(text);
    if ('reason' in range) throw bad(`${text}: ${range.reason}`);
    return range;
  });
  const { ports, problems } = parsePorts(asked.ports.join(','));
  if (problems.length > 0) throw bad('its ports cannot be read');
  const names = new Map(
    Object.entries(asked.names).flatMap(([text, name]) => {
      const address = parseAddress(text);
      return address === undefined ? [] : [[address, name] as const];
    }),
  );
  return {
    hosts: new HostSet(ranges, names),
    ports,
    hostTimeoutMs,
    seed: ran.seed,
    rate: ran.rate,
    ratePerNetwork: ran.ratePerNetwork,
    retries: ran.retries,
    arguments: ran.arguments,
  };
}

import { networkInterfaces } from 'node:os';

import { InputError, ForbiddenError, inputError } from '../errors.ts';
import type { Matcher } from '../fingerprints/match.ts';
import { Journal, type JournalEntry } from '../observations/journal.ts';
import type { Observation } from '../observations/observation.ts';
import { indexObservations, type ObservationIndex, type ReadEntry } from '../observations/read.ts';
import { loadMakers } from '../oui.ts';
import { snmpWith, udpProbes } from '../probes/index.ts';
import { type Audit, AuditFile, NO_AUDIT } from '../sweep/audit.ts';
import { budgetFor, readsWith } from '../sweep/budget.ts';
import { COVERAGES, type Coverage } from '../sweep/coverage.ts';
import { Devices } from '../sweep/device.ts';
import { rehearse } from '../sweep/exchange.ts';
import { Gates } from '../sweep/gates.ts';
import type { Limitation } from '../sweep/guards.ts';
import type { Ledger } from '../sweep/ledger.ts';
import { Neighbours } from '../sweep/neighbours.ts';
import type { AllowedPaths } from '../sweep/paths.ts';
import { ReverseNames } from '../sweep/reverse.ts';
import { NO_CREDENTIALS, type SnmpCredentials } from '../sweep/snmp/credentials.ts';
import { loadSnmp } from '../sweep/snmp/library.ts';
import type { Checkpoint } from '../sweep/state.ts';
import { type Progress, Sweep } from '../sweep/sweep.ts';
import { type AddressNumber, formatAddress, parseAddress } from '../targets/addresses.ts';
import { type AlsoChannel, parseAlso } from '../targets/also.ts';
import type { Guard } from '../targets/guard.ts';
import { HostSet, rangeText } from '../targets/hosts.ts';
import { parseShard, shardText } from '../targets/shard.ts';
import type { KnownOpen } from '../targets/known-open.ts';
import { parseRange } from '../targets/parse.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import { parsePorts, portText } from '../targets/ports.ts';
import { parseWindow, type TimeWindow } from '../windows.ts';
import { Conversations } from './conversation.ts';

/** What a sweep is to do. All of it goes into the journal, so that a resume needs nothing else; but for credentials, which are no part of it. */
export interface ScanPlan {
  readonly hosts: HostSet;
  readonly ports: readonly PortPlan[];
  /** Channels that the operator opted into. The ports of those that have one are among the ports. */
  readonly also?: readonly AlsoChannel[];
  /** Where it is given, the only endpoints that are asked. */
  readonly only?: KnownOpen;
  readonly seed: number;
  readonly rate: number;
  readonly ratePerNetwork: number;
  readonly retries: number;
  /** `auto` where it is absent; the ports are those of `life` already (`covered`). */
  readonly coverage?: Coverage;
  /** Milliseconds of talking to one device. */
  readonly hostTimeoutMs: number;
  /** Nothing new is sent outside of it. */
  readonly window?: TimeWindow;
  /** As typed, secrets removed. */
  readonly arguments: readonly string[];
}

export interface ScanOptions {
  readonly journal: string;
  readonly matcher: Matcher;
  readonly guard: Guard;
  readonly paths: AllowedPaths;
  /** For reading SNMP. They are written nowhere, so a resume must be given them again. */
  readonly credentials?: SnmpCredentials | undefined;
  readonly audit?: string | undefined;
  /** For `dns`, instead of the name servers of this machine: `127.0.0.1:5353`. */
  readonly nameServers?: readonly string[] | undefined;
  /** What the operator should know before the sweep is over. */
  readonly onNote?: ((text: string) => void) | undefined;
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
  const reverse = reverseOf(plan, options);
  const journal = Journal.create(options.journal);
  return run(
    plan,
    options,
    journal,
    { checkpoints: [], afterwards: [], named: new Set(), recall: () => undefined, resumed: false },
    reverse,
  );
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
  let past: Past;
  let plan: ScanPlan;
  let reverse: ReverseNames | undefined;
  try {
    if (begun === undefined) throw inputError('not-a-journal', { file, reason: 'it does not begin with a run line' });
    if (ended)
      throw inputError('cannot-resume', {
        file,
        reason: 'its sweep has ended; there is nothing left to do (`kvmsweep identify` makes its inventory again)',
      });
    // Before they held what had changed, a resume would have counted all of it again and again.
    if (checkpoints.some(({ ms }) => typeof ms !== 'number'))
      throw inputError('cannot-resume', {
        file,
        reason: 'an older kvmsweep wrote it; `kvmsweep identify` makes an inventory of what it holds, the rest is to be swept anew',
      });
    plan = planOf(begun, file);
    if (begun['snmp'] !== undefined && (options.credentials ?? NO_CREDENTIALS).isEmpty)
      options.onNote?.('the sweep began with SNMP credentials, which are in no file: give them again, or what is left is swept without');
    past = pastOf(index, checkpoints, plan);
    reverse = reverseOf(plan, options);
  } catch (error) {
    index.close();
    throw error;
  }
  return run(plan, options, Journal.continue(file, index.wholeBytes), past, reverse);
}

/** What a journal says of the sweep that is continued. The index is closed once all of it has been recalled. */
function pastOf(index: ObservationIndex, checkpoints: readonly Checkpoint[], { also = [], ports }: ScanPlan): Past {
  const afterwards = index.afterCheckpoint.flatMap(({ host, transport, port, probe }) => {
    const address = parseAddress(host);
    const known = ports.find((one) => one.transport === transport && one.port === port);
    // One connection per VNC server and run: what was said is on the disk, it is not asked again.
    return address !== undefined && known !== undefined && HEARD_ONCE.has(probe) ? [{ host: address, port: known }] : [];
  });
  const hosts = also.includes(REVERSE) ? index.hosts : [];
  return {
    checkpoints,
    afterwards,
    named: new Set(hosts.filter((host) => index.of(host).some(({ probe }) => probe === REVERSE))),
    recall: (conversations) => {
      for (const host of index.hosts) conversations.recall(index.of(host));
      index.close();
    },
    resumed: true,
  };
}

/** What writes the names of addresses down, as a probe is named. */
const REVERSE = 'dns';

/** Before the journal is begun: where there is no name server to ask, that is an error of the operator's. @throws {InputError} */
function reverseOf({ also = [] }: ScanPlan, { guard, nameServers }: ScanOptions): ReverseNames | undefined {
  return also.includes(REVERSE) ? new ReverseNames(guard, nameServers) : undefined;
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
  /** Addresses whose names are written down. */
  readonly named: ReadonlySet<string>;
  /** Tells the conversations what was said before. */
  readonly recall: (conversations: Conversations) => void;
  readonly resumed: boolean;
}

async function run(
  plan: ScanPlan,
  options: ScanOptions,
  journal: Journal,
  past: Past,
  reverse: ReverseNames | undefined,
): Promise<ScanResult> {
  const from = performance.now();
  const audit = options.audit === undefined ? NO_AUDIT : new AuditFile(options.audit);
  const faults: string[] = [];
  const credentials = options.credentials ?? NO_CREDENTIALS;
  const snmp = snmpWith(credentials);
  /** What the journal tells of them: how many. */
  const given = credentials.isEmpty ? {} : { snmp: credentials.counts };
  const write = (kind: JournalEntry['kind'], rest: object): void => journal.write({ v: 1, kind, ...rest });
  const conversations = new Conversations({
    matcher: options.matcher,
    ports: plan.ports,
    credentials,
    snmp,
    onObservation: (observation) => journal.write(observation),
    onFault: (device, error) => {
      // What cannot be written down ends the sweep; what a device made us stumble over ends the conversation with it.
      if (error instanceof InputError) throw error;
      const what =
        error instanceof ForbiddenError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
      faults.push(credentials.struckOut(`${device.host}: ${what}`));
    },
  });
  past.recall(conversations);
  const devices = new Devices({
    guard: options.guard,
    audit,
    paths: options.paths,
    gates: new Gates(),
    hosts: plan.hosts,
    ports: plan.ports,
    budget: { ...budgetFor(plan.ports), talkMs: plan.hostTimeoutMs, reads: readsWith(credentials.counts) },
    credentials,
  });
  const greeters = udpProbes.map((probe) => (probe.id === 'snmp' ? snmp : probe));
  const sweep = new Sweep(plan, devices, await Neighbours.look(), greeters, {
    onOpen: (found) => conversations.open(found),
    onReset: (device, port) => conversations.reset(device, port),
    onAnswer: (device, port, talk) => conversations.answer(device, port, talk),
    unwanted: (device, port) => conversations.unwanted(device, port),
    onNeighbour: (device, mac) => conversations.neighbour(device, mac),
    onCheckpoint: (checkpoint, when) => {
      const isSecond = when === 'second';
      write('checkpoint', { at: new Date().toISOString(), checkpoint, ...(isSecond ? { ledger: sweep.ledger } : {}) });
      // A process that is killed loses nothing of what it wrote; a machine without power does.
      if (isSecond) journal.sync();
    },
  });
  if (past.resumed) {
    sweep.resume(past.checkpoints, past.afterwards);
    write('run', { resumed: true, at: new Date().toISOString(), ...given });
  } else write('run', { at: new Date().toISOString(), ...runEntry(plan), ...given });
  const progress = (): void => options.onProgress?.({ ...sweep.progress, found: conversations.found, elapsedMs: performance.now() - from });
  const ticker = setInterval(progress, PROGRESS_MS);
  const onAbort = (): void => sweep.stop('interrupted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted === true) onAbort();
  try {
    loadMakers();
    await rehearse();
    if (!credentials.isEmpty) await loadSnmp();
    await sweep.run();
    const notes = notesOf(plan, sweep);
    if (reverse !== undefined) await sweep.untilOpen();
    if (reverse !== undefined) notes.push(await nameLiving(sweep, reverse, { named: past.named, signal: options.signal, audit, journal }));
    const limitations: Limitation[] = [...sweep.limitations, ...faultLimitations(faults)];
    const complete = limitations.length === 0;
    write('end', {
      at: new Date().toISOString(),
      ledger: sweep.ledger,
      completeness: { complete, limitations, notes },
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

interface Naming {
  /** These have been asked for already. */
  readonly named: ReadonlySet<string>;
  readonly signal: AbortSignal | undefined;
  readonly audit: Audit;
  readonly journal: Journal;
}

/** Asks for the names of the living addresses, writes them down, and says in a note what came of it. */
async function nameLiving(sweep: Sweep, reverse: ReverseNames, { named: before, signal, audit, journal }: Naming): Promise<string> {
  const { asked, named, left } = await reverse.ask(unnamed(sweep.living(), before), {
    audit,
    isOver: () => signal?.aborted === true,
    onName: ({ address, name, at, ms }) => {
      const observation: Observation = {
        v: 1,
        kind: 'observation',
        host: formatAddress(address),
        probe: REVERSE,
        at,
        ms,
        outcome: 'answered',
        facts: { 'dns.ptr': name },
      };
      journal.write(observation);
    },
  });
  const who = `${reverse.servers.join(', ')} ${reverse.servers.length === 1 ? 'was' : 'were'} asked for the names of ${asked} living addresses and knew ${named}`;
  if (left === 0) return who;
  return `${who}; ${left} more were not asked for, because ${signal?.aborted === true ? 'the sweep was ended' : 'nothing was answered any more'}`;
}

function* unnamed(addresses: Iterable<AddressNumber>, named: ReadonlySet<string>): Generator<AddressNumber> {
  for (const address of addresses) if (!named.has(formatAddress(address))) yield address;
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
  const { shard } = plan.hosts;
  if (shard !== undefined)
    notes.push(
      `this is shard ${shardText(shard)}: of every ${shard.of} addresses one was asked; the others are in the journals of the other shards`,
    );
  if (plan.retries === 0) notes.push('every port of every address was asked once: a lost packet is a missed service (--retries 0)');
  else if (!sweep.retriesSilent)
    notes.push(
      `more than 4,096 addresses: silent ones were asked once, and again only where there was a sign of life; a lost packet may have hidden an address (--coverage full asks them again)`,
    );
  if (plan.coverage === 'life')
    notes.push(
      `--coverage life: every address was asked at ${plan.ports
        .filter(({ living }) => living !== true)
        .map(({ port, transport }) => `${port}/${transport}`)
        .join(', ')}, and at the other ports only where there was a sign of life; an address that answers at no other port is not in here`,
    );
  if (plan.only !== undefined) {
    const endpoints = [...plan.only.values()].reduce((sum, ports) => sum + ports.size, 0);
    notes.push(
      `only ${endpoints} endpoints were asked, which the targets named as open: a device that answers at another port is not in here, or not wholly`,
    );
  } else if (!plan.ports.some(({ transport }) => transport === 'udp'))
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
      ...(plan.coverage === undefined ? {} : { coverage: plan.coverage }),
    },
    asked: {
      hosts: hosts.count,
      ranges: hosts.ranges.map(rangeText),
      ...(hosts.shard === undefined ? {} : { shard: shardText(hosts.shard) }),
      names: Object.fromEntries([...hosts.names].map(([address, name]) => [formatAddress(address), name])),
      ports: plan.ports.map(portText),
      ...(plan.also === undefined || plan.also.length === 0 ? {} : { also: plan.also }),
      ...(plan.only === undefined ? {} : { only: onlyEntry(plan.only) }),
    },
    hostTimeoutMs: plan.hostTimeoutMs,
    ...(plan.window === undefined ? {} : { window: plan.window.text }),
  };
}

function onlyEntry(only: KnownOpen): Record<string, string[]> {
  return Object.fromEntries([...only].map(([address, ports]) => [formatAddress(address), [...ports]]));
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
    window: windowText,
  } = entry as unknown as {
    run?: { seed: number; rate: number; ratePerNetwork: number; retries: number; coverage?: string; arguments: string[] };
    asked?: {
      ranges: string[];
      shard?: string;
      names: Record<string, string>;
      ports: string[];
      also?: string[];
      only?: Record<string, string[]>;
    };
    hostTimeoutMs?: number;
    window?: string;
  };
  if (ran === undefined || asked === undefined || hostTimeoutMs === undefined) throw bad('its run line does not say what was asked');
  const ranges = asked.ranges.map((text) => {
    const range = parseRange(text);
    if ('reason' in range) throw bad(`${text}: ${range.reason}`);
    return range;
  });
  const { ports, problems } = parsePorts(asked.ports.join(','));
  if (problems.length > 0) throw bad('its ports cannot be read');
  const also = parseAlso(asked.also ?? []);
  if (also.problems.length > 0) throw bad('it opts into a channel that this version does not know');
  const coverage = COVERAGES.find((one) => one === ran.coverage);
  if (ran.coverage !== undefined && coverage === undefined) throw bad('it covers its addresses in a way that this version does not know');
  const window = windowText === undefined ? undefined : parseWindow(windowText);
  if (window !== undefined && 'reason' in window) throw bad(window.reason);
  const names = new Map(
    Object.entries(asked.names).flatMap(([text, name]) => {
      const address = parseAddress(text);
      return address === undefined ? [] : [[address, name] as const];
    }),
  );
  const shard = asked.shard === undefined ? undefined : parseShard(asked.shard);
  if (asked.shard !== undefined && shard === undefined) throw bad(`"${asked.shard}" is no shard`);
  return {
    hosts: new HostSet(ranges, names, shard),
    ports,
    also: also.channels,
    hostTimeoutMs,
    seed: ran.seed,
    rate: ran.rate,
    ratePerNetwork: ran.ratePerNetwork,
    retries: ran.retries,
    ...(coverage === undefined ? {} : { coverage }),
    ...(asked.only === undefined ? {} : { only: onlyOf(asked.only) }),
    ...(window === undefined ? {} : { window }),
    arguments: ran.arguments,
  };
}

function onlyOf(only: Readonly<Record<string, readonly string[]>>): KnownOpen {
  return new Map(
    Object.entries(only).flatMap(([text, ports]) => {
      const address = parseAddress(text);
      return address === undefined ? [] : [[address, new Set(ports)] as const];
    }),
  );
}

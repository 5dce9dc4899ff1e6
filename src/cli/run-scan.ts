import { randomBytes } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { InputError, inputError, type Problem, problem, problemText, systemReason } from '../errors.ts';
import { deriveInventory } from '../inventory/derive.ts';
import { inventoryText, newestBeside, readInventory, writeWhole } from '../inventory/file.ts';
import type { Inventory } from '../inventory/schema.ts';
import type { Device } from '../devices/device.ts';
import { jsonDocument } from '../outputs/json.ts';
import { resumeScan, scan, type ScanPlan, type ScanProgress, type ScanResult } from '../scan/scan.ts';
import { planText } from '../outputs/plan.ts';
import { udpProbes } from '../probes/index.ts';
import { budgetFor } from '../sweep/budget.ts';
import { estimate } from '../sweep/cost.ts';
import { type Coverage, covered } from '../sweep/coverage.ts';
import { readNeighbours } from '../sweep/neighbour-table.ts';
import { RATE_PER_24, RATES } from '../sweep/rates.ts';
import { collectCredentials } from '../sweep/snmp/credential-sources.ts';
import type { SnmpCredentials } from '../sweep/snmp/credentials.ts';
import type { AddressRange } from '../targets/addresses.ts';
import { parseAlso, withAlso } from '../targets/also.ts';
import { Guard } from '../targets/guard.ts';
import { HostSet } from '../targets/hosts.ts';
import type { Shard } from '../targets/shard.ts';
import { knownOpen } from '../targets/known-open.ts';
import { DEFAULT_PORTS, parsePorts } from '../targets/ports.ts';
import { count } from '../text.ts';
import type { TimeWindow } from '../windows.ts';
import type { ApprovedOptions } from './approved-options.ts';
import { withoutSecrets } from './arguments.ts';
import { exitCode } from './exit.ts';
import { type Knowledge, loadKnowledge, ownNotes } from './knowledge.ts';
import { type Against, findingsOf, findingsText, readAgainst, sayOfFindings, sayOfList } from './findings.ts';
import { refuseToReplace } from './output.ts';
import { calledAs, type Format, type ProgressForm, reportFormat, terminalColumns, withExtension } from './options.ts';
import { printDevices } from './print-devices.ts';
import { clock, ProgressLine, ProgressLog } from './progress.ts';
import { type Hosts, readHosts, refusedBy } from './targets.ts';

export interface ScanCommandOptions extends ApprovedOptions {
  readonly inputList?: string[];
  readonly neighbours?: boolean;
  readonly exclude?: string[];
  readonly excludeFile?: string[];
  readonly ports: string;
  readonly also?: string[];
  readonly output?: string;
  readonly journal?: string;
  readonly policy?: string;
  readonly findings?: string;
  readonly failOn?: string;
  readonly previous?: string;
  readonly rate?: number;
  readonly ratePer24?: number;
  readonly polite?: boolean;
  readonly fast?: boolean;
  readonly retries: number;
  readonly coverage: Coverage;
  readonly dryRun?: boolean;
  readonly progress: ProgressForm;
  readonly hostTimeout: number;
  readonly window?: TimeWindow;
  readonly shard?: Shard;
  readonly seed?: number;
  readonly resume?: string;
  readonly snmpCommunity?: string[];
  readonly snmpUser?: string[];
  readonly snmpCredentials?: string;
  readonly audit?: string;
  readonly allowPublic?: boolean;
  readonly fingerprints?: string;
  readonly allowPath?: string[];
  readonly format: Format;
  readonly all?: boolean;
  readonly quiet?: boolean;
}

/** Bits of the endpoint numbering; more would not fit the tables of a sweep. */
const MAX_ENDPOINTS = 2 ** 32;

/** `kvmsweep scan`. @returns the exit code @throws {InputError} */
export async function runScan(words: readonly string[], options: ScanCommandOptions): Promise<number> {
  const guard = Guard.fromEnvironment({ allowPublic: options.allowPublic === true });
  const { credentials, notes } = collectCredentials(
    { communities: options.snmpCommunity, users: options.snmpUser, file: options.snmpCredentials },
    process.env,
  );
  if (options.quiet !== true) for (const note of notes) process.stderr.write(`note: ${note}\n`);
  const plan = options.resume === undefined ? await planScan(words, options, guard) : undefined;
  if (options.dryRun === true && plan !== undefined) {
    process.stdout.write(planText(plan, estimate(plan, udpProbes), budgetFor(plan.ports)));
    return exitCode({});
  }
  const files = outputFiles(options);
  return sweepAndReport({
    knowledge: loadKnowledge(options),
    guard,
    files,
    against: againstOf(options),
    previous: readPrevious(options, files.inventory),
    plan,
    credentials,
    audit: options.audit,
    print: options,
  });
}

/** A sweep from plan to report, as `scan` and `demo` run it. */
export interface SweepJob {
  readonly knowledge: Knowledge;
  readonly guard: Guard;
  readonly files: { readonly inventory: string; readonly journal: string };
  readonly against: Against | undefined;
  readonly previous: readonly Device[];
  /** Undefined: the journal is continued. */
  readonly plan: ScanPlan | undefined;
  readonly credentials?: SnmpCredentials;
  readonly audit?: string | undefined;
  readonly print: {
    readonly format: Format;
    readonly all?: boolean;
    readonly quiet?: boolean;
    /** A file for the findings, besides or instead of standard output. */
    readonly findings?: string;
    readonly failOn?: string;
    readonly progress?: ProgressForm;
  };
}

/** Sweeps, writes the inventory, prints devices and findings, says how complete it all is. @returns the exit code */
export async function sweepAndReport({
  knowledge,
  guard,
  files,
  against,
  previous,
  plan,
  credentials,
  audit,
  print,
}: SweepJob): Promise<number> {
  const say = (text: string): void => void (print.quiet === true || process.stderr.write(`${text}\n`));
  const progress = print.progress === 'json' ? new ProgressLog() : new ProgressLine({ quiet: print.quiet === true });
  const from = performance.now();
  using interrupt = new Interrupt();
  let result: ScanResult;
  try {
    const shared = {
      journal: files.journal,
      matcher: knowledge.matcher,
      guard,
      paths: knowledge.paths,
      credentials,
      audit,
      onNote: (text: string) => say(`note: ${text}`),
      signal: interrupt.signal,
      onProgress: (now: ScanProgress) => progress.show(now),
    };
    if (plan !== undefined)
      say(
        `sweeping ${count(plan.hosts.count, 'address', 'addresses')} at ${count(plan.ports.length, 'port')}, at most ${plan.rate.toLocaleString('en')} packets a second`,
      );
    result = plan === undefined ? await resumeScan(shared) : await scan(plan, shared);
  } finally {
    progress.end();
  }
  const { inventory, problems } = await deriveInventory(files.journal, knowledge.matcher, { previous, own: knowledge.own });
  for (const one of problems) process.stderr.write(`${problemText(one)}\n`);
  writeWhole(files.inventory, inventoryText(inventory));
  let failures = 0;
  if (against === undefined) printDevices(inventory.devices, print);
  else failures = printWithFindings(inventory, against, print);
  say(`\n${summary(result, inventory, performance.now() - from, files.inventory)}`);
  // Of a fault of ours the stack is in the inventory.
  for (const { text } of result.limitations) process.stderr.write(`incomplete: ${text.split('\n', 1)[0]}\n`);
  for (const note of [...ownNotes(knowledge), ...inventory.completeness.notes]) say(`note: ${note}`);
  say(`inventory: ${files.inventory}\njournal:   ${files.journal}${print.findings === undefined ? '' : `\nfindings:  ${print.findings}`}`);
  return exitCode({ interrupted: interrupt.signal.aborted, findings: failures > 0, incomplete: !result.complete });
}

/**
 * Devices and findings to standard output: one below the other for people; for programs as one JSON text, or as lines of two kinds. Where findings have
 * a file, programs get devices only. @returns how many findings --fail-on names
 */
function printWithFindings(inventory: Inventory, against: Against, print: SweepJob['print']): number {
  const { format, quiet = false } = print;
  sayOfList(against, quiet);
  const findings = findingsOf(inventory, against);
  if (print.findings !== undefined) writeWhole(print.findings, findingsText(findings, inventory, reportFormat(undefined, print.findings)));
  if (format === 'json' && print.findings === undefined) process.stdout.write(jsonDocument({ devices: inventory.devices, findings }));
  else {
    printDevices(inventory.devices, print);
    if (format === 'table') process.stdout.write('\n');
    if (format === 'table' || print.findings === undefined)
      process.stdout.write(findingsText(findings, inventory, format, terminalColumns()));
  }
  return sayOfFindings(findings, against, print);
}

/** Ctrl-C ends a sweep with a valid result; a second one ends the process. */
class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #onSignal = (): void => {
    if (this.signal.aborted) process.exit(exitCode({ interrupted: true }));
    this.#controller.abort();
    process.stderr.write('\nending: what was found is being written (again Ctrl-C: stop at once)\n');
  };
  constructor() {
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  [Symbol.dispose](): void {
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }
}

/** Targets, exclusions and ports as a plan; everything that is wrong with them is reported at once. */
async function planScan(words: readonly string[], options: ScanCommandOptions, guard: Guard): Promise<ScanPlan> {
  const say = (text: string): void => void (options.quiet === true || process.stderr.write(`${text}\n`));
  const problems: Problem[] = [];
  const wanted = await readHosts(words, options.inputList ?? [], problems, say);
  const near = options.neighbours === true ? await neighbourHosts(guard, problems, say) : [];
  const unwanted = await readHosts(options.exclude ?? [], options.excludeFile ?? [], problems, say);
  const named = parsePorts(options.ports);
  const also = parseAlso(options.also ?? []);
  const known = knownTargets(wanted.ranges, near, options, problems, say);
  const ports = covered(withAlso(known?.ports ?? named.ports, also.channels), options.coverage);
  problems.push(...named.problems, ...also.problems);
  if (words.length === 0 && options.inputList === undefined && options.neighbours !== true) problems.push(problem('no-targets', {}));
  const all = new HostSet([...wanted.ranges.map(({ range }) => range), ...near], wanted.names);
  const left = all.without(unwanted.ranges.map(({ range }) => range));
  const hosts = options.shard === undefined ? left : left.part(options.shard);
  // What is excluded need not pass the guard: `10.0.0.0/7 --exclude 11.0.0.0/8` is 10.0.0.0/8.
  problems.push(...refusedBy(guard, hosts, wanted));
  const only = known === undefined ? undefined : new Map([...known.open].filter(([address]) => hosts.indexOf(address) !== undefined));
  if (problems.length === 0 && hosts.count === 0) problems.push(problem('no-hosts-left', { excluded: all.count }));
  const endpoints = hosts.count * ports.length;
  if (endpoints > MAX_ENDPOINTS) problems.push(problem('too-many-endpoints', { endpoints }));
  if (problems.length > 0) throw new InputError(problems);
  return {
    hosts,
    ports,
    also: also.channels,
    seed: options.seed ?? randomBytes(4).readUInt32BE(),
    rate: options.rate ?? (options.polite === true ? RATES.polite : options.fast === true ? RATES.fast : RATES.normal),
    ratePerNetwork: options.ratePer24 ?? (options.fast === true ? RATES.fast : RATE_PER_24),
    retries: options.retries,
    ...(options.coverage === 'auto' ? {} : { coverage: options.coverage }),
    ...(only === undefined ? {} : { only }),
    ...(options.window === undefined ? {} : { window: options.window }),
    hostTimeoutMs: options.hostTimeout,
    arguments: withoutSecrets(process.argv.slice(2)),
  };
}

/** What is asked where the targets come with their ports, and -p names no others; undefined where none does. */
function knownTargets(
  ranges: Hosts['ranges'],
  near: readonly AddressRange[],
  { ports, coverage }: Pick<ScanCommandOptions, 'ports' | 'coverage'>,
  problems: Problem[],
  say: (text: string) => void,
): ReturnType<typeof knownOpen> | undefined {
  const targets = ranges.flatMap((one) => (one.ports === undefined ? [] : [{ ...one, ports: one.ports }]));
  if (targets.length === 0) return undefined;
  if (ports !== DEFAULT_PORTS) {
    say('note: the ports that the targets name are not used, because -p names others');
    return undefined;
  }
  const other = ranges.find((one) => one.ports === undefined);
  if (other !== undefined || near.length > 0)
    problems.push(problem('mixed-targets', { text: other?.text ?? '--neighbours' }, other?.place));
  if (coverage === 'life')
    problems.push(
      problem('bad-option', { option: '--coverage', text: coverage, reason: 'the targets name their ports, and all of those are asked' }),
    );
  const known = knownOpen(targets);
  problems.push(...known.problems);
  if (known.ports.length === 0 && known.problems.length === 0) problems.push(problem('no-known-ports', { unspoken: known.unspoken }));
  if (known.unspoken > 0)
    say(`note: ${count(known.unspoken, 'UDP endpoint')} left out, at ports whose protocol is not known (-p 1623/udp=ipmi asks them all)`);
  return known;
}

/** Whom this machine has resolved on its links, as far as the guard lets them be swept. */
async function neighbourHosts(guard: Guard, problems: Problem[], say: (text: string) => void): Promise<AddressRange[]> {
  const tables = await Promise.all([readNeighbours(4), readNeighbours(6)]);
  if (tables.every((table) => table === undefined)) problems.push(problem('no-neighbours', {}));
  const known = tables.flatMap((table) => (table ?? []).map(({ address }) => address));
  const allowed = known.filter((address) => guard.refusal(address) === undefined);
  if (allowed.length < known.length)
    say(`note: ${count(known.length - allowed.length, 'neighbour')} left out: the guard does not let them be swept`);
  if (tables[1] === undefined) say('note: this system does not tell its IPv6 neighbours');
  say(`${count(allowed.length, 'neighbour')} in the table of this machine`);
  return allowed.map((address) => ({ first: address, last: address }));
}

/** Read before the sweep: a mistake in a list, or in where the findings go, should not wait for the end of the night. */
function againstOf(options: ScanCommandOptions): Against | undefined {
  const { findings } = options;
  const against = readAgainst(options);
  refuseToReplace(findings, [...(options.approved ?? []), options.policy]);
  if (findings === undefined) return against;
  if (against === undefined)
    throw inputError('bad-option', { option: '--findings', text: findings, reason: 'there are findings only with --approved or --policy' });
  try {
    accessSync(dirname(resolve(findings)), constants.W_OK);
  } catch (error) {
    throw inputError('unwritable-file', { file: findings, reason: systemReason(error) });
  }
  return against;
}

function outputFiles({ output, journal, resume }: ScanCommandOptions): { inventory: string; journal: string } {
  if (resume !== undefined) return { journal: resume, inventory: output ?? withExtension(resume, '.json') };
  const inventory = output ?? `kvmsweep-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}Z.json`;
  return { inventory, journal: journal ?? withExtension(inventory, '.ndjson') };
}

function readPrevious({ previous }: ScanCommandOptions, output: string): readonly Device[] {
  if (previous !== undefined) return readInventory(previous).devices;
  const beside = newestBeside(output);
  if (beside === undefined) return [];
  try {
    return readInventory(beside).devices;
  } catch (error) {
    // A file of that name which is no inventory is none of ours; with --previous it would be an error.
    if (error instanceof InputError) return [];
    throw error;
  }
}

function summary({ ledger, complete }: ScanResult, { devices, unrecognised }: Inventory, ms: number, file: string): string {
  const { total, packets, alive } = ledger;
  const skipped = Object.entries(total.skipped).map(([why, number]) => `${number.toLocaleString('en')} skipped: ${why}`);
  return [
    `${count(devices.length, 'device')} among ${count(alive, 'living address', 'living addresses')}${unrecognised.length > 0 ? ` (${unrecognised.length.toLocaleString('en')} more answered and ${unrecognised.length === 1 ? 'is' : 'are'} not recognised: ${calledAs()} explain ${file})` : ''}, in ${clock(ms)}; ${complete ? 'complete' : 'INCOMPLETE'}`,
    `asked ${total.asked.toLocaleString('en')} of ${total.planned.toLocaleString('en')} endpoints with ${(packets.tcp + packets.udp).toLocaleString('en')} packets: ${[
      `${total.answered.toLocaleString('en')} answered`,
      `${total.refused.toLocaleString('en')} refused`,
      `${total.silent.toLocaleString('en')} silent`,
      ...(total.unreachable > 0 ? [`${total.unreachable.toLocaleString('en')} unreachable`] : []),
      ...(total.givenUp > 0 ? [`${total.givenUp.toLocaleString('en')} given up`] : []),
      ...(total.lost > 0 ? [`${total.lost.toLocaleString('en')} lost here`] : []),
      ...skipped,
    ].join(', ')}`,
  ].join('\n');
}

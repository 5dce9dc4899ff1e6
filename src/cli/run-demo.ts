import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inputError, systemReason } from '../errors.ts';
import { DEMO_TARGETS, demoApproved, demoPlacements, FLEET_PORTS, portsFrom, portsOption, startFleet } from '../fleet/index.ts';
import { writeWhole } from '../inventory/file.ts';
import { RATES } from '../sweep/rates.ts';
import { Guard } from '../targets/guard.ts';
import { HostSet } from '../targets/hosts.ts';
import { parseTargets } from '../targets/parse.ts';
import { parsePorts } from '../targets/ports.ts';
import { readAgainst } from './findings.ts';
import { loadKnowledge } from './knowledge.ts';
import { calledAs, type Format } from './options.ts';
import { sweepAndReport } from './run-scan.ts';

export interface DemoOptions {
  readonly out: string;
  readonly portBase?: number;
  readonly format: Format;
  readonly failOn?: string;
  readonly quiet?: boolean;
}

const LOOPBACK = '127.0.0.0/8';
/** The order of the demo's sweep: any would do, the same one each time is easier to talk about. */
const SEED = 20_261_122;

/** `kvmsweep demo`. @returns the exit code @throws {InputError} */
export async function runDemo({ out, portBase, ...print }: DemoOptions): Promise<number> {
  const files = { inventory: join(out, 'inventory.json'), journal: join(out, 'journal.ndjson'), approved: join(out, 'approved.csv') };
  refuseForeign(files);
  try {
    mkdirSync(out, { recursive: true });
    for (const file of Object.values(files)) rmSync(file, { force: true });
  } catch (error) {
    throw inputError('unwritable-file', { file: out, reason: systemReason(error) });
  }
  writeWhole(files.approved, demoApproved());
  const ports = portBase === undefined ? FLEET_PORTS : portsFrom(portBase);
  const fleet = await startFleet(demoPlacements(), { ports });
  if (print.quiet !== true) process.stderr.write(`${fleet.hosts.length} simulated devices listen on ${DEMO_TARGETS}\n`);
  try {
    const { ranges } = parseTargets([{ text: DEMO_TARGETS, place: {} }]);
    return await sweepAndReport({
      knowledge: loadKnowledge(),
      // Nothing of a demo leaves this machine, whatever else is allowed.
      guard: new Guard({ only: process.env['KVMSWEEP_ONLY'] ?? LOOPBACK }),
      files,
      against: readAgainst({ approved: [files.approved], ...(print.failOn === undefined ? {} : { failOn: print.failOn }) }),
      previous: [],
      plan: {
        hosts: new HostSet(ranges.map(({ range }) => range)),
        ports: parsePorts(portsOption(ports)).ports,
        seed: SEED,
        rate: RATES.normal,
        ratePerNetwork: RATES.normal,
        retries: 1,
        hostTimeoutMs: 60_000,
        arguments: ['demo'],
      },
      print,
    });
  } finally {
    await fleet.stop();
    if (print.quiet !== true)
      process.stderr.write(
        `approved:  ${files.approved}\n\nnext: ${calledAs()} explain ${files.inventory}\n      ${calledAs()} report ${files.inventory} --approved ${files.approved}\n`,
      );
  }
}

/** A demo takes away what the one before left, and nothing else: the folder may be one of real sweeps. @throws {InputError} */
function refuseForeign(files: { readonly inventory: string; readonly journal: string; readonly approved: string }): void {
  const isOfDemo = [files.inventory, files.journal].some((file) =>
    /"arguments":\s*\[\s*"demo"\s*\]/.test(textOf(file)?.slice(0, HEAD) ?? ''),
  );
  const foreign = Object.values(files).find((file) => textOf(file) !== undefined && !isOfDemo && textOf(file) !== demoApproved());
  if (foreign !== undefined) throw inputError('file-exists', { file: foreign });
}

/** Characters of an inventory or a journal within which it says how it was made. */
const HEAD = 4096;

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // not there; what else is wrong with it is told when it is written
  }
}

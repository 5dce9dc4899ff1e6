// The sweep against nmap, masscan, C, and its own thirteen targets, in network namespaces with real servers: `npm run -s bench:sweep`. It is root, the product nobody.
// Tables in Markdown go to standard output, what is running to standard error. How to read them: docs/performance.md.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { REAL } from '../tests/real/lab.ts';
import { type Table, tableText, type Target, targetsTable } from './sweep/report.ts';
import { type Mode, QUICK, type SectionName, SECTIONS } from './sweep/sections.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    'loss-sweeps': { type: 'string' },
    'without-typed': { type: 'boolean', default: false },
    output: { type: 'string', short: 'o' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const names = Object.keys(SECTIONS) as SectionName[];
if (values.help) {
  console.log(`bench:sweep [--quick] [--only ${names.join(',')}] [--rounds 3] [--loss-sweeps 20] [--without-typed] [-o FILE.json]

--quick          one round, the sections that fit into three minutes
--only           these sections
--rounds         how often each command is run (3)
--loss-sweeps    how many sweeps of the way that loses packets (20)
--without-typed  leave nmap out as it is typed, which takes most of a section's time
-o               all figures as JSON too`);
  process.exit();
}
if (REAL.skip) process.exit(2);

const chosen = values.only?.split(',') ?? (values.quick ? QUICK : names);
const unknown = chosen.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) {
  console.error(`no section ${unknown.join(', ')}: there are ${names.join(', ')}`);
  process.exit(2);
}
const hasMasscan = spawnSync('masscan', ['--version']).error === undefined;
if (!hasMasscan) console.error('masscan is not installed: it is left out');
const mode: Mode = {
  rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
  quick: values.quick,
  withTyped: !values['without-typed'],
  withMasscan: hasMasscan,
  lossSweeps: Number(values['loss-sweeps'] ?? 20),
};

const version = (command: string): string =>
  /[\d.]+/.exec(spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[0] ?? 'none';
const load = (): string =>
  loadavg()
    .map((one) => one.toFixed(2))
    .join(' ');
const machine = {
  at: new Date().toISOString(),
  processors: cpus().length,
  model: cpus()[0]?.model ?? 'unknown',
  kernel: release(),
  node: process.version,
  nmap: version('nmap'),
  masscan: hasMasscan ? version('masscan') : 'none',
  loadBefore: load(),
};
console.log(
  `${machine.at.slice(0, 10)}: ${machine.processors} x ${machine.model}, Linux ${machine.kernel}, Node.js ${machine.node}, nmap ${machine.nmap}, masscan ${machine.masscan}; load before ${machine.loadBefore} (what else runs on the machine is in the figures); ${mode.rounds} ${mode.rounds === 1 ? 'round' : 'rounds'}\n`,
);

const tables: Table[] = [];
const targets: Target[] = [];
for (const name of chosen as SectionName[]) {
  console.error(`${name} (load ${load()})`);
  const from = performance.now();
  const section = await SECTIONS[name](mode);
  console.error(`${name}: ${Math.round((performance.now() - from) / 1000)} s`);
  tables.push(...section.tables);
  targets.push(...section.targets);
  for (const table of section.tables) console.log(tableText(table));
}
console.log(tableText(targetsTable(targets)));
if (values.output !== undefined) writeFileSync(values.output, `${JSON.stringify({ machine, mode, tables, targets }, undefined, 2)}\n`);

import { type Command, Option } from 'commander';
import { FORMATS, wholeNumber } from './options.ts';
import type { DemoOptions } from './run-demo.ts';

export function register(program: Command): void {
  program
    .command('demo')
    .summary('sweep a simulated fleet on this machine')
    .description(
      'Starts simulated devices on loopback addresses (127.77.0.0/24, no privilege needed), sweeps them, reconciles them with a bundled approved list\nand leaves inventory.json, journal.ndjson and approved.csv in a folder. What is in there of an earlier demo is replaced.',
    )
    .option('--out <folder>', 'where the files go', 'kvmsweep-demo')
    .option('--port-base <port>', 'let the fleet listen on this port and the next ones', wholeNumber(1024, 65_000))
    .addOption(new Option('--format <format>', 'what goes to standard output').choices(FORMATS).default('table'))
    .option('--fail-on <states>', 'exit with 1 on these findings: unapproved,impostor,… or severity>=high')
    .option('-q, --quiet', 'no progress, no notes')
    .addHelpText('after', '\nExample:\n  kvmsweep demo --out /tmp/demo')
    .action(async (options: DemoOptions) => {
      const { runDemo } = await import('./run-demo.ts');
      process.exitCode = await runDemo(options);
    });
}

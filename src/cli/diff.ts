import { type Command, Option } from 'commander';
import { FORMATS, type Format } from './options.ts';

export function register(program: Command): void {
  program
    .command('diff')
    .summary('what changed between two inventories')
    .description('Devices that appeared, are gone (only if they were asked again), moved or changed. Exit code 1 where anything did.')
    .argument('<old>', 'the earlier inventory')
    .argument('<new>', 'the later inventory')
    .addOption(new Option('--format <format>', 'what goes to standard output').choices(FORMATS).default('table'))
    .addHelpText('after', '\nExample:\n  kvmsweep diff monday.json tuesday.json')
    .action(async (before: string, after: string, { format }: { format: Format }) => {
      const [{ readInventory }, { changesBetween }, { changeTable }, { jsonDocument, jsonLines }, { EXIT }, { terminalColumns }] =
        await Promise.all([
          import('../inventory/file.ts'),
          import('../inventory/changes.ts'),
          import('../outputs/changes.ts'),
          import('../outputs/json.ts'),
          import('./exit.ts'),
          import('./options.ts'),
        ]);
      const changes = changesBetween(readInventory(before), readInventory(after));
      if (format === 'ndjson') process.stdout.write(jsonLines(changes));
      else if (format === 'json') process.stdout.write(jsonDocument(changes));
      else process.stdout.write(changes.length === 0 ? 'nothing changed\n' : `${changeTable(changes, terminalColumns())}\n`);
      process.exitCode = changes.length > 0 ? EXIT.findings : EXIT.done;
    });
}

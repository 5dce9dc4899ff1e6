import type { Command } from 'commander';
import { withReportOptions } from './options.ts';
import type { DiffOptions } from './run-diff.ts';

export function register(program: Command): void {
  withReportOptions(
    program
      .command('diff')
      .summary('what changed between two inventories')
      .description(
        'Devices that appeared, are gone (only if they were asked again), moved or changed. Exit code 1 where anything did;\nthat a device was not asked again is told, and is no change.',
      )
      .argument('<old>', 'the earlier inventory')
      .argument('<new>', 'the later inventory'),
  )
    .addHelpText(
      'after',
      `
Examples:
  kvmsweep diff monday.json tuesday.json
  kvmsweep diff monday.json tuesday.json -o changes.md
  kvmsweep diff monday.json tuesday.json --format json | jq '.[] | select(any(.changes[]; .what == "version"))'`,
    )
    .action(async (before: string, after: string, options: DiffOptions) => {
      const { runDiff } = await import('./run-diff.ts');
      process.exitCode = runDiff(before, after, options);
    });
}

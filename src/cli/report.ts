import type { Command } from 'commander';
import { approvedOption, dateFormatOption, mapOption } from './approved-options.ts';
import { wholeNumber } from './options.ts';
import type { ReportCommandOptions } from './run-report.ts';

export function register(program: Command): void {
  program
    .command('report')
    .summary('an inventory as a page to look at')
    .description(
      'Writes one self-contained HTML file: what was found and where, what nobody approved, what is new, how completely it was asked,\nand for each device how that is known. It opens without a network, and runs nothing but its own script.',
    )
    .argument('<inventory>', 'an inventory that scan or identify wrote')
    .option('--against <old>', 'an earlier inventory: what is new, gone or changed since')
    .addOption(approvedOption('approved assets: what nobody approved'))
    .addOption(mapOption())
    .addOption(dateFormatOption())
    .option('--policy <file>', 'where devices of some classes may be: what is in the wrong network (docs/reconcile.md)')
    .option('--expiring-within <days>', 'call an approval expiring so many days before its end (default: 30)', wholeNumber(0, 3650))
    .option('-o, --output <file>', 'where it is written (default: beside the inventory, .html)')
    .option('-q, --quiet', 'no notes')
    .addHelpText(
      'after',
      `
Examples:
  kvmsweep report monday.json
  kvmsweep report tuesday.json --against monday.json --approved approved.csv -o tuesday.html`,
    )
    .action(async (file: string, options: ReportCommandOptions) => {
      const { runReport } = await import('./run-report.ts');
      process.exitCode = runReport(file, options);
    });
}

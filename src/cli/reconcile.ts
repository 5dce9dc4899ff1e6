import type { Command } from 'commander';
import { approvedOption, dateFormatOption, mapOption } from './approved-options.ts';
import { wholeNumber, withReportOptions } from './options.ts';
import type { ReconcileCommandOptions } from './run-reconcile.ts';

export function register(program: Command): void {
  withReportOptions(
    program
      .command('reconcile')
      .summary('hold an inventory against the approved list, and against where devices may be')
      .description(
        'Says of every device and every approved asset what the other side knows of it: approved, unapproved, missing, changed, moved, impostor …,\nand which devices are in a network where the policy does not let them be.',
      )
      .argument('<inventory>', 'an inventory that scan or identify wrote')
      .addOption(approvedOption('approved assets'))
      .addOption(mapOption())
      .addOption(dateFormatOption())
      .option('--policy <file>', 'where devices of some classes may be: YAML (docs/reconcile.md)')
      .option('--fail-on <states>', 'exit with 1 on these findings: unapproved,impostor,… or severity>=high')
      .option('--expiring-within <days>', 'call an approval expiring so many days before its end (default: 30)', wholeNumber(0, 3650)),
  )
    .option('-q, --quiet', 'no notes')
    .addHelpText(
      'after',
      `
Examples:
  kvmsweep reconcile monday.json --approved approved.csv
  kvmsweep reconcile monday.json --approved devices.json --approved interfaces.json --approved rules.yaml
  kvmsweep reconcile monday.json --approved assets.csv --map mac="NIC 1" --date-format DD/MM/YYYY
  kvmsweep reconcile monday.json --approved approved.csv --policy networks.yaml -o ticket.md
  kvmsweep reconcile monday.json --approved approved.csv --fail-on unapproved,impostor --format ndjson`,
    )
    .action(async (file: string, options: ReconcileCommandOptions) => {
      const { runReconcile } = await import('./run-reconcile.ts');
      process.exitCode = runReconcile(file, options);
    });
}

import { type Command, Option } from 'commander';
import { FORMATS, type Format, wholeNumber } from './options.ts';

export function register(program: Command): void {
  program
    .command('reconcile')
    .summary('hold an inventory against the approved list')
    .description(
      'Says of every device and every approved asset what the other side knows of it: approved, unapproved, missing, changed, moved, impostor …',
    )
    .argument('<inventory>', 'an inventory that scan or identify wrote')
    .requiredOption('--approved <file>', 'approved assets: CSV (headings are recognised) or JSON')
    .option('--fail-on <states>', 'exit with 1 on these findings: unapproved,impostor,… or severity>=high')
    .option('--expiring-within <days>', 'call an approval expiring so many days before its end', wholeNumber(0, 3650), 30)
    .addOption(new Option('--format <format>', 'what goes to standard output').choices(FORMATS).default('table'))
    .option('-q, --quiet', 'no notes')
    .addHelpText(
      'after',
      `
Examples:
  kvmsweep reconcile monday.json --approved approved.csv
  kvmsweep reconcile monday.json --approved approved.csv --fail-on unapproved,impostor --format ndjson`,
    )
    .action(
      async (file: string, options: { approved: string; failOn?: string; expiringWithin: number; format: Format; quiet?: boolean }) => {
        const [{ readInventory }, { failing, readApproved }, { reconcileAndPrint }, { exitCode }] = await Promise.all([
          import('../inventory/file.ts'),
          import('../reconcile/index.ts'),
          import('./findings.ts'),
          import('./exit.ts'),
        ]);
        if (options.failOn !== undefined) failing([], options.failOn);
        const inventory = readInventory(file);
        const failed = reconcileAndPrint(inventory, readApproved(options.approved), options);
        if (!inventory.completeness.complete)
          for (const { text } of inventory.completeness.limitations) process.stderr.write(`incomplete: ${text}\n`);
        process.exitCode = exitCode({ findings: failed > 0, incomplete: !inventory.completeness.complete });
      },
    );
}

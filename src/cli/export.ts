import { type Command, Option } from 'commander';
import { approvedOption, dateFormatOption, mapOption } from './approved-options.ts';
import { SUMMARIES } from '../outputs/formats/summaries.ts';
import { wholeNumber } from './options.ts';
import type { ExportOptions } from './run-export.ts';

export function register(program: Command): void {
  program
    .command('export')
    .summary('write an inventory in the form that another system reads')
    .description('Writes an inventory, and what came of holding it against approved assets, in the form that another system reads.')
    .argument('<inventory>', 'an inventory that scan or identify wrote')
    .addOption(new Option('--to <format>', 'the form, one of those below').makeOptionMandatory())
    .option('--out <path>', 'where it is written (default: standard output)')
    .addOption(approvedOption('export what comes of approved assets too'))
    .addOption(mapOption())
    .addOption(dateFormatOption())
    .option('--policy <file>', 'where devices of some classes may be (YAML): findings too')
    .option('--expiring-within <days>', 'call an approval expiring so many days before its end (default: 30)', wholeNumber(0, 3650))
    .option('--state <file>', 'sentinel: what earlier bundles have told (default: state.json in the folder)')
    .option('--admin-subnets <file>', 'sentinel: the networks of administrators, as CSV (network, zone, purpose) or one a line')
    .option('--full', 'sentinel: write every row again, not only what changed')
    .option('-q, --quiet', 'no notes')
    .addHelpText(
      'after',
      `
Forms (docs/formats.md: who reads each, and what it leaves out):
${Object.entries(SUMMARIES)
  .map(([name, summary]) => `  ${name.padEnd(12)}${summary}`)
  .join('\n')}

Examples:
  kvmsweep export monday.json --to csv --out monday.csv --approved approved.csv
  kvmsweep export monday.json --to nmap-xml --out monday.xml
  kvmsweep export monday.json --to sentinel --out sentinel --approved approved.csv   a folder with its README (docs/sentinel.md)`,
    )
    .action(async (file: string, options: ExportOptions) => {
      if (options.to === 'sentinel') {
        const { exportSentinel } = await import('./export-sentinel.ts');
        exportSentinel(file, options);
        return;
      }
      const { runExport } = await import('./run-export.ts');
      runExport(file, options);
    });
}

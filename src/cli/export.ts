import { type Command, Option } from 'commander';
import { SUMMARIES } from '../outputs/formats/summaries.ts';
import { wholeNumber } from './options.ts';

/** What `export` was told. */
export interface ExportOptions {
  readonly to: string;
  readonly out?: string;
  readonly approved?: string;
  readonly expiringWithin: number;
  readonly quiet?: boolean;
}

export function register(program: Command): void {
  program
    .command('export')
    .summary('write an inventory in the form that another system reads')
    .description('Writes an inventory, and what came of holding it against approved assets, in the form that another system reads.')
    .argument('<inventory>', 'an inventory that scan or identify wrote')
    .addOption(new Option('--to <format>', 'the form, one of those below').makeOptionMandatory())
    .option('--out <path>', 'where it is written (default: standard output)')
    .option('--approved <file>', 'approved assets: the findings are exported too')
    .option('--expiring-within <days>', 'call an approval expiring so many days before its end', wholeNumber(0, 3650), 30)
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
  kvmsweep export monday.json --to nmap-xml --out monday.xml`,
    )
    .action(async (file: string, options: ExportOptions) => {
      const { runExport } = await import('./run-export.ts');
      runExport(file, options);
    });
}

import { type Command, Option } from 'commander';
import { type ApprovedOptions, approvedOption, dateFormatOption, mapOption } from './approved-options.ts';
import { wholeNumber } from './options.ts';

/** What `export` was told. */
export interface ExportOptions extends ApprovedOptions {
  readonly to: string;
  readonly out?: string;
  readonly policy?: string;
  readonly expiringWithin: number;
  readonly quiet?: boolean;
}

export function register(program: Command): void {
  program
    .command('export')
    .summary('write an inventory in the form that another system reads')
    .description('Writes an inventory, and what came of holding it against approved assets, in the form that another system reads.')
    .argument('<inventory>', 'an inventory that scan or identify wrote')
    .addOption(new Option('--to <format>', 'the form').makeOptionMandatory())
    .option('--out <path>', 'where it is written (default: standard output)')
    .addOption(approvedOption('export what comes of approved assets too'))
    .addOption(mapOption())
    .addOption(dateFormatOption())
    .option('--policy <file>', 'where devices of some classes may be (YAML): findings too')
    .option('--expiring-within <days>', 'call an approval expiring so many days before its end', wholeNumber(0, 3650), 30)
    .option('-q, --quiet', 'no notes')
    .action(async (file: string, options: ExportOptions) => {
      const { runExport } = await import('./run-export.ts');
      runExport(file, options);
    });
}

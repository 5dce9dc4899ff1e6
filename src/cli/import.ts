import type { Command } from 'commander';
import type { ImportOptions } from './run-import.ts';

export function register(program: Command): void {
  program
    .command('import')
    .summary("read other scanners' files as observations, without sending anything")
    .description(
      'Reads what nmap (-oX) and masscan (-oJ, -oD, -oL, -oX) found and writes it as observations, which identify names devices by.\nOnly what a device itself said becomes a fact. Sends nothing. docs/import.md says what is taken from each.',
    )
    .argument('<files...>', 'files of one scanner or of several; - for standard input')
    .requiredOption('-o, --output <file>', 'where the observations go; - for standard output')
    .option('-q, --quiet', 'no counts')
    .addHelpText(
      'after',
      `
Examples:
  nmap -sV --script http-title,http-server-header,ssl-cert,banner,vnc-info -oX scan.xml 10.20.0.0/24
  kvmsweep import scan.xml -o scan.ndjson && kvmsweep identify scan.ndjson
  kvmsweep scan -iL scan.xml          ask the open ports of that scan, and no others`,
    )
    .action(async (files: string[], options: ImportOptions) => {
      const { runImport } = await import('./run-import.ts');
      await runImport(files, options);
    });
}

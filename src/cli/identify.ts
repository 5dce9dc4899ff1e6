import { type Command, Option } from 'commander';
import { collect, FORMATS, type Format } from './options.ts';

export interface IdentifyOptions {
  readonly format: Format;
  readonly output?: string;
  readonly previous?: string;
  readonly fingerprints?: string;
  readonly allowPath?: string[];
  readonly all?: boolean;
}

export function register(program: Command): void {
  program
    .command('identify')
    .summary('name the devices of a journal or of observations, without sending anything')
    .description(
      'Matches observations (a journal, or lines of JSON with host, probe and facts) with the fingerprints of today. Sends nothing.',
    )
    .argument(
      '<files...>',
      'a journal, the journals of all shards of a sweep (scan --shard), or files of observations; - for standard input',
    )
    .addOption(new Option('--format <format>', 'what goes to standard output').choices(FORMATS).default('table'))
    .option('-o, --output <file>', 'write an inventory')
    .option('--previous <file>', 'carry device keys on from this inventory')
    .option('--fingerprints <folder>', 'add or override fingerprints with your own')
    .option('--allow-path <path>', 'let your own fingerprints ask for this path', collect)
    .option('--all', 'list software that only looks like hardware too (VNC servers)')
    .addHelpText(
      'after',
      `
Examples:
  kvmsweep identify kvmsweep-2026-11-22T20-00-00Z.ndjson -o again.json
  kvmsweep identify shard-*.ndjson -o whole.json
  echo '{"host":"192.0.2.10","probe":"https","facts":{"http.title":"PiKVM Login"}}' | kvmsweep identify - --format ndjson`,
    )
    .action(async (files: string[], options: IdentifyOptions) => {
      const [
        { deriveInventory },
        { inventoryText, readInventory, writeWhole },
        { loadKnowledge, ownNotes },
        { printDevices },
        { refuseToReplace },
        { problemText },
      ] = await Promise.all([
        import('../inventory/derive.ts'),
        import('../inventory/file.ts'),
        import('./knowledge.ts'),
        import('./print-devices.ts'),
        import('./output.ts'),
        import('../errors.ts'),
      ]);
      refuseToReplace(options.output, files);
      const previous = options.previous === undefined ? [] : readInventory(options.previous).devices;
      const knowledge = loadKnowledge(options);
      const { inventory, problems, observations } = await deriveInventory(files, knowledge.matcher, { previous, own: knowledge.own });
      for (const one of problems) process.stderr.write(`${problemText(one)}\n`);
      if (options.output !== undefined) writeWhole(options.output, inventoryText(inventory));
      printDevices(inventory.devices, options);
      for (const note of ownNotes(knowledge)) process.stderr.write(`note: ${note}\n`);
      process.stderr.write(
        `${observations} observations, ${inventory.devices.length} devices${problems.length > 0 ? `, ${problems.length} lines left out` : ''}\n`,
      );
    });
}

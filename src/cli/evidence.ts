import { type Command, Option } from 'commander';
import { FORMATS } from './options.ts';
import type { EvidenceOptions } from './run-evidence.ts';

export function register(program: Command): void {
  program
    .command('evidence')
    .summary('find KVMs by what computers export of their USB devices and displays, without sending anything')
    .description(
      'Reads what computers export of themselves (Get-PnpDevice, WmiMonitorID, Defender events, event 6416, Intune, lsusb, udevadm, EDIDs, system_profiler,\nosquery) and finds the KVMs that are plugged into them. Sends nothing. docs/evidence.md has a command for each export.',
    )
    .argument('<files...>', 'exports, of one computer or of many; - for standard input')
    .option('--host <name>', 'the computer, where an export does not name it (lsusb, udevadm, EDID)')
    .addOption(new Option('--format <format>', 'what goes to standard output').choices(FORMATS).default('table'))
    .option('-o, --output <file>', 'write an inventory')
    .option('--observations <file>', 'write the observations, for identify')
    .option('--inventory <file>', 'add to this inventory of a sweep; what is on both sides and tied by a serial number or MAC is one')
    .option('--previous <file>', 'carry device keys on from this inventory')
    .option('--fingerprints <folder>', 'add or override fingerprints with your own')
    .option('--all', 'list software that only looks like hardware too')
    .addHelpText(
      'after',
      `
Examples:
  kvmsweep evidence pnp.csv -o attached.json
  lsusb -v 2>/dev/null | kvmsweep evidence - --host ws-0042
  kvmsweep evidence osqueryd.snapshots.log hunting.csv --format ndjson`,
    )
    .action(async (files: string[], options: EvidenceOptions) => {
      const { runEvidence } = await import('./run-evidence.ts');
      await runEvidence(files, options);
    });
}

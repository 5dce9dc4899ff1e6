import { type Command, Option } from 'commander';
import { LEAST_HOSTS, VNC_RULES } from '../scan/expected.ts';
import type { ValidateCommandOptions } from './run-validate.ts';

export function register(program: Command): void {
  const validate = program
    .command('validate')
    .summary('make the signal that a detection rule looks for, against your own hosts')
    .description(
      'Makes the real signal that a detection rule looks for, against hosts of your own, and says what should be seen where (docs/validate.md).\nIt finds no devices: that is what scan does.',
    );
  withOptions(
    validate
      .command('ipmi')
      .summary('send RMCP presence pings over UDP 623')
      .description('Sends an RMCP presence ping (UDP 623) to each host, twice where none answers. No session is opened.')
      .argument('<hosts...>', 'addresses, blocks, ranges or names; at most 64'),
    '\nExample:\n  kvmsweep validate ipmi 10.9.0.10 10.9.0.11',
  ).action(async (hosts: string[], options: ValidateCommandOptions) => {
    const { validateIpmi } = await import('./run-validate.ts');
    await validateIpmi(hosts, options);
  });
  withOptions(
    validate
      .command('vnc')
      .summary('read the VNC greeting of five hosts or more')
      .description('Connects to TCP 5900 of each host once, within a minute, reads the greeting, says nothing and hangs up.')
      .argument('<hosts...>', 'addresses, blocks, ranges or names; at most 64')
      .addOption(
        new Option('--rule <rule>', `what it is for; ${VNC_RULES.map((rule) => `${rule} needs ${LEAST_HOSTS[rule]}`).join(', ')}`)
          .choices(VNC_RULES)
          .default(VNC_RULES[0]),
      ),
    '\nExamples:\n  kvmsweep validate vnc 10.20.0.10-14\n  kvmsweep validate vnc 10.20.0.10 --rule connection-to-unapproved-device',
  ).action(async (hosts: string[], options: ValidateCommandOptions) => {
    const { validateVnc } = await import('./run-validate.ts');
    await validateVnc(hosts, options);
  });
  validate
    .command('usb')
    .summary('say what the USB rule looks for, and look at the list of this computer')
    .description('Reads the list of USB devices of this computer (Linux), or says how to get it (Windows, macOS). Changes nothing.')
    .addOption(formatOption())
    .addHelpText('after', '\nExample:\n  kvmsweep validate usb')
    .action(async (options: Pick<ValidateCommandOptions, 'format'>) => {
      const { validateUsb } = await import('./run-validate.ts');
      validateUsb(options);
    });
}

function formatOption(): Option {
  return new Option('--format <format>', 'what goes to standard output').choices(['table', 'json']).default('table');
}

function withOptions(command: Command, examples: string): Command {
  return command
    .option('--audit <file>', 'log every connection and every byte that is sent')
    .option('--allow-public', 'public addresses too: yours, that is')
    .addOption(formatOption())
    .addHelpText('after', examples);
}

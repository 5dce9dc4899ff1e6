import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Observation } from '../observations/observation.ts';
import { withExtension } from './options.ts';

export function register(program: Command): void {
  program
    .command('explain')
    .summary('why a device was named, and what can be sent')
    .description(
      'Explains one device of an inventory: what it showed, which rules held, what else it could be. Of an address that answered and is not recognised: what it said, by the journal. With --wire: every byte that kvmsweep can send.',
    )
    .argument('[inventory]', 'an inventory')
    .argument('[address]', 'an address or a device key in it; all devices where left out')
    .option('--journal <file>', 'the journal of the inventory (default: the one beside it, where there is one)')
    .option('--wire', 'print everything that can be sent')
    .addHelpText('after', '\nExamples:\n  kvmsweep explain monday.json 10.20.0.17\n  kvmsweep explain --wire')
    .action(
      async (
        file: string | undefined,
        address: string | undefined,
        { wire = false, journal }: { wire?: boolean; journal?: string },
        command: Command,
      ) => {
        if (wire) {
          const [{ wireText }, { clientHello }] = await Promise.all([import('../outputs/wire.ts'), import('../sweep/client-hello.ts')]);
          process.stdout.write(wireText(await clientHello()));
          return;
        }
        if (file === undefined) {
          command.help({ error: true });
          return;
        }
        const [{ readInventory }, { deviceText, unrecognisedText }, { inputError }] = await Promise.all([
          import('../inventory/file.ts'),
          import('../outputs/explain.ts'),
          import('../errors.ts'),
        ]);
        const { devices, asked, unrecognised } = readInventory(file);
        if (address === undefined) {
          const texts = [...devices.map((device) => deviceText(device, asked)), ...unrecognised.map((one) => unrecognisedText(one))];
          process.stdout.write(texts.join('\n'));
          return;
        }
        const chosen = devices.filter(({ addresses, deviceKey }) => addresses.includes(address) || deviceKey === address);
        const unknown = unrecognised.find(({ host }) => host === address);
        if (chosen.length === 0 && unknown === undefined) throw inputError('no-such-device', { address, file });
        const said = unknown === undefined ? [] : await saidBy(address, journal ?? journalBeside(file));
        process.stdout.write(
          [...chosen.map((device) => deviceText(device, asked)), ...(unknown === undefined ? [] : [unrecognisedText(unknown, said)])].join(
            '\n',
          ),
        );
      },
    );
}

/** What one address said, in its own order; nothing where there is no journal. */
async function saidBy(host: string, journal: string | undefined): Promise<Observation[]> {
  if (journal === undefined) return [];
  const { indexObservations } = await import('../observations/read.ts');
  const index = await indexObservations(journal);
  try {
    return index.of(host);
  } finally {
    index.close();
  }
}

/** The journal of an inventory: what a sweep names after it, or the demo leaves with it. */
function journalBeside(inventory: string): string | undefined {
  return [withExtension(inventory, '.ndjson'), join(dirname(inventory), 'journal.ndjson')].find((file) => existsSync(file));
}

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import type { Device } from '../devices/device.ts';
import type { Against } from '../fingerprints/match.ts';
import type { Observation } from '../observations/observation.ts';
import type { Account } from '../outputs/explain.ts';
import { withExtension } from './options.ts';

interface ExplainOptions {
  readonly wire?: boolean;
  readonly journal?: string;
  readonly fingerprints?: string;
}

export function register(program: Command): void {
  program
    .command('explain')
    .summary('why a device was named, and what can be sent')
    .description(
      'Explains one device of an inventory: what it showed, which rules held, what else it could be. Of an address that answered and is not recognised: what it said, by the journal. With --wire: every byte that kvmsweep can send.',
    )
    .argument('[inventory]', 'an inventory')
    .argument('[address]', 'an address, a device key, or a computer that something is attached to; all devices where left out')
    .option('--journal <file>', 'the journal of the inventory (default: the one beside it, where there is one)')
    .option('--fingerprints <folder>', 'add or override fingerprints with your own')
    .option('--wire', 'print everything that can be sent')
    .addHelpText(
      'after',
      '\nExamples:\n  kvmsweep explain monday.json 10.20.0.17\n  kvmsweep explain attached.json WS-0042\n  kvmsweep explain --wire',
    )
    .action(
      async (
        file: string | undefined,
        address: string | undefined,
        { wire = false, journal, fingerprints }: ExplainOptions,
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
        const computer = address.toLowerCase();
        const chosen = devices.filter(
          ({ addresses, attachedTo, deviceKey }) =>
            addresses.includes(address) || deviceKey === address || attachedTo?.some((one) => one.computer === computer),
        );
        const unknown = unrecognised.find(({ host }) => host === address);
        if (chosen.length === 0 && unknown === undefined) throw inputError('no-such-device', { address, file });
        const found = journal ?? journalBeside(file);
        const texts: string[] = [];
        for (const device of chosen)
          texts.push(deviceText(device, asked, found === undefined ? undefined : await accountOf(device, found, fingerprints)));
        if (unknown !== undefined) texts.push(unrecognisedText(unknown, found === undefined ? [] : await saidBy([address], found)));
        process.stdout.write(texts.join('\n'));
      },
    );
}

/** What some hosts said, each in its own order. */
async function saidBy(hosts: readonly string[], journal: string): Promise<Observation[]> {
  const { indexObservations } = await import('../observations/read.ts');
  const index = await indexObservations(journal);
  try {
    return hosts.flatMap((host) => index.of(host));
  } finally {
    index.close();
  }
}

/** How the journal leads to a device, with the fingerprints of today; undefined where the journal does not know it. */
async function accountOf(
  { addresses, attachedTo = [], evidence }: Device,
  journal: string,
  folder: string | undefined,
): Promise<Account | undefined> {
  const computers = attachedTo.map(({ computer }) => computer);
  // A computer may have answered at the address that it is known by: what is attached to it has said none of that.
  const said = [
    ...(await saidBy(addresses, journal)).filter(({ part }) => part === undefined),
    ...(await saidBy(computers, journal)).filter(({ part }) => part !== undefined),
  ];
  if (said.length === 0) return undefined;
  const [{ loadKnowledge }, { reckoningOf }, { byEndpoint }] = await Promise.all([
    import('./knowledge.ts'),
    import('../fingerprints/judge.ts'),
    import('../observations/observation.ts'),
  ]);
  const { matcher } = loadKnowledge(folder === undefined ? {} : { fingerprints: folder });
  const against: Against[] = [];
  const hits = [...new Set([...addresses, ...computers])].flatMap((host) =>
    byEndpoint(said.filter((one) => one.host === host)).flatMap((endpoint) => matcher.match(endpoint, (one) => void against.push(one))),
  );
  const named = matcher.fingerprints.find(({ id }) => id === evidence[0]?.fingerprint);
  return named === undefined ? undefined : { said, reckoning: reckoningOf(named, hits), against };
}

/** The journal of an inventory: what a sweep names after it, or the demo leaves with it. */
function journalBeside(inventory: string): string | undefined {
  return [withExtension(inventory, '.ndjson'), join(dirname(inventory), 'journal.ndjson')].find((file) => existsSync(file));
}

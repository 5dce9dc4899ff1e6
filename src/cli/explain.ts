import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('explain')
    .summary('why a device was named, and what can be sent')
    .description(
      'Explains one device of an inventory: what it showed, which rules held, what else it could be. With --wire: every byte that kvmsweep can send.',
    )
    .argument('[inventory]', 'an inventory')
    .argument('[address]', 'an address or a device key in it; all devices where left out')
    .option('--wire', 'print everything that can be sent')
    .addHelpText('after', '\nExamples:\n  kvmsweep explain monday.json 10.20.0.17\n  kvmsweep explain --wire')
    .action(async (file: string | undefined, address: string | undefined, { wire = false }: { wire?: boolean }, command: Command) => {
      if (wire) {
        const [{ wireText }, { clientHello }] = await Promise.all([import('../outputs/wire.ts'), import('../sweep/client-hello.ts')]);
        process.stdout.write(wireText(await clientHello()));
        return;
      }
      if (file === undefined) {
        command.help({ error: true });
        return;
      }
      const [{ readInventory }, { deviceText }, { inputError }] = await Promise.all([
        import('../inventory/file.ts'),
        import('../outputs/explain.ts'),
        import('../errors.ts'),
      ]);
      const { devices, asked } = readInventory(file);
      const chosen =
        address === undefined
          ? devices
          : devices.filter(({ addresses, deviceKey }) => addresses.includes(address) || deviceKey === address);
      if (address !== undefined && chosen.length === 0) throw inputError('no-such-device', { address, file });
      process.stdout.write(chosen.map((device) => deviceText(device, asked)).join('\n'));
    });
}

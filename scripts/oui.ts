// Boils the IEEE's registry of MAC address blocks (24, 28 and 36 bits), as the package oui-data has it, down to data/oui.tsv: prefix and maker.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../data/oui.tsv', import.meta.url));

/** The content of data/oui.tsv. */
export function ouiText(): string {
  const file = createRequire(import.meta.url).resolve('oui-data');
  const blocks = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>;
  const { version } = JSON.parse(readFileSync(join(dirname(file), 'package.json'), 'utf8')) as { version: string };
  const rows = Object.entries(blocks)
    .map(([prefix, text]) => [prefix, (text.split('\n', 1)[0] ?? '').replaceAll(/\s+/g, ' ').trim()] as const)
    // Makers who keep their name to themselves, and blocks that the registry divides: their parts have makers.
    .filter(([, maker]) => maker !== '' && maker !== 'Private' && maker !== 'IEEE Registration Authority')
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    `# Blocks of MAC addresses and their makers: the IEEE's public registries (MA-L, MA-M, MA-S), by way of oui-data ${version} (BSD-2-Clause). Made by scripts/oui.ts.`,
    ...rows.map((row) => row.join('\t')),
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(FILE, ouiText());

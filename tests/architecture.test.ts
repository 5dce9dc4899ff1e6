import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** The way of the data: each folder imports from those before it, never from those after it. */
const ORDER = [
  'targets',
  'sweep',
  'probes',
  'observations',
  'fingerprints',
  'devices',
  'inventory',
  'reconcile',
  'outputs',
  'scan',
  'fleet',
  'cli',
];
/** Words, errors, text and data files are for all. */
const SHARED = ['errors.ts', 'vocabulary.ts', 'data.ts', 'text.ts', 'oui.ts', 'input.ts', 'csv.ts', 'yaml.ts', 'windows.ts'];

const sources = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name));

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map((match) => match[1] as string);
}

function importsTypesOnly(file: string, name: string): boolean {
  return new RegExp(`import type [^;]* from '${name.replace('/', '\\/')}'`).test(readFileSync(file, 'utf8'));
}

function folderOf(path: string): string {
  return path.split('/')[1] as string;
}

test('data flows one way: no folder imports from one after it', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith('.'))
      .map((name) => join(file, '..', name))
      .filter((target) => {
        const [from, to] = [folderOf(file), folderOf(target)];
        if (to.endsWith('.ts')) return !SHARED.includes(to);
        if (from.endsWith('.ts')) return from !== 'index.ts';
        return ORDER.indexOf(to) > ORDER.indexOf(from) || !ORDER.includes(to);
      })
      .map((target) => `${file} -> ${target}`),
  );
  expect(wrong).toEqual([]);
});

test('the simulated fleet knows nothing of what should recognise it', () => {
  const wrong = sources
    .filter((file) => folderOf(file) === 'fleet')
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('../') && !SHARED.includes(name.slice(3)))
        .map((name) => `${file} -> ${name}`),
    );
  expect(wrong).toEqual([]);
});

test('sockets are opened in src/sweep/ only (and by the fleet, which listens on loopback)', () => {
  const opens = /^(node:)?(net|tls|dgram|http|https|http2|dns|dns\/promises)$|^undici$|^net-snmp$/;
  const wrong = sources
    .filter((file) => !['sweep', 'fleet'].includes(folderOf(file)))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => opens.test(name) && !importsTypesOnly(file, name))
        .map((name) => `${file} -> ${name}`),
    );
  expect(wrong).toEqual([]);
});

test('only src/cli/ prints', () => {
  const wrong = sources.filter(
    (file) => folderOf(file) !== 'cli' && /process\.(stdout|stderr)\.write|\bconsole\.\w+\(/.test(readFileSync(file, 'utf8')),
  );
  expect(wrong).toEqual([]);
});

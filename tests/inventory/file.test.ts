import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { inventoryText, newestBeside, readInventory, writeWhole } from '../../src/inventory/file.ts';
import { device, inventory } from '../reconcile/build.ts';

const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-inventory-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

test('what is written is read again, and ends with a line feed', () => {
  const file = join(folder, 'good.json');
  const one = inventory([device('10.0.0.1', { version: '1.2', ids: { serial: 'A1' } })]);
  writeWhole(file, inventoryText(one));
  expect(readFileSync(file, 'utf8').endsWith('}\n')).toBe(true);
  expect(readInventory(file)).toEqual(one);
  expect(readdirSync(folder)).not.toContain('good.json.part');
});

test('a file that cannot be replaced is an error, and leaves nothing behind', () => {
  const taken = join(folder, 'taken');
  mkdirSync(join(taken, 'inside'), { recursive: true });
  expect(() => writeWhole(taken, '{}')).toThrow(InputError);
  expect(readdirSync(folder)).not.toContain('taken.part');
});

test('a journal is not overwritten, and a folder that is not there is called so', () => {
  const journal = '{"v":1,"kind":"run","run":{}}\n';
  const file = written('sweep.ndjson', journal);
  expect(() => writeWhole(file, '{}')).toThrow(/it is the journal of a sweep/);
  expect(readFileSync(file, 'utf8')).toBe(journal);
  expect(() => writeWhole(join(folder, 'nowhere', 'a.json'), '{}')).toThrow(/there is no such folder/);
});

test.for<{ name: string; text: string; says: RegExp }>([
  { name: 'no JSON', text: 'hello', says: /is no kvmsweep inventory: it is not JSON/ },
  { name: 'a journal', text: '{"v":1,"kind":"run"}\n{"v":1,"kind":"end"}\n', says: /it is the journal of a sweep; `kvmsweep identify`/ },
  { name: 'an empty file', text: '\n', says: /is no kvmsweep inventory: it is empty$/ },
  { name: 'null', text: 'null', says: /is no kvmsweep inventory: [^:]/ },
  { name: 'a list', text: '[]', says: /is no kvmsweep inventory: [^:]/ },
  { name: 'a newer one', text: '{"schemaVersion": 2}', says: /its schemaVersion is 2 and this kvmsweep reads up to 1/ },
  {
    name: 'a device without an address',
    text: inventoryText(inventory([device('10.0.0.1', { addresses: [] })])),
    says: /devices\.0\.addresses/,
  },
  {
    name: 'a misspelt field',
    text: inventoryText(inventory([])).replace('"completeness"', '"compleetness"'),
    says: /is no kvmsweep inventory/,
  },
])('readInventory: $name', ({ name, text, says }) => {
  const file = written(`${name}.json`, text);
  expect(() => readInventory(file)).toThrow(InputError);
  expect(() => readInventory(file)).toThrow(says);
});

test('readInventory: no such file, and a mark that Windows editors leave', () => {
  expect(() => readInventory(join(folder, 'nowhere.json'))).toThrow(/there is no such file/);
  expect(readInventory(written('bom.json', `\ufeff${inventoryText(inventory([]))}`))).toEqual(inventory([]));
});

test('newestBeside: by time, then by name; the file itself counts, other files do not', () => {
  const beside = mkdtempSync(join(folder, 'beside-'));
  const put = (name: string, at: number): void => {
    writeFileSync(join(beside, name), '{}');
    utimesSync(join(beside, name), at, at);
  };
  const target = join(beside, 'out.json');
  expect(newestBeside(target)).toBeUndefined();
  put('other.json', 9_000_000);
  put('kvmsweep-2026-01-01.json', 1_000_000);
  put('kvmsweep-2026-01-02.json', 1_000_000);
  put('kvmsweep-2026-01-02.ndjson', 8_000_000);
  expect(newestBeside(target)).toBe(join(beside, 'kvmsweep-2026-01-02.json'));
  put('out.json', 2_000_000);
  expect(newestBeside(target)).toBe(target);
  expect(newestBeside(join(folder, 'nowhere', 'out.json'))).toBeUndefined();
});

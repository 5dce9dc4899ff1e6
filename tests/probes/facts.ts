import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { expect } from 'vitest';
import { dataPath } from '../../src/data.ts';
import type { Facts, FactValue } from '../../src/vocabulary.ts';

const DEFINITIONS: readonly { name: string; type: string; probe: string }[] = parse(
  readFileSync(dataPath('vocabulary/facts.yaml'), 'utf8'),
);
const VOCABULARY = new Map(DEFINITIONS.map((fact) => [fact.name, fact]));

const isText = (value: FactValue | undefined): boolean => typeof value === 'string';
const isList = (value: FactValue | undefined, of: (item: FactValue) => boolean): boolean => Array.isArray(value) && value.every(of);
const isMap = (value: FactValue | undefined, of: (item: FactValue) => boolean): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(of);

const CHECKS: Readonly<Record<string, (value: FactValue) => boolean>> = {
  text: isText,
  integer: Number.isSafeInteger,
  boolean: (value) => typeof value === 'boolean',
  texts: (value) => isList(value, isText),
  integers: (value) => isList(value, Number.isSafeInteger),
  map: (value) => isMap(value, isText),
  json: () => true,
  pages: (value) => isMap(value, (page) => isMap(page, () => true)),
  redirects: (value) => isList(value, (item) => isMap(item, () => true)),
};

/** Every fact is in the vocabulary, set by the probe that the vocabulary names, of its type, not empty, and JSON. */
export function expectVocabulary(facts: Facts, probe: string): void {
  for (const [name, value] of Object.entries(facts)) {
    const fact = VOCABULARY.get(name);
    expect(fact, `${name} is in the vocabulary`).toBeDefined();
    // What came instead of the protocol is evidence of any probe, and who only listens may hear SSH.
    if (!name.startsWith('banner.') && !(probe === 'listen' && name.startsWith('ssh.')))
      expect(fact?.probe, `the probe that sets ${name}`).toBe(probe);
    expect(CHECKS[fact?.type ?? '']?.(value), `${name} is ${fact?.type}: ${JSON.stringify(value)?.slice(0, 80)}`).toBe(true);
    expect(value, `${name} says something`).not.toBe('');
  }
  expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
}

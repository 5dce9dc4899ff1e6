import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { bundled, dataPath } from '../data.ts';
import { problem, type Problem } from '../errors.ts';
import { nearest } from '../text.ts';

export const FACT_TYPES = ['text', 'integer', 'boolean', 'texts', 'integers', 'map', 'json', 'pages', 'redirects'] as const;
export type FactType = (typeof FACT_TYPES)[number];

/** One word of the facts vocabulary (`data/vocabulary/facts.yaml`). */
export interface FactDefinition {
  readonly name: string;
  readonly type: FactType;
  /** The probe that sets it; `none` where it comes from other tools' observations only. */
  readonly probe: string;
  readonly means: string;
}

export type FactVocabulary = ReadonlyMap<string, FactDefinition>;

let loaded: FactVocabulary | undefined;

export function factVocabulary(): FactVocabulary {
  loaded ??= new Map(bundled('facts', readFactDefinitions).map((fact) => [fact.name, fact]));
  return loaded;
}

/** The vocabulary from its source. The build bundles it. */
export function readFactDefinitions(): FactDefinition[] {
  return parse(readFileSync(dataPath('vocabulary/facts.yaml'), 'utf8')) as FactDefinition[];
}

/** The problem with a name that is no fact, with the nearest one that is. */
export function unknownFact(name: string, vocabulary: FactVocabulary, place: Problem['place'] = {}): Problem {
  const near = nearest(name, vocabulary.keys());
  return problem('unknown-fact', { name, ...(near === undefined ? {} : { nearest: near }) }, place);
}

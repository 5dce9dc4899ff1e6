/** The files of data/sentinel/ as the tests read them. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Query {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly kind?: string;
  readonly description: string;
  readonly severity?: string;
  readonly requiredDataConnectors: readonly { readonly connectorId: string; readonly dataTypes: readonly string[] }[];
  readonly queryFrequency?: string;
  readonly queryPeriod?: string;
  readonly tactics: readonly string[];
  readonly relevantTechniques: readonly string[];
  readonly tags: readonly string[];
  readonly query: string;
  readonly entityMappings?: readonly {
    readonly entityType: string;
    readonly fieldMappings: readonly { readonly identifier: string; readonly columnName: string }[];
  }[];
  readonly customDetails?: Readonly<Record<string, string>>;
  readonly alertDetailsOverride?: Readonly<Record<string, string>>;
}
export interface Named<T> {
  /** Name of the file without its ending. */
  readonly file: string;
  readonly content: T;
}
export interface Operations {
  readonly common: { readonly falsePositives: readonly FalsePositive[] };
  readonly queries: Readonly<Record<string, Operation>>;
}
interface FalsePositive {
  readonly what: string;
  readonly tune: string;
}
export interface Operation {
  readonly kind: 'rule' | 'hunting';
  readonly xdr: boolean;
  readonly tables: readonly string[];
  readonly lists: readonly string[];
  readonly needs: readonly string[];
  readonly falsePositives: readonly FalsePositive[];
  readonly slipsBy: readonly string[];
  readonly validate: { readonly steps: readonly string[]; readonly signals: readonly { readonly where: string; readonly what: string }[] };
}
export interface Seed {
  readonly ports: readonly Entry<number>[];
  readonly names: readonly Entry<string>[];
  readonly userAgents: readonly Entry<string>[];
  readonly paths: readonly { readonly value: string; readonly product: string; readonly source: string }[];
  readonly corrections: readonly { readonly was: string; readonly fact: string; readonly instead: string }[];
}
interface Entry<T> {
  readonly value: T;
  readonly kept: boolean;
  readonly as?: string;
  readonly why: string;
  readonly instead?: string;
}
interface Workbook {
  readonly items: readonly {
    readonly type: number;
    readonly name: string;
    readonly content: { readonly query?: string; readonly parameters?: readonly { readonly name: string }[] };
  }[];
}

const ROOT = 'data/sentinel';

export const rules = yamlFolder('rules');
export const hunting = yamlFolder('hunting');
export const xdr: readonly Named<string>[] = filesIn('xdr').map((file) => ({
  file: file.replace('.kql', ''),
  content: readFileSync(`${ROOT}/xdr/${file}`, 'utf8'),
}));
export const operations = parse(readFileSync(`${ROOT}/operations.yaml`, 'utf8')) as Operations;
export const seed = parse(readFileSync(`${ROOT}/seed.yaml`, 'utf8')) as Seed;
export const workbook = JSON.parse(readFileSync(`${ROOT}/workbook.json`, 'utf8')) as Workbook;
export const workbookQueries: readonly Named<string>[] = workbook.items.flatMap((item) =>
  item.content.query === undefined ? [] : [{ file: `workbook ${item.name}`, content: item.content.query }],
);

function yamlFolder(folder: string): readonly Named<Query>[] {
  return filesIn(folder).map((file) => ({
    file: file.replace('.yaml', ''),
    content: parse(readFileSync(`${ROOT}/${folder}/${file}`, 'utf8')) as Query,
  }));
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(`${ROOT}/${folder}`).toSorted();
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { RE2JS } from 're2js';
import { bundled, dataPath } from '../data.ts';
import { InputError, inputError, type Problem, problem, systemReason } from '../errors.ts';
import type { AllowedPaths } from '../sweep/paths.ts';
import { channelOf } from '../vocabulary.ts';
import { readYaml, type YamlPath as Path } from '../yaml.ts';
import { type FactDefinition, type FactVocabulary, unknownFact } from './facts.ts';
import { CAPTURES, type Condition, conditionsOf, type Fingerprint, FingerprintSchema } from './schema.ts';

/** What a set of fingerprints is checked against. */
export interface Checks {
  readonly facts: FactVocabulary;
  readonly paths: AllowedPaths;
}

/** The fingerprints that come with the tool. They were checked when it was built. */
export function ownFingerprints(checks: () => Checks): Fingerprint[] {
  return bundled('fingerprints', () => readFingerprints(dataPath('fingerprints'), checks()));
}

/** A short hash of a set: inventories name it, so that a reader knows which knowledge made them. */
export function setHash(fingerprints: readonly Fingerprint[]): string {
  return createHash('sha256').update(JSON.stringify(fingerprints)).digest('hex').slice(0, 16);
}

/** Reads a folder of fingerprint files (`*.yaml`, folders within). @throws {InputError} with every problem of every file, each with its line */
export function readFingerprints(folder: string, checks: Checks): Fingerprint[] {
  const problems: Problem[] = [];
  const found: Fingerprint[] = [];
  const places = new Map<string, string>();
  for (const file of yamlFiles(folder)) {
    const name = relative(process.cwd(), file);
    const read = parseFingerprint(readFileSync(file, 'utf8'), name, checks);
    problems.push(...read.problems);
    if (read.fingerprint === undefined) continue;
    const other = places.get(read.fingerprint.id);
    if (other !== undefined)
      problems.push(
        problem(
          'bad-fingerprint',
          { field: 'id', reason: `"${read.fingerprint.id}" is the id of ${other} already` },
          { file: name, line: read.line },
        ),
      );
    places.set(read.fingerprint.id, name);
    found.push(read.fingerprint);
  }
  if (problems.length > 0) throw new InputError(problems);
  if (found.length === 0) throw inputError('empty-file', { file: folder, what: 'fingerprint files (*.yaml)' });
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function yamlFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (error) {
    throw inputError('unreadable-file', { file: folder, reason: systemReason(error) });
  }
}

/**
 * One file's text as a fingerprint with the line of its id, or what is wrong with it: YAML, form, unknown facts, patterns, paths,
 * definitions that do not say what they rest on.
 */
export function parseFingerprint(
  text: string,
  file: string,
  checks: Checks,
): { fingerprint?: Fingerprint; line: number; problems: Problem[] } {
  const { value, faults, placeOf } = readYaml(text, file, FingerprintSchema);
  if (value === undefined)
    return {
      line: placeOf(['id']).line ?? 1,
      problems: faults.map(({ path, reason, place }) => problem('bad-fingerprint', { field: path.join('.'), reason }, place)),
    };
  const { line = 1 } = placeOf(['id']);
  const problems = meaningProblems(value, checks, placeOf);
  return problems.length > 0 ? { line, problems } : { fingerprint: value, line, problems };
}

/** What the schema cannot see. */
function meaningProblems(fingerprint: Fingerprint, { facts, paths }: Checks, place: (path: Path) => Problem['place']): Problem[] {
  const problems: Problem[] = [];
  const say = (path: Path, reason: string): void =>
    void problems.push(problem('bad-fingerprint', { field: path.join('.'), reason }, place(path)));
  const checkCondition = (condition: Condition, path: Path, beside: readonly Condition[]): void => {
    const definition = facts.get(condition.fact);
    if (definition === undefined) {
      problems.push(unknownFact(condition.fact, facts, place([...path, 'fact'])));
      return;
    }
    const reason = misuse(condition, definition, beside);
    if (reason !== undefined) say(path, reason);
    if (condition.regex !== undefined) {
      const wrong = badRegex(condition.regex);
      if (wrong !== undefined) problems.push(problem('bad-regex', { regex: condition.regex, reason: wrong }, place([...path, 'regex'])));
    }
  };
  for (const [i, rule] of fingerprint.rules.entries()) {
    const conditions = conditionsOf(rule);
    for (const [j, condition] of conditions.entries())
      checkCondition(condition, 'all' in rule ? ['rules', i, 'all', j] : ['rules', i], conditions);
  }
  for (const [i, condition] of (fingerprint.exclude ?? []).entries()) checkCondition(condition, ['exclude', i], [condition]);
  for (const [i, { path }] of (fingerprint.asks ?? []).entries())
    if (!paths.has(path)) problems.push(problem('unlisted-path', { path }, place(['asks', i, 'path'])));
  for (const kind of ['examples', 'near_misses'] as const)
    for (const [i, sample] of fingerprint[kind].entries()) {
      if ((sample.facts === undefined) === (sample.endpoints === undefined)) say([kind, i], 'it has either facts or endpoints');
      const named = (list: object, path: Path): void => {
        for (const name of Object.keys(list))
          if (!facts.has(name)) problems.push(unknownFact(name, facts, place([kind, i, ...path, name])));
      };
      named(sample.facts ?? {}, ['facts']);
      for (const [j, endpoint] of (sample.endpoints ?? []).entries()) named(endpoint, ['endpoints', j]);
    }
  const channels = new Set(fingerprint.rules.flatMap((rule) => conditionsOf(rule).map(({ fact }) => channelOf(fact))));
  const only = fingerprint.title.endsWith(' only)');
  if (channels.size === 1 && !only) say(['title'], `it rests on one channel; the title says so at its end: "(${[...channels][0]} only)"`);
  if (channels.size > 1 && only) say(['title'], 'it rests on several channels, so the title does not end in "only)"');
  if (fingerprint.generic !== true && (fingerprint.vendor === undefined || fingerprint.product === undefined))
    say([], 'a definition that is not generic names a vendor and a product');
  return problems;
}

/** Why a condition cannot be asked of its fact. */
function misuse(condition: Condition, { name, type }: FactDefinition, beside: readonly Condition[]): string | undefined {
  const { of, field, json, regex, prefix, equals, contains, in: oneOf, gives } = condition;
  if (gives !== undefined && (oneOf === undefined || Array.isArray(oneOf))) return '`gives` goes with a map of `in`';
  if (type === 'pages' && of === undefined) return `${name} needs \`of:\`, the path of the page`;
  if (type === 'map' && of === undefined) return `${name} needs \`of:\`, the key`;
  if (of !== undefined && type !== 'map' && type !== 'pages') return `${name} is no map: \`of\` does not apply`;
  if (field !== undefined && type !== 'pages') return `\`field\` applies to http.pages only`;
  if (json !== undefined && type !== 'json' && type !== 'pages' && name !== 'http.body')
    return `${name} is not JSON: \`json\` does not apply`;
  if ((type === 'integer' || type === 'integers') && (regex !== undefined || prefix !== undefined))
    return `${name} is a number: compare it with equals, in or contains`;
  if (type === 'integer' && equals !== undefined && typeof equals !== 'number') return `${name} is a number`;
  const compared = [equals, contains, ...(Array.isArray(oneOf) ? oneOf : [])].filter(
    (value) => value !== undefined && !Array.isArray(value),
  );
  if ((type === 'text' || type === 'texts') && compared.some((value) => typeof value !== 'string'))
    return `${name} is text: put the value in quotes`;
  const isBody = name === 'http.body' || (type === 'pages' && (field ?? 'body') === 'body');
  // A pattern over 64 KiB costs thousands of times what a search for a literal does.
  if (
    isBody &&
    json === undefined &&
    regex !== undefined &&
    !beside.some((other) => other.fact === name && other.of === of && (other.contains !== undefined || other.prefix !== undefined))
  )
    return 'a pattern over a body stands in `all:` beside a `contains` or `prefix` on the same body, which is looked for first';
  return undefined;
}

const CAPTURE_NAMES: ReadonlySet<string> = new Set(CAPTURES);

function badRegex(regex: string): string | undefined {
  try {
    const pattern = RE2JS.compile(regex);
    if (pattern.matcher('').find()) return 'it matches the empty text, so it would match everything';
    const odd = Object.keys(pattern.namedGroups()).find((name) => !CAPTURE_NAMES.has(name));
    return odd === undefined ? undefined : `it captures "${odd}"; captures are ${CAPTURES.join(', ')}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

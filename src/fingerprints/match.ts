import { RE2JS } from 're2js';
import type { EndpointFacts } from '../observations/observation.ts';
import { canonicalMac, printable, shortened } from '../text.ts';
import { type Channel, channelOf, type Facts, type FactValue, type Posture, type Transport } from '../vocabulary.ts';
import { completed } from './complete.ts';
import { type Aspect, aspectsOf, type Capture, type Condition, conditionsOf, type Fingerprint, type Rule } from './schema.ts';
import { RuleIndex } from './rule-index.ts';
import { MAX_TEXT, type Selector, selectorOf, valuesAt } from './select.ts';

const MAX_EVIDENCE = 160;
const MAX_CAPTURE = 120;

export interface HitEvidence {
  readonly fact: string;
  /** The text that fitted, cleaned and cut. */
  readonly text: string;
}

export interface HitEndpoint {
  readonly host: string;
  readonly transport?: Transport;
  readonly port?: number;
  readonly part?: string;
}

/** A rule that holds at an endpoint. */
export interface Hit {
  readonly fingerprint: Fingerprint;
  /** The rule's name: its own, or its fact. */
  readonly rule: string;
  /** The rule's place in its definition. */
  readonly index: number;
  readonly certainty: number;
  readonly aspects: readonly Aspect[];
  readonly channel: Channel;
  readonly cause: string | undefined;
  readonly captures: Readonly<Partial<Record<Capture, string>>>;
  readonly posture: readonly Posture[];
  readonly evidence: readonly HitEvidence[];
  readonly endpoint: HitEndpoint;
}

/** Something at an endpoint that spoke against a product of which rules held there. */
export interface Against {
  readonly fingerprint: Fingerprint;
  /** What it really is. */
  readonly why: string;
  readonly evidence: HitEvidence;
  readonly endpoint: HitEndpoint;
}

interface CompiledCondition {
  readonly condition: Condition;
  readonly selector: Selector;
  /** Compiled when it is first tried: most patterns of a set never are. */
  readonly regex: (() => RE2JS) | undefined;
  readonly label: string;
}

interface CompiledRule {
  readonly fingerprint: Fingerprint;
  readonly rule: Rule;
  readonly index: number;
  readonly name: string;
  readonly channel: Channel;
  /** Cheapest first. */
  readonly conditions: readonly CompiledCondition[];
}

/** Holds a set of fingerprints ready to be matched against endpoints. */
export class Matcher {
  readonly fingerprints: readonly Fingerprint[];
  /** In the order of the set. */
  readonly #rules: readonly CompiledRule[];
  readonly #index: RuleIndex;
  readonly #excludes: ReadonlyMap<string, readonly CompiledCondition[]>;

  constructor(fingerprints: readonly Fingerprint[]) {
    this.fingerprints = fingerprints;
    this.#excludes = new Map(fingerprints.map(({ id, exclude = [] }) => [id, exclude.map(compile)]));
    const all = fingerprints.flatMap((fingerprint) => fingerprint.rules.map((rule, index) => ({ fingerprint, rule, index })));
    this.#index = new RuleIndex(all.map(({ rule }) => conditionsOf(rule)));
    this.#rules = all.map(compileRule);
  }

  /**
   * The rules that hold at one endpoint, in the order of the set.
   * @param against is told what spoke against products whose rules held
   */
  match(observed: EndpointFacts, against: (one: Against) => void = () => undefined): Hit[] {
    const facts = completed(observed.facts);
    const found: number[] = [];
    this.#index.candidates(facts, (rule) => void found.push(rule));
    if (found.length === 0) return [];
    const { host, transport, port, part } = observed;
    const endpoint = {
      host,
      ...(transport === undefined ? {} : { transport }),
      ...(port === undefined ? {} : { port }),
      ...(part === undefined ? {} : { part }),
    };
    const excluded = new Map<string, boolean>();
    const isExcluded = (fingerprint: Fingerprint): boolean => {
      let out = excluded.get(fingerprint.id);
      if (out === undefined) {
        const held = firstFitting(this.#excludes.get(fingerprint.id) ?? [], facts);
        out = held !== undefined;
        excluded.set(fingerprint.id, out);
        if (held !== undefined)
          against({ fingerprint, why: fingerprint.exclude?.[held.index]?.why ?? '', evidence: held.evidence, endpoint });
      }
      return out;
    };
    const hits: Hit[] = [];
    for (const candidate of found.toSorted((a, b) => a - b)) {
      const { fingerprint, rule, index, name, channel, conditions } = this.#rules[candidate] as CompiledRule;
      const fitted = fitAll(conditions, facts);
      if (fitted === undefined || isExcluded(fingerprint)) continue;
      hits.push({
        fingerprint,
        rule: name,
        index,
        certainty: rule.certainty,
        aspects: aspectsOf(rule),
        channel,
        cause: rule.cause,
        captures: { ...rule.set, ...fitted.captures },
        posture: rule.posture ?? [],
        evidence: fitted.evidence,
        endpoint,
      });
    }
    return hits;
  }
}

function compileRule({ fingerprint, rule, index }: Pick<CompiledRule, 'fingerprint' | 'rule' | 'index'>): CompiledRule {
  const conditions = conditionsOf(rule)
    .map(compile)
    .toSorted((a, b) => costOf(a.condition) - costOf(b.condition));
  const [first] = conditions;
  return {
    fingerprint,
    rule,
    index,
    name: rule.name ?? first?.label ?? '',
    channel: channelOf(first?.condition.fact ?? '') ?? 'http',
    conditions,
  };
}

function compile(condition: Condition): CompiledCondition {
  const { fact, of, field, json, regex } = condition;
  const inside = typeof json === 'string' ? json : json?.join('.');
  return {
    condition,
    selector: selectorOf(condition),
    regex: regex === undefined ? undefined : compiledOnce(regex),
    label: [fact, of, field === undefined || field === 'body' ? undefined : field, inside].filter((part) => part !== undefined).join(' '),
  };
}

function compiledOnce(regex: string): () => RE2JS {
  let compiled: RE2JS | undefined;
  return () => (compiled ??= RE2JS.compile(regex));
}

/** What a condition costs to try, roughly: bodies last, patterns after literals. */
function costOf({ fact, field, json, regex, contains, exists }: Condition): number {
  const body = fact === 'http.body' || (fact === 'http.pages' && (field ?? 'body') === 'body') ? 10 : 0;
  return (exists === undefined ? 0 : -1) + body + (json === undefined ? 0 : 5) + (regex !== undefined ? 3 : contains !== undefined ? 2 : 1);
}

interface Fitted {
  readonly text: string;
  readonly captures: Readonly<Record<string, string>>;
}

function fitAll(
  conditions: readonly CompiledCondition[],
  facts: Facts,
): { evidence: HitEvidence[]; captures: Record<string, string> } | undefined {
  const evidence: HitEvidence[] = [];
  const captures: Record<string, string> = {};
  for (const condition of conditions) {
    const fitted = fits(condition, facts);
    if (fitted === undefined) return undefined;
    evidence.push(evidenceOf(condition, fitted));
    Object.assign(captures, fitted.captures);
  }
  return { evidence, captures };
}

function firstFitting(conditions: readonly CompiledCondition[], facts: Facts): { index: number; evidence: HitEvidence } | undefined {
  for (const [index, condition] of conditions.entries()) {
    const fitted = fits(condition, facts);
    if (fitted !== undefined) return { index, evidence: evidenceOf(condition, fitted) };
  }
  return undefined;
}

function evidenceOf({ label }: CompiledCondition, { text }: Fitted): HitEvidence {
  return { fact: label, text: shortened(printable(text), MAX_EVIDENCE) };
}

/** How a condition fits an endpoint, or undefined where it does not. */
function fits({ condition, selector, regex }: CompiledCondition, facts: Facts): Fitted | undefined {
  const values = valuesAt(facts, selector);
  const { exists, equals } = condition;
  if (exists !== undefined)
    return values.length > 0 === exists ? { text: exists ? textOf(values[0] as FactValue) : '(absent)', captures: {} } : undefined;
  if (Array.isArray(equals))
    return values.length === equals.length && values.every((value, i) => value === equals[i])
      ? { text: textOf(values), captures: {} }
      : undefined;
  for (const value of values) {
    const fitted = fitsOne(condition, regex, value);
    if (fitted !== undefined) return fitted;
  }
  return undefined;
}

function fitsOne(
  { fold = false, equals, contains, in: oneOf, gives = 'version', prefix }: Condition,
  regex: (() => RE2JS) | undefined,
  value: FactValue,
): Fitted | undefined {
  if (typeof value !== 'string') {
    if (oneOf !== undefined && !Array.isArray(oneOf)) return inMap(oneOf, gives, textOf(value));
    const same =
      equals !== undefined ? value === equals : contains !== undefined ? value === contains : oneOf?.some((one) => one === value);
    return same === true ? { text: textOf(value), captures: {} } : undefined;
  }
  const cut = value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value;
  const text = fold ? cut.toLowerCase() : cut;
  if (regex !== undefined) {
    const matcher = regex().matcher(text);
    if (!matcher.find()) return undefined;
    // Captures are of the text as sent: lower case is for comparing.
    return { text: cut.slice(matcher.start(), matcher.end()), captures: capturesOf(matcher.getNamedGroups(), text, cut, matcher.start()) };
  }
  if (equals !== undefined) return text === equals ? { text: cut, captures: {} } : undefined;
  if (prefix !== undefined) return text.startsWith(prefix) ? { text: cut, captures: {} } : undefined;
  if (Array.isArray(oneOf)) return oneOf.includes(text) ? { text: cut, captures: {} } : undefined;
  if (oneOf !== undefined) return inMap(oneOf, gives, text);
  if (typeof contains !== 'string') return undefined;
  const at = text.indexOf(contains);
  return at < 0 ? undefined : { text: cut.slice(at, at + Math.max(contains.length, 1)), captures: {} };
}

/** A value that dates a release (a hash, a size) or stands for a model (an object identifier). */
function inMap(meanings: Readonly<Record<string, string>>, gives: Capture, text: string): Fitted | undefined {
  const meaning = Object.hasOwn(meanings, text) ? meanings[text] : undefined;
  return meaning === undefined ? undefined : { text, captures: { [gives]: meaning } };
}

function capturesOf(groups: Record<string, string | null>, folded: string, original: string, from: number): Record<string, string> {
  const captures: Record<string, string> = {};
  for (const [name, found] of Object.entries(groups)) {
    if (found === null || found === '') continue;
    const at = folded === original ? -1 : folded.indexOf(found, from);
    const text = shortened(printable((at < 0 ? found : original.slice(at, at + found.length)).trim()), MAX_CAPTURE);
    const value = name === 'mac' ? canonicalMac(text) : text;
    if (value !== undefined && value !== '') captures[name] = value;
  }
  return captures;
}

function textOf(value: FactValue | readonly FactValue[]): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

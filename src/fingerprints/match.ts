import { RE2JS } from 're2js';
import type { EndpointFacts } from '../observations/observation.ts';
import { canonicalMac, printable, shortened } from '../text.ts';
import { type Channel, channelOf, type FactValue, type Posture, type Transport } from '../vocabulary.ts';
import { completed } from './complete.ts';
import { type Aspect, aspectsOf, type Capture, type Condition, conditionsOf, type Fingerprint, type Rule } from './schema.ts';
import { select } from './select.ts';

/** What is compared of one value: title pages are short, bodies are cut at 64 KiB by the probe; nothing longer gets here from other tools. */
const MAX_TEXT = 64 * 1024;
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

interface CompiledCondition {
  readonly condition: Condition;
  readonly regex: RE2JS | undefined;
  readonly label: string;
}

interface CompiledRule {
  readonly fingerprint: Fingerprint;
  readonly rule: Rule;
  readonly index: number;
  readonly name: string;
  /** Cheapest first. */
  readonly conditions: readonly CompiledCondition[];
}

/** Holds a set of fingerprints ready to be matched against endpoints. */
export class Matcher {
  readonly fingerprints: readonly Fingerprint[];
  /** Rules by the fact of their cheapest condition: most facts of most endpoints concern few of them. */
  readonly #byFact = new Map<string, CompiledRule[]>();
  readonly #excludes = new Map<string, readonly CompiledCondition[]>();
  readonly #place: ReadonlyMap<string, number>;

  constructor(fingerprints: readonly Fingerprint[]) {
    this.fingerprints = fingerprints;
    this.#place = new Map(fingerprints.map(({ id }, place) => [id, place]));
    for (const fingerprint of fingerprints) {
      this.#excludes.set(fingerprint.id, (fingerprint.exclude ?? []).map(compile));
      for (const [index, rule] of fingerprint.rules.entries()) {
        const conditions = conditionsOf(rule)
          .map(compile)
          .toSorted((a, b) => costOf(a.condition) - costOf(b.condition));
        const fact = conditions.find(({ condition }) => condition.exists !== false)?.condition.fact ?? '';
        const compiled = { fingerprint, rule, index, name: rule.name ?? conditions[0]?.label ?? fact, conditions };
        const list = this.#byFact.get(fact);
        if (list === undefined) this.#byFact.set(fact, [compiled]);
        else list.push(compiled);
      }
    }
  }

  /** The rules that hold at one endpoint, in the order of the set. */
  match(observed: EndpointFacts): Hit[] {
    const { host, transport, port } = observed;
    const facts = completed(observed.facts);
    const endpoint = { ...observed, facts };
    const at = { host, ...(transport === undefined ? {} : { transport }), ...(port === undefined ? {} : { port }) };
    const excluded = new Map<string, boolean>();
    const isExcluded = ({ id }: Fingerprint): boolean => {
      let out = excluded.get(id);
      if (out === undefined) {
        out = (this.#excludes.get(id) ?? []).some((condition) => fits(condition, endpoint) !== undefined);
        excluded.set(id, out);
      }
      return out;
    };
    const hits: Hit[] = [];
    for (const fact of Object.keys(facts))
      for (const { fingerprint, rule, index, name, conditions } of this.#byFact.get(fact) ?? []) {
        const fitted = fitAll(conditions, endpoint);
        if (fitted === undefined || isExcluded(fingerprint)) continue;
        hits.push({
          fingerprint,
          rule: name,
          index,
          certainty: rule.certainty,
          aspects: aspectsOf(rule),
          channel: channelOf(conditions[0]?.condition.fact ?? fact) ?? 'http',
          cause: rule.cause,
          captures: { ...rule.set, ...fitted.captures },
          posture: rule.posture ?? [],
          evidence: fitted.evidence,
          endpoint: at,
        });
      }
    return hits.toSorted(
      (a, b) => (this.#place.get(a.fingerprint.id) ?? 0) - (this.#place.get(b.fingerprint.id) ?? 0) || a.index - b.index,
    );
  }
}

function compile(condition: Condition): CompiledCondition {
  const { fact, of, field, json, regex } = condition;
  const inside = typeof json === 'string' ? json : json?.join('.');
  return {
    condition,
    regex: regex === undefined ? undefined : RE2JS.compile(regex),
    label: [fact, of, field === undefined || field === 'body' ? undefined : field, inside].filter((part) => part !== undefined).join(' '),
  };
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
  endpoint: EndpointFacts,
): { evidence: HitEvidence[]; captures: Record<string, string> } | undefined {
  const evidence: HitEvidence[] = [];
  const captures: Record<string, string> = {};
  for (const condition of conditions) {
    const fitted = fits(condition, endpoint);
    if (fitted === undefined) return undefined;
    evidence.push({ fact: condition.label, text: shortened(printable(fitted.text), MAX_EVIDENCE) });
    Object.assign(captures, fitted.captures);
  }
  return { evidence, captures };
}

/** How a condition fits an endpoint, or undefined where it does not. */
function fits({ condition, regex }: CompiledCondition, { facts }: EndpointFacts): Fitted | undefined {
  const values = select(facts, condition);
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
  regex: RE2JS | undefined,
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
    const matcher = regex.matcher(text);
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

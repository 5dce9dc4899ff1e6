import { LiteralFinder } from './finder.ts';
import { markOf, requiredLiterals, worth } from './literals.ts';
import type { Condition } from './schema.ts';
import { MAX_TEXT, selectorOf, type Selector, valuesAt } from './select.ts';
import type { Facts, FactValue } from '../vocabulary.ts';

/**
 * Rules by what they must see: of thousands a few concern what one endpoint says. Each rule hangs on one of its conditions, the most telling: a whole
 * value in a table, a literal among those that are looked for all at once, or, where it has neither, the mere presence of the fact.
 */
export class RuleIndex {
  readonly #byFact: ReadonlyMap<string, FactIndex>;
  /** When each rule was last named, so that a call names it once. */
  readonly #named: Uint32Array;
  #run = 0;

  /** @param rules the conditions of each rule */
  constructor(rules: readonly (readonly Condition[])[]) {
    this.#named = new Uint32Array(rules.length);
    const byFact = new Map<string, Map<string, Hanging>>();
    for (const [rule, conditions] of rules.entries()) {
      const hook = hookOf(conditions);
      if (hook === undefined) continue;
      const selector = selectorOf(hook.condition);
      const selectors = byFact.get(selector.fact) ?? new Map<string, Hanging>();
      byFact.set(selector.fact, selectors);
      const hanging = selectors.get(selector.key) ?? { selector, hooks: [] };
      selectors.set(selector.key, hanging);
      hanging.hooks.push({ ...hook, rule });
    }
    this.#byFact = new Map([...byFact].map(([fact, selectors]) => [fact, factIndex([...selectors.values()])]));
  }

  /** Names each rule that may hold, once, in no order. */
  candidates(facts: Facts, name: (rule: number) => void): void {
    this.#run += 1;
    const once = (rule: number): void => {
      if (this.#named[rule] === this.#run) return;
      this.#named[rule] = this.#run;
      name(rule);
    };
    for (const fact of Object.keys(facts)) {
      const index = this.#byFact.get(fact);
      const value = facts[fact];
      if (index === undefined || value === undefined) continue;
      for (const selector of index.whole) lookUp(selector, facts, once);
      if (index.byKey.size > 0 && typeof value === 'object' && value !== null)
        for (const key of Object.keys(value)) for (const selector of index.byKey.get(key) ?? []) lookUp(selector, facts, once);
    }
  }
}

interface Hook {
  readonly condition: Condition;
  /** Literals of which one must be there; undefined where a whole value or the mere presence is looked at. */
  readonly literals: readonly string[] | undefined;
  readonly worth: number;
}

interface Hanging {
  readonly selector: Selector;
  readonly hooks: (Hook & { readonly rule: number })[];
}

interface SelectorIndex {
  readonly selector: Selector;
  readonly always: readonly number[];
  readonly whole: ReadonlyMap<FactValue, readonly number[]>;
  readonly folded: ReadonlyMap<string, readonly number[]>;
  readonly finder: LiteralFinder | undefined;
  /** For each literal of the finder the rules that hang on it. */
  readonly marked: readonly (readonly number[])[];
}

interface FactIndex {
  readonly whole: readonly SelectorIndex[];
  /** Those that look at one key of a map, by the key. */
  readonly byKey: ReadonlyMap<string, readonly SelectorIndex[]>;
}

/** The condition that a rule hangs on. One that asks for an absence cannot be it. */
function hookOf(conditions: readonly Condition[]): Hook | undefined {
  let best: Hook | undefined;
  for (const condition of conditions) {
    const hook = hookAt(condition);
    if (hook !== undefined && (best === undefined || hook.worth > best.worth)) best = hook;
  }
  return best;
}

const WHOLE = 1000;
/** What is looked at in a page costs more than what stands in a header, and tells as much. */
const BODY = 100;

function hookAt(condition: Condition): Hook | undefined {
  const { fact, field, json, equals, in: oneOf, contains, prefix, regex, exists } = condition;
  if (exists === false) return undefined;
  if (exists === true) return { condition, literals: undefined, worth: 0 };
  const isBody = fact === 'http.body' || (fact === 'http.pages' && (field ?? 'body') === 'body');
  const cost = isBody ? BODY : json === undefined ? 0 : 1;
  if (equals !== undefined || oneOf !== undefined || typeof contains === 'number' || typeof contains === 'boolean')
    return { condition, literals: undefined, worth: isCommon(fact, equals) ? 1 : WHOLE - cost };
  const text = regex === undefined ? markOf(String(contains ?? prefix)) : undefined;
  const literals = regex === undefined ? (text === undefined ? undefined : [text]) : requiredLiterals(regex);
  if (literals === undefined) return { condition, literals, worth: 1 - cost };
  return { condition, literals, worth: BODY + 2 + worth(literals) - cost };
}

/** Values that many say: a status, the names of the fields of a form. */
function isCommon(fact: string, equals: Condition['equals']): boolean {
  return typeof equals === 'boolean' || fact === 'http.status' || fact === 'http.forms' || fact === 'http.type';
}

function factIndex(selectors: readonly Hanging[]): FactIndex {
  const byKey = new Map<string, SelectorIndex[]>();
  const whole: SelectorIndex[] = [];
  for (const hanging of selectors) {
    const index = selectorIndex(hanging);
    const { of } = hanging.selector;
    if (of === undefined) whole.push(index);
    else byKey.set(of, [...(byKey.get(of) ?? []), index]);
  }
  return { whole, byKey };
}

function add<K>(map: Map<K, number[]>, key: K, rule: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [rule]);
  else if (!list.includes(rule)) list.push(rule);
}

function selectorIndex({ selector, hooks }: Hanging): SelectorIndex {
  const always: number[] = [];
  const whole = new Map<FactValue, number[]>();
  const folded = new Map<string, number[]>();
  const marked = new Map<string, number[]>();
  for (const { condition, literals, rule } of hooks) {
    const values = wholeValues(condition);
    if (values !== undefined)
      for (const value of values)
        if (condition.fold === true && typeof value === 'string') add(folded, value, rule);
        else add(whole, value, rule);
    else if (literals !== undefined) for (const literal of literals) add(marked, literal, rule);
    else always.push(rule);
  }
  return {
    selector,
    always,
    whole,
    folded,
    finder: marked.size === 0 ? undefined : new LiteralFinder([...marked.keys()]),
    marked: [...marked.values()],
  };
}

/** The values of which one must be there, where a condition compares whole values. Of a list that is compared as a whole the first element stands for it. */
function wholeValues({ equals, in: oneOf, contains }: Condition): readonly FactValue[] | undefined {
  if (equals !== undefined) return Array.isArray(equals) ? (equals as readonly FactValue[]).slice(0, 1) : [equals];
  if (oneOf !== undefined) return Array.isArray(oneOf) ? oneOf : Object.keys(oneOf).flatMap((key) => [key, ...asNumber(key)]);
  return typeof contains === 'number' || typeof contains === 'boolean' ? [contains] : undefined;
}

/** The keys of a map are texts; what a device says may be a number. */
function asNumber(key: string): number[] {
  const number = Number(key);
  return String(number) === key ? [number] : [];
}

function lookUp({ selector, always, whole, folded, finder, marked }: SelectorIndex, facts: Facts, name: (rule: number) => void): void {
  const values = valuesAt(facts, selector);
  if (values.length === 0) return;
  for (const rule of always) name(rule);
  for (const value of values) {
    if (whole.size > 0) for (const rule of whole.get(value) ?? []) name(rule);
    if (typeof value !== 'string') continue;
    if (folded.size > 0) for (const rule of folded.get(value.toLowerCase()) ?? []) name(rule);
    finder?.find(value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value, (literal) => {
      for (const rule of marked[literal] ?? []) name(rule);
    });
  }
}

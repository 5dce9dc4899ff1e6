import { z } from 'zod';
import { CLASSES, type DeviceClass, LEVELS, POSTURES } from '../vocabulary.ts';

/**
 * The form of a fingerprint file (`data/fingerprints/<vendor>/<product>.yaml`). What an object may not hold is an error: a misspelt key
 * would otherwise be a rule that never fires. docs/fingerprints.md explains each word.
 */

/** What named captures and `set` can fill. */
export const CAPTURES = ['model', 'version', 'serial', 'mac', 'hostname', 'generation'] as const;
export type Capture = (typeof CAPTURES)[number];

/** What a rule can support. `product` includes vendor and class, `generation` includes the product. */
export const ASPECTS = ['vendor', 'product', 'class', 'generation'] as const;
export type Aspect = (typeof ASPECTS)[number];

const Text = z.string().min(1);
const Scalar = z.union([z.string(), z.number(), z.boolean()]);

const conditionFields = {
  fact: Text.describe('name of a fact (kvmsweep fingerprints facts)'),
  of: Text.optional().describe('key of a map: a header name in lower case, a path of http.pages'),
  field: z
    .enum(['status', 'type', 'bytes', 'sha256', 'etag', 'lastModified', 'body'])
    .optional()
    .describe('field of a page; body where left out'),
  json: z
    .union([Text, z.array(z.union([z.string(), z.number()])).min(1)])
    .optional()
    .describe('where in JSON: Oem.Hpe.Manager[0].ManagerType, or a list of keys'),
  fold: z.boolean().optional().describe('compare in lower case; the pattern is written in lower case'),
  equals: z
    .union([Scalar, z.array(Scalar)])
    .optional()
    .describe('the whole value'),
  regex: Text.optional().describe('RE2 pattern; named groups model, version, serial, mac, hostname, generation are kept'),
  contains: Scalar.optional().describe('a part of a text, or of one text of a list; a number of a list'),
  in: z
    .union([z.array(Scalar).min(1), z.record(Text, Text)])
    .optional()
    .describe('one of these; as a map (of the hashes of files, of object identifiers) each with the version that it means'),
  gives: z.enum(CAPTURES).optional().describe('what the map of `in` tells, if that is not the version: model, generation'),
  exists: z.boolean().optional().describe('whether there is a value at all'),
  prefix: Text.optional().describe('how a text begins'),
};

export const OPERATORS = ['equals', 'regex', 'contains', 'in', 'exists', 'prefix'] as const;

const oneOperator = (condition: Record<string, unknown>): boolean =>
  OPERATORS.filter((operator) => condition[operator] !== undefined).length === 1;
const ONE_OPERATOR = `a condition has one of ${OPERATORS.join(', ')}`;

export const ConditionSchema = z.strictObject(conditionFields).refine(oneOperator, ONE_OPERATOR);
export type Condition = z.infer<typeof ConditionSchema>;

const ruleFields = {
  name: Text.optional().describe('how evidence names the rule'),
  certainty: z.number().int().min(1).max(100).describe('of a hundred devices in the field that show exactly this, how many are this'),
  claims: z
    .union([z.enum(ASPECTS), z.array(z.enum(ASPECTS)).min(1)])
    .optional()
    .describe('what the rule supports; product where left out'),
  cause: Text.optional().describe(
    'rules that show one and the same thing (the same base firmware, the same file) share it, and count once',
  ),
  set: z
    .partialRecord(z.enum(CAPTURES), Text)
    .optional()
    .describe('values that the rule implies; `version` may be a range: v4.66 - v4.128'),
  posture: z.array(z.enum(POSTURES)).optional().describe('what it says of the risk'),
  source: Text.optional().describe('where it is written, if that is not one of the sources of the file'),
};

const SimpleRuleSchema = z.strictObject({ ...conditionFields, ...ruleFields }).refine(oneOperator, ONE_OPERATOR);
const AllRuleSchema = z.strictObject({ all: z.array(ConditionSchema).min(2), ...ruleFields });
export const RuleSchema = z.union([AllRuleSchema, SimpleRuleSchema]);
export type Rule = z.infer<typeof RuleSchema>;

const ExcludeSchema = z.strictObject({ ...conditionFields, why: Text.describe('what this really is') }).refine(oneOperator, ONE_OPERATOR);

const AskSchema = z.strictObject({
  path: Text.describe('exactly as in data/vocabulary/paths.yaml'),
  from: z
    .enum(Object.keys(LEVELS) as [keyof typeof LEVELS, ...(keyof typeof LEVELS)[]])
    .optional()
    .describe('how sure the product must be; possible where left out'),
  unless: Text.optional().describe('a capture that makes the question needless when it is filled: version'),
});

const FactsSchema = z.record(z.string(), z.json());

const ExpectSchema = z.strictObject({
  certainty: z.number().int().optional(),
  level: z.enum(Object.keys(LEVELS) as [string, ...string[]]).optional(),
  ...(Object.fromEntries(CAPTURES.map((capture) => [capture, Text.optional()])) as Record<Capture, z.ZodOptional<typeof Text>>),
  posture: z.array(z.enum(POSTURES)).optional(),
});

const ExampleSchema = z.strictObject({
  name: Text,
  source: Text.describe('where a device shows this'),
  facts: FactsSchema.optional().describe('the facts of one endpoint'),
  endpoints: z.array(FactsSchema).min(1).optional().describe('the facts of several endpoints of one host'),
  expect: ExpectSchema,
});

const NearMissSchema = z.strictObject({
  name: Text.describe('what it really is'),
  source: Text.optional(),
  facts: FactsSchema.optional(),
  endpoints: z.array(FactsSchema).min(1).optional(),
  below: z
    .enum(['possible', 'likely', 'certain'])
    .optional()
    .describe('it may look like this product, but less than so; possible where left out'),
});

export const FingerprintSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'an id is kebab-case'),
  title: Text.describe('what it recognises, in words; a definition that rests on one channel says so: "… (http only)"'),
  vendor: Text.optional().describe('the short common name: Dell, HPE, Supermicro'),
  product: Text.optional().describe('the product line: iDRAC, iLO, Dominion KX'),
  class: z.enum(CLASSES as readonly DeviceClass[] as [DeviceClass, ...DeviceClass[]]),
  base: Text.optional().describe('the firmware below that several products share: kvmd, megarac, aten, peppercon, openbmc'),
  generic: z.boolean().optional().describe('names no product: yields to every definition that does'),
  sources: z.array(Text).min(1),
  asks: z.array(AskSchema).optional(),
  rules: z.array(RuleSchema).min(1),
  exclude: z.array(ExcludeSchema).optional().describe('conditions that speak against it, at the same endpoint'),
  examples: z.array(ExampleSchema).min(1),
  near_misses: z.array(NearMissSchema).min(1),
});

/** A fingerprint as it is written. */
export type Fingerprint = z.infer<typeof FingerprintSchema>;
export type Example = Fingerprint['examples'][number];
export type NearMiss = Fingerprint['near_misses'][number];
export type Ask = NonNullable<Fingerprint['asks']>[number];

/** The conditions of a rule, simple or of several facts. */
export function conditionsOf(rule: Rule): readonly Condition[] {
  if ('all' in rule) return rule.all;
  const { fact, of, field, json, fold, equals, regex, contains, in: oneOf, gives, exists, prefix } = rule;
  return [{ fact, of, field, json, fold, equals, regex, contains, in: oneOf, gives, exists, prefix }];
}

export function aspectsOf(rule: Rule): readonly Aspect[] {
  return rule.claims === undefined ? ['product'] : typeof rule.claims === 'string' ? [rule.claims] : rule.claims;
}

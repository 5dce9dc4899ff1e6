import { z } from 'zod';
import { parseRange } from '../targets/parse.ts';
import { nearest } from '../text.ts';
import { CLASSES, type DeviceClass } from '../vocabulary.ts';
import { readYaml } from '../yaml.ts';
import { InputError, problem } from '../errors.ts';
import type { ApprovalRule, RuleNetwork } from './asset.ts';
import { classOf, type DateFormat, type Item, shown, splitCell } from './cells.ts';
import { type Columns, foldHeading, meaningNamed, type Meaning } from './headings.ts';
import { Cells, known, readValidity, whyNotApproved } from './rows.ts';
import { type Entry, type ListRow, type ListTable, tableOf } from './table.ts';

/** What a rule may say. Anything else would be a condition that is not asked, and the rule approve more than it says. */
const MEANINGS: ReadonlySet<Meaning> = new Set<Meaning>([
  'class',
  'vendor',
  'product',
  'network',
  'owner',
  'site',
  'ticket',
  'id',
  'status',
  'approved',
  'validFrom',
  'validUntil',
  'window',
  'ignore',
  'reason',
]);
/** The short words of a rule in YAML, besides the headings. */
const OWN: ReadonlyMap<string, Meaning> = new Map([
  ['from', 'validFrom'],
  ['until', 'validUntil'],
]);
const KEYS = ['class', 'vendor', 'product', 'network', 'owner', 'site', 'ticket', 'id', 'from', 'until', 'window', 'ignored', 'reason'];

/** A file of rules is YAML (JSON included) with a list `rules`. */
export function isRules(text: string): boolean {
  return /^(?:\s*(?:#.*|---)?\r?\n)*\s*(?:\{\s*)?["']?rules["']?\s*:/.test(text);
}

const Value = z.union([z.string(), z.number(), z.boolean()], { error: 'it is a text, or a list of texts' });
const RulesSchema = z.strictObject(
  {
    rules: z
      .array(z.record(z.string(), z.union([Value, z.array(Value)])), { error: 'it is a list: `- { class: bmc, network: 10.9.0.0/16 }`' })
      .min(1, 'it holds no rule'),
  },
  { error: 'it is `rules:` and below it `- { class: bmc, network: 10.9.0.0/16, owner: …, until: 2027-12-31 }`' },
);

/** Rules as a table: keys are the headings. @throws {InputError} */
export function readRulesFile(text: string, file: string): ListTable {
  const { value, faults, placeOf } = readYaml(text, file, RulesSchema);
  if (value === undefined)
    throw new InputError(
      faults.map(({ path, reason, place }) =>
        problem('bad-approved', { reason: path.length === 0 ? reason : `${path.join('.')}: ${reason}` }, place),
      ),
    );
  const unknown = value.rules.flatMap((rule, at) =>
    notOfRules(Object.keys(rule), OWN).map((key) => {
      const near = nearest(key.toLowerCase(), KEYS);
      const hint = near === undefined ? '' : `; did you mean ${near}?`;
      return problem(
        'bad-approved',
        { reason: `a rule cannot ask for ${shown(key)}${hint} (a rule has ${KEYS.join(', ')})` },
        placeOf(['rules', at, key]),
      );
    }),
  );
  if (unknown.length > 0) throw new InputError(unknown);
  return tableOf(
    value.rules.map((rule, at): Entry => {
      const { line } = placeOf(['rules', at]);
      const source = { file, ...(line === undefined ? {} : { line }) };
      const values = Object.entries(rule).map(([key, said]) => [key, (Array.isArray(said) ? said : [said]).map(String)] as const);
      return { source, place: source, values: Object.fromEntries(values) };
    }),
    { own: OWN },
  );
}

/** Headings that no rule can have; with them the rules cannot be read. */
export function notOfRules(headings: readonly string[], own: ReadonlyMap<string, Meaning> = new Map()): string[] {
  return headings.filter((heading) => {
    const meaning = own.get(foldHeading(heading)) ?? meaningNamed(heading);
    return heading.trim() !== '' && (meaning === undefined || !MEANINGS.has(meaning));
  });
}

export function notOfRulesText(headings: readonly string[]): string {
  return `a rule cannot ask for ${headings.map((heading) => shown(heading.trim())).join(', ')}, and without it would approve more than it says: leave that out; a rule has ${KEYS.join(', ')}`;
}

export interface ReadRule {
  readonly rule: ApprovalRule;
  readonly wrong: readonly string[];
  readonly why?: string;
}

export function readRule(row: ListRow, columns: Columns, dateFormat?: DateFormat): ReadRule {
  const cells = new Cells(row, columns);
  const { wrong } = cells;
  const classes = cells.each('class', readClasses);
  const networks = cells.each('network', readNetworks);
  const rule: ApprovalRule = {
    ...known({ id: cells.text('id'), ticket: cells.text('ticket'), vendor: cells.text('vendor'), product: cells.text('product') }),
    ...known({ owner: cells.text('owner'), site: cells.text('site') }),
    classes,
    networks,
    ...readValidity(cells, dateFormat),
    source: row.source,
  };
  if (row.wrong !== undefined) wrong.push(row.wrong);
  else if (wrong.length === 0 && classes.length + networks.length === 0 && rule.vendor === undefined && rule.product === undefined)
    wrong.push('it names no class, vendor, product or network, and would approve everything');
  const why = whyNotApproved(cells, columns, rule.ignored !== undefined);
  return { rule, wrong, ...(why === undefined ? {} : { why }) };
}

function readClasses(cell: string): Item<DeviceClass>[] {
  return cell
    .split(/[|;,]/)
    .filter((word) => word.trim() !== '')
    .map((word) => {
      const value = classOf(word);
      return value === undefined ? { wrong: `${shown(word.trim())} is no class; they are ${CLASSES.join(', ')}` } : { value };
    });
}

function readNetworks(cell: string): Item<RuleNetwork>[] {
  return splitCell(cell).map((text) => {
    const range = parseRange(text);
    if ('reason' in range)
      return { wrong: `${shown(text)} is no network: ${range.isName === true ? 'write it as 10.9.0.0/16 or fd00:9::/64' : range.reason}` };
    return { value: { text, range: { first: range.first, last: range.last } } };
  });
}

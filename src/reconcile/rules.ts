import type { Device } from '../devices/device.ts';
import { contains, parseAddress, spaceOf, withoutZone } from '../targets/addresses.ts';
import { printable, shortened } from '../text.ts';
import { QUIET_CLASSES, type State } from '../vocabulary.ts';
import { type ApprovalRule, sourceText } from './asset.ts';
import { dateText } from './cells.ts';
import { isProduct, sameMaker } from './compare.ts';
import { listText } from './explain.ts';
import type { FindingAsset } from './finding.ts';
import { lapseOf, seenAtOf } from './lapse.ts';

export interface RuleVerdict {
  readonly rule: ApprovalRule;
  readonly state: State;
  readonly explanation: string;
}

/** Of several rules that fit, the one counts under which least is to be said. */
const BEST_FIRST: readonly State[] = ['approved-present', 'ignored', 'expiring', 'outside-window', 'expired'];

/** What the rules say of a device that no record names; undefined where none fits. */
export function byRule(device: Device, rules: readonly ApprovalRule[], now: Date, soonMs: number): RuleVerdict | undefined {
  return rules
    .filter((rule) => fits(rule, device))
    .map((rule) => verdictOf(rule, now, soonMs, seenAtOf(device, now)))
    .toSorted((a, b) => BEST_FIRST.indexOf(a.state) - BEST_FIRST.indexOf(b.state))[0];
}

/**
 * Whether a device is what a rule approves. A rule says of something unknown that it is all right, so it takes more than not being contradicted: the
 * device surely is of that kind, and all of its addresses are in the rule's networks.
 */
function fits({ classes, vendor, product, networks }: ApprovalRule, device: Device): boolean {
  if (device.level === 'possible' || device.posture.includes('conflicting-identity')) return false;
  if (classes.length === 0 ? QUIET_CLASSES.has(device.class) : !classes.includes(device.class)) return false;
  if (vendor !== undefined && !(device.vendor !== undefined && sameMaker(vendor, device.vendor))) return false;
  if (product !== undefined && !isProduct(product, device)) return false;
  if (networks.length === 0) return true;
  const addresses = device.addresses.map(parseAddress).filter((address) => address !== undefined);
  // Link-local addresses (RFC 4007) are in every network.
  const telling = addresses.map(withoutZone).filter((address) => spaceOf(address) !== 'link-local');
  return telling.length > 0 && telling.every((address) => networks.some(({ range }) => contains(range, address)));
}

function verdictOf(rule: ApprovalRule, now: Date, soonMs: number, seenAt: Date): RuleVerdict {
  const who = `${ruleName(rule)} is approved by a rule (${sourceText(rule.source)})`;
  const lapse = lapseOf(rule, now, seenAt);
  if (lapse !== undefined) return { rule, state: lapse.state, explanation: `${who}, but ${lapse.text}. ${lapse.advice}` };
  if (rule.ignored !== undefined)
    return {
      rule,
      state: 'ignored',
      explanation: `A rule (${sourceText(rule.source)}) makes an exception of ${ruleName(rule)}: ${shortened(printable(rule.ignored.reason), 200)}`,
    };
  if (rule.validUntil !== undefined && Date.parse(rule.validUntil) - now.getTime() <= soonMs)
    return { rule, state: 'expiring', explanation: `${who}; the approval ends on ${dateText(rule.validUntil)}. Renew it before that day.` };
  return { rule, state: 'approved-present', explanation: `${who}; no record names the device itself.` };
}

/** `Dell bmc in 10.9.0.0/16`. */
export function ruleName({ classes, vendor, product, networks }: ApprovalRule): string {
  const kind = [vendor, product].filter((part) => part !== undefined).map((part) => shortened(printable(part), 60));
  const what = [...kind, ...(classes.length > 0 ? [classes.join(' or ')] : [])].join(' ');
  const where = listText(networks.map(({ text }) => text));
  return [what === '' ? 'whatever is' : what, ...(where === '' ? [] : [`in ${where}`])].join(' ');
}

export function ruleAsset(rule: ApprovalRule): FindingAsset {
  const { id, ticket, owner, site, source } = rule;
  const number = id ?? ticket;
  return {
    ...(number === undefined ? {} : { id: number }),
    name: ruleName(rule),
    ...(owner === undefined ? {} : { owner }),
    ...(site === undefined ? {} : { site }),
    source,
  };
}

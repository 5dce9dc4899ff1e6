import { count } from '../text.ts';
import { STATES } from '../vocabulary.ts';
import type { ApprovedList, AssetSource } from './asset.ts';
import type { Finding } from './finding.ts';

/** What became of the records of a list: each is in exactly one of these. */
export interface RecordAccount {
  readonly rows: number;
  /** By the state of the finding that tells of the record; a record that a device poses as is told of by its own finding. */
  readonly byState: ReadonlyMap<Finding['state'], number>;
  readonly leftOut: number;
  readonly approveNothing: number;
  /** Rules, and how many devices they approve or would have approved. */
  readonly rules: number;
  readonly byRules: number;
}

/** Counts the records of a list by what became of them. The findings are those that {@link reconcile} made of this list, not copies of them. */
export function accountFor(list: ApprovedList, findings: readonly Finding[]): RecordAccount {
  const told = new Map<AssetSource, Finding>();
  for (const finding of findings) {
    if (finding.asset === undefined) continue;
    // A finding that is about the record alone says more of it.
    if (finding.deviceKey === undefined || !told.has(finding.asset.source)) told.set(finding.asset.source, finding);
  }
  const byState = new Map<Finding['state'], number>();
  for (const { source } of list.assets) {
    const finding = told.get(source);
    if (finding === undefined) continue;
    byState.set(finding.state, (byState.get(finding.state) ?? 0) + 1);
  }
  const rules = new Set(list.rules.map(({ source }) => source));
  return {
    rows: list.rows,
    byState: new Map(STATES.flatMap((state) => (byState.has(state) ? [[state, byState.get(state) ?? 0] as const] : []))),
    leftOut: list.setAside.filter(({ leftOut }) => leftOut === true).length,
    approveNothing: list.setAside.filter(({ leftOut }) => leftOut !== true).length,
    rules: list.rules.length,
    byRules: findings.filter(({ asset }) => asset !== undefined && rules.has(asset.source)).length,
  };
}

/** `10,000 records: 4,120 approved-present, 80 duplicate, …, 120 left out, 90 approve nothing; 2 rules for 41 devices`. */
export function accountText({ rows, byState, leftOut, approveNothing, rules, byRules }: RecordAccount): string {
  const parts = [
    ...[...byState].map(([state, records]) => `${records.toLocaleString('en')} ${state}`),
    ...(leftOut === 0 ? [] : [`${leftOut.toLocaleString('en')} left out`]),
    ...(approveNothing === 0 ? [] : [`${approveNothing.toLocaleString('en')} approve nothing`]),
  ];
  const ruleText = rules === 0 ? [] : [`${count(rules, 'rule')} for ${count(byRules, 'device')}`];
  return [...(rows === 0 ? [] : [`${count(rows, 'record')}: ${parts.join(', ')}`]), ...ruleText].join('; ');
}

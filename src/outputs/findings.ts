import { placesOf } from '../devices/device.ts';
import type { Finding } from '../reconcile/index.ts';
import type { Severity, State } from '../vocabulary.ts';
import { type Column, table } from './table.ts';

const SEVERITY_STYLE: Readonly<Record<Severity, 'red' | 'yellow' | 'dim'>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'yellow',
  info: 'dim',
};

const COLUMNS: readonly Column<Finding>[] = [
  { title: 'STATE', of: ({ state }) => state, style: ({ severity }) => SEVERITY_STYLE[severity] },
  { title: 'SEVERITY', of: ({ severity }) => severity },
  { title: 'ADDRESS', of: (finding) => placesOf(finding).join(' '), max: 40 },
  { title: 'DEVICE', of: ({ name }) => name, style: () => 'bold', max: 40 },
  { title: 'WHY', of: ({ explanation }) => explanation, wraps: true },
];

/** Findings as a table for a terminal of so many columns; undefined where there is none. */
export function findingTable(findings: readonly Finding[], columns: number | undefined): string {
  return table(findings, COLUMNS, { columns });
}

/** `unapproved 3, impostor 1, approved-present 12`, in the order of the findings. */
export function stateCounts(findings: readonly Finding[]): string {
  const counts = new Map<State, number>();
  for (const { state } of findings) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, number]) => `${state} ${number}`).join(', ');
}

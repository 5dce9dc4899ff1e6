import { type Device, placesOf } from '../devices/device.ts';
import type { Inventory } from '../inventory/schema.ts';
import { type Finding, sourceText } from '../reconcile/index.ts';
import { BETWEEN, type CsvColumn, peopleCsv } from './csv.ts';

interface Row {
  readonly finding: Finding;
  /** Absent where the finding is about a record only. */
  readonly device?: Device | undefined;
}

/** Names and order stay: people build on them. */
const COLUMNS: readonly CsvColumn<Row>[] = [
  { title: 'state', of: ({ finding }) => finding.state },
  { title: 'severity', of: ({ finding }) => finding.severity },
  { title: 'first seen', of: ({ finding }) => finding.firstSeen },
  { title: 'addresses', of: ({ finding }) => placesOf(finding).join(BETWEEN) },
  { title: 'name', of: ({ finding }) => finding.name },
  { title: 'class', of: ({ finding }) => finding.class },
  { title: 'vendor', of: ({ device }) => device?.vendor },
  { title: 'product', of: ({ device }) => [device?.product, device?.generation].filter((part) => part !== undefined).join(' ') },
  { title: 'model', of: ({ device }) => device?.model },
  { title: 'version', of: ({ device }) => device?.version },
  { title: 'serial', of: ({ device }) => device?.serial },
  { title: 'risk', of: ({ device }) => device?.posture.join(BETWEEN) },
  { title: 'record', of: ({ finding }) => finding.asset?.id ?? finding.asset?.name },
  { title: 'owner', of: ({ finding }) => finding.asset?.owner },
  { title: 'site', of: ({ finding }) => finding.asset?.site },
  { title: 'record source', of: ({ finding: { asset } }) => (asset === undefined ? undefined : sourceText(asset.source)) },
  { title: 'policy source', of: ({ finding: { policy } }) => (policy === undefined ? undefined : sourceText(policy)) },
  { title: 'matched', of: ({ finding }) => finding.matched.map(({ kind, value }) => `${kind} ${value}`).join(BETWEEN) },
  {
    title: 'conflicts',
    of: ({ finding }) =>
      finding.conflicts
        .map(({ what, approved, seen }) => `${what} ${seen === '' ? 'not shown' : seen} (approved: ${approved})`)
        .join(BETWEEN),
  },
  { title: 'explanation', of: ({ finding }) => finding.explanation },
  { title: 'device key', of: ({ finding }) => finding.deviceKey },
];

/** Findings as CSV for people, one a row, the most pressing first. */
export function findingsCsv(findings: readonly Finding[], { devices }: Pick<Inventory, 'devices'>): string {
  const byKey = new Map(devices.map((device) => [device.deviceKey, device]));
  return peopleCsv(
    findings.map((finding) => ({ finding, device: finding.deviceKey === undefined ? undefined : byKey.get(finding.deviceKey) })),
    COLUMNS,
  );
}

import { createHash } from 'node:crypto';
import type { Device } from '../../devices/device.ts';
import type { Inventory } from '../../inventory/schema.ts';
import { jsonText } from '../../text.ts';
import { QUIET_CLASSES } from '../../vocabulary.ts';
import { addressCell, ipAddresses, portsAt } from './addresses.ts';
import { type Approval, NO_APPROVAL } from './approvals.ts';
import type { Known } from './carry.ts';
import { cell, listCell, timeCell } from './cells.ts';
import type { SentinelTable } from './columns.ts';
import { identityCells } from './devices.ts';
import { bytesOf, LIMITS, partsOf } from './limits.ts';

type Value = string | number | boolean | readonly Readonly<Record<string, string | number>>[];
/** One record of the table, by column. */
export type TableRecord = Readonly<Record<string, Value>>;

const MAX_EVIDENCE = 20;
const MAX_EVIDENCE_TEXT = 300; // characters

/** Names a sweep: the same for the same one, whoever exports it. */
export function scanId({ run, devices }: Inventory): string {
  return `scan-${createHash('sha256')
    .update(JSON.stringify(run ?? devices))
    .digest('hex')
    .slice(0, 12)}`;
}

/**
 * The records of a sweep: what this one saw, one for each address, and one for a device without. All carry the time at which it ended: the service may
 * refuse records whose times lie half an hour apart in one call.
 */
export function tableRecords(
  inventory: Inventory,
  known: readonly Known[],
  approvals: ReadonlyMap<string, Approval>,
  now: Date,
): TableRecord[] {
  const scan = { TimeGenerated: timeCell(now.toISOString()), ScanId: scanId(inventory), ScanComplete: inventory.completeness.complete };
  return known.flatMap(({ device: { deviceKey, class: kind, firstSeen }, views }) => {
    if (QUIET_CLASSES.has(kind)) return [];
    const approval = approvals.get(deviceKey) ?? NO_APPROVAL;
    return views.flatMap((view) => {
      const device = { ...view, deviceKey, ...(firstSeen === undefined ? {} : { firstSeen }) };
      const seen = ipAddresses(view);
      return (seen.length === 0 ? [undefined] : seen).map((address) => ({ ...scan, ...recordOf(device, address, approval) }));
    });
  });
}

function recordOf(device: Device, address: string | undefined, approval: Approval): TableRecord {
  const { State, Severity, ApprovalId, Owner, Site } = approval;
  return {
    DeviceKey: device.deviceKey,
    Ip: address === undefined ? '' : addressCell(address),
    ...identityCells(device),
    Generation: cell(device.generation),
    Version: cell(device.version),
    State,
    Severity,
    ApprovalId,
    Owner,
    Site,
    OpenPorts: address === undefined ? '' : listCell(portsAt(device.endpoints, address)),
    Posture: listCell(device.posture),
    Certainty: device.certainty,
    Level: device.level,
    ...(device.firstSeen === undefined ? {} : { FirstSeen: timeCell(device.firstSeen) }),
    ...(device.lastSeen === undefined ? {} : { LastSeen: timeCell(device.lastSeen) }),
    Evidence: device.evidence
      .toSorted((a, b) => b.certainty - a.certainty)
      .slice(0, MAX_EVIDENCE)
      .map(({ fingerprint, rule, fact, text, certainty, endpoint }) => ({
        fingerprint: cell(fingerprint),
        rule: cell(rule),
        fact: cell(fact),
        text: cell(text, MAX_EVIDENCE_TEXT),
        certainty,
        endpoint: cell(endpoint),
      })),
  };
}

/** Records as the Logs Ingestion API takes them: JSON arrays, each small enough for one call, with the columns of the table in its order. */
export function recordArrays(records: readonly TableRecord[], { columns }: SentinelTable): string[] {
  const lines = records.map((record) =>
    jsonText(Object.fromEntries(columns.flatMap(({ name }) => (record[name] === undefined ? [] : [[name, record[name]]])))),
  );
  return partsOf(lines, (line) => bytesOf(line) + 2, LIMITS.callBytes, 4).map((part) => `[\n${part.join(',\n')}\n]\n`);
}

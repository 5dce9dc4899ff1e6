import type { ApprovedAsset, Finding } from '../../reconcile/index.ts';
import { sourceText } from '../../reconcile/index.ts';
import { cell, timeCell } from './cells.ts';

/** The columns that come of holding devices against approved assets. */
export const APPROVAL_COLUMNS = ['State', 'Severity', 'ApprovalId', 'ApprovalExpires', 'Owner', 'Site'] as const;
export type Approval = Readonly<Record<(typeof APPROVAL_COLUMNS)[number], string>>;

/** What a row tells of the record that approves a device. */
export type ApprovingRecord = Pick<ApprovedAsset, 'id' | 'ticket' | 'owner' | 'site' | 'validUntil' | 'source'>;

export const NO_APPROVAL: Approval = { State: '', Severity: '', ApprovalId: '', ApprovalExpires: '', Owner: '', Site: '' };

/** What the findings say of each device, by its key; of several findings the most pressing, which come first. */
export function approvalsOf(findings: readonly Finding[], records: readonly ApprovingRecord[]): Map<string, Approval> {
  const bySource = new Map(records.map((record) => [sourceText(record.source), record]));
  const approvals = new Map<string, Approval>();
  for (const finding of findings) {
    if (finding.deviceKey === undefined || approvals.has(finding.deviceKey)) continue;
    approvals.set(
      finding.deviceKey,
      approvalOf(finding, finding.asset === undefined ? undefined : bySource.get(sourceText(finding.asset.source))),
    );
  }
  return approvals;
}

function approvalOf({ state, severity, asset }: Finding, record: ApprovingRecord | undefined): Approval {
  // What poses as an approved device has no approval; whose record it is tells whom to ask.
  const approved = state !== 'impostor';
  return {
    State: state,
    Severity: severity,
    ApprovalId: approved ? cell(record?.ticket ?? record?.id ?? asset?.id) : '',
    ApprovalExpires: approved ? timeCell(record?.validUntil) : '',
    Owner: cell(record?.owner ?? asset?.owner),
    Site: cell(record?.site),
  };
}

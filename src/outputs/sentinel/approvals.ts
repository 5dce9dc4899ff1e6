import type { ApprovedAsset, ApprovedList, Finding } from '../../reconcile/index.ts';
import { sourceText } from '../../reconcile/index.ts';
import { cell, timeCell } from './cells.ts';

/** The columns that come of holding devices against approved assets. */
export const APPROVAL_COLUMNS = ['State', 'Severity', 'ApprovalId', 'ApprovalExpires', 'Owner', 'Site'] as const;
export type Approval = Readonly<Record<(typeof APPROVAL_COLUMNS)[number], string>>;

export const NO_APPROVAL: Approval = { State: '', Severity: '', ApprovalId: '', ApprovalExpires: '', Owner: '', Site: '' };

/** What the findings say of each device, by its key; of several findings the most pressing, which come first. */
export function approvalsOf(findings: readonly Finding[], { assets }: Pick<ApprovedList, 'assets'>): Map<string, Approval> {
  const bySource = new Map(assets.map((asset) => [sourceText(asset.source), asset]));
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

function approvalOf({ state, severity, asset }: Finding, record: ApprovedAsset | undefined): Approval {
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

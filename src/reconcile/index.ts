export { type ApprovedAsset, type ApprovedList, type AssetSource, type SetAside, sourceText } from './asset.ts';
export { readApproved } from './approved.ts';
export { failing } from './failing.ts';
export type { Finding, FindingAsset } from './finding.ts';
export type { Conflict, Matched } from './match.ts';
export { type NetworkPolicy, parsePolicy, readPolicy } from './policy.ts';
export { outOfPolicy, reconcile, type ReconcileOptions } from './reconcile.ts';
export { isPressing } from './severity.ts';
export { type ApprovalWindow, isInWindow, parseWindow } from './windows.ts';

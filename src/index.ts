/** The library: everything that other programs may use. What is not exported here may change with any release. */
export { version } from './data.ts';
export { InputError, ForbiddenError, ProbeError, problemText, type Problem } from './errors.ts';
export type { DeviceClass, Facts, FactValue, Identifier, Level, Outcome, Posture, Severity, State, Transport } from './vocabulary.ts';

export { Guard } from './targets/guard.ts';
export { HostSet } from './targets/hosts.ts';
export { collectTargets } from './targets/lists.ts';
export { parseTargets } from './targets/parse.ts';
export type { PortPlan } from './targets/port-plan.ts';
export { DEFAULT_PORTS, parsePorts } from './targets/ports.ts';

export { AllowedPaths, loadPathRules } from './sweep/paths.ts';
export { MESSAGES } from './sweep/messages.ts';
export { collectCredentials, type CredentialSources } from './sweep/snmp/credential-sources.ts';
export type { SnmpCredentials } from './sweep/snmp/credentials.ts';
export type { Ledger, PortLedger } from './sweep/ledger.ts';

export { byEndpoint, type EndpointFacts, type Observation, readObservation } from './observations/observation.ts';

export { factVocabulary } from './fingerprints/facts.ts';
export { ownFingerprints, readFingerprints } from './fingerprints/load.ts';
export { judge, type Claim } from './fingerprints/judge.ts';
export { Matcher, type Hit } from './fingerprints/match.ts';
export { prove } from './fingerprints/prove.ts';
export type { Fingerprint } from './fingerprints/schema.ts';

export { type Attachment, deviceName, type Device, placesOf } from './devices/device.ts';
export { devicesAt } from './devices/from-host.ts';
export { fuse } from './devices/fuse.ts';

export { changesBetween, type Change } from './inventory/changes.ts';
export { deriveInventory } from './inventory/derive.ts';
export { inventoryText, readInventory } from './inventory/file.ts';
export type { Inventory } from './inventory/schema.ts';

export { TEXT_FORMATS } from './outputs/formats/index.ts';
export { reportPage, type ReportInput } from './outputs/report/index.ts';
export { sentinelBundle } from './outputs/sentinel/bundle.ts';

export {
  accountFor,
  type ApprovalRule,
  type ApprovedAsset,
  type ApprovedList,
  failing,
  type Finding,
  type NetworkPolicy,
  outOfPolicy,
  readApproved,
  readPolicy,
  reconcile,
} from './reconcile/index.ts';

export { resumeScan, scan, type ScanOptions, type ScanPlan, type ScanProgress, type ScanResult } from './scan/scan.ts';

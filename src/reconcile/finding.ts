import type { Attachment } from '../devices/device.ts';
import type { DeviceClass, Severity, State } from '../vocabulary.ts';
import type { AssetSource } from './asset.ts';
import type { Conflict, Matched } from './match.ts';

/** The record that a finding is about. */
export interface FindingAsset {
  readonly id?: string;
  readonly name?: string;
  readonly owner?: string;
  readonly site?: string;
  readonly source: AssetSource;
}

/** What holding an inventory against approved assets says of one device, or of one record that no device carries. */
export interface Finding {
  readonly state: State;
  readonly severity: Severity;
  /** Absent where the finding is about a record only. */
  readonly deviceKey?: string;
  readonly class?: DeviceClass;
  /** What people call the device; of a record only, what the record calls it. */
  readonly name: string;
  /** Of the device; of a record only, where it should be. */
  readonly addresses: readonly string[];
  /** Of the device: the computers that it is attached to, or was. */
  readonly attachedTo?: readonly Attachment[];
  /** When the device was first seen, ISO 8601, UTC: carried on from sweep to sweep. */
  readonly firstSeen?: string;
  readonly asset?: FindingAsset;
  /** The entry of the network policy that the device does not keep to. */
  readonly policy?: AssetSource;
  /** The identifiers that device and record have in common. */
  readonly matched: readonly Matched[];
  /** What the record, or the network policy, says and the device shows otherwise. */
  readonly conflicts: readonly Conflict[];
  /** One or two sentences: which identifiers matched, what conflicts, what to do. Device text in it is cleaned. */
  readonly explanation: string;
}

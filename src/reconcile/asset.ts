import { type Problem, placeText } from '../errors.ts';
import type { AddressRange } from '../targets/addresses.ts';
import type { DeviceClass } from '../vocabulary.ts';
import type { TimeWindow } from '../windows.ts';

/** Where a record stands: the line of a CSV file, from 1, or the index of an entry of a JSON file, from 0, in the list that is called so. */
export interface AssetSource {
  readonly file: string;
  readonly line?: number;
  readonly index?: number;
  readonly list?: string;
}

/** One record of the organisation's list. Lists are empty, and all else absent, where the record says nothing. */
export interface ApprovedAsset {
  /** Asset tag or other id of the record. */
  readonly id?: string;
  /** The ticket that approved it. */
  readonly ticket?: string;
  /** What people call it. */
  readonly name?: string;
  readonly serials: readonly string[];
  /** 12 upper-case hex digits with colons. */
  readonly macs: readonly string[];
  /** 32 lower-case hex digits. */
  readonly uuids: readonly string[];
  /** Host names, lower case, without a dot at the end. */
  readonly names: readonly string[];
  /** Canonical text, without prefix length or zone. */
  readonly addresses: readonly string[];
  readonly class?: DeviceClass;
  readonly vendor?: string;
  readonly product?: string;
  readonly model?: string;
  readonly version?: string;
  /** SHA-256 of the public key of its certificate, lower-case hex. */
  readonly certificate?: string;
  readonly owner?: string;
  readonly site?: string;
  /** First and last moment of the approval, ISO 8601, UTC. A day without a time is a whole day in UTC. */
  readonly validFrom?: string;
  readonly validUntil?: string;
  /** Approved only within these; at any time where there is none. */
  readonly windows: readonly TimeWindow[];
  /** An exception, not an approval. */
  readonly ignored?: { readonly reason: string };
  /** An ordinary computer, whose controller has a record of its own: that nothing is recognised where it is means nothing. */
  readonly computer?: true;
  readonly source: AssetSource;
}

/** An approval of whatever is of a kind and in a place; never of one device by name. */
export interface ApprovalRule extends Pick<
  ApprovedAsset,
  'id' | 'ticket' | 'vendor' | 'product' | 'owner' | 'site' | 'validFrom' | 'validUntil' | 'windows' | 'ignored' | 'source'
> {
  /** Any of these; of any but quiet classes where there is none. */
  readonly classes: readonly DeviceClass[];
  /** All of a device's addresses are in these; anywhere where there is none. */
  readonly networks: readonly RuleNetwork[];
}

export interface RuleNetwork {
  readonly text: string;
  readonly range: AddressRange;
}

/** A record that names a device and does not approve it, with the reason: `its status is "retired"`. */
export interface SetAside {
  readonly asset: ApprovedAsset;
  readonly why: string;
  /** Because of what is wrong in it, not because it says so. */
  readonly leftOut?: true;
}

export interface ApprovedList {
  /** Records that were read, whatever became of them. Rules are not among them. */
  readonly rows: number;
  readonly assets: readonly ApprovedAsset[];
  readonly rules: readonly ApprovalRule[];
  /** One for each record that is left out, with all that is wrong with it. */
  readonly problems: readonly Problem[];
  /** What was understood, but perhaps not meant: ignored columns, choices between columns, records that approve nothing. */
  readonly notes: readonly string[];
  /** Records that are left out or approve nothing, as far as they name a device: they explain why it is unapproved. */
  readonly setAside: readonly SetAside[];
}

/** `approved.csv:7`, `approved.json[6]`, `devices.json#results[6]`. */
export function sourceText({ file, line, index, list }: AssetSource): string {
  if (index === undefined) return placeText({ file, ...(line === undefined ? {} : { line }) });
  return `${file}${list === undefined ? '' : `#${list}`}[${index}]`;
}

/** What a record is called where people read it. */
export function assetName({ name, names, id, ticket, serials, macs, addresses, uuids }: ApprovedAsset): string {
  return name ?? names[0] ?? id ?? ticket ?? serials[0] ?? macs[0] ?? addresses[0] ?? uuids[0] ?? 'unnamed';
}

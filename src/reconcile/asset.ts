import { type Problem, placeText } from '../errors.ts';
import type { DeviceClass } from '../vocabulary.ts';
import type { ApprovalWindow } from './windows.ts';

/** Where a record stands: the line of a CSV file, from 1, or the index of an entry of a JSON file, from 0. */
export interface AssetSource {
  readonly file: string;
  readonly line?: number;
  readonly index?: number;
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
  readonly windows: readonly ApprovalWindow[];
  /** An exception, not an approval. */
  readonly ignored?: { readonly reason: string };
  readonly source: AssetSource;
}

/** A record that names a device and does not approve it, with the reason: `its status is "retired"`. */
export interface SetAside {
  readonly asset: ApprovedAsset;
  readonly why: string;
}

export interface ApprovedList {
  readonly assets: readonly ApprovedAsset[];
  /** One for each record that is left out, with all that is wrong with it. */
  readonly problems: readonly Problem[];
  /** What was understood, but perhaps not meant: ignored columns, choices between columns, records that approve nothing. */
  readonly notes: readonly string[];
  /** Records that are left out or approve nothing, as far as they name a device: they explain why it is unapproved. */
  readonly setAside: readonly SetAside[];
}

/** `approved.csv:7`, `approved.json[6]`. */
export function sourceText({ file, line, index }: AssetSource): string {
  return index === undefined ? placeText({ file, ...(line === undefined ? {} : { line }) }) : `${file}[${index}]`;
}

/** What a record is called where people read it. */
export function assetName({ name, names, id, ticket, serials, macs, addresses, uuids }: ApprovedAsset): string {
  return name ?? names[0] ?? id ?? ticket ?? serials[0] ?? macs[0] ?? addresses[0] ?? uuids[0] ?? 'unnamed';
}

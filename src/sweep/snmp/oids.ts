import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { bundled, dataPath } from '../../data.ts';

/** What an object is taken for. */
export type OidMeaning =
  | 'sysDescr'
  | 'sysObjectID'
  | 'sysName'
  | 'sysLocation'
  | 'entity.class'
  | 'entity.firmware'
  | 'entity.serial'
  | 'entity.model'
  | 'mac'
  | 'model'
  | 'firmware'
  | 'serial';

/** One line of the reviewed list (`data/vocabulary/oids.yaml`): an object that an SNMP GET may ask for. */
export interface OidRule {
  /** Dotted digits, without a leading dot. */
  readonly oid: string;
  /** `any`, or the beginning of the sysObjectID of those who are asked. */
  readonly when: string;
  readonly means: OidMeaning;
  readonly source: string;
}

let loaded: readonly OidRule[] | undefined;
let listed: ReadonlySet<string> | undefined;

export function loadOidRules(): readonly OidRule[] {
  loaded ??= bundled('oids', readOidRules);
  return loaded;
}

/** The list from its source. The build bundles it. */
export function readOidRules(): OidRule[] {
  return parse(readFileSync(dataPath('vocabulary/oids.yaml'), 'utf8')) as OidRule[];
}

/** True where an object is on the list. */
export function isListed(oid: string): boolean {
  listed ??= new Set(loadOidRules().map((rule) => rule.oid));
  return listed.has(oid);
}

/** The objects that are asked of every agent for one of some meanings, in the order of the list. */
export function commonOids(...meanings: readonly OidMeaning[]): readonly OidRule[] {
  return loadOidRules().filter(({ when, means }) => when === 'any' && meanings.includes(means));
}

/** The objects of a maker's own that an agent with this sysObjectID is asked for. */
export function makersOids(sysObjectID: string): readonly OidRule[] {
  return loadOidRules().filter(({ when }) => when !== 'any' && `${sysObjectID}.`.startsWith(`${when}.`));
}

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Facts } from '../../src/vocabulary.ts';

interface Group {
  readonly fact: string;
  readonly source: string;
  readonly values: readonly (string | readonly [sysObjectID: string, sysDescr: string])[];
}

/** What ordinary devices say (ordinary.yaml), each as the facts of one endpoint. */
export function ordinaryFacts(): Facts[] {
  return groups().flatMap(({ fact, values }) =>
    values.map((value): Facts =>
      typeof value === 'string' ? { [fact]: value } : { 'snmp.sysObjectID': value[0], 'snmp.sysDescr': value[1] },
    ),
  );
}

/** Those of them that are SNMP agents. */
export function ordinaryAgents(): { readonly sysObjectID: string; readonly sysDescr: string }[] {
  return groups().flatMap(({ values }) =>
    values.flatMap((value) => (typeof value === 'string' ? [] : [{ sysObjectID: value[0], sysDescr: value[1] }])),
  );
}

function groups(): readonly Group[] {
  return parse(readFileSync(new URL('ordinary.yaml', import.meta.url), 'utf8')) as Group[];
}

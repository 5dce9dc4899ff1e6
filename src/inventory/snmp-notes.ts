import type { EndpointFacts } from '../observations/observation.ts';
import type { ReadEntry } from '../observations/read.ts';
import { count } from '../text.ts';
import type { Inventory } from './schema.ts';

type Given = NonNullable<NonNullable<Inventory['asked']>['snmp']>;

/** How an agent of SNMP was read: not at all, with none of the credentials that were given, or well. */
export type SnmpReading = 'not asked' | 'refused' | 'read';

/** What became of reading SNMP at an endpoint; undefined where there is no agent. */
export function snmpReading({ outcomes, facts }: EndpointFacts): SnmpReading | undefined {
  if (outcomes['snmp'] !== 'answered') return undefined;
  if (outcomes['snmp-read'] === 'answered' || SYSTEM.some((fact) => facts[fact] !== undefined)) return 'read';
  return outcomes['snmp-read'] === undefined ? 'not asked' : 'refused';
}

const SYSTEM = ['snmp.sysDescr', 'snmp.sysObjectID', 'snmp.sysName', 'snmp.sysLocation'];

/** Credentials given at any time of a sweep: those of its beginning, or of the resume that had the most. */
export function snmpGiven(runs: readonly ReadEntry[]): Given | undefined {
  const all = runs.flatMap(({ snmp }) => (isGiven(snmp) ? [snmp] : []));
  return all.toSorted((a, b) => b.communities + b.users - (a.communities + a.users))[0];
}

function isGiven(value: unknown): value is Given {
  const { communities, users } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<string, unknown>>;
  return Number.isInteger(communities) && Number.isInteger(users);
}

function addresses(many: number): string {
  return count(many, 'address', 'addresses');
}

/** What a reader should know of the reading of SNMP: whom nobody asked, who took none of the credentials, and what a resume was not given. */
export function snmpNotes(runs: readonly ReadEntry[], readings: readonly (SnmpReading | undefined)[]): string[] {
  const number = (wanted: SnmpReading): number => readings.filter((reading) => reading === wanted).length;
  const notes: string[] = [];
  if (number('not asked') > 0) notes.push(`${addresses(number('not asked'))} answered SNMP; sysDescr not asked: give --snmp-community`);
  if (number('refused') > 0)
    notes.push(
      `${addresses(number('refused'))} of ${number('refused') + number('read')} that answered SNMP took none of the credentials given: what such a device says of itself is not in here`,
    );
  const [first, ...resumed] = runs.map(({ snmp, at }) => ({ isGiven: isGiven(snmp), at: String(at) }));
  const without = first?.isGiven === true ? resumed.find((run) => !run.isGiven) : undefined;
  if (without !== undefined)
    notes.push(
      `SNMP credentials were given when the sweep began, and not when it was resumed at ${without.at}: addresses asked since then were not read (credentials are in no file; give them again with --resume)`,
    );
  const late = first?.isGiven === false ? resumed.find((run) => run.isGiven) : undefined;
  if (late !== undefined)
    notes.push(`SNMP credentials were given from the resume at ${late.at} on: addresses asked before were not asked again with them`);
  return notes;
}

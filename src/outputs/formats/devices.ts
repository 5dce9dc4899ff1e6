import type { Device } from '../../devices/device.ts';
import type { Inventory } from '../../inventory/schema.ts';
import type { Finding } from '../../reconcile/index.ts';
import { count } from '../../text.ts';
import { QUIET_CLASSES, type State } from '../../vocabulary.ts';

/** The remote-access devices of an inventory: software that only looks like them, and what is none, is no asset of this kind. */
export function assets({ devices }: Inventory): { readonly devices: readonly Device[]; readonly notes: readonly string[] } {
  const kept = devices.filter((device) => !QUIET_CLASSES.has(device.class));
  const left = devices.length - kept.length;
  return { devices: kept, notes: left === 0 ? [] : [`${count(left, 'device')} of class ${[...QUIET_CLASSES].join(' or ')} left out`] };
}

/** The finding of each device by its key: the most pressing one, which comes first in a list of findings. */
export function findingsByDevice(findings: readonly Finding[] = []): ReadonlyMap<string, Finding> {
  const found = new Map<string, Finding>();
  for (const finding of findings)
    if (finding.deviceKey !== undefined && !found.has(finding.deviceKey)) found.set(finding.deviceKey, finding);
  return found;
}

/** Findings whose record is another device's, or may be. */
const DOUBTFUL: ReadonlySet<State> = new Set<State>(['impostor', 'ambiguous', 'duplicate']);

/** Whose device it is, by a record that is surely its own. */
export function ownerOf(finding: Finding | undefined): string | undefined {
  return finding === undefined || DOUBTFUL.has(finding.state) ? undefined : finding.asset?.owner;
}

/** A note of the findings that a form with a row for each device has no place for. */
export function recordsLeftOut(findings: readonly Finding[] = []): string[] {
  const left = findings.filter(({ deviceKey }) => deviceKey === undefined).length;
  return left === 0
    ? []
    : [`${count(left, 'approved asset')} that no device carries left out: this form holds devices (kvmsweep reconcile lists them)`];
}

/** The computers that a device is plugged into, by their own lists: `ws-0042;was ws-0043`. */
export function attachedText({ attachedTo = [] }: Device): string {
  return attachedTo.map(({ computer, present }) => (present ? computer : `was ${computer}`)).join(';');
}

/** MAC addresses of a device's own network cards, strongest first, each once. */
export function macsOf({ identifiers }: Device): string[] {
  return [...new Set(identifiers.flatMap(({ kind, value }) => (kind === 'mac' ? [value] : [])))];
}

/** When the inventory was taken, in milliseconds: the end of the sweep, else the last time that a device was seen; undefined where it says neither. */
export function takenAt({ run, devices }: Inventory): number | undefined {
  const times = [run?.endedAt, ...devices.map(({ lastSeen }) => lastSeen)].flatMap((at) => (at === undefined ? [] : [Date.parse(at)]));
  if (run?.endedAt !== undefined) return times[0];
  return times.length === 0 ? undefined : times.reduce((a, b) => Math.max(a, b));
}

/**
 * Host names that tell their device from others. A name that several devices have, or that is the product's own (`pikvm`, `tinypilot`), would make a
 * system that looks devices up by name take many for one: those are left out.
 */
export function tellingNames(devices: readonly Device[]): ReadonlyMap<string, string> {
  const uses = new Map<string, number>();
  for (const { hostname } of devices)
    if (hostname !== undefined) uses.set(hostname.toLowerCase(), (uses.get(hostname.toLowerCase()) ?? 0) + 1);
  return new Map(
    devices.flatMap(({ deviceKey, hostname, vendor, product }) => {
      if (hostname === undefined || uses.get(hostname.toLowerCase()) !== 1 || !HOST_NAME.test(hostname)) return [];
      const [label = ''] = hostname.split('.', 1);
      return [vendor, product].some((name) => name !== undefined && lettersOf(name) === lettersOf(label)) ? [] : [[deviceKey, hostname]];
    }),
  );
}

/** What may stand in a name of DNS; all else that a device calls itself is text, not a name to look it up by. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9_-]{0,62})(\.[a-z0-9]([a-z0-9_-]{0,62}))*$/i;

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, '');
}

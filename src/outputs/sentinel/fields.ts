import { createHash } from 'node:crypto';
import type { Device } from '../../devices/device.ts';
import { earliest } from '../../inventory/history.ts';
import type { Identifier } from '../../vocabulary.ts';

/** What named a device, in short. */
export function marksOf({ evidence }: Device): string[] {
  const marks = evidence.map(({ fingerprint, rule, fact, endpoint }) =>
    createHash('sha256')
      .update(JSON.stringify([fingerprint, rule, fact, endpoint]))
      .digest('hex')
      .slice(0, 8),
  );
  return [...new Set(marks)].toSorted();
}

/** Identifiers from before that this view does not show, without those that it shows otherwise. An address is none of them. */
export function unreadIdentifiers(old: readonly Identifier[], now: readonly Identifier[]): Identifier[] {
  return old.filter(({ kind, value }) => {
    if (kind === 'ip' || now.some((one) => one.kind === kind && one.value === value)) return false;
    const same = now.filter((one) => one.kind === kind);
    return same.length === 0 || same.some((one) => old.some((other) => other.kind === kind && other.value === one.value));
  });
}

const DETAILS = ['generation', 'model', 'version', 'serial', 'hostname', 'macVendor', 'base'] as const;

type Fields = Pick<Device, 'class' | 'vendor' | 'product' | (typeof DETAILS)[number]>;

/** What it is called: as now, but where less of it was seen than before, as then. */
export function fieldsOf(old: Device, views: readonly [Device, ...Device[]], partial: boolean): Fields {
  const named = views.find(({ product }) => product !== undefined) ?? views[0];
  const keepsName = old.product !== undefined && (partial || named.product === undefined);
  const { class: kind, vendor, product } = keepsName ? old : named;
  const sameProduct = product === old.product || old.product === undefined;
  const details = DETAILS.flatMap((field) => {
    const now = views.map((view) => view[field]).find((value) => value !== undefined);
    const before = sameProduct ? old[field] : undefined;
    const value = partial ? (before ?? now) : (now ?? before);
    return value === undefined ? [] : [[field, value] as const];
  });
  const known = vendor ?? (sameProduct ? old.vendor : undefined);
  return {
    class: kind,
    ...(known === undefined ? {} : { vendor: known }),
    ...(product === undefined ? {} : { product }),
    ...Object.fromEntries(details),
  };
}

/** Since when, and until when, it was seen. */
export function timesOf(old: Device, views: readonly Device[]): Pick<Device, 'firstSeen' | 'lastSeen'> {
  const first = views.reduce((time, { firstSeen }) => earliest(time, firstSeen), old.firstSeen);
  const last = views
    .flatMap(({ lastSeen }) => lastSeen ?? [])
    .toSorted()
    .at(-1);
  return { ...(first === undefined ? {} : { firstSeen: first }), ...(last === undefined ? {} : { lastSeen: last }) };
}

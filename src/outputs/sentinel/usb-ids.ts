import { deviceName } from '../../devices/device.ts';
import { type Condition, conditionsOf, type Fingerprint, type Rule } from '../../fingerprints/schema.ts';
import { LEVELS } from '../../vocabulary.ts';
import { cell } from './cells.ts';
import type { Row } from './columns.ts';

/**
 * The rows of KvmUsbIds: the ids that a definition takes for a sign by themselves, as PnP instance paths write them. A rule that asks for more (a
 * serial number, a name) makes no row, since the id alone is not what it claims. Of several rules for one id the surest counts.
 */
export function usbIdRows(fingerprints: readonly Fingerprint[]): Row[] {
  const best = new Map<string, { readonly certainty: number; readonly row: Row }>();
  for (const fingerprint of fingerprints)
    for (const rule of fingerprint.rules)
      for (const id of idsOf(rule)) {
        if ((best.get(id)?.certainty ?? 0) >= rule.certainty) continue;
        best.set(id, { certainty: rule.certainty, row: rowOf(id, rule, fingerprint) });
      }
  return [...best].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { row }]) => row);
}

function rowOf(id: string, rule: Rule, { class: kind, vendor, product, title }: Fingerprint): Row {
  const name = { class: kind, ...(vendor === undefined ? {} : { vendor }), ...(product === undefined ? {} : { product }) };
  const weak = rule.certainty < LEVELS.likely ? '; other things show it too' : '';
  return {
    UsbId: id,
    Kind: kind,
    Product: vendor === undefined && product === undefined ? '' : cell(deviceName(name)),
    Certainty: String(rule.certainty),
    Reason: cell(`${rule.name ?? 'id'}${weak} (${title})`),
  };
}

/** `VID_1D6B&PID_0104`, or `LNX7770` of a display, where a rule asks for nothing but both halves of an id. */
function idsOf(rule: Rule): string[] {
  const conditions = conditionsOf(rule);
  if (conditions.length !== 2) return [];
  const valuesOf = (fact: string): string[] => conditions.filter((one) => one.fact === fact).flatMap(textsOf);
  const pairs = (first: string, second: string): [string, string][] =>
    valuesOf(first).flatMap((a) => valuesOf(second).map((b): [string, string] => [a.toUpperCase(), b.toUpperCase()]));
  return [
    ...pairs('usb.vid', 'usb.pid').map(([vid, pid]) => `VID_${vid}&PID_${pid}`),
    ...pairs('edid.vendor', 'edid.product').map(([maker, code]) => `${maker}${code}`),
  ];
}

function textsOf({ equals, in: oneOf }: Condition): string[] {
  const values = Array.isArray(oneOf) ? oneOf : equals === undefined || Array.isArray(equals) ? [] : [equals];
  return values.filter((value) => typeof value === 'string');
}

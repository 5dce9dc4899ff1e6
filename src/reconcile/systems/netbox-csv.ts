import { splitCell } from '../cells.ts';
import { foldHeading } from '../headings.ts';
import type { Entry, ListRow } from '../table.ts';
import { recordsOf } from './sides.ts';

/**
 * The columns of NetBox's device table by their labels, which is what its CSV export writes (`netbox/dcim/tables/devices.py` of
 * netbox-community/netbox). `Type` is the type of the device, so its model; `Role` is what it is.
 */
const OWN_ADDRESSES = ['ipaddress', 'ipv4address', 'ipv6address'];
const OUT_OF_BAND = 'oobip';

const RENAMED: ReadonlySet<string> = new Set(['name', 'role', 'type', 'serialnumber', 'tenant', OUT_OF_BAND, ...OWN_ADDRESSES]);

/** Whether these are the headings of NetBox's device table: `Type` beside `Manufacturer` and `Role`, and a place of NetBox's kind; and no operator says that they mean something else. */
export function isNetboxHeadings(headings: readonly string[], isMapped: (heading: string) => boolean): boolean {
  const folded = new Set(headings.map(foldHeading));
  if (!['name', 'type', 'manufacturer', 'role'].every((one) => folded.has(one))) return false;
  return (
    ['site', 'rack', 'tenant'].some((one) => folded.has(one)) && !headings.some((one) => RENAMED.has(foldHeading(one)) && isMapped(one))
  );
}

/** The records of a row: of the device, and where it has an `OOB IP`, of the controller in it. */
export function netboxRow(row: ListRow, headings: readonly string[]): Entry[] {
  const { cells, ...rest } = row;
  if (row.wrong !== undefined) return [{ ...rest, values: {} }];
  const values: Record<string, readonly string[]> = {};
  const network: Record<string, readonly string[]> = {};
  let name: string | undefined;
  let kind: string | undefined;
  for (const [index, heading] of headings.entries()) {
    const texts = (cells[index] ?? []).filter((text) => text.trim() !== '');
    const folded = foldHeading(heading);
    if (texts.length === 0) continue;
    if (folded === OUT_OF_BAND || OWN_ADDRESSES.includes(folded)) network[folded] = texts.flatMap(splitCell);
    else if (folded === 'name') [name] = texts;
    else if (folded === 'role') [kind] = texts;
    else if (folded === 'type') values['model'] = texts;
    else if (folded === 'serialnumber') values['serial'] = texts;
    else if (folded === 'tenant') values['owner'] = texts;
    else values[heading] ??= texts;
  }
  const own = { addresses: OWN_ADDRESSES.flatMap((heading) => network[heading] ?? []), macs: [], names: [] };
  const management = { addresses: network[OUT_OF_BAND] ?? [], macs: [], names: [] };
  return recordsOf({ values, name, kind, own, management, isController: true }, rest);
}

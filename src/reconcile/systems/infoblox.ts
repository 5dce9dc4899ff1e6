import { csvLines, recordsOf } from '../../csv.ts';
import { count } from '../../text.ts';
import { type Entry, type ListTable, tableOf } from '../table.ts';

/**
 * CSV of Infoblox NIOS: several kinds of record in one file, each with a heading line of its own (`header-hostrecord,fqdn*,…`), required columns with a
 * star, extensible attributes as `EA-<name>` (NIOS CSV Import Reference). The addresses of a host stand in lines of their own, by its name.
 */
const HEADER = /^"?header-/i;
const NAME_OF: Readonly<Record<string, string>> = {
  hostrecord: 'fqdn',
  arecord: 'fqdn',
  aaaarecord: 'fqdn',
  fixedaddress: 'name',
  ipv6fixedaddress: 'name',
};
const ADDRESS_OF: Readonly<Record<string, readonly string[]>> = {
  hostrecord: ['addresses', 'ipv6addresses'],
  arecord: ['address'],
  aaaarecord: ['address'],
  fixedaddress: ['ipaddress'],
  ipv6fixedaddress: ['ipaddress'],
};
/** Lines that add to a host of the same name. */
const HOST_ADDRESSES: ReadonlySet<string> = new Set(['hostaddress', 'ipv6hostaddress']);

export function isInfoblox(text: string): boolean {
  const { lines, at } = csvLines(text);
  return HEADER.test(lines[at] ?? '');
}

interface Host {
  readonly entry: Entry;
  readonly address: string[];
  readonly mac: string[];
}

export function readInfoblox(text: string, file: string): ListTable {
  const { lines, at } = csvLines(text);
  const separator = /^"?header-\w+"?(.)/i.exec(lines[at] ?? '')?.[1] ?? ',';
  const headings = new Map<string, readonly string[]>();
  const hosts = new Map<string, Host>();
  const entries: Host[] = [];
  const loose: { readonly parent: string; readonly host: Host }[] = [];
  const others = new Map<string, number>();
  const broken: Entry[] = [];
  for (const { line, cells, wrong } of recordsOf(lines, at, separator)) {
    const source = { file, line };
    const kind = (cells[0] ?? '').trim().toLowerCase();
    if (wrong !== undefined) broken.push({ source, place: source, wrong, values: {} });
    else if (HEADER.test(kind)) headings.set(kind.replace(/^header-/, ''), cells.map(headingOf));
    else if (headings.get(kind) === undefined)
      broken.push({ source, place: source, wrong: `no line "header-${kind}" before it says what its columns are`, values: {} });
    else if (NAME_OF[kind] === undefined && !HOST_ADDRESSES.has(kind)) others.set(kind, (others.get(kind) ?? 0) + 1);
    else {
      const values = valuesOf(headings.get(kind) ?? [], cells);
      const take = (name: string): string[] => {
        const found = values[name] ?? [];
        delete values[name];
        return [...found];
      };
      const name = take(NAME_OF[kind] ?? 'parent');
      const address = (ADDRESS_OF[kind] ?? ['address']).flatMap(take);
      const host: Host = { entry: { source, place: source, values: { ...values, host: name } }, address, mac: take('macaddress') };
      if (HOST_ADDRESSES.has(kind)) loose.push({ parent: name[0] ?? '', host });
      else {
        entries.push(host);
        if (kind === 'hostrecord' && name[0] !== undefined) hosts.set(name[0], host);
      }
    }
  }
  for (const { parent, host } of loose) {
    const known = hosts.get(parent);
    if (known === undefined) entries.push(host);
    else {
      known.address.push(...host.address);
      known.mac.push(...host.mac);
    }
  }
  const notes = [
    'it is read as a CSV of Infoblox: the addresses of a host are one record with it',
    ...(others.size === 0
      ? []
      : [
          `lines of these kinds name no device: ${[...others].map(([kind, lineCount]) => `${kind} (${count(lineCount, 'line')})`).join(', ')}`,
        ]),
  ];
  return tableOf(
    [
      ...entries.map(({ entry, address, mac }) => ({ ...entry, values: { ...entry.values, address: [...new Set(address)], mac } })),
      ...broken,
    ],
    { notes },
  );
}

/** `fqdn*` is required, `EA-Site` an attribute of the organisation's own. */
function headingOf(cell: string): string {
  return cell.trim().replace(/\*$/, '').replace(/^EA-/i, '');
}

/** What a line says; names are compared as headings are, so `mac_address` is `macaddress`. */
function valuesOf(headings: readonly string[], cells: readonly string[]): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const [index, heading] of headings.entries()) {
    const cell = cells[index]?.trim() ?? '';
    // `_new_fqdn` is what an import would change it to.
    if (index > 0 && cell !== '' && !heading.startsWith('_')) (values[heading.replaceAll('_', '').toLowerCase()] ??= []).push(cell);
  }
  return values;
}

import { readCsvText } from '../../csv.ts';
import { InputError, inputError, problem, type Problem } from '../../errors.ts';
import { decodeText, readWholeFile } from '../../input.ts';
import { blocksOf, sizeOf } from '../../targets/addresses.ts';
import { parseRange } from '../../targets/parse.ts';
import { cell } from './cells.ts';
import type { Row } from './columns.ts';

export interface AdminSubnets {
  readonly rows: readonly Row[];
  /** Lines that name no network: left out, reported. */
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

const HEADINGS = {
  Cidr: ['cidr', 'subnet', 'network', 'prefix', 'range', 'address', 'ipaddress'],
  Zone: ['zone', 'name', 'site', 'vlan'],
  Purpose: ['purpose', 'description', 'comment', 'use'],
} as const;

function columnOf(heading: string): keyof typeof HEADINGS | undefined {
  const letters = heading.toLowerCase().replace(/[^a-z0-9]/g, '');
  return (Object.keys(HEADINGS) as (keyof typeof HEADINGS)[]).find((column) => (HEADINGS[column] as readonly string[]).includes(letters));
}

/**
 * Reads the operator's list of networks: CSV with a heading for the network (and for zone and purpose), or a network on each line, where `#` begins a
 * comment. @throws {InputError} where there is no network in it
 */
export function readAdminSubnets(file: string): AdminSubnets {
  const { text, note } = decodeText(readWholeFile(file));
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .map((line) => line.replace(/^\s*#.*$/, ''));
  const table = readCsvText(lines.join('\n'), (heading) => columnOf(heading) !== undefined);
  const columns = table.headings.map(columnOf);
  const listed: Listed[] = columns.includes('Cidr')
    ? table.rows.map(({ line, cells, wrong }) => {
        const of = (column: keyof typeof HEADINGS): string => (cells[columns.indexOf(column)] ?? '').trim();
        return { line, cidr: of('Cidr'), zone: of('Zone'), purpose: of('Purpose'), ...(wrong === undefined ? {} : { wrong }) };
      })
    : lines.flatMap((content, i) => {
        const cidr = content.replace(/\s#.*$/, '').trim();
        return cidr === '' ? [] : [{ line: i + 1, cidr, zone: '', purpose: '' }];
      });
  const problems: Problem[] = [];
  const notes = note === undefined ? [] : [`${file}: ${note}`];
  const rows = new Map<string, Row>();
  for (const { line, cidr, zone, purpose, wrong } of listed) {
    const blocks = wrong === undefined ? blocksAt(cidr) : { reason: wrong };
    if ('reason' in blocks) {
      problems.push(problem('bad-subnet', { text: cidr, reason: blocks.reason }, { file, line }));
      continue;
    }
    if (blocks.note !== undefined) notes.push(`${file}:${line}: ${blocks.note}`);
    for (const block of blocks.blocks) rows.set(block, { Cidr: block, Zone: cell(zone), Purpose: cell(purpose) });
  }
  if (rows.size === 0) throw problems.length > 0 ? new InputError(problems) : inputError('empty-file', { file, what: 'network' });
  return { rows: [...rows.values()].toSorted((a, b) => ((a['Cidr'] ?? '') < (b['Cidr'] ?? '') ? -1 : 1)), problems, notes };
}

interface Listed {
  readonly line: number;
  readonly cidr: string;
  readonly zone: string;
  readonly purpose: string;
  readonly wrong?: string;
}

type Blocks = { readonly blocks: readonly string[]; readonly note?: string };

/** A network as CIDR blocks, a single address with its prefix length too. */
function blocksAt(text: string): Blocks | { readonly reason: string } {
  const range = parseRange(text);
  if ('reason' in range)
    return { reason: range.isName === true ? 'it is neither an address nor a block such as 10.0.0.0/24' : range.reason };
  if (text.includes('%')) return { reason: 'a link-local address with its zone means nothing to other hosts' };
  const bits = typeof range.first === 'number' ? 32 : 128;
  if (sizeOf(range) === 1n << BigInt(bits)) return { reason: 'it holds every address, so no rule could tell anything' };
  const blocks = blocksOf(range, 2 * bits).map((block) => (block.includes('/') ? block : `${block}/${bits}`));
  return { blocks, ...(range.note === undefined ? {} : { note: range.note }) };
}

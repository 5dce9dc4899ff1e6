import { type AddressRange, formatAddress, parseAddress } from '../../targets/addresses.ts';
import { parseRange } from '../../targets/parse.ts';
import { count, grouped } from '../../text.ts';
import type { Severity } from '../../vocabulary.ts';
import { type Html, html } from '../html.ts';
import { STATE_NAMES } from './words.ts';
import { type ReportView, worse } from './view.ts';

/** Blocks of 16 x 16 cells: a /24 whose cells are addresses, a /16 whose cells are /24s, or a /8 whose cells are /16s. */
const LEVELS = [
  { block: 24, cell: 32 },
  { block: 16, cell: 24 },
  { block: 8, cell: 16 },
] as const;
type Level = (typeof LEVELS)[number];
/** So many blocks are drawn at most: the finest level that keeps to it is taken. */
const MAX_BLOCKS = 64;
const SIDE = 16;
const CELL = 8;

/** What is known of one cell. */
interface Cell {
  devices: number;
  severity: Severity | undefined;
  /** Something answered that nothing names. */
  unnamed: number;
  readonly lines: string[];
}

/** The IPv4 addresses that were asked, as blocks, with what was found where; what was asked in IPv6 as text. */
export function mapSection(view: ReportView): Html {
  const { asked } = view.inventory;
  const ranges = (asked?.ranges ?? []).flatMap((text) => {
    const range = parseRange(text);
    return 'reason' in range ? [] : [range];
  });
  const four = ranges.flatMap(({ first, last }) => (typeof first === 'number' && typeof last === 'number' ? [{ first, last }] : []));
  const six = ranges.filter(({ first }) => typeof first === 'bigint');
  const found = foundAt(view);
  // Where it is not known what was asked, the networks are those in which something was found.
  const shown = four.length > 0 ? four : found.map(({ address }) => ({ first: address, last: address }));
  if (shown.length === 0 && six.length === 0) return html``;
  const level = LEVELS.find(({ block }) => blocksOf(shown, block).size <= MAX_BLOCKS) ?? LEVELS[2];
  const blocks = [...blocksOf(shown, level.block)].toSorted((a, b) => a - b);
  const drawn = blocks.slice(0, MAX_BLOCKS);
  return html`<section id="map" aria-labelledby="map-title">
    <h2 id="map-title">Address space</h2>
    <p class="lead">${describe(view, level, blocks.length)}</p>
    <div class="blocks">${drawn.map((block) => blockFigure(block, level, four, found))}</div>
    ${blocks.length > drawn.length ? html`<p class="note">${count(blocks.length - drawn.length, 'more block')} not drawn.</p>` : undefined}
    ${six.length > 0 ? html`<p class="note">IPv6, not drawn: ${six.slice(0, 20).map(rangeText).join(', ')}${six.length > 20 ? ` and ${six.length - 20} more` : ''}.</p>` : undefined}
    ${legend(view)}
  </section>`;
}

function describe({ inventory: { asked }, findings }: ReportView, { block, cell }: Level, blocks: number): string {
  const squares = cell === 32 ? 'an address' : `a /${cell}`;
  return [
    asked === undefined
      ? 'It is not known what was asked: these are the networks in which something was found.'
      : `${count(asked.hosts, 'address', 'addresses')} asked${asked.shard === undefined ? '' : ` (shard ${asked.shard})`}.`,
    `${blocks === 1 ? 'The block is' : 'Each block is'} a /${block}, each square ${squares}, from left to right and from top to bottom.`,
    findings === undefined ? '' : 'The colour is that of the most pressing finding.',
  ].join(' ');
}

interface Found {
  readonly address: number;
  readonly severity: Severity | undefined;
  readonly isDevice: boolean;
  readonly text: string;
}

function foundAt({ devices, inventory }: ReportView): Found[] {
  const named = devices.flatMap(({ device, name, finding }) =>
    device.addresses.map((host) => ({
      host,
      severity: finding?.severity,
      isDevice: true,
      text: `${host} ${name}${finding === undefined ? '' : `: ${STATE_NAMES[finding.state]}`}`,
    })),
  );
  const unnamed = inventory.unrecognised.map(({ host }) => ({
    host,
    severity: undefined,
    isDevice: false,
    text: `${host} answers, and nothing names it`,
  }));
  return [...named, ...unnamed].flatMap(({ host, ...rest }) => {
    const address = parseAddress(host);
    return typeof address === 'number' ? [{ address, ...rest }] : [];
  });
}

/** The numbers of the blocks that ranges touch. */
function blocksOf(ranges: readonly { readonly first: number; readonly last: number }[], bits: number): Set<number> {
  const size = 2 ** (32 - bits);
  const blocks = new Set<number>();
  for (const { first, last } of ranges)
    for (let block = Math.floor(first / size); block <= Math.floor(last / size); block += 1) {
      blocks.add(block);
      // The level is too fine: how much so does not matter.
      if (blocks.size > 4 * MAX_BLOCKS * SIDE * SIDE) return blocks;
    }
  return blocks;
}

function blockFigure(
  block: number,
  { block: bits, cell: cellBits }: Level,
  asked: readonly { readonly first: number; readonly last: number }[],
  found: readonly Found[],
): Html {
  const from = block * 2 ** (32 - bits);
  const size = 2 ** (32 - cellBits);
  const cells = new Map<number, Cell>();
  for (const { address, severity, isDevice, text } of found) {
    const index = Math.floor((address - from) / size);
    if (index < 0 || index >= SIDE * SIDE) continue;
    const cell = cells.get(index) ?? { devices: 0, severity: undefined, unnamed: 0, lines: [] };
    cells.set(index, cell);
    if (isDevice) cell.devices += 1;
    else cell.unnamed += 1;
    cell.severity = worse(cell.severity, severity);
    if (cell.lines.length < 8) cell.lines.push(text);
  }
  const label = `${formatAddress(from)}/${bits}`;
  const number = [...cells.values()].reduce((sum, { devices }) => sum + devices, 0);
  const cellName = (index: number): string => `${formatAddress(from + index * size)}${cellBits === 32 ? '' : `/${cellBits}`}`;
  return html`<figure class="block">
    <svg viewBox="0 0 ${SIDE * CELL} ${SIDE * CELL}" role="img" aria-label="${label}: ${count(number, 'device')}">
      <rect class="unasked" width="${SIDE * CELL}" height="${SIDE * CELL}"></rect>
      ${askedRuns(from, size, asked).map(({ at, length }) => html`<rect class="asked" x="${(at % SIDE) * CELL}" y="${Math.floor(at / SIDE) * CELL}" width="${length * CELL}" height="${CELL}"></rect>`)}
      ${[...cells].map(
        ([index, { devices, severity, unnamed, lines }]) =>
          html`<rect
            class="${devices > 0 ? `found ${severity ?? 'plain'}` : 'unnamed'}"
            x="${(index % SIDE) * CELL + 0.5}"
            y="${Math.floor(index / SIDE) * CELL + 0.5}"
            width="${CELL - 1}"
            height="${CELL - 1}"
            rx="1.5"
            data-find="${devices > 0 ? prefixOf(cellName(index), cellBits) : undefined}"
            ><title>
              ${cellBits === 32 ? lines.join('\n') : `${cellName(index)}: ${count(devices, 'device')}${unnamed > 0 ? `, ${grouped(unnamed)} unnamed` : ''}`}
            </title></rect
          >`,
      )}
    </svg>
    <figcaption><span class="mono">${label}</span> ${number > 0 ? html`<b>${number}</b>` : undefined}</figcaption>
  </figure>`;
}

/** What the table is filtered by for the addresses of a cell: the address, or the beginning that they share. */
function prefixOf(name: string, bits: number): string {
  const octets = name.split('/', 1)[0]?.split('.') ?? [];
  return bits === 32 ? octets.join('.') : `${octets.slice(0, bits / 8).join('.')}.`;
}

/** Rows of cells of which an address was asked, as the longest runs within a line of the block. */
function askedRuns(
  from: number,
  size: number,
  asked: readonly { readonly first: number; readonly last: number }[],
): { at: number; length: number }[] {
  const touched = new Uint8Array(SIDE * SIDE);
  for (const { first, last } of asked) {
    const low = Math.max(0, Math.floor((first - from) / size));
    const high = Math.min(SIDE * SIDE - 1, Math.floor((last - from) / size));
    for (let index = low; index <= high; index += 1) touched[index] = 1;
  }
  const runs: { at: number; length: number }[] = [];
  for (let index = 0; index < touched.length; index += 1) {
    if (touched[index] === 0) continue;
    const open = runs.at(-1);
    if (open !== undefined && index % SIDE !== 0 && open.at + open.length === index) open.length += 1;
    else runs.push({ at: index, length: 1 });
  }
  return runs;
}

function legend({ findings }: ReportView): Html {
  const marks: readonly (readonly [string, string])[] = [
    ['asked', 'asked, nothing found'],
    ['unasked', 'not asked'],
    ['unnamed', 'answers, not recognised'],
    ...(findings === undefined
      ? [['found plain', 'device'] as const]
      : ([
          ['found critical', 'critical'],
          ['found high', 'high'],
          ['found medium', 'medium'],
          ['found low', 'low'],
          ['found info', 'no finding'],
        ] as const)),
  ];
  return html`<ul class="legend">
    ${marks.map(
      ([kind, text]) =>
        html`<li>
          <svg viewBox="0 0 10 10" aria-hidden="true"><rect class="${kind}" width="10" height="10" rx="1.5"></rect></svg>${text}
        </li>`,
    )}
  </ul>`;
}

function rangeText({ first, last }: AddressRange): string {
  return first === last ? formatAddress(first) : `${formatAddress(first)} to ${formatAddress(last)}`;
}

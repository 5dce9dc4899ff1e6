import { type ProductCoverage, totalsOf } from '../fingerprints/coverage.ts';
import { CAPTURES } from '../fingerprints/schema.ts';
import { count } from '../text.ts';
import { type Column, table } from './table.ts';

const COLUMNS: readonly Column<ProductCoverage>[] = [
  { title: 'PRODUCT', of: nameText },
  { title: 'CLASS', of: ({ class: kind }) => kind },
  { title: 'RULES', of: ({ rules }) => String(rules) },
  { title: 'CHANNELS', of: ({ channels }) => channels.join(' '), wraps: true },
  { title: 'FIELDS', of: ({ fields }) => CAPTURES.filter((capture) => fields[capture] !== undefined).join(' '), wraps: true },
];

/** Product by product: channels, and the fields that an answer can fill. */
export function coverageTable(products: readonly ProductCoverage[], columns: number | undefined): string {
  return `${table(products, COLUMNS, { columns })}\n\n${totalsText(products)}`;
}

/** The same as a page: with the facts that each field is filled from. */
export function coverageMarkdown(products: readonly ProductCoverage[]): string {
  return [
    totalsText(products),
    '',
    '| product | class | channels | fields, and the facts that fill them |',
    '| --- | --- | --- | --- |',
    ...products.map(
      (product) => `| ${[nameText(product), product.class, product.channels.join(', '), fieldsText(product)].map(cell).join(' | ')} |`,
    ),
  ].join('\n');
}

function totalsText(products: readonly ProductCoverage[]): string {
  const { products: all, vendors, severalChannels, fields } = totalsOf(products);
  const filled = CAPTURES.map((capture) => `${capture} of ${fields[capture]}`).join(', ');
  return `${count(all, 'product')} of ${count(vendors, 'vendor')}; ${severalChannels} are recognised in more than one channel. Told where a device says it: ${filled}.`;
}

function nameText({ vendor, product, fingerprints }: ProductCoverage): string {
  return product === undefined ? `(${fingerprints.join(', ')})` : [vendor, product].filter((part) => part !== undefined).join(' ');
}

function fieldsText({ fields }: ProductCoverage): string {
  return CAPTURES.flatMap((capture) => (fields[capture] === undefined ? [] : [`${capture}: ${fields[capture].join(', ')}`])).join('; ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

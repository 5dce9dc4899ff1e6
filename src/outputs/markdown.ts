import { printable, shortened } from '../text.ts';

/**
 * Markdown for tickets. Texts of devices are hostile: none of them may become a link, an image, a mention, a reference or HTML, whichever of GitHub,
 * GitLab and the others renders it.
 */

const MAX_CODE = 200;
/** Punctuation that means something somewhere; CommonMark 0.31 section 2.4 lets any be escaped. */
const MEANS_SOMETHING = /[\\`*_{}[\]<>#!|~$^]/g;
/**
 * Mentions, references (`#1`, `!1`, `&1`) and addresses are looked for in the rendered text too, where an escape is gone. This is invisible and no
 * space, and what it stands in is no such word.
 */
const APART = '\u2060';

/** A sentence that may hold text of a device: shown as it is, and nothing more. */
export function sentence(text: string): string {
  return printable(text)
    .replace(/[@#!$%~&](?=[\p{L}\p{N}_"'])|@|:(?=\/)|\bwww(?=\.)/giu, (found) => `${found}${APART}`)
    .replace(MEANS_SOMETHING, (char) => `\\${char}`);
}

/** Text of a device, as code: in there nobody looks for links or mentions. */
export function code(text: string): string {
  const cleaned = shortened(printable(text), MAX_CODE).trim();
  if (cleaned === '') return '';
  // A fence is longer than any run of backticks within (CommonMark 0.31 section 6.1).
  const fence = '`'.repeat(1 + Math.max(0, ...(cleaned.match(/`+/g) ?? []).map(({ length }) => length)));
  const pad = cleaned.startsWith('`') || cleaned.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${cleaned}${pad}${fence}`;
}

/** The same in a cell of a table: there a `|` ends the cell even in code, and renderers differ in how it is escaped. */
export function codeCell(text: string): string {
  return code(text.replaceAll('|', '\u00a6'));
}

/** A table; its cells are Markdown. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

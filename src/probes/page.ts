import { createHash } from 'node:crypto';
import { TextDecoder } from 'node:util';
import { Parser } from 'htmlparser2';
import type { Page } from '../sweep/contract.ts';
import type { FactValue } from '../vocabulary.ts';

/** What is decoded, read and kept of a page. */
export const MAX_TEXT_BYTES = 64 * 1024;
/** Pages that only lead elsewhere are short. */
const MAX_JUMP_BYTES = 4096;
const MAX_TITLE_CHARS = 512;
const MAX_LINKS = 200;
const MAX_LINK_CHARS = 300;
const MAX_FIELDS = 100;
const MAX_FIELD_CHARS = 100;

/** What a page says of itself. Texts as written, but for white space. */
export interface PageContent {
  readonly title?: string;
  readonly generator?: string;
  /** As the page writes them: scripts, styles, images, icons, frames and anchors, each once. */
  readonly links: readonly string[];
  /** Names of form fields, each once. */
  readonly fields: readonly string[];
  /** `href` of the first `<link rel~=icon>`. */
  readonly icon?: string;
  /** `href` of `<base>`. */
  readonly base?: string;
  /** Where `<meta http-equiv=refresh>` leads. */
  readonly refresh?: string;
}

/** The values of a header, in the order received. */
export function headerValues({ headers }: Pick<Page, 'headers'>, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** Content-Type without its parameters, in lower case. */
export function typeOf(page: Page): string | undefined {
  const type = headerValues(page, 'content-type')[0]?.split(';', 1)[0]?.trim().toLowerCase();
  return type === '' ? undefined : type;
}

const BINARY_TYPE = /^(?:image\/(?!svg)|audio\/|video\/|font\/|application\/(?:octet-stream|pdf|zip|gzip|java-archive|wasm))/;

/** The first 64 KiB of a body as text; undefined where it is empty or no text. */
export function textOf(page: Page): string | undefined {
  const bytes = page.body.subarray(0, MAX_TEXT_BYTES);
  const charset = charsetOf(page, bytes);
  if (bytes.length === 0 || BINARY_TYPE.test(typeOf(page) ?? '')) return undefined;
  if (!charset?.startsWith('utf-16') && bytes.subarray(0, 1024).includes(0)) return undefined;
  return decoded(bytes, charset).slice(0, MAX_TEXT_BYTES);
}

/** By the header, a byte order mark, or the page's own word; undefined where nothing that is known is said. */
function charsetOf(page: Page, bytes: Buffer): string | undefined {
  const header = /charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(headerValues(page, 'content-type')[0] ?? '')?.[1];
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return (
    header ?? /<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(bytes.subarray(0, 1024).toString('latin1'))?.[1]
  )?.toLowerCase();
}

function decoded(bytes: Buffer, charset: string | undefined): string {
  // `stream`: the cut at 64 KiB may go through a character.
  if (charset !== undefined && !/^utf-?8$/.test(charset)) {
    const named = decoder(charset);
    if (named !== undefined) return named.decode(bytes, { stream: true });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return bytes.toString('latin1'); // it is not UTF-8, whatever it says
  }
}

/** Undefined for a label that the Encoding standard does not know. */
function decoder(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

/**
 * Reads the first 64 KiB of a page as it is parsed. No tree is made of it: that costs as much again, and a page of 20,000 nested elements is cheap to send.
 */
export function readPage(text: string): PageContent {
  const links = new Set<string>();
  const fields = new Set<string>();
  const found: { generator?: string; icon?: string; base?: string; refresh?: string } = {};
  /** The elements that are open. */
  const open: string[] = [];
  /** What stands directly in the first title that is not one of a drawing, and how many elements are open inside it. */
  let title: string | undefined;
  let titleDepth = Number.NaN;
  const addText = (data: string): void => {
    if (open.length === titleDepth) title += data;
  };
  const parser = new Parser({
    onopentag: (name, attribs) => {
      const isDrawing = open.at(-1) === 'svg';
      open.push(name);
      const link = attribs[LINKS.get(name) ?? '']?.trim();
      if (link !== undefined && links.size < MAX_LINKS && /^(?!#|data:|javascript:|mailto:|about:)./i.test(link))
        links.add(link.slice(0, MAX_LINK_CHARS));
      const field = FIELDS.has(name) ? attribs['name'] : undefined;
      if (field !== undefined && field !== '' && fields.size < MAX_FIELDS) fields.add(field.slice(0, MAX_FIELD_CHARS));
      if (name === 'title' && !isDrawing && title === undefined) [title, titleDepth] = ['', open.length];
      else if (name === 'base' && attribs['href'] !== undefined) found.base ??= attribs['href'].trim();
      else if (name === 'link' && isIcon(attribs['rel']) && attribs['href'] !== undefined) found.icon ??= attribs['href'].trim();
      else if (name === 'meta') {
        const content = attribs['content']?.trim() ?? '';
        if (attribs['name']?.trim().toLowerCase() === 'generator' && content !== '') found.generator ??= content.slice(0, MAX_TITLE_CHARS);
        const refresh = attribs['http-equiv']?.trim().toLowerCase() === 'refresh' ? refreshTarget(content) : undefined;
        if (refresh !== undefined) found.refresh ??= refresh;
      }
    },
    ontext: addText,
    oncomment: addText,
    onprocessinginstruction: (_, data) => addText(data),
    onclosetag: () => {
      if (open.length === titleDepth) titleDepth = Number.NaN;
      open.pop();
    },
  });
  parser.end(text);
  const said = collapsed(title ?? '');
  return { ...found, ...(said === '' ? {} : { title: said }), links: [...links], fields: [...fields] };
}

/** The attribute that leads elsewhere, by element. */
const LINKS: ReadonlyMap<string, string> = new Map([
  ['script', 'src'],
  ['link', 'href'],
  ['img', 'src'],
  ['a', 'href'],
  ['frame', 'src'],
  ['iframe', 'src'],
]);
const FIELDS: ReadonlySet<string> = new Set(['input', 'select', 'textarea', 'button']);

function isIcon(rel: string | undefined): boolean {
  return rel?.toLowerCase().split(/\s+/).includes('icon') === true;
}

function collapsed(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, MAX_TITLE_CHARS);
}

/** The address in `5; url=/login`, by which `<meta http-equiv=refresh>` and the Refresh header say where to go (WHATWG HTML section 4.2.5.3). */
export function refreshTarget(content: string): string | undefined {
  const target = /^[\d.]*\s*[;,]\s*(?:url\s*=\s*)?(?:"([^"]*)|'([^']*)|(.*))/is
    .exec(content)
    ?.slice(1)
    .find((part) => part !== undefined);
  return target?.trim() === '' ? undefined : target?.trim();
}

/** Where a script sends the browser: an assignment of one quoted text to the location of this window or the top one. Text that is put together is not read. */
const JUMPS = [
  /(?<![\w$.])(?:(?:window|top|self|parent|document)\.)+location(?:\.href)?\s*=\s*(?:"([^"\n]{1,500})"|'([^'\n]{1,500})')(?!\s*\+)/,
  /(?<![\w$.])location\.href\s*=\s*(?:"([^"\n]{1,500})"|'([^'\n]{1,500})')(?!\s*\+)/,
  /(?<![\w$])location\.(?:replace|assign)\(\s*(?:"([^"\n]{1,500})"|'([^'\n]{1,500})')\s*\)/,
];

/** Where a short page leads by itself, as login pages of embedded servers do instead of a redirect; undefined where it stays. */
export function jumpOf(page: Page, text: string, content: PageContent): string | undefined {
  if (page.body.length >= MAX_JUMP_BYTES) return undefined;
  if (content.refresh !== undefined) return content.refresh;
  for (const jump of JUMPS) {
    const match = jump.exec(text);
    if (match !== null) return match[1] ?? match[2];
  }
  return undefined;
}

/** An entry of `http.pages`: what is kept of a page that was asked beyond the first. */
export function pageRecord(page: Page): { readonly [key: string]: FactValue } {
  const entries: [string, FactValue | undefined][] = [
    ['status', page.status],
    ['type', typeOf(page)],
    ['bytes', page.body.length],
    ['sha256', createHash('sha256').update(page.body).digest('hex')],
    ['etag', headerValues(page, 'etag')[0]],
    ['lastModified', headerValues(page, 'last-modified')[0]],
    ['body', textOf(page)],
  ];
  return Object.fromEntries(entries.filter((entry): entry is [string, FactValue] => entry[1] !== undefined));
}

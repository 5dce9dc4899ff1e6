import { ProbeError } from '../errors.ts';
import type { Page, ProbeContext, Web, WebProbe } from '../sweep/contract.ts';
import { iconPath } from '../sweep/paths.ts';
import { urlHost } from '../targets/addresses.ts';
import type { Facts, FactValue } from '../vocabulary.ts';
import { bannerFacts } from './banner.ts';
import { faviconFacts, looksLikeHtml, looksLikeImage } from './favicon.ts';
import { headerValues, jumpOf, type PageContent, pageRecord, readPage, refreshTarget, textOf, typeOf } from './page.ts';

export { pageRecord };

const MAX_REDIRECTS = 4;
const MAX_LOCATION_CHARS = 2048;
const MAX_HEADER_CHARS = 4096;
const MAX_COOKIES = 50;
const MAX_COOKIE_CHARS = 128;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const DEFAULT_ICON = '/favicon.ico';
const TLS_ALERT = 0x15;

/** A page with what was read in it. */
interface ReadPage {
  readonly web: Web;
  readonly page: Page;
  readonly text: string | undefined;
  readonly content: PageContent | undefined;
}

/**
 * Reads the first page of a web server, or where it leads on the same address, and the icon that the page names: at most six requests, each a GET of a listed path.
 * A redirect that may not be followed is recorded, and the facts are those of the page that redirects. So they are where the page that it leads to does not come:
 * what is wrong with that place is told by its own observation.
 *
 * Spec: RFC 9110 section 15.4 (redirects), WHATWG HTML sections 4.2.5.3 (refresh) and 4.6.7.8 (icon).
 * @throws {ProbeError} `not-this-protocol` with what came, where it has no status line and is no HTML; otherwise as the first request fails
 */
async function talk(web: Web, { name }: ProbeContext): Promise<Facts> {
  const { final, redirects } = await follow(read(web, await web.get('/')));
  return { ...pageFacts(final, redirects), ...landingFacts(final), ...(speaksTls(final.page) ? {} : await readIcon(final, name)) };
}

/** Where a redirect was followed, size, hash and dates of the page stand under its path too, like those of any page beyond the first; its body is `http.body`. */
function landingFacts({ page }: ReadPage): Facts {
  if (page.path === '/') return {};
  const { body: _, ...record } = pageRecord(page);
  return { 'http.pages': { [page.path]: record } };
}

function read(web: Web, page: Page): ReadPage {
  if (page.status === undefined && !looksLikeHtml(page.body))
    throw new ProbeError('not-this-protocol', `answered GET ${page.path} with no HTTP`, bannerFacts(page.body));
  const text = textOf(page);
  return { web, page, text, content: text === undefined ? undefined : readPage(text) };
}

/** Goes where the first page leads. Each redirect is recorded once, the last one followed or not; a loop ends where it closes. */
async function follow(first: ReadPage): Promise<{ final: ReadPage; redirects: FactValue[] }> {
  const redirects: FactValue[] = [];
  const visited = new Set([placeOf(first.web, first.page.path)]);
  let final = first;
  for (let location = locationOf(final); location !== undefined; location = locationOf(final)) {
    const { status, path } = final.page;
    redirects.push({ ...(status === undefined ? {} : { status }), location: location.slice(0, MAX_LOCATION_CHARS) });
    const target = redirects.length > MAX_REDIRECTS ? undefined : final.web.follow(location, path);
    if (target === undefined || visited.has(placeOf(target.web, target.path))) break;
    visited.add(placeOf(target.web, target.path));
    const next = await unlessFailed(async () => read(target.web, await target.web.get(target.path)));
    if (next === undefined) break;
    final = next;
  }
  return { final, redirects };
}

/** Undefined where the device did not go along: what is already known stands. */
async function unlessFailed<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ProbeError) return undefined;
    throw error;
  }
}

function placeOf({ scheme, endpoint }: Web, path: string): string {
  return `${scheme} ${endpoint.port} ${path}`;
}

/** Where a page sends its reader: by status and Location, else by what it says itself. */
function locationOf({ page, text, content }: ReadPage): string | undefined {
  const location = headerValues(page, 'location')[0];
  if (page.status !== undefined && REDIRECTS.has(page.status)) return location === '' ? undefined : location;
  const refresh = headerValues(page, 'refresh')[0];
  return (
    (refresh === undefined ? undefined : refreshTarget(refresh)) ??
    (text === undefined || content === undefined ? undefined : jumpOf(page, text, content))
  );
}

function pageFacts({ page, text, content }: ReadPage, redirects: FactValue[]): Facts {
  const cookies = cookieNames(page);
  const entries: [string, FactValue | undefined][] = [
    ['http.status', page.status],
    ['http.location', headerValues(page, 'location')[0]?.slice(0, MAX_LOCATION_CHARS)],
    ['http.server', headerValues(page, 'server')[0]?.slice(0, MAX_HEADER_CHARS)],
    ['http.realm', realmOf(page)],
    ['http.type', typeOf(page)],
    ['http.title', content?.title],
    ['http.generator', content?.generator],
    ['http.body', text],
    ['http.redirects', redirects],
    ['http.headers', headerMap(page)],
    ['http.cookies', cookies],
    ['http.links', content?.links],
    ['http.forms', content?.fields],
  ];
  return Object.fromEntries(entries.filter((entry): entry is [string, FactValue] => isKnown(entry[1])));
}

/** What is not known is absent, never empty. */
function isKnown(value: FactValue | undefined): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== '';
}

/** Of a cookie the name and the attributes that say how it is kept; never its value. */
function headerMap({ headers }: Page): { readonly [key: string]: string } {
  const map = new Map<string, string>();
  for (const [rawName, rawValue] of headers) {
    const key = rawName.toLowerCase();
    const value = /^set-cookie2?$/.test(key) ? withoutValue(rawValue) : rawValue;
    const before = map.get(key);
    map.set(key, (before === undefined ? value : `${before}, ${value}`).slice(0, MAX_HEADER_CHARS));
  }
  return Object.fromEntries(map);
}

function withoutValue(cookie: string): string {
  const attributes = cookie
    .split(';')
    .slice(1)
    .map((attribute) => attribute.trim())
    .filter((attribute) => /^(?:secure|httponly|path=\/[\w./-]{0,60}|samesite=\w{1,10})$/i.test(attribute));
  return [`${nameOfCookie(cookie) ?? ''}=`, ...attributes].join('; ');
}

/** The name of a cookie; one without a name (`Set-Cookie: abc`) is all value. */
function nameOfCookie(cookie: string): string | undefined {
  const pair = cookie.split(';', 1)[0] ?? '';
  const name = pair.slice(0, Math.max(0, pair.indexOf('='))).trim();
  return name === '' ? undefined : name.slice(0, MAX_COOKIE_CHARS);
}

function cookieNames(page: Page): string[] {
  const names = headerValues(page, 'set-cookie').map(nameOfCookie);
  return [...new Set(names.filter((name) => name !== undefined))].slice(0, MAX_COOKIES);
}

/** The realm of the first challenge that has one (RFC 9110 section 11.5). */
function realmOf(page: Page): string | undefined {
  const challenge = headerValues(page, 'www-authenticate').join(', ').slice(0, MAX_HEADER_CHARS);
  const [, quoted, bare] = /(?<!\w)realm\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s,;]+))/i.exec(challenge) ?? [];
  return quoted?.replace(/\\(.)/g, '$1') ?? bare;
}

/** The hashes of the page's icon; nothing where there is none, or where the device shows something else in its place. */
async function readIcon({ web, page, content }: ReadPage, name: string | undefined): Promise<Facts> {
  // A server that cannot serve its own first page is left in peace.
  if ((page.status ?? 0) >= 500) return {};
  if (content?.icon !== undefined && /^data:/i.test(content.icon)) return hashed(dataIcon(content.icon));
  const path =
    (content?.icon === undefined ? undefined : iconPathOf(content.icon, content.base, { web, path: page.path, name })) ?? DEFAULT_ICON;
  const reply = await unlessFailed(() => web.get(path, 'icon'));
  if (reply?.status !== 200 || reply.cut === 'max' || reply.cut === 'time') return {};
  return hashed({ bytes: reply.body, type: typeOf(reply) });
}

/** The path of an icon on the same endpoint, or undefined where it lies elsewhere or is no plain icon path. */
function iconPathOf(
  href: string,
  base: string | undefined,
  { web, path, name }: { web: Web; path: string; name: string | undefined },
): string | undefined {
  const { host, port } = web.endpoint;
  const page = `${web.scheme}://${urlHost(host)}:${port}${path}`;
  const from = base !== undefined && URL.canParse(base, page) ? new URL(base, page).href : page;
  if (!URL.canParse(href, from)) return undefined;
  const url = new URL(href, from);
  const here = new URL(page);
  const isHere =
    url.protocol === here.protocol && url.port === here.port && (url.hostname === here.hostname || url.hostname === name?.toLowerCase());
  return isHere ? iconPath(url.pathname) : undefined;
}

interface Icon {
  readonly bytes: Buffer;
  readonly type: string | undefined;
}

/** An icon inside the page (RFC 2397), as long as the page is: at most 64 KiB. */
function dataIcon(url: string): Icon {
  const [, type, base64, data] = /^data:([^;,]*)(?:;(?!base64,)[^;,]*)*(;base64)?,(.*)$/is.exec(url) ?? [];
  const bytes =
    base64 === undefined ? Buffer.from(percentDecoded(data ?? ''), 'latin1') : Buffer.from(percentDecoded(data ?? ''), 'base64');
  return { bytes, type: type?.toLowerCase() };
}

/** One character a byte. */
function percentDecoded(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function hashed({ bytes, type }: Icon): Facts {
  const isImage = looksLikeImage(bytes) || (type?.startsWith('image/') === true && !looksLikeHtml(bytes));
  return isImage && bytes.length > 0 ? faviconFacts(bytes) : {};
}

/** True where plain HTTP came to a port that speaks TLS: a TLS alert (RFC 8446 section 6), or a 400 that says so. */
export function speaksTls(page: Page): boolean {
  if (page.status === undefined) return page.body.length <= 64 && page.body[0] === TLS_ALERT && page.body[1] === 0x03;
  if (page.status !== 400 && page.status !== 497) return false;
  return /plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled|HTTP request to an HTTPS server|requires TLS/i.test(
    page.body.subarray(0, 4096).toString('latin1'),
  );
}

export const http: WebProbe = { id: 'http', speaks: 'web', talk };

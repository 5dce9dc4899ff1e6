import { sshFacts } from '../../probes/ssh.ts';
import { leafFacts } from '../../probes/tls.ts';
import { readPage } from '../../probes/page.ts';
import type { ScanBanner } from '../../targets/scans/scanned.ts';
import type { Facts } from '../../vocabulary.ts';

/** nmap's banner script cuts at some number of characters and breaks lines: only what is shorter is surely whole. */
const MAX_WHOLE = 60;
/** Its escapes: `\x0D`. */
const ESCAPED = /\\x[0-9A-F]{2}/;
/** The last line of a reply of FTP. */
const FTP_REPLY = /^(?:\d{3}-[^\n]*\n(?:[^\n]*\n)*?)?\d{3} [^\n]*/;
/** Base64 in the alphabet of RFC 4648 section 4. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Facts of a greeting that is text on one line, where it tells its protocol by itself. */
export function bannerTextFacts(text: string): Facts {
  if (text.length > MAX_WHOLE || /[\r\n]/.test(text) || ESCAPED.test(text)) return {};
  const version = /^RFB (\d{3}\.\d{3})$/.exec(text)?.[1];
  return version === undefined ? sshFacts(Buffer.from(`${text}\r\n`, 'latin1')) : { 'rfb.version': version };
}

/** Facts of what services said to masscan, by its names for them; of a protocol that it reports in words of its own there are none. */
export function bannerFacts(banners: readonly ScanBanner[]): Facts {
  return Object.assign({}, ...banners.map(({ name, text }) => BANNERS[name]?.(text) ?? {})) as Facts;
}

const BANNERS: Readonly<Record<string, (text: string) => Facts>> = {
  ssh: (text) => sshFacts(Buffer.from(`${text}\r\n`, 'latin1')),
  // After the version it says in its own words what was offered.
  vnc: (text) => {
    const version = /^RFB (\d{3}\.\d{3})/.exec(text)?.[1];
    return version === undefined ? {} : { 'rfb.version': version };
  },
  // It goes on to ask for TLS: what stands behind the first reply answers that.
  ftp: (text) => {
    const greeting = FTP_REPLY.exec(text.replaceAll('\r\n', '\n'))?.[0];
    return greeting === undefined ? {} : { 'ftp.banner': greeting };
  },
  'http.server': (text) => ({ 'http.server': text }),
  title: (text) => {
    const { title } = readPage(`<title>${text}</title>`);
    return title === undefined ? {} : { 'http.title': title };
  },
  X509: (text) => (BASE64.test(text) ? leafFacts(Buffer.from(text, 'base64')) : {}),
};

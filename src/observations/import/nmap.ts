import { X509Certificate } from 'node:crypto';
import { bannerTextFacts } from './banners.ts';
import { readPage } from '../../probes/page.ts';
import { leafFacts } from '../../probes/tls.ts';
import type { ScannedHost, ScannedPort, ScanScript } from '../../targets/scans/scanned.ts';
import { parseAddress } from '../../targets/addresses.ts';
import type { Facts } from '../../vocabulary.ts';

/**
 * Facts of what nmap's scripts report, where what they report is the device's own text, whole: nmap's guesses (product, version, operating system),
 * and texts that a script shortens, are none.
 */
export function scriptFacts(host: ScannedHost, port: ScannedPort): Facts {
  return Object.assign({}, ...port.scripts.map((script) => SCRIPTS[script.id]?.(script, host) ?? {})) as Facts;
}

const SCRIPTS: Readonly<Record<string, (script: ScanScript, host: ScannedHost) => Facts>> = {
  'http-title': titleFacts,
  'http-server-header': ({ values }) => {
    // It lists the headers of several answers, each once: with two it is not known which is that of the page.
    const [server, ...others] = values;
    return server === undefined || others.length > 0 ? {} : { 'http.server': server.text };
  },
  'http-auth': ({ values }) => {
    const realm = values.find(({ path }) => path.at(-1) === 'realm')?.text;
    return realm === undefined ? {} : { 'http.realm': realm };
  },
  'http-favicon': ({ output }) => {
    const md5 = /^Unknown favicon MD5: ([0-9A-F]{32})$/i.exec(output)?.[1];
    return md5 === undefined ? {} : { 'http.favicon.md5': md5.toLowerCase() };
  },
  'ssl-cert': ({ values }) => {
    const pem = values.find(({ path }) => path.join('.') === 'pem')?.text;
    return pem === undefined ? {} : pemFacts(pem);
  },
  'vnc-info': ({ values }) => {
    // Its version is the one that was agreed on, not the one that was sent.
    const types = values.flatMap(({ path, text }) => (path[0] === 'Security types' && path.at(-1) === 'type' ? [Number(text)] : []));
    return types.length === 0 || !types.every(Number.isInteger) ? {} : { 'rfb.security': types };
  },
  banner: ({ output }) => bannerTextFacts(output),
};

/** The title in full is in the value; the output is cut at 65 characters. Where a redirect led to another host, the page is that host's. */
function titleFacts({ values }: ScanScript, { address, names }: ScannedHost): Facts {
  const title = values.find(({ path }) => path.join('.') === 'title')?.text;
  const led = values.find(({ path }) => path.join('.') === 'redirect_url')?.text;
  if (
    title === undefined ||
    (led !== undefined &&
      !isOwn(
        led,
        address,
        names.map(({ name }) => name),
      ))
  )
    return {};
  const read = readPage(`<title>${title}</title>`).title;
  return read === undefined ? {} : { 'http.title': read };
}

function isOwn(url: string, address: string, names: readonly string[]): boolean {
  const host = URL.parse(url, 'http://self.invalid/')?.hostname.replace(/^\[|\]$/g, '');
  return (
    host === 'self.invalid' ||
    host === address ||
    (host !== undefined && names.includes(host)) ||
    parseAddress(host ?? '') === parseAddress(address)
  );
}

function pemFacts(pem: string): Facts {
  try {
    return leafFacts(new X509Certificate(pem).raw);
  } catch {
    return {}; // a certificate that OpenSSL refuses, or a text that was cut
  }
}

import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { type Problem, problem } from '../../errors.ts';
import { count } from '../../text.ts';
import { parseAddress } from '../addresses.ts';
import { isoTime, portNumber, type ScannedHost, type ScannedPort, type ScanScript, type ScanService, type ScanValue } from './scanned.ts';

/** Elements within elements; nmap needs eight. */
const MAX_DEPTH = 64;
/** Characters kept of one text; a certificate has some 2,000. */
const MAX_TEXT = 64 * 1024;
/** Values kept of one script. */
const MAX_VALUES = 500;

/**
 * Reads nmap's XML (`-oX`), and what others write in its form (masscan, runZero), as it comes: hosts are handed on as they end, so that a scan of any
 * size needs the memory of one host. A document type is accepted and no entity is fetched. A file that breaks off is read as far as it is whole.
 * Ports that are not open are left out.
 *
 * Source: nmap.dtd; `xmloutputversion` 1.04 and 1.05.
 */
export class NmapReader {
  readonly problems: Problem[] = [];
  /** Whether the file came to its end. */
  isWhole = false;
  #hosts: ScannedHost[] = [];
  readonly #file: string;
  readonly #parser = new SaxesParser({ position: true });
  #path: string[] = [];
  #host: OpenHost | undefined;
  #port: OpenPort | undefined;
  #script: OpenScript | undefined;
  #keys: string[] = [];
  #text: string | undefined;
  #count = 0;
  #isBroken = false;
  #hasRoot = false;

  constructor(file: string) {
    this.#file = file;
    this.#parser.on('opentag', (tag) => this.#open(tag as SaxesTagPlain));
    this.#parser.on('closetag', ({ name }) => this.#close(name));
    this.#parser.on('text', (text) => this.#add(text));
    this.#parser.on('cdata', (text) => this.#add(text));
    this.#parser.on('error', (error) => this.#fail(error.message));
  }

  /** Takes the next piece of the file. @returns the hosts that have ended in it */
  write(piece: string): ScannedHost[] {
    if (!this.#isBroken) this.#parser.write(piece);
    const hosts = this.#hosts;
    this.#hosts = [];
    return hosts;
  }

  /** The file is over. */
  end(): ScannedHost[] {
    if (!this.#isBroken) this.#parser.close();
    const hosts = this.#hosts;
    this.#hosts = [];
    return hosts;
  }

  #fail(reason: string): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    const line = this.#parser.line;
    const at = this.#host?.address === undefined ? '' : ` (in the middle of ${this.#host.address})`;
    const before = `the ${count(this.#count, 'host')} before that ${this.#count === 1 ? 'is' : 'are'} read`;
    const isCut = /unclosed|unexpected end/i.test(reason);
    this.problems.push(
      problem(
        'bad-scan',
        {
          reason: !this.#hasRoot
            ? `it is no XML: ${withoutPosition(reason)}`
            : isCut
              ? `it breaks off${at}: the scan was interrupted, or still runs; ${before}`
              : `it is damaged from here on${at}: ${withoutPosition(reason)}; ${before}`,
        },
        { file: this.#file, line },
      ),
    );
  }

  #open({ name, attributes }: SaxesTagPlain): void {
    if (this.#isBroken) return;
    if (this.#path.length === 0) {
      this.#hasRoot = true;
      if (name !== 'nmaprun') {
        this.#isBroken = true;
        this.problems.push(
          problem(
            'bad-scan',
            { reason: `it is XML, but not of a scan: its root is <${name.slice(0, 40)}>, not <nmaprun>` },
            { file: this.#file },
          ),
        );
        return;
      }
    }
    this.#path.push(name);
    if (this.#path.length > MAX_DEPTH) return this.#fail('elements are nested too deep');
    const of = (key: string): string | undefined => attributes[key];
    if (this.#path.length === 2 && name === 'host') this.#host = { names: [], ports: [], at: isoTime(of('endtime') ?? of('starttime')) };
    const host = this.#host;
    if (host === undefined) return;
    if (name === 'status') host.isDown = of('state') === 'down';
    else if (name === 'address') takeAddress(host, of('addr') ?? '', of('addrtype') ?? 'ipv4');
    else if (name === 'hostname') {
      const said = of('name');
      if (said !== undefined && said !== '') host.names.push({ name: said, isReverse: of('type') === 'PTR' });
    } else if (name === 'port') this.#port = { protocol: of('protocol'), port: portNumber(of('portid')), banners: [], scripts: [] };
    else if (name === 'state' && this.#port !== undefined) this.#port.state = of('state');
    else if (name === 'service' && this.#port !== undefined) takeService(this.#port, attributes);
    else if (name === 'script') {
      this.#keys = [];
      this.#script = { id: of('id') ?? '', output: (of('output') ?? '').slice(0, MAX_TEXT), values: [] };
    } else if (this.#script !== undefined && (name === 'table' || name === 'elem')) {
      this.#keys.push(of('key') ?? '');
      if (name === 'elem') this.#text = '';
    }
  }

  #add(text: string): void {
    if (this.#text !== undefined && this.#text.length < MAX_TEXT) this.#text += text.slice(0, MAX_TEXT);
  }

  #close(name: string): void {
    if (this.#isBroken) return;
    this.#path.pop();
    if (this.#path.length === 0) this.isWhole = true;
    const script = this.#script;
    if (script !== undefined && (name === 'table' || name === 'elem')) {
      if (name === 'elem' && this.#text !== undefined && script.values.length < MAX_VALUES)
        script.values.push({ path: [...this.#keys], text: this.#text });
      this.#keys.pop();
      this.#text = undefined;
    } else if (name === 'script' && script !== undefined) {
      // Scripts of a host say nothing about one port; none of those is read.
      this.#port?.scripts.push(script);
      this.#script = undefined;
    } else if (name === 'port' && this.#port !== undefined) {
      const port = finished(this.#port);
      if (port !== undefined) this.#host?.ports.push(port);
      this.#port = undefined;
    } else if (name === 'host' && this.#path.length === 1) {
      const host = this.#host;
      this.#host = undefined;
      if (host?.address === undefined || host.isDown === true) return;
      this.#count += 1;
      const { address, mac, names, ports, at } = host;
      this.#hosts.push({ address, names, ports, ...(mac === undefined ? {} : { mac }), ...(at === undefined ? {} : { at }) });
    }
  }
}

interface OpenHost {
  address?: string;
  mac?: string;
  isDown?: boolean;
  readonly at: string | undefined;
  readonly names: { name: string; isReverse: boolean }[];
  readonly ports: ScannedPort[];
}

interface OpenPort {
  readonly protocol: string | undefined;
  readonly port: number | undefined;
  state?: string | undefined;
  service?: ScanService;
  readonly scripts: ScanScript[];
  readonly banners: { name: string; text: string }[];
}

interface OpenScript extends ScanScript {
  readonly values: ScanValue[];
}

/** Of several addresses of a family the first counts: it is the one that was scanned. */
function takeAddress(host: OpenHost, text: string, type: string): void {
  if (type === 'mac') host.mac ??= text;
  else if (parseAddress(text) !== undefined) host.address ??= text;
}

/** masscan gives what a service said as an attribute of nmap's element; in it `\x0a` stands for a line feed, and a backslash is written so too. */
function takeService(port: OpenPort, attributes: SaxesTagPlain['attributes']): void {
  const name = attributes['name'];
  if (name === undefined) return;
  const banner = attributes['banner'];
  if (banner !== undefined) port.banners.push({ name, text: unescaped(banner).slice(0, MAX_TEXT) });
  else port.service = { name, isProbed: attributes['method'] === 'probed', isInTls: attributes['tunnel'] === 'ssl' };
}

/** masscan's `\x0a`: bytes that are no printable ASCII, and those that its own forms need. */
export function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function finished({ protocol, port, state, service, scripts, banners }: OpenPort): ScannedPort | undefined {
  if (port === undefined || (protocol !== 'tcp' && protocol !== 'udp')) return undefined;
  if (state !== 'open' && banners.length === 0) return undefined;
  return { transport: protocol, port, scripts, banners, ...(service === undefined ? {} : { service }) };
}

/** saxes begins its messages with the place, which ours have already. */
function withoutPosition(message: string): string {
  return message
    .replace(/^[^ ]*?\d+:\d+: /, '')
    .replace(/\.$/, '')
    .slice(0, 200);
}

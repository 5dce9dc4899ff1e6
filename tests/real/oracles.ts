import type { Scanner } from './lab.ts';

/** What other programs say of the same servers. They run as root, log in where the lab has given them an account, and take their time: the product does neither. */

/** What nmap's script said of a port: `10.77.0.5 443/tcp` and the script's name to its output. */
export type Scripts = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Runs nmap's scripts against ports that are known to be open, and reads its XML as far as that needs. */
export async function nmap(scanner: Scanner, hosts: readonly string[], ports: string, scripts: string): Promise<Scripts> {
  const scans = ports.includes('U:') ? ['-sU'] : ['-sS'];
  const { stdout, code, stderr } = await scanner.run([
    'nmap',
    '-n',
    '-Pn',
    ...scans,
    '-T5',
    `-p${ports}`,
    '--script',
    scripts,
    '-oX',
    '-',
    ...hosts,
  ]);
  if (code !== 0) throw new Error(`nmap: ${stderr}`);
  const found = new Map<string, Map<string, string>>();
  for (const host of stdout.split('<host ').slice(1)) {
    const address = /<address addr="([\d.]+)"/.exec(host)?.[1] ?? '';
    for (const port of host.split('<port ').slice(1)) {
      const [, protocol, number] = /^protocol="(\w+)" portid="(\d+)"/.exec(port) ?? [];
      const outputs = new Map(
        [...port.matchAll(/<script id="([^"]+)" output="([^"]*)"/g)].map(([, id = '', output = '']) => [id, unescaped(output)]),
      );
      if (outputs.size > 0) found.set(`${address} ${number}/${protocol}`, outputs);
    }
  }
  return found;
}

function unescaped(text: string): string {
  return text
    .replaceAll(/&#x([0-9a-f]+);/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

export interface OpensslSays {
  /** `TLSv1.3`, in the spelling of OpenSSL. */
  readonly version: string;
  readonly cipher: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly sha256: string;
  readonly bits: number;
}

/** A handshake by Debian's OpenSSL, which is not the product's, with everything allowed. */
export async function openssl(scanner: Scanner, address: string): Promise<OpensslSays> {
  const { stdout } = await scanner.run([
    'bash',
    '-c',
    'text=$(timeout 5 openssl s_client -connect "$1:443" -cipher ALL:@SECLEVEL=0 </dev/null 2>/dev/null); echo "$text"; echo "$text" | openssl x509 -noout -fingerprint -sha256 -text',
    'bash',
    address,
  ]);
  const [, cipher = ''] = /^New, [^,]*, Cipher is (\S+)/m.exec(stdout) ?? [];
  return {
    // Below 1.3 the line `New, …` names the oldest version that knows the suite.
    version: /^ +Protocol +: (\S+)/m.exec(stdout)?.[1] ?? /^New, (TLSv1\.3)/m.exec(stdout)?.[1] ?? '',
    cipher,
    sha256: (/Fingerprint=([0-9A-F:]+)/.exec(stdout)?.[1] ?? '').replaceAll(':', '').toLowerCase(),
    bits: Number(/Public-Key: \((\d+) bit\)/.exec(stdout)?.[1]),
  };
}

export interface IpmitoolSays {
  /** Bits as IPMI v2.0 section 22.13 has them in the answer's authentication types and status. */
  readonly types: number;
  readonly status: number;
  readonly suites: readonly number[];
  /** 32 hex digits in wire order. */
  readonly guid: string;
}

const TYPES: Readonly<Record<string, number>> = { NONE: 0x01, MD2: 0x02, MD5: 0x04, PASSWORD: 0x10, OEM: 0x20 };
/** Bits that are set where something is enabled, and those that are set where it is disabled. */
const STATUS: readonly (readonly [string, number, 'enabled' | 'disabled'])[] = [
  ['Anonymous login', 0x01, 'enabled'],
  ['Null users', 0x02, 'enabled'],
  ['Non-null users', 0x04, 'enabled'],
  ['User level auth', 0x08, 'disabled'],
  ['Per-msg auth', 0x10, 'disabled'],
];

/** What ipmitool reads in a session. Suites are asked for page by page: its own `channel getciphers` (1.8.19) leaves out the last page. */
export async function ipmitool(scanner: Scanner, address: string): Promise<IpmitoolSays> {
  const login = ['-H', address, '-U', 'labuser', '-P', 'labpass'];
  const raw = async (...bytes: string[]): Promise<Buffer> =>
    Buffer.from((await scanner.run(['ipmitool', '-I', 'lan', ...login, 'raw', ...bytes])).stdout.replaceAll(/\s/g, ''), 'hex');
  const [capabilities, guid] = await Promise.all([scanner.run(['ipmitool', '-I', 'lan', '-vv', ...login, 'mc', 'info']), raw('6', '0x37')]);
  const pages: Buffer[] = [];
  do pages.push((await raw('6', '0x54', '0x0e', '0', `0x${(0x80 + pages.length).toString(16)}`)).subarray(1));
  while (pages.at(-1)?.length === 16 && pages.length < 16);
  const text = `${capabilities.stdout}\n${capabilities.stderr}`;
  const types = (/Auth Types +: ([A-Z0-9 ]+)/.exec(text)?.[1] ?? '').trim().split(' ');
  return {
    types: types.reduce((bits, type) => bits | (TYPES[type] ?? 0), 0),
    status: STATUS.reduce((bits, [name, bit, when]) => bits | (new RegExp(`${name} +: ${when}`).test(text) ? bit : 0), 0),
    // A record begins with C0 and the suite; of the algorithms after it none is as high.
    suites: Array.from(Buffer.concat(pages)).flatMap((byte, at, all) => (all[at - 1] === 0xc0 ? [byte] : [])),
    guid: guid.toString('hex'),
  };
}

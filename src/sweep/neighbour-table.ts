import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressNumber, parseAddress } from '../targets/addresses.ts';
import { canonicalMac } from '../text.ts';

/** A neighbour on one of this machine's links that has been resolved. */
export interface Neighbour {
  readonly address: AddressNumber;
  readonly mac: string;
}

type Family = 4 | 6;

/** How a system tells its table: a file that can be read at any time, or a program of the system's own that prints it. */
type Source =
  | { readonly file: string; readonly parse: (text: string) => Neighbour[] }
  | { readonly program: readonly [string, ...string[]]; readonly parse: (text: string) => Neighbour[] };

const PROGRAM_MS = 5000;
const MAX_OUTPUT = 16 * 1024 * 1024;

const BSD: Readonly<Record<Family, Source>> = {
  4: { program: ['arp', '-an'], parse: parseArpProgram },
  6: { program: ['ndp', '-an'], parse: parseNdp },
};

const SOURCES: Readonly<Partial<Record<NodeJS.Platform, Readonly<Record<Family, Source>>>>> = {
  linux: { 4: { file: '/proc/net/arp', parse: parseProcArp }, 6: { program: ['ip', '-6', 'neigh', 'show'], parse: parseIpNeigh } },
  darwin: BSD,
  freebsd: BSD,
  win32: {
    4: { program: ['arp', '-a'], parse: parseWindows },
    6: { program: ['netsh', 'interface', 'ipv6', 'show', 'neighbors'], parse: parseWindows },
  },
};

/** Whom this machine has resolved on its links; undefined where its system does not tell. Nothing is sent for it. */
export async function readNeighbours(family: Family, platform: NodeJS.Platform = process.platform): Promise<Neighbour[] | undefined> {
  const source = SOURCES[platform]?.[family];
  if (source === undefined) return undefined;
  const text = 'file' in source ? readText(source.file) : await output(source.program);
  return text === undefined ? undefined : source.parse(text);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined; // hidden, as in some containers: the caller says that the table cannot be read
  }
}

/** What a program of the system prints; undefined where there is none, or it fails. */
function output([program, ...words]: readonly [string, ...string[]]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      program,
      words,
      { timeout: PROGRAM_MS, maxBuffer: MAX_OUTPUT, encoding: 'latin1', windowsHide: true, env: { ...process.env, LC_ALL: 'C' } },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    );
  });
}

function neighbour(addressText: string, macText: string): Neighbour[] {
  const address = parseAddress(addressText);
  const mac = canonicalMac(macText);
  return address === undefined || mac === undefined ? [] : [{ address, mac }];
}

function rows(text: string): string[] {
  return text.split(/\r?\n/).map((row) => row.trim());
}

/** In the flags of `/proc/net/arp` (linux/if_arp.h, ATF_COM): the entry is complete. */
const COMPLETE = 0x2;

/** Linux: columns address, hardware type, flags, MAC, mask, device. */
export function parseProcArp(text: string): Neighbour[] {
  return rows(text)
    .slice(1)
    .flatMap((row) => {
      const [address = '', , flags = '0', mac = ''] = row.split(/\s+/);
      return (Number(flags) & COMPLETE) === 0 ? [] : neighbour(address, mac);
    });
}

/** iproute2: `fe80::1 dev eth0 lladdr 00:00:5e:00:53:01 router REACHABLE`. */
export function parseIpNeigh(text: string): Neighbour[] {
  return rows(text).flatMap((row) => {
    const [, address = '', device = '', mac = '', state = ''] = /^(\S+) dev (\S+) lladdr (\S+)(?: \S+)* ([A-Z]+)$/.exec(row) ?? [];
    if (state === 'FAILED' || state === 'INCOMPLETE') return [];
    return neighbour(/^fe80:/i.test(address) ? `${address}%${device}` : address, mac);
  });
}

/** macOS and the BSDs: `? (192.0.2.1) at 0:0:5e:0:53:1 on en0 ifscope [ethernet]`. */
export function parseArpProgram(text: string): Neighbour[] {
  return rows(text).flatMap((row) => {
    const [, address = '', mac = ''] = /\(([\d.]+)\) at ([0-9a-f:]+) on /i.exec(row) ?? [];
    return neighbour(address, mac);
  });
}

/** The same for IPv6: columns neighbour (with its zone), MAC, interface, expiry, state. */
export function parseNdp(text: string): Neighbour[] {
  return rows(text).flatMap((row) => {
    const [address = '', mac = ''] = row.split(/\s+/);
    return neighbour(address, mac);
  });
}

/**
 * Windows, `arp` and `netsh` alike, whose headings are in the language of the system: blocks of an interface, whose rows begin with address and MAC.
 * The zone of a link-local address is the number of its interface.
 */
export function parseWindows(text: string): Neighbour[] {
  let zone = '';
  return rows(text).flatMap((row) => {
    const [, number] = /^\S+ (\d+):\s/.exec(row) ?? [];
    if (number !== undefined) zone = number;
    const [, address = '', mac = ''] = /^(\S+)\s+([0-9a-f]{2}(?:-[0-9a-f]{2}){5})\b/i.exec(row) ?? [];
    return neighbour(/^fe80:/i.test(address) ? `${address}%${zone}` : address, mac);
  });
}

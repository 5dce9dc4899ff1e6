import { readFileSync } from 'node:fs';
import { dataPath } from './data.ts';

/** Digits of a block's prefix, the smallest block first: 36, 28 and 24 bits. A small block lies inside a large one that names another maker. */
const PREFIX_DIGITS = [9, 7, 6] as const;
/** In the first octet: the address was not given by a maker. */
const LOCALLY_ADMINISTERED = 0x02;

let makers: ReadonlyMap<string, string> | undefined;

/** The maker to whom the IEEE gave the block of a MAC address (`04:C9:8B:12:34:56`); undefined where nobody has it, or the address was made up locally. */
export function makerOf(mac: string): string | undefined {
  const digits = mac.replaceAll(':', '').toUpperCase();
  if (!/^[0-9A-F]{12}$/.test(digits) || (Number.parseInt(digits.slice(0, 2), 16) & LOCALLY_ADMINISTERED) !== 0) return undefined;
  loadMakers();
  for (const length of PREFIX_DIGITS) {
    const maker = makers?.get(digits.slice(0, length));
    if (maker !== undefined) return maker;
  }
  return undefined;
}

/** Reads the list now: in the middle of a sweep there may be no file descriptor for it. */
export function loadMakers(): void {
  makers ??= readMakers();
}

function readMakers(): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of readFileSync(dataPath('oui.tsv'), 'utf8').split('\n')) {
    const tab = line.indexOf('\t');
    if (tab > 0) found.set(line.slice(0, tab), line.slice(tab + 1));
  }
  return found;
}

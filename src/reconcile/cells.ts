import { canonicalSpki, canonicalUid, ownMac, usableSerial } from '../devices/identity.ts';
import { type AddressNumber, familyOf, formatAddress, parseAddress, spaceOf } from '../targets/addresses.ts';
import { parseRange } from '../targets/parse.ts';
import { printable, shortened } from '../text.ts';
import { CLASSES, type DeviceClass } from '../vocabulary.ts';
import { foldHeading } from './headings.ts';

/** What a cell, or one value in it, was read as; undefined where it says nothing; `wrong` says why it is none. */
export type Item<T> = { readonly value: T } | { readonly wrong: string } | undefined;

const MAX_SHOWN = 60;

export function shown(text: string): string {
  return `"${shortened(printable(text), MAX_SHOWN)}"`;
}

/** A cell as it was meant: without the blanks and marks with which people keep spreadsheets from changing it (`="00005E"`, `'00005E`). */
export function cleanCell(text: string): string {
  const cell = text.replace(/[\u200b-\u200f\u2060\ufeff]/g, '').trim();
  return (/^="(.*)"$/s.exec(cell)?.[1] ?? cell.replace(/^'/, '')).trim();
}

export function isBlank(cell: string): boolean {
  return /^(?:|-+|–|—|\?|n\/?a|none|null|nil|unknown|not set|not available|tbd)$/i.test(cell);
}

/** The values of a cell that may hold several: separated by `;` `,` `|`, blanks or line breaks. */
export function splitCell(cell: string): string[] {
  return cell.split(/[\s;,|]+/).filter((part) => !isBlank(part));
}

/** `5.00E+05`, in some countries `5,00E+05`: what spreadsheets make of long numbers. The digits are lost. */
const SCIENTIFIC = /^\d+(?:[.,]\d+)?E\+\d+$/i;

function spoiled(cell: string): string {
  return `${shown(cell)} is what a spreadsheet made of it; format the column as text and enter it again`;
}

export function readSerial(cell: string): Item<string> {
  if (SCIENTIFIC.test(cell)) return { wrong: spoiled(cell) };
  const value = usableSerial(cell);
  return value === undefined ? undefined : { value };
}

/** The MAC addresses of a cell, in any usual spelling. All zeros and all ones are no value; those of router groups and multicast are wrong. */
export function readMacs(cell: string): Item<string>[] {
  if (SCIENTIFIC.test(cell)) return [{ wrong: spoiled(cell) }];
  const words = /^[0-9a-f]{2}(?: [0-9a-f]{2}){5}$/i.test(cell) ? [cell.replaceAll(' ', ':')] : splitCell(cell);
  return words.map((word) => {
    const digits = word.replace(/[:.-]/g, '');
    if (/^(?:0+|f{12})$/i.test(digits)) return undefined;
    const value = ownMac(word);
    if (value !== undefined) return { value };
    if (SCIENTIFIC.test(word)) return { wrong: spoiled(word) };
    if (/^[0-9a-f]{12}$/i.test(digits)) return { wrong: `${shown(word)} is the MAC address of a group, not of a device` };
    if (/^\d{1,11}$/.test(word))
      return { wrong: `${shown(word)} has ${word.length} of the 12 digits of a MAC address; a spreadsheet may have cut leading zeros` };
    return { wrong: `${shown(word)} is no MAC address` };
  });
}

/** The UUIDs of a cell; placeholders are no value. */
export function readUuids(cell: string): Item<string>[] {
  return splitCell(cell).map((word) => {
    const value = canonicalUid(word);
    if (value !== undefined) return { value };
    return /^[{(]?(?:urn:uuid:)?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}[)}]?$/i.test(word)
      ? undefined
      : { wrong: `${shown(word)} is no UUID` };
  });
}

/** What a column of addresses or of host names holds: people write either into both. */
export type HostItem = Item<{ readonly address: string } | { readonly name: string }>;

export function readHosts(cell: string, column: 'address' | 'host'): HostItem[] {
  const words = column === 'address' ? splitCell(cell) : cell.split(/[;,|\n]+/).flatMap((part) => (isLabel(part) ? [] : splitCell(part)));
  return words.map((word) => {
    const bare = word.replace(/%.*$/s, '').replace(/^\[(.*)\]$/s, '$1');
    const [base = '', prefix] = bare.split('/');
    const address = parseAddress(base);
    if (address !== undefined) return addressItem(word, address, prefix);
    const name = hostName(bare);
    // An address column may hold names; a word without a dot is rather a mistyped address, or a street.
    if (name !== undefined && (column === 'host' || name.includes('.'))) return { value: { name } };
    if (column === 'host') return undefined;
    const range = parseRange(bare);
    return {
      wrong:
        'reason' in range
          ? `${shown(word)} is no IP address${range.isName === true ? '' : `: ${range.reason}`}`
          : `${shown(word)} is a range; a record approves one device, and a rule what is in a network`,
    };
  });
}

/** `PiKVM in rack 3` in a column of host names is what people call it. */
function isLabel(part: string): boolean {
  const words = part.trim().split(/\s+/);
  return words.length > 1 && !words.every((word) => /[.:]./.test(word));
}

function addressItem(word: string, address: AddressNumber, prefix: string | undefined): HostItem {
  const bits = familyOf(address) === 4 ? 32 : 128;
  const length = prefix === undefined ? bits : Number(prefix);
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || length > bits))
    return { wrong: `${shown(word)}: after the / stands a prefix length, 0 to ${bits}` };
  // 10.0.0.0/24 is a network; 10.0.0.5/24 an address with its network. In a /31 and a /127 all are addresses (RFC 3021, RFC 6164).
  if (length < bits - 1 && BigInt(address) % (1n << BigInt(bits - length)) === 0n)
    return { wrong: `${shown(word)} is a network; a record approves one device, and a rule what is in a network` };
  if (spaceOf(address) === 'special') return { wrong: `${shown(word)} is no address that a device can have` };
  return { value: { address: formatAddress(address) } };
}

/** A host name in lower case, without the dot at its end; undefined where the text is none. */
export function hostName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  const range = parseRange(name);
  return 'reason' in range && range.isName === true && /[a-z]/.test(name) ? name : undefined;
}

export function readSpki(cell: string): Item<string> {
  const base64 = /^(?:sha256\/)?([a-z0-9+/]{43}=)$/i.exec(cell)?.[1]; // as RFC 7469 pins are written
  const value = base64 === undefined ? canonicalSpki(cell) : Buffer.from(base64, 'base64').toString('hex');
  return value === undefined ? { wrong: `${shown(cell)} is no SHA-256 of a public key (64 hex digits)` } : { value };
}

const TIME = String.raw`(?:[T ](?<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(?<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?$`;
const DATE = new RegExp(String.raw`^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})${TIME}`, 'i');
const LAST_MOMENT = 'T23:59:59.999Z';
const ENDLESS = /^(?:never|unlimited|permanent|indefinite|open-ended)$/i;

/** How dates are written in a list, where not as ISO 8601. */
export interface DateFormat {
  readonly text: string;
  readonly pattern: RegExp;
}

const DATE_PARTS: Readonly<Record<string, string>> = {
  D: String.raw`(?<day>\d{1,2})`,
  M: String.raw`(?<month>\d{1,2})`,
  Y: String.raw`(?<year>\d{4})`,
};

/** `DD/MM/YYYY`, `M.D.YYYY`: day, month and a year of four digits, in any order, with one separator; undefined where the text is none. */
export function dateFormatOf(text: string): DateFormat | undefined {
  const [, first = '', separator = '', second = '', third = ''] =
    /^(D{1,2}|M{1,2}|YYYY)([./-])(D{1,2}|M{1,2}|YYYY)\2(D{1,2}|M{1,2}|YYYY)$/i.exec(text) ?? [];
  const letters = [first, second, third].map((part) => part.charAt(0).toUpperCase());
  if (new Set(letters).size !== 3 || separator === '') return undefined;
  const parts = letters.map((letter) => DATE_PARTS[letter] ?? '');
  return { text, pattern: new RegExp(`^${parts.join(`\\${separator}`)}${TIME}`, 'i') };
}

/**
 * A date as a moment in UTC: ISO 8601 (2026-12-31, 2026-12-31T18:00Z), or as the operator says that dates are written. A day alone is its first moment
 * where an approval begins, its last where it ends; a time without a zone is in UTC.
 */
export function readDate(cell: string, edge: 'begin' | 'end', format?: DateFormat): Item<string> {
  if (ENDLESS.test(cell)) return undefined;
  const { year, month = '', day: dayOfMonth = '', time, zone = 'Z' } = (DATE.exec(cell) ?? format?.pattern.exec(cell))?.groups ?? {};
  if (year === undefined) return { wrong: noDate(cell, format) };
  const day = `${year}-${month.padStart(2, '0')}-${dayOfMonth.padStart(2, '0')}`;
  // Date.parse takes 30 February for 2 March.
  const midnight = new Date(`${day}T00:00:00.000Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return { wrong: `there is no day ${shown(day)}` };
  if (time === undefined) return { value: `${day}${edge === 'end' ? LAST_MOMENT : 'T00:00:00.000Z'}` };
  const at = Date.parse(`${day}T${time}${/^utc$/i.test(zone) ? 'Z' : zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
  return Number.isNaN(at) ? { wrong: `there is no time ${shown(time)}` } : { value: new Date(at).toISOString() };
}

function noDate(cell: string, format: DateFormat | undefined): string {
  const iso = 'write it as 2026-12-31 (ISO 8601)';
  if (format !== undefined) return `${shown(cell)} is no date as ${format.text}; ${iso}`;
  return /^\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b/.test(cell)
    ? `${shown(cell)} means another day in another country; ${iso}, or say how dates are written: --date-format DD/MM/YYYY`
    : `${shown(cell)} is no date; ${iso}`;
}

/** A moment as people read it: `2026-12-31` for the whole day, else with its time. */
export function dateText(moment: string): string {
  return moment.endsWith(LAST_MOMENT) || moment.endsWith('T00:00:00.000Z')
    ? moment.slice(0, 10)
    : `${moment.slice(0, 16).replace('T', ' ')} UTC`;
}

const YES = new Set([
  'yes',
  'y',
  'true',
  '1',
  'x',
  'ja',
  'oui',
  'approved',
  'authorised',
  'authorized',
  'sanctioned',
  'expected',
  'allowed',
  'ok',
]);
const NO = new Set([
  'no',
  'n',
  'false',
  '0',
  'nein',
  'non',
  'notapproved',
  'unapproved',
  'denied',
  'rejected',
  'revoked',
  'pending',
  'requested',
  'unauthorised',
  'unauthorized',
]);

/** Yes or no, in the usual words; an empty cell is no. */
export function readYesNo(cell: string): Item<boolean> {
  const word = foldHeading(cell);
  if (isBlank(cell) || NO.has(word)) return { value: false };
  return YES.has(word) || cell === '✓' || cell === '✔' ? { value: true } : { wrong: `${shown(cell)} is neither yes nor no` };
}

const ENDED = new Set([
  'retired',
  'retire',
  'disposed',
  'disposal',
  'decommissioned',
  'decommissioning',
  'scrapped',
  'destroyed',
  'stolen',
  'lost',
  'missing',
  'absent',
  'sold',
  'donated',
  'recycled',
  'returned',
  'archived',
  'deprecated',
  'obsolete',
  'removed',
  'deleted',
  'revoked',
  'rejected',
  'denied',
]);
/** The choice lists of ServiceNow's `cmdb_ci`, where an export gives values instead of labels: retired, stolen, absent. */
const ENDED_CODES: Readonly<Record<string, ReadonlySet<string>>> = {
  installstatus: new Set(['7', '8', '100']),
  operationalstatus: new Set(['6']),
};

/** Whether a status says that the record approves nothing any more: retired, disposed of, stolen … */
export function isEnded(status: string, heading: string): boolean {
  const [first = '', ...rest] = status
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
  return ENDED.has(first) || (rest.length === 0 && ENDED_CODES[foldHeading(heading)]?.has(first) === true);
}

/** Usual words for our classes, as compared. A word for many things (`Server`, `Out-of-Band Device`) is none of them. */
const CLASS_WORDS: Readonly<Record<string, DeviceClass>> = {
  ...Object.fromEntries(CLASSES.map((name) => [foldHeading(name), name])),
  kvm: 'ip-kvm',
  kvmip: 'ip-kvm',
  kvmoverip: 'ip-kvm',
  kvmoveripswitch: 'ip-kvm',
  ikvm: 'ip-kvm',
  remotekvm: 'ip-kvm',
  baseboardmanagementcontroller: 'bmc',
  managementcontroller: 'bmc',
  servermanagement: 'bmc',
  lightsout: 'bmc',
  ipmi: 'bmc',
  idrac: 'bmc',
  ilo: 'bmc',
  xcc: 'bmc',
  cimc: 'bmc',
  irmc: 'bmc',
  intelamt: 'amt',
  vpro: 'amt',
  intelvpro: 'amt',
  chassismanagementmodule: 'chassis-manager',
  chassismanagementcontroller: 'chassis-manager',
  onboardadministrator: 'chassis-manager',
  consolemanager: 'console-server',
  serialconsoleserver: 'console-server',
  serialconsole: 'console-server',
  terminalserver: 'console-server',
  oobconsole: 'console-server',
  kvmmanagement: 'kvm-management-software',
  serialdeviceserver: 'serial-server',
  deviceserver: 'serial-server',
  serialtoethernet: 'serial-server',
  usboverip: 'usb-server',
  usbdeviceserver: 'usb-server',
  rackpdu: 'pdu',
  rpdu: 'pdu',
  powerdistributionunit: 'pdu',
  powerstrip: 'pdu',
  ups: 'ups-card',
  upsnetworkcard: 'ups-card',
  networkmanagementcard: 'ups-card',
  uninterruptiblepowersupply: 'ups-card',
  transferswitch: 'ats',
  automatictransferswitch: 'ats',
  environmentalmonitor: 'environment-monitor',
  environmentalmonitoring: 'environment-monitor',
  environmentmonitoring: 'environment-monitor',
  vnc: 'vnc-software',
  vncserver: 'vnc-software',
};

/**
 * The class that a word names. ServiceNow's `cmdb_ci_kvm`, which it shows as "KVM", is a virtual machine of Linux and no switch.
 */
export function classOf(cell: string, heading = ''): DeviceClass | undefined {
  const whole = foldHeading(cell);
  if (whole.startsWith('cmdbcikvm') || (whole === 'kvm' && foldHeading(heading) === 'sysclassname')) return undefined;
  const word = whole.replace(/^cmdbci/, '');
  return Object.hasOwn(CLASS_WORDS, word) ? CLASS_WORDS[word] : CLASS_WORDS[word.replace(/s$/, '')];
}

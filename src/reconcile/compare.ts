import type { Device } from '../devices/device.ts';
import type { DeviceClass } from '../vocabulary.ts';

/**
 * Whether what people write of a device fits what was recognised. Records come from purchase orders and inventory systems, so texts agree where one
 * could mean the other; only what names something else differs.
 */

const LEGAL_FORMS = /\b(?:inc|incorporated|corp|corporation|co|company|ltd|limited|llc|gmbh|ag|kg|sa|bv|plc|pte|srl)\b/g;
const COMMON_WORDS = /\b(?:the|technologies|technology|international|systems|electronics|enterprises?|group|computers?)\b/g;

/** Names of one maker, or of makers that sell each other's devices, as compared. */
const MAKERS: readonly (readonly string[])[] = [
  ['dell', 'dell emc', 'dellemc', 'emc'],
  ['hpe', 'hp', 'hewlett packard', 'hewlett packard enterprise', 'compaq'],
  ['lenovo', 'ibm', 'business machines', 'international business machines'],
  ['supermicro', 'super micro', 'super micro computer', 'smci'],
  ['avocent', 'vertiv', 'emerson', 'emerson network power', 'cybex', 'geist', 'liebert'],
  ['raritan', 'legrand', 'server technology', 'peppercon'],
  ['apc', 'american power conversion', 'schneider', 'schneider electric'],
  ['opengear', 'digi', 'digi international'],
  ['gl inet', 'glinet', 'gl technologies', 'gl technologies hong kong'],
  ['ami', 'american megatrends'],
  ['cyberpower', 'cyber power', 'cyber power systems'],
  ['jetkvm', 'buildjet'],
  ['fujitsu', 'fsc', 'fujitsu siemens', 'fts'],
  ['asrock rack', 'asrock', 'asrockrack'],
];
const MAKER_OF: ReadonlyMap<string, string> = new Map(MAKERS.flatMap((names) => names.map((name) => [name, names[0] ?? name] as const)));

function maker(text: string): string {
  const words = squeezed(
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .replace(LEGAL_FORMS, ' '),
  );
  const fewer = squeezed(words.replace(COMMON_WORDS, ' '));
  return MAKER_OF.get(words) ?? MAKER_OF.get(fewer) ?? (fewer === '' ? words : fewer);
}

function squeezed(text: string): string {
  return text.replace(/ +/g, ' ').trim();
}

/** Those whose firmware is in boxes of many makers: the record names the box. */
const FIRMWARE_MAKERS: ReadonlySet<string> = new Set([
  'ami',
  'openbmc',
  'insyde',
  'aten',
  'avocent',
  'raritan',
  'intel',
  'aspeed',
  'nuvoton',
  'emulex',
  'qlogic',
]);
/** Boards that people make an IP-KVM of. */
const BOARD_MAKERS: ReadonlySet<string> = new Set([
  'raspberry pi',
  'raspberry pi trading',
  'raspberry pi foundation',
  'raspberrypi',
  'diy',
  'orange pi',
  'radxa',
  'sipeed',
]);
export const CONTROLLERS: ReadonlySet<DeviceClass> = new Set(['bmc', 'amt', 'chassis-manager']);

/** Whether two texts name one maker, or makers that sell each other's devices. */
export function sameMaker(a: string, b: string): boolean {
  const [ours, theirs] = [maker(a), maker(b)];
  if (ours === '' || theirs === '') return false;
  if (ours === theirs || ` ${theirs} `.includes(` ${ours} `) || ` ${ours} `.includes(` ${theirs} `)) return true;
  return ours.replaceAll(' ', '') === theirs.replaceAll(' ', '');
}

export function vendorDiffers(approved: string, { vendor, class: kind }: Device): boolean {
  if (vendor === undefined) return false;
  const [ours, theirs] = [maker(vendor), maker(approved)];
  if (theirs === '' || sameMaker(vendor, approved)) return false;
  if (CONTROLLERS.has(kind) && FIRMWARE_MAKERS.has(ours)) return false;
  return !(kind === 'ip-kvm' && BOARD_MAKERS.has(theirs));
}

/** Classes that people do not tell apart. */
const FAMILIES: readonly (readonly DeviceClass[])[] = [
  ['ip-kvm', 'kvm-switch', 'kvm-extender', 'kvm-management-software'],
  ['bmc', 'amt', 'chassis-manager'],
  ['console-server', 'serial-server'],
  ['pdu', 'ups-card', 'ats', 'environment-monitor'],
];

export function classDiffers(approved: DeviceClass, { class: kind }: Device): boolean {
  return approved !== kind && !FAMILIES.some((family) => family.includes(approved) && family.includes(kind));
}

interface KnownProduct {
  readonly product: string;
  readonly vendor: string;
  readonly class: DeviceClass;
}

const PRODUCTS: readonly (KnownProduct & { readonly words: readonly string[] })[] = [
  { product: 'iDRAC', vendor: 'Dell', class: 'bmc', words: ['idrac', 'integrateddellremoteaccesscontroller'] },
  { product: 'iLO', vendor: 'HPE', class: 'bmc', words: ['ilo', 'integratedlightsout'] },
  { product: 'XCC', vendor: 'Lenovo', class: 'bmc', words: ['xcc', 'xclaritycontroller'] },
  { product: 'IMM', vendor: 'Lenovo', class: 'bmc', words: ['imm'] },
  { product: 'CIMC', vendor: 'Cisco', class: 'bmc', words: ['cimc'] },
  { product: 'iRMC', vendor: 'Fujitsu', class: 'bmc', words: ['irmc'] },
  { product: 'PiKVM', vendor: 'PiKVM', class: 'ip-kvm', words: ['pikvm'] },
  { product: 'TinyPilot', vendor: 'TinyPilot', class: 'ip-kvm', words: ['tinypilot'] },
  { product: 'JetKVM', vendor: 'JetKVM', class: 'ip-kvm', words: ['jetkvm'] },
  { product: 'NanoKVM', vendor: 'Sipeed', class: 'ip-kvm', words: ['nanokvm'] },
  { product: 'Comet', vendor: 'GL.iNet', class: 'ip-kvm', words: ['glkvm', 'comet'] },
  { product: 'BliKVM', vendor: 'BliKVM', class: 'ip-kvm', words: ['blikvm'] },
  { product: 'Dominion', vendor: 'Raritan', class: 'ip-kvm', words: ['dominion'] },
];
/** Product lines by words that name nothing else, and who makes them. */
const PRODUCT_WORDS: ReadonlyMap<string, KnownProduct> = new Map(
  PRODUCTS.flatMap(({ words, ...product }) => words.map((word) => [word, product] as const)),
);
/** From so many letters on, a word is found inside others: `PiKVM-v4` and `myPiKVM` are both meant. */
const LONG_WORD = 6;

/** The product line that a text surely names, if it names one: `iDRAC9 Enterprise` names the iDRAC. */
export function knownProduct(text: string): KnownProduct | undefined {
  const words = wordsOf(text).map((word) => word.replace(/\d+$/, ''));
  const all = folded(text);
  for (const [word, product] of PRODUCT_WORDS) if (words.includes(word) || (word.length >= LONG_WORD && all.includes(word))) return product;
  return undefined;
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

function folded(text: string): string {
  return wordsOf(text).join('');
}

/** What a device could be called, as people might write it. */
function productTexts({ vendor, product, generation, model }: Device): string[] {
  const texts = [[product], [product, generation], [model], [vendor, product, generation, model]].map((parts) =>
    parts.filter((part) => part !== undefined).join(' '),
  );
  return [...new Set(texts)].filter((text) => folded(text).length > 1);
}

const WEAK_WORDS: ReadonlySet<string> = new Set([
  'kvm',
  'switch',
  'server',
  'console',
  'over',
  'remote',
  'access',
  'rack',
  'management',
  'controller',
  'pro',
  'plus',
  'lite',
  'port',
  'ports',
  'series',
  'unit',
  'power',
  'the',
  'with',
  'and',
]);

/**
 * Whether a record's product is not the one that was recognised. Of a controller the record usually names the server that it is in (`PowerEdge R740`),
 * which says nothing of the controller.
 */
export function productDiffers(approved: string, device: Device): boolean {
  const { product, class: kind } = device;
  if (product === undefined) return false;
  const named = knownProduct(approved);
  if (named === undefined && CONTROLLERS.has(kind)) return false;
  const texts = productTexts(device);
  const known = texts.map(knownProduct).find((one) => one !== undefined);
  if (named !== undefined && known !== undefined) return named.product !== known.product;
  const text = folded(approved);
  if (texts.map(folded).some((seen) => seen.includes(text) || text.includes(seen))) return false;
  const words = new Set(texts.flatMap(wordsOf));
  return !wordsOf(approved).some(
    (word) => word.length > 2 && !WEAK_WORDS.has(word) && words.has(word) && word !== device.vendor?.toLowerCase(),
  );
}

/** Whether a device surely is of a product line, or of the model of it, that a rule names: `iDRAC9` is an iDRAC of the ninth generation, and no other. */
export function isProduct(text: string, device: Device): boolean {
  if (device.product === undefined && device.model === undefined) return false;
  const texts = productTexts(device);
  const named = knownProduct(text);
  const isLine = named !== undefined && texts.some((seen) => knownProduct(seen)?.product === named.product);
  return (isLine && !generationDiffers(text, device)) || texts.some((seen) => folded(seen).includes(folded(text)));
}

/** Whether a record's product names another generation: `iDRAC9 Enterprise` is no iDRAC 8. */
export function generationDiffers(approved: string, { generation }: Device): boolean {
  const number = /[a-z][ -]?v?(?<number>\d{1,2})\b/i.exec(approved)?.groups?.['number'];
  const seen = /^v?(?<number>\d{1,2})$/i.exec(generation ?? '')?.groups?.['number'];
  return number !== undefined && seen !== undefined && number !== seen;
}

/** Whether a record's model is not the one that the device shows; `R740` is `PowerEdge R740`, `PowerEdge R640` is not. */
export function modelDiffers(approved: string, device: Device): boolean {
  if (device.model === undefined) return false;
  const text = folded(approved);
  if (
    productTexts(device)
      .map(folded)
      .some((seen) => seen.includes(text) || text.includes(seen))
  )
    return false;
  const [ours, theirs] = [numberedWords(device.model), numberedWords(approved)];
  if (ours.length > 0 && theirs.length > 0)
    return !(ours.length < theirs.length ? ours.every((word) => theirs.includes(word)) : theirs.every((word) => ours.includes(word)));
  const words = new Set(wordsOf(device.model));
  return !wordsOf(approved).some((word) => word.length > 2 && !WEAK_WORDS.has(word) && words.has(word));
}

/** Words with digits tell models apart; the rest is what the line is called. */
function numberedWords(text: string): string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => /\d/.test(word));
}

const RANGE = /^(?<from>\S+) - (?<to>\S+)$/;
const byNumber = new Intl.Collator('en', { numeric: true });

/** Whether a record's firmware is not the one that the device shows. `6.10` is any 6.10.x, and a device may show only the range that its version is in. */
export function versionDiffers(approved: string, { version }: Device): boolean {
  if (version === undefined) return false;
  const [ours, theirs] = [plainVersion(version), plainVersion(approved)];
  const { from, to } = RANGE.exec(ours)?.groups ?? {};
  if (from !== undefined && to !== undefined)
    return byNumber.compare(theirs, plainVersion(from)) < 0 || byNumber.compare(theirs, plainVersion(to)) > 0;
  return !beginsWith(ours, theirs) && !beginsWith(theirs, ours);
}

function plainVersion(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^(?:version|firmware|v)[. ]*(?=\d)/, '');
}

function beginsWith(long: string, short: string): boolean {
  return long === short || (long.startsWith(short) && !/[\p{L}\p{N}]/u.test(long.charAt(short.length)));
}

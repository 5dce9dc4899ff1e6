import type { Facts, FactValue } from '../vocabulary.ts';

/** Attribute types of a distinguished name and the last word of their facts. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['cn', 'cn'],
  ['o', 'o'],
  ['ou', 'ou'],
  ['c', 'c'],
  ['l', 'l'],
  ['st', 'st'],
  ['s', 'st'],
  ['emailaddress', 'email'],
  ['e', 'email'],
  ['serialnumber', 'serial'],
]);

/** Members of a Redfish service root that have a fact of their own. */
const REDFISH: readonly (readonly [fact: string, member: string])[] = [
  ['redfish.vendor', 'Vendor'],
  ['redfish.product', 'Product'],
  ['redfish.version', 'RedfishVersion'],
];

/** An object identifier as other tools write it: with a leading dot, or with names for the first numbers. */
const NAMED_OID = /^\.?(?:iso\.org\.dod\.internet\.private\.enterprises|SNMPv2-SMI::enterprises|enterprises|iso\.3\.6\.1\.4\.1)\.(?=\d)/;

function dotted(oid: string): string {
  return oid.replace(NAMED_OID, '1.3.6.1.4.1.').replace(/^\./, '');
}

/**
 * Facts together with those that follow from them. Our probes set them all; other tools give the name of a certificate on one line only,
 * a header only among the headers, and of a Redfish service the root alone. What is there already stands. Of a repeated attribute the
 * first counts, as in the tls probe.
 */
export function completed(facts: Facts): Facts {
  const added: Record<string, FactValue> = {};
  const add = (name: string, value: FactValue | undefined): void => {
    if (value !== undefined && value !== '' && facts[name] === undefined) added[name] ??= value;
  };
  for (const name of ['tls.subject', 'tls.issuer'])
    for (const [attribute, value] of attributesOf(facts[name])) add(`${name}.${attribute}`, value);
  const headers = facts['http.headers'];
  if (headers !== undefined) for (const name of ['server', 'location']) add(`http.${name}`, textIn(headers, name));
  const root = facts['redfish.root'];
  if (root !== undefined) {
    for (const [name, member] of REDFISH) add(name, textIn(root, member));
    add('redfish.uuid', textIn(root, 'UUID')?.toLowerCase());
    const oem = memberOf(root, 'Oem');
    if (isObject(oem) && Object.keys(oem).length > 0) add('redfish.oem', Object.keys(oem));
  }
  const oid = facts['snmp.sysObjectID'];
  if (typeof oid === 'string' && dotted(oid) !== oid) added['snmp.sysObjectID'] = dotted(oid);
  const pages = realPages(facts);
  if (pages !== undefined) added['http.pages'] = pages;
  return Object.keys(added).length === 0 ? facts : { ...facts, ...added };
}

/** `CN=a, O=b, Inc., L=c`, `C = US, O = b` and `/C=US/CN=a` as pairs. A comma inside a value is not followed by a name and an equals sign. */
function attributesOf(line: FactValue | undefined): [string, string][] {
  if (typeof line !== 'string') return [];
  const parts = line.startsWith('/') ? line.slice(1).split(/\/(?=[A-Za-z]{1,20}\s?=)/) : line.split(/[,+]\s*(?=[A-Za-z]{1,20}\s?=)/);
  return parts.flatMap((part): [string, string][] => {
    const equals = part.indexOf('=');
    const attribute = ATTRIBUTES.get(part.slice(0, Math.max(equals, 0)).trim().toLowerCase());
    return attribute === undefined ? [] : [[attribute, part.slice(equals + 1).trim()]];
  });
}

function isObject(value: FactValue | undefined): value is Readonly<Record<string, FactValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function memberOf(value: FactValue | undefined, key: string): FactValue | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function textIn(value: FactValue | undefined, key: string): string | undefined {
  const text = memberOf(value, key);
  return typeof text === 'string' ? text : undefined;
}

/**
 * Pages that a device made for their path. A server that knows no path may answer each with one and the same page and say 200 (soft 404): a page
 * in HTML that is also the first page, or that of another path, tells nothing of its path. Undefined where all pages stay.
 */
function realPages(facts: Facts): FactValue | undefined {
  const pages = facts['http.pages'];
  if (!isObject(pages)) return undefined;
  const texts = new Map<string, number>();
  const first = facts['http.body'];
  const landing = landingOf(facts);
  if (typeof first === 'string' && first !== '') texts.set(first, 1);
  for (const [path, page] of Object.entries(pages)) {
    const text = textIn(page, 'body');
    if (text !== undefined && path !== landing) texts.set(text, (texts.get(text) ?? 0) + 1);
  }
  const real = Object.entries(pages).filter(([path, page]) => {
    const text = textIn(page, 'body');
    return text === undefined || path === landing || !isMarkup(text) || (texts.get(text) ?? 0) < 2;
  });
  return real.length === Object.keys(pages).length ? undefined : Object.fromEntries(real);
}

/** Where the first page really is. */
function landingOf(facts: Facts): string {
  const redirects = facts['http.redirects'];
  const last = Array.isArray(redirects) ? textIn((redirects as readonly FactValue[]).at(-1), 'location') : undefined;
  return last === undefined ? '/' : last.replace(/^https?:\/\/[^/]*/i, '');
}

function isMarkup(text: string): boolean {
  return text.trimStart().startsWith('<');
}

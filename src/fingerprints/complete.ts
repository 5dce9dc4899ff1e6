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
  for (const name of ['server', 'location']) add(`http.${name}`, textIn(facts['http.headers'], name));
  const root = facts['redfish.root'];
  for (const [name, member] of REDFISH) add(name, textIn(root, member));
  add('redfish.uuid', textIn(root, 'UUID')?.toLowerCase());
  const oem = memberOf(root, 'Oem');
  if (isObject(oem) && Object.keys(oem).length > 0) add('redfish.oem', Object.keys(oem));
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

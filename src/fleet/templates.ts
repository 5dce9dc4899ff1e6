/** What a template may name, and what stands there. */
export type Values = Readonly<Record<string, string>>;

const PLACE = /\{\{([a-zA-Z][a-zA-Z0-9]*)(?:\|([a-zA-Z0-9]+))?\}\}/g;

const FILTERS: Readonly<Record<string, (text: string) => string>> = {
  lower: (text) => text.toLowerCase(),
  upper: (text) => text.toUpperCase(),
  /** A MAC or UUID as bare digits. */
  hex: (text) => text.replace(/[^0-9a-fA-F]/g, '').toLowerCase(),
  HEX: (text) => text.replace(/[^0-9a-fA-F]/g, '').toUpperCase(),
  /** HP writes serial numbers padded with blanks to 16 characters. */
  padded: (text) => text.padEnd(16),
  /** The bytes of a text, for templates of hex digits. */
  ascii: (text) => Buffer.from(text, 'latin1').toString('hex'),
  /** The same with their number before them, in one byte or in two. */
  counted: (text) => countedHex(text, 1),
  counted16: (text) => countedHex(text, 2),
  /** A NetBIOS name without its purpose: 15 characters, filled up with blanks. */
  netbios: (text) => Buffer.from(text.padEnd(15), 'latin1').toString('hex'),
  /** An IPv4 address, for templates of hex digits. */
  ipv4: (text) => Buffer.from(text.split('.').map(Number)).toString('hex'),
};

function countedHex(text: string, bytes: 1 | 2): string {
  return `${text.length.toString(16).padStart(bytes * 2, '0')}${Buffer.from(text, 'latin1').toString('hex')}`;
}

/** The names that a template uses, each with its filter. */
export function placesOf(template: string): { name: string; filter?: string }[] {
  return [...template.matchAll(PLACE)].map(([, name = '', filter]) => (filter === undefined ? { name } : { name, filter }));
}

export function isFilter(name: string): boolean {
  return Object.hasOwn(FILTERS, name);
}

/**
 * A template with its places filled: `{{serial}}`, `{{mac|hex}}`. What is filled in is not filled again.
 * @throws {RangeError} where a name or filter is unknown; personas are checked for that when they are read
 */
export function fill(template: string, values: Values): string {
  return template.replace(PLACE, (_, name: string, filter: string | undefined) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new RangeError(`nothing is known to fill in for {{${name}}}`);
    if (filter === undefined) return value;
    const apply = FILTERS[filter];
    if (apply === undefined) throw new RangeError(`there is no filter "${filter}" for {{${name}}}`);
    return apply(value);
  });
}

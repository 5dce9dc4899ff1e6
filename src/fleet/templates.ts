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
};

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

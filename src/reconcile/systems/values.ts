/** A value of a JSON file, and what can be asked of it. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** What references and choices of inventory systems call the text that people read (ServiceNow, NetBox, Snipe-IT). */
const TEXT_KEYS = ['display_value', 'address', 'label', 'name', 'display', 'value'];

/** The texts of a value, and of each value of a list; of an object the text that people read. */
export function textsOf(value: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((one) => plainText(isObject(one) ? one[TEXT_KEYS.find((name) => plainText(one[name]).length > 0) ?? ''] : one));
}

/** The one text of a value, if it has one that is not empty. */
export function textOf(value: unknown): string | undefined {
  return textsOf(value).find((text) => text.trim() !== '');
}

function plainText(value: unknown): string[] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];
}

/** What an object says, by key, without what says nothing. */
export function allTexts(object: JsonObject): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(object)
      .map(([key, value]) => [key, textsOf(value)] as const)
      .filter(([, texts]) => texts.length > 0),
  );
}

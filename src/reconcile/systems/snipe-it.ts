import { allTexts, isObject, type JsonObject } from './values.ts';

/** Laravel's `e()`, with which Snipe-IT escapes values in JSON too, is PHP's htmlspecialchars: these five, and no others. */
const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#039;': "'", '&amp;': '&' };

/** A row of `GET /api/v1/hardware` (grokability/snipe-it `app/Http/Transformers/AssetsTransformer.php`). MAC and IP are custom fields, by the names that people gave them. */
export function snipeValues(row: JsonObject): Record<string, string[]> {
  const custom = isObject(row['custom_fields']) ? row['custom_fields'] : {};
  const fields = Object.fromEntries(Object.entries(custom).map(([name, field]) => [name, isObject(field) ? field['value'] : field]));
  // `status` repeats `status_label`; what it is and what it is called are in either.
  const { status: _status, id: _id, custom_fields: _custom, ...rest } = row;
  // What people call a status says little; its kind (`archived`) is Snipe-IT's own.
  const label = isObject(row['status_label']) ? row['status_label'] : {};
  const texts = allTexts({ ...rest, ...fields, status_label: [label['name'], label['status_meta']] });
  return Object.fromEntries(Object.entries(texts).map(([heading, values]) => [unescaped(heading), values.map(unescaped)]));
}

function unescaped(text: string): string {
  return text.replace(/&(?:lt|gt|quot|#039|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}

import { allTexts, isObject, type JsonObject } from './values.ts';

/**
 * ServiceNow's Table API gives references in one of three shapes: `{ link, value }` with a sys_id (`sysparm_display_value=false`, the default),
 * `{ display_value, link }` (`true`), and each field as `{ display_value, value }` (`all`); with `sysparm_exclude_reference_link=true` the text alone.
 * Source: ServiceNow/ServiceNowDocs `markdown/api-reference/rest-apis/c_TableAPI.md`.
 */
const SYS_ID = /^[0-9a-f]{32}$/;
/** Where 32 hex digits are no reference. */
const OWN_NUMBERS: ReadonlySet<string> = new Set(['sys_id', 'serial_number', 'asset_tag', 'correlation_id', 'object_id', 'guid', 'uuid']);

/** What an entry of `result` says; `references` collects the fields whose text is not in it. */
export function servicenowValues(entry: JsonObject, references: Set<string>): Record<string, string[]> {
  const values: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(entry)) {
    const text = isObject(value) ? shownOf(value) : value;
    if (typeof text === 'string' && SYS_ID.test(text) && !OWN_NUMBERS.has(field)) references.add(field);
    else values[field] = text;
  }
  return allTexts(values);
}

function shownOf(value: JsonObject): unknown {
  const shown = value['display_value'];
  return typeof shown === 'string' && shown !== '' ? shown : value['value'];
}

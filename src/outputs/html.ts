/** Markup that may stand in a page as it is. Only {@link html} and {@link raw} make it. */
export class Html {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

export type HtmlValue = Html | string | number | undefined | readonly HtmlValue[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * A template whose values are text, escaped for elements and quoted attributes, unless they are markup themselves. Its own line breaks, with the
 * blanks around them, are for whoever reads the source.
 */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const parts = joined(strings);
  return new Html(parts.reduce((all, part, i) => `${all}${render(values[i - 1])}${part}`));
}

const seen = new WeakMap<TemplateStringsArray, readonly string[]>();

function joined(strings: TemplateStringsArray): readonly string[] {
  const known = seen.get(strings);
  if (known !== undefined) return known;
  const parts = strings.map((part) => part.replace(/(^|>)\s*\n\s*(?=<|$)/g, '$1').replace(/\s*\n\s*/g, ' '));
  seen.set(strings, parts);
  return parts;
}

/** Markup that this project wrote: a style sheet, a script. Never text of a device or of an operator. */
export function raw(markup: string): Html {
  return new Html(markup);
}

function render(value: HtmlValue): string {
  if (value instanceof Html) return value.markup;
  if (value === undefined) return '';
  if (typeof value === 'object') return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** A value as JSON inside a `script` element that is not run: no text in it can end the element or open a comment. */
export function jsonInScript(value: unknown): Html {
  return new Html(
    JSON.stringify(value)
      .replaceAll('<', String.raw`\u003c`)
      .replaceAll('\u2028', String.raw`\u2028`)
      .replaceAll('\u2029', String.raw`\u2029`),
  );
}

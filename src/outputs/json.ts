import { jsonText } from '../text.ts';

/** One value a line. */
export function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${jsonText(value)}\n`).join('');
}

/** One JSON text, indented for people and for git. */
export function jsonDocument(value: unknown): string {
  return `${jsonText(value, 2)}\n`;
}

import { printable, shortened } from '../../text.ts';
import type { Severity } from '../../vocabulary.ts';
import { type Html, html } from '../html.ts';
import { SEVERITY_NAMES } from './words.ts';

/** Text of a device or a list: cleaned of what a reader does not see, and not longer than a cell bears. */
export function text(value: string | undefined, max = 300): string | undefined {
  return value === undefined ? undefined : shortened(printable(value), max);
}

export function severityMark(severity: Severity): Html {
  return html`<span class="mark ${severity}">${SEVERITY_NAMES[severity]}</span>`;
}

/** The day of a time in ISO 8601. */
export function day(time: string): string {
  return time.slice(0, 10);
}

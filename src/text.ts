/**
 * Device text is hostile. Before it reaches a terminal, control characters (escape sequences, title changes) and characters
 * that change the direction of writing are replaced, and line breaks with them.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu, '\ufffd');
}

/** At most `max` characters, with a mark where something was cut. */
export function shortened(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** The nearest of some names to a mistyped one (Levenshtein distance: two letters, in long names a third of them), or undefined. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = name.length < 4 ? 2 : Math.max(3, Math.floor(name.length / 3) + 1);
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const distance = editDistance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1)
      next.push(Math.min((next[j - 1] as number) + 1, (row[j] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] as number;
}

/** A time for people: `45 s`, `12 min`, `9.6 h`. */
export function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 90 * 60 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** `65,536`. */
export function grouped(number: number): string {
  return number.toLocaleString('en');
}

/** `1 device`, `2 devices`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`;
}

/** A MAC address in any usual spelling as 12 upper-case hex digits with colons; undefined where it is none, or one that no device has (all zero, all ones, group bit). */
export function canonicalMac(text: string): string | undefined {
  const trimmed = text.trim();
  // `00 C0 4E 12 34 56`, as serial servers of Comtrol greet: six numbers without a letter may be anything.
  if (/^[0-9a-f]{2}(?: [0-9a-f]{2}){5}$/i.test(trimmed) && /[a-f]/i.test(trimmed)) return canonicalMac(trimmed.replaceAll(' ', ':'));
  const parts = trimmed.split(/[:-]/);
  // `0:0:5e:0:53:10`: some systems drop leading zeros.
  const digits = parts.length === 6 ? parts.map((part) => part.padStart(2, '0')).join('') : trimmed.replace(/[:.-]/g, '');
  if (!/^[0-9a-f]{12}$/i.test(digits)) return undefined;
  const upper = digits.toUpperCase();
  if (upper === '000000000000' || (Number.parseInt(upper.slice(0, 2), 16) & 1) === 1) return undefined;
  return (upper.match(/../g) as string[]).join(':');
}

// JSON.stringify escapes what would break JSON; these would act on a terminal that shows it: C1 controls, and what changes the direction of writing.
const ACTIVE = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** A text without what acts on a terminal although JSON and YAML leave it as it is. Their own escapes take care of the rest. */
export function inactive(text: string): string {
  return text.replace(ACTIVE, '\ufffd');
}

/** A value as JSON that a terminal shows and does not obey. */
export function jsonText(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(ACTIVE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

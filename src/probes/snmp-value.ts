import type { SnmpValue } from '../sweep/contract.ts';

/** Bytes kept of a value: DisplayString ends at 255 (RFC 2579 section 2), and agents do not. */
const MAX_OCTETS = 4096;

/**
 * A value as text: octets that are UTF-8 as what they say, without the zeros that some agents put behind it; others in hex; numbers in digits.
 * Undefined where it says nothing.
 */
export function valueText(value: SnmpValue | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (!Buffer.isBuffer(value)) return String(value);
  const octets = value.subarray(0, MAX_OCTETS);
  let end = octets.length;
  while (end > 0 && octets[end - 1] === 0) end -= 1;
  const text = octets.toString('utf8', 0, end);
  // A character may have been cut in two at the end.
  const isText = !text.slice(0, value.length > MAX_OCTETS ? -1 : undefined).includes('\ufffd') && !text.includes('\0');
  if (text === '') return undefined;
  return isText ? text : octets.toString('hex');
}

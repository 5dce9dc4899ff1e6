/** Fields of binary discovery answers, as they go into facts. What says nothing is undefined, because a fact that is not known is absent. */

const MAX_TEXT_CHARS = 256;
const MAC_BYTES = 6;

/** `00:40:9D:33:D2:94`. Undefined where the bytes are no MAC of a device: too few or too many, all zero, or with the group bit (IEEE 802). */
export function macField(bytes: Buffer): string | undefined {
  if (bytes.length !== MAC_BYTES || bytes.every((byte) => byte === 0) || (bytes.readUInt8(0) & 1) === 1) return undefined;
  return bytes
    .toString('hex')
    .toUpperCase()
    .replace(/..(?!$)/g, '$&:');
}

/** An IPv4 address; undefined where the bytes are none, or the unspecified one. */
export function addressField(bytes: Buffer): string | undefined {
  return bytes.length !== 4 || bytes.every((byte) => byte === 0) ? undefined : [...bytes].join('.');
}

/** The text up to the first NUL, without the blanks that fill a field up, at most 256 characters. */
export function textField(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(0);
  const text = bytes
    .toString('utf8', 0, end < 0 ? bytes.length : end)
    .trim()
    .slice(0, MAX_TEXT_CHARS);
  return text === '' ? undefined : text;
}

/** A number of 1, 2 or 4 octets, the highest first. */
export function numberField(bytes: Buffer): number | undefined {
  return [1, 2, 4].includes(bytes.length) ? bytes.readUIntBE(0, bytes.length) : undefined;
}

/** A TCP port in a number of 2 or 4 octets. */
export function portField(bytes: Buffer): number | undefined {
  const port = bytes.length === 1 ? undefined : numberField(bytes);
  return port === undefined || port === 0 || port > 0xffff ? undefined : port;
}

export interface Field {
  readonly type: number;
  readonly value: Buffer;
}

export interface FieldFormat {
  /** Octets of a field's length, after the one of its type. */
  readonly lengthBytes: 1 | 2;
  /** A type that has no length and ends the list. */
  readonly end?: number;
}

/** More than any device has been seen to send. A list of empty fields is cheap to make. */
const MAX_FIELDS = 64;

/** The fields of a list of type, length and value, in order. A field that promises more than there is ends the list. */
export function* fieldsOf(bytes: Buffer, { lengthBytes, end }: FieldFormat): Generator<Field> {
  let at = 0;
  for (let count = 0; count < MAX_FIELDS && at + 1 + lengthBytes <= bytes.length; count += 1) {
    const type = bytes.readUInt8(at);
    if (type === end) return;
    const from = at + 1 + lengthBytes;
    const length = bytes.readUIntBE(at + 1, lengthBytes);
    if (from + length > bytes.length) return;
    yield { type, value: bytes.subarray(from, from + length) };
    at = from + length;
  }
}

/** Reads one field by its type: the first of several. Undefined where there is none, or it says nothing. */
export type ReadField = <T>(type: number, as: (value: Buffer) => T | undefined) => T | undefined;

export function readerOf(bytes: Buffer, format: FieldFormat): ReadField {
  const values = new Map<number, Buffer>();
  for (const { type, value } of fieldsOf(bytes, format)) if (!values.has(type)) values.set(type, value);
  return (type, as) => {
    const value = values.get(type);
    return value === undefined ? undefined : as(value);
  };
}

/** Those of some facts that are known. */
export function known<T>(facts: Readonly<Record<string, T | undefined>>): Record<string, T> {
  return Object.fromEntries(Object.entries(facts).filter((entry): entry is [string, T] => entry[1] !== undefined));
}

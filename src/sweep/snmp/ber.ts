/** Tags of X.690 and SNMP (RFC 3416 section 3) that are read and written here. */
export const TAG = {
  integer: 0x02,
  octets: 0x04,
  null: 0x05,
  oid: 0x06,
  sequence: 0x30,
  getRequest: 0xa0,
  response: 0xa2,
  report: 0xa8,
} as const;

const MAX_DEPTH = 8;
/** Length octets after the first: a datagram is shorter than 64 KiB. */
const MAX_LENGTH_OCTETS = 2;
/** Octets of an integer: 32 bits unsigned take five. */
const MAX_INTEGER_OCTETS = 5;
/** RFC 3416 section 4.1: an object identifier has at most 128 sub-identifiers, each below 2^32, of at most five octets. */
const MAX_OID_OCTETS = 5 * 128;
const MAX_SUB_IDENTIFIER = 0xffffffff;

/**
 * Reads BER values (X.690 section 8) one after the other. Each method returns undefined where the bytes are not what was asked for;
 * lengths must be definite and lie within what contains them, and nesting ends at eight levels. Never throws.
 */
export class BerReader {
  readonly #bytes: Buffer;
  readonly #depth: number;
  #at = 0;

  constructor(bytes: Buffer, depth = 0) {
    this.#bytes = bytes;
    this.#depth = depth;
  }

  /** The tag of the next value. */
  get tag(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** True where nothing comes after what was read. */
  get isEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The content of the next value, if it has this tag. Then the value after it is the next one. */
  content(tag: number): Buffer | undefined {
    if (this.tag !== tag || (tag & 0x1f) === 0x1f) return undefined;
    const first = this.#bytes[this.#at + 1];
    if (first === undefined) return undefined;
    const octets = first < 0x80 ? 0 : first - 0x80;
    if ((first >= 0x80 && octets === 0) || octets > MAX_LENGTH_OCTETS || this.#at + 2 + octets > this.#bytes.length) return undefined;
    const from = this.#at + 2 + octets;
    const length = octets === 0 ? first : this.#bytes.readUIntBE(this.#at + 2, octets);
    if (from + length > this.#bytes.length) return undefined;
    this.#at = from + length;
    return this.#bytes.subarray(from, from + length);
  }

  /** The values inside the next one. */
  inside(tag: number = TAG.sequence): BerReader | undefined {
    if (this.#depth >= MAX_DEPTH) return undefined;
    const content = this.content(tag);
    return content === undefined ? undefined : new BerReader(content, this.#depth + 1);
  }

  integer(): number | undefined {
    const content = this.content(TAG.integer);
    return content === undefined || content.length === 0 || content.length > MAX_INTEGER_OCTETS
      ? undefined
      : content.readIntBE(0, content.length);
  }

  octets(): Buffer | undefined {
    return this.content(TAG.octets);
  }
  /** An object identifier in dotted digits (X.690 section 8.19). */
  oid(): string | undefined {
    const content = this.content(TAG.oid);
    if (content === undefined || content.length === 0 || content.length > MAX_OID_OCTETS) return undefined;
    const parts: number[] = [];
    let part = 0;
    for (const octet of content) {
      part = part * 0x80 + (octet & 0x7f);
      if (part > MAX_SUB_IDENTIFIER) return undefined;
      if (octet >= 0x80) continue;
      // The first one holds two numbers.
      if (parts.length === 0) parts.push(Math.min(2, Math.floor(part / 40)), part - 40 * Math.min(2, Math.floor(part / 40)));
      else parts.push(part);
      part = 0;
    }
    return (content.at(-1) ?? 0x80) < 0x80 ? parts.join('.') : undefined;
  }
}

/** Tags of X.690 and SNMP that are read here. */
export const TAG = { integer: 0x02, octets: 0x04, sequence: 0x30 } as const;

const MAX_DEPTH = 8;
/** Length octets after the first: a datagram is shorter than 64 KiB. */
const MAX_LENGTH_OCTETS = 2;
/** Octets of an integer: 32 bits unsigned take five. */
const MAX_INTEGER_OCTETS = 5;

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
}

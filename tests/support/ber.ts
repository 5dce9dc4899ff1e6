/** BER as an agent or a manager writes it, apart from the code under test (X.690 section 8). */
export function ber(tag: number, ...parts: readonly (Buffer | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

export const seq = (...parts: readonly Buffer[]): Buffer => ber(0x30, ...parts);

export const int = (number: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.writeIntBE(number, 0, 5);
  let from = 0;
  while (from < 4 && (bytes[from] === 0 ? (bytes[from + 1] ?? 0) < 0x80 : bytes[from] === 0xff && (bytes[from + 1] ?? 0) >= 0x80))
    from += 1;
  return ber(0x02, bytes.subarray(from));
};

export const text = (bytes: Buffer | string): Buffer => ber(0x04, Buffer.from(bytes));

export const nil = Buffer.from([0x05, 0]);

export const oid = (dotted: string): Buffer => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].map((part) => {
    const bits = part.toString(2);
    const groups = bits.padStart(Math.ceil(bits.length / 7) * 7, '0').match(/.{7}/g) ?? [];
    return groups.map((group, at) => Number.parseInt(`${at < groups.length - 1 ? 1 : 0}${group}`, 2));
  });
  return ber(0x06, octets.flat());
};

export interface Pdu {
  readonly tag?: number;
  readonly id?: number;
  readonly status?: number;
  readonly index?: number;
  /** Object and value; the value of a request is null. */
  readonly variables?: readonly (readonly [object: string, value?: Buffer])[];
}

/** RFC 3416 section 3. */
export const pdu = ({ tag = 0xa0, id = 0x12345678, status = 0, index = 0, variables = [] }: Pdu = {}): Buffer =>
  ber(tag, int(id), int(status), int(index), seq(...variables.map(([object, value = nil]) => seq(oid(object), value))));

/** A message of SNMPv1 (version 0) or v2c (version 1). */
export const early = (version: number, community: string, inner: Buffer): Buffer => seq(int(version), text(community), inner);

export interface Secured {
  readonly id?: number;
  readonly flags?: number;
  readonly engine?: Buffer;
  readonly boots?: number;
  readonly time?: number;
  readonly user?: string;
  readonly digest?: Buffer;
  readonly salt?: Buffer;
  readonly context?: Buffer;
  readonly inner?: Buffer;
  /** Instead of context and inner PDU. */
  readonly encrypted?: Buffer;
}

/** A message of SNMPv3 with the user-based security model (RFC 3412 section 6, RFC 3414 section 2.4). */
export const secured = ({
  id = 0x12345678,
  flags = 0,
  engine = Buffer.from('80001f8880aabbccdd', 'hex'),
  boots = 1,
  time = 2,
  user = '',
  digest = Buffer.alloc(0),
  salt = Buffer.alloc(0),
  context = engine,
  inner = pdu(),
  encrypted,
}: Secured = {}): Buffer =>
  seq(
    int(3),
    seq(int(id), int(65507), text(Buffer.from([flags])), int(3)),
    text(seq(text(engine), int(boots), int(time), text(user), text(digest), text(salt))),
    encrypted === undefined ? seq(text(context), text(''), inner) : text(encrypted),
  );

import { TAG } from '../sweep/snmp/ber.ts';

/** Writes BER values (X.690 section 8) with definite lengths of up to two octets: a datagram is shorter than 64 KiB. */
export function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), content]);
}

/** An integer from 0 to 2^31 - 1 in as few octets as it takes, or in `octets` of them where its length must not change. */
export function integer(value: number, octets = 1): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  let from = 0;
  while (4 - from > octets && bytes.readUInt8(from) === 0 && bytes.readUInt8(from + 1) < 0x80) from += 1;
  return encode(TAG.integer, bytes.subarray(from));
}

/** An object identifier of dotted digits (X.690 section 8.19): the first two numbers share one octet. */
export function objectIdentifier(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((part) => {
    const digits = [part % 0x80];
    for (let left = Math.floor(part / 0x80); left > 0; left = Math.floor(left / 0x80)) digits.unshift(0x80 | (left % 0x80));
    return digits;
  });
  return encode(TAG.oid, Buffer.from(octets));
}

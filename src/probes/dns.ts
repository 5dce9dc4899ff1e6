import { type Answer, decode } from 'dns-packet';

/** An answer to one address hardly fills an Ethernet packet. RFC 6762 section 17 allows 9000, in which names that go from pointer to pointer would be dear to read. */
const MAX_BYTES = 4096;
/** More than any device has, and few enough to be read at once. */
const MAX_RECORDS = 256;
const HEADER_BYTES = 12;
/** QR set, OPCODE and RCODE 0 (RFC 1035 section 4.1.1). */
const ANSWER_MASK = 0xf80f;
const ANSWER = 0x8000;
/** QCLASS IN with the bit that asks for an answer to us alone (RFC 6762 section 5.4). */
const UNICAST_IN = 0x8001;

const TYPES = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33 } as const;
export type DnsType = keyof typeof TYPES;

/** A question by the labels of its name: one of a service instance may hold dots (RFC 6763 section 4.1.1). */
export interface Question {
  readonly labels: readonly string[];
  readonly type: DnsType;
}

/** A record of the kinds that are read here. Names as sent, without a dot at the end. */
export type DnsRecord = { readonly name: string } & (
  | { readonly type: 'PTR'; readonly target: string }
  | { readonly type: 'SRV'; readonly target: string; readonly port: number }
  | { readonly type: 'TXT'; readonly strings: readonly Buffer[] }
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
);

/** A query without a number or a flag (RFC 6762 section 18), names written out in full. dns-packet sets no unicast-response bit and splits labels at their dots. */
export function query(questions: readonly Question[]): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(questions.length, 4);
  return Buffer.concat([header, ...questions.map(questionBytes)]);
}

export function questionBytes({ labels, type }: Question): Buffer {
  const name = labels.flatMap((label) => {
    const bytes = Buffer.from(label);
    return [Buffer.from([bytes.length]), bytes];
  });
  const rest = Buffer.alloc(5);
  rest.writeUInt16BE(TYPES[type], 1);
  rest.writeUInt16BE(UNICAST_IN, 3);
  return Buffer.concat([...name, rest]);
}

/** The records of an answer, whatever section they stand in; undefined where it is no answer, cannot be read to its end, or is longer than any that is one. */
export function readAnswer(bytes: Buffer): DnsRecord[] | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_BYTES || (bytes.readUInt16BE(2) & ANSWER_MASK) !== ANSWER) return undefined;
  const announced = [4, 6, 8, 10].reduce((sum, at) => sum + bytes.readUInt16BE(at), 0);
  if (announced > MAX_RECORDS) return undefined;
  try {
    const { answers = [], authorities = [], additionals = [] } = decode(bytes);
    if (decode.bytes > bytes.length) return undefined; // addresses and texts are read beyond the end
    return [...answers, ...authorities, ...additionals].flatMap((answer) => recordOf(answer) ?? []);
  } catch {
    return undefined; // a length, a pointer or a type that cannot be: no answer
  }
}

function recordOf(answer: Answer): DnsRecord | undefined {
  const { name } = answer;
  switch (answer.type) {
    case 'PTR':
      return { name, type: 'PTR', target: answer.data };
    case 'SRV':
      return { name, type: 'SRV', target: answer.data.target, port: answer.data.port };
    case 'A':
    case 'AAAA':
      return { name, type: answer.type, address: answer.data };
    case 'TXT':
      return { name, type: 'TXT', strings: [answer.data].flat().map((text) => Buffer.from(text)) };
    default:
      return undefined;
  }
}

import { expect, test } from 'vitest';
import { connectionsOf, readCapture } from '../support/pcap.ts';
import { mostAtOnce } from './account.ts';

const CLIENT = [10, 76, 1, 1];
const SERVER = [10, 77, 0, 5];

/** A capture file of these packets, one each millisecond. */
function capture(packets: readonly Buffer[], { link = 101, isLittle = true, isNano = false } = {}): Buffer {
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (isLittle) bytes.writeUInt32LE(value);
    else bytes.writeUInt32BE(value);
    return bytes;
  };
  const magic = isNano ? 0xa1b23c4d : 0xa1b2c3d4;
  return Buffer.concat([
    ...[magic, 0, 0, 0, 65_535, link].map(u32),
    ...packets.flatMap((packet, at) => [
      u32(1000),
      u32((at + 1) * (isNano ? 1_000_000 : 1000)),
      u32(packet.length),
      u32(packet.length),
      packet,
    ]),
  ]);
}

function ip(protocol: number, from: readonly number[], to: readonly number[], content: Buffer): Buffer {
  const header = Buffer.from([0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, ...from, ...to]);
  header.writeUInt16BE(20 + content.length, 2);
  return Buffer.concat([header, content]);
}

type Flags = 'S' | 'SA' | 'A' | 'FA' | 'R' | 'RA';
const BITS: Readonly<Record<string, number>> = { F: 0x01, S: 0x02, R: 0x04, A: 0x10 };

function tcp(direction: 'out' | 'in', flags: Flags, sequence: number, data = '', port = 40_000): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(direction === 'out' ? port : 80, 0);
  header.writeUInt16BE(direction === 'out' ? 80 : port, 2);
  header.writeUInt32BE(sequence >>> 0, 4);
  header.writeUInt8(5 << 4, 12);
  header.writeUInt8(
    flags.split('').reduce((bits, flag) => bits | (BITS[flag] ?? 0), 0),
    13,
  );
  const segment = Buffer.concat([header, Buffer.from(data)]);
  return direction === 'out' ? ip(6, CLIENT, SERVER, segment) : ip(6, SERVER, CLIENT, segment);
}

function udp(data: string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(5000, 0);
  header.writeUInt16BE(623, 2);
  header.writeUInt16BE(8 + data.length, 4);
  return ip(17, CLIENT, SERVER, Buffer.concat([header, Buffer.from(data)]));
}

const ETHERNET = Buffer.from('0277000000010277000000020800', 'hex');

test.for([
  { name: 'without a link layer', options: {}, frame: udp('ping') },
  { name: 'of the other byte order, in nanoseconds', options: { isLittle: false, isNano: true }, frame: udp('ping') },
  {
    name: 'over Ethernet, with padding behind a short packet',
    options: { link: 1 },
    frame: Buffer.concat([ETHERNET, udp('ping'), Buffer.alloc(14)]),
  },
])('capture: $name', ({ options, frame }) => {
  const packets = readCapture(capture([frame, frame], options));
  expect(packets).toHaveLength(2);
  expect(packets[1]).toEqual({
    at: 1_000_002,
    source: '10.76.1.1',
    target: '10.77.0.5',
    ttl: 64,
    content: { protocol: 'udp', sourcePort: 5000, targetPort: 623, data: Buffer.from('ping') },
  });
});

test('capture: a record that was cut off is left out; what is no capture is an error', () => {
  const file = capture([udp('one'), udp('two')]);
  expect(readCapture(file.subarray(0, -3))).toHaveLength(1);
  expect(() => readCapture(Buffer.alloc(24))).toThrow('no pcap file');
  expect(() => readCapture(capture([], { link: 113 }))).toThrow('link layer 113');
});

test('capture: ARP tells who asks for whom', () => {
  const arp = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1, 2, 0x77, 0, 0, 0, 1, ...CLIENT, 0, 0, 0, 0, 0, 0, ...SERVER]);
  const frame = Buffer.concat([ETHERNET.subarray(0, 12), Buffer.from([0x08, 0x06]), arp]);
  expect(readCapture(capture([frame], { link: 1 }))).toMatchObject([
    { source: '10.76.1.1', target: '10.77.0.5', content: { protocol: 'arp', isRequest: true } },
  ]);
});

test('connections: pieces come out of order, twice, in other sizes, and across the end of the sequence numbers', () => {
  const initial = 0xfffffff8;
  const packets = [
    tcp('out', 'S', initial),
    tcp('in', 'SA', 7),
    tcp('out', 'A', initial + 6, 'f HTTP'),
    tcp('out', 'A', initial + 1, 'GET /'),
    tcp('out', 'A', initial + 3, 'T /f HT'),
    tcp('out', 'FA', initial + 12),
    tcp('in', 'FA', 8),
  ];
  const [connection, ...rest] = connectionsOf(readCapture(capture(packets)));
  expect(rest).toEqual([]);
  expect(connection).toMatchObject({ outcome: 'accepted', whole: true, syns: 1, at: 1_000_001, leftAt: 1_000_006, endedAt: 1_000_007 });
  expect(connection?.sent.toString()).toBe('GET /f HTTP');
});

test('connections: a missing piece is told, a contradiction is an error', () => {
  const missing = connectionsOf(readCapture(capture([tcp('out', 'S', 1), tcp('in', 'SA', 7), tcp('out', 'A', 4, 'late')])));
  expect(missing).toMatchObject([{ whole: false }]);
  const packets = readCapture(capture([tcp('out', 'S', 1), tcp('out', 'A', 2, 'one'), tcp('out', 'A', 2, 'two')]));
  expect(() => connectionsOf(packets)).toThrow('retransmission');
});

test('connections: refused, silent, unreachable, tried again from the same port', () => {
  const icmp = ip(1, SERVER, CLIENT, Buffer.concat([Buffer.from([3, 1, 0, 0, 0, 0, 0, 0]), tcp('out', 'S', 50, '', 40_003)]));
  const packets = [
    tcp('out', 'S', 1),
    tcp('in', 'RA', 0),
    tcp('out', 'S', 90),
    tcp('in', 'SA', 0),
    tcp('in', 'R', 1),
    tcp('out', 'S', 5, '', 40_001),
    tcp('out', 'S', 5, '', 40_001),
    tcp('out', 'S', 50, '', 40_003),
    icmp,
  ];
  expect(connectionsOf(readCapture(capture(packets)))).toMatchObject([
    { outcome: 'refused', endedAt: 1_000_002 },
    { outcome: 'accepted', endedAt: 1_000_005 },
    { outcome: 'silent', syns: 2, endedAt: undefined },
    { outcome: 'unreachable', endedAt: 1_000_009 },
  ]);
});

test('the most at once: an end and a beginning in the same moment do not overlap', () => {
  const base = {
    client: 'c',
    clientPort: 1,
    server: 's',
    serverPort: 80,
    syns: 1,
    sent: Buffer.alloc(0),
    whole: true,
    outcome: 'accepted' as const,
  };
  const connection = (at: number, endedAt: number | undefined): Parameters<typeof mostAtOnce>[0][number] => ({
    ...base,
    at,
    endedAt,
    leftAt: endedAt,
  });
  expect(mostAtOnce([connection(0, 10), connection(10, 20), connection(5, 15)])).toEqual({ device: 's', most: 2 });
  expect(mostAtOnce([connection(0, undefined), connection(10, undefined), connection(5000, 6000)])).toEqual({ device: 's', most: 3 });
});

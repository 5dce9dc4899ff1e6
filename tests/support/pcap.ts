/** A packet of IPv4 or ARP, as far as the tests look into one. Other frames are left out. */
export interface Packet {
  /** Milliseconds since the epoch, to the microsecond. */
  readonly at: number;
  readonly source: string;
  readonly target: string;
  /** How many routers it may pass; ARP passes none and has none. */
  readonly ttl?: number;
  readonly content: TcpSegment | UdpDatagram | IcmpUnreachable | Arp | OtherContent;
}

export interface TcpSegment {
  readonly protocol: 'tcp';
  readonly sourcePort: number;
  readonly targetPort: number;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly syn: boolean;
  readonly ack: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly data: Buffer;
}

export interface UdpDatagram {
  readonly protocol: 'udp';
  readonly sourcePort: number;
  readonly targetPort: number;
  readonly data: Buffer;
}

/** An ICMP destination unreachable, with the beginning of the packet that it is about. */
export interface IcmpUnreachable {
  readonly protocol: 'icmp-unreachable';
  readonly code: number;
  /** Ports are those of UDP and TCP, which have them in the same place. */
  readonly about: {
    readonly protocol: number;
    readonly source: string;
    readonly sourcePort: number;
    readonly target: string;
    readonly targetPort: number;
  };
}

/** Source and target are those of the question: who asks for whom. */
export interface Arp {
  readonly protocol: 'arp';
  readonly isRequest: boolean;
}

export interface OtherContent {
  readonly protocol: 'other';
  readonly number: number;
}

const HEADER_BYTES = 24;
const RECORD_BYTES = 16;
const LINK_ETHERNET = 1;
const LINK_RAW_IP = 101;
const ETHERNET_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ICMP = 1;
const TCP = 6;
const UDP = 17;

/**
 * The packets of a capture file, in its order. A record that the end of the file cuts off is left out: the capture was ended while it was written.
 *
 * Spec: the classic pcap format as libpcap's `pcap-savefile(5)` describes it, of either byte order, in micro- or nanoseconds, over Ethernet or without a link layer.
 * @throws {Error} where it is another format, or a packet is not whole
 */
export function readCapture(file: Buffer): Packet[] {
  const magic = file.readUInt32LE(0);
  const isLittle = magic === 0xa1b2c3d4 || magic === 0xa1b23c4d;
  const isNano = magic === 0xa1b23c4d || magic === 0x4d3cb2a1;
  if (!isLittle && magic !== 0xd4c3b2a1 && magic !== 0x4d3cb2a1) throw new Error(`no pcap file (${file.toString('hex', 0, 4)})`);
  const u32 = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const link = u32(20) & 0x0fffffff;
  if (link !== LINK_ETHERNET && link !== LINK_RAW_IP) throw new Error(`link layer ${link} is not known`);
  const packets: Packet[] = [];
  for (let at = HEADER_BYTES; at + RECORD_BYTES <= file.length;) {
    const captured = u32(at + 8);
    const from = at + RECORD_BYTES;
    if (from + captured > file.length) break;
    if (captured < u32(at + 12)) throw new Error('a packet was captured in part');
    const frame = file.subarray(from, from + captured);
    const time = u32(at) * 1000 + u32(at + 4) / (isNano ? 1e6 : 1e3);
    const type = link === LINK_RAW_IP ? (frame.readUInt8(0) >> 4 === 4 ? ETHERTYPE_IPV4 : undefined) : frame.readUInt16BE(12);
    const bytes = link === LINK_RAW_IP ? frame : frame.subarray(ETHERNET_BYTES);
    if (type === ETHERTYPE_IPV4) packets.push(readIp(bytes, time));
    // RFC 826: behind kinds, lengths and the operation stand the sender's MAC and address and the target's.
    if (type === ETHERTYPE_ARP)
      packets.push({
        at: time,
        source: addressAt(bytes, 14),
        target: addressAt(bytes, 24),
        content: { protocol: 'arp', isRequest: bytes.readUInt16BE(6) === 1 },
      });
    at = from + captured;
  }
  return packets;
}

function readIp(ip: Buffer, at: number): Packet {
  const number = ip.readUInt8(9);
  // Padding of short Ethernet frames lies behind the length that IP names.
  const content = ip.subarray(headerBytes(ip), ip.readUInt16BE(2));
  return { at, source: addressAt(ip, 12), target: addressAt(ip, 16), ttl: ip.readUInt8(8), content: readContent(number, content) };
}

function headerBytes(ip: Buffer): number {
  return (ip.readUInt8(0) & 0x0f) * 4;
}

function addressAt(bytes: Buffer, at: number): string {
  return [...bytes.subarray(at, at + 4)].join('.');
}

function readContent(number: number, bytes: Buffer): Packet['content'] {
  if (number === TCP) {
    const flags = bytes.readUInt8(13);
    return {
      protocol: 'tcp',
      sourcePort: bytes.readUInt16BE(0),
      targetPort: bytes.readUInt16BE(2),
      sequence: bytes.readUInt32BE(4),
      acknowledged: bytes.readUInt32BE(8),
      fin: (flags & 0x01) !== 0,
      syn: (flags & 0x02) !== 0,
      rst: (flags & 0x04) !== 0,
      ack: (flags & 0x10) !== 0,
      data: bytes.subarray((bytes.readUInt8(12) >> 4) * 4),
    };
  }
  if (number === UDP)
    return {
      protocol: 'udp',
      sourcePort: bytes.readUInt16BE(0),
      targetPort: bytes.readUInt16BE(2),
      data: bytes.subarray(8, bytes.readUInt16BE(4)),
    };
  if (number === ICMP && bytes.readUInt8(0) === 3) {
    const ip = bytes.subarray(8);
    const ports = headerBytes(ip);
    const about = {
      protocol: ip.readUInt8(9),
      source: addressAt(ip, 12),
      sourcePort: ip.readUInt16BE(ports),
      target: addressAt(ip, 16),
      targetPort: ip.readUInt16BE(ports + 2),
    };
    return { protocol: 'icmp-unreachable', code: bytes.readUInt8(1), about };
  }
  return { protocol: 'other', number };
}

/** One attempt to connect, and what came of it. The client is the side that sent the SYN. */
export interface Connection {
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** When the first SYN left, in milliseconds. */
  readonly at: number;
  /** SYNs, retransmissions counted. */
  readonly syns: number;
  /** `accepted`: a SYN-ACK came. `refused`: an RST to the SYN. `unreachable`: an ICMP error about it. `silent`: none of these. */
  readonly outcome: 'accepted' | 'refused' | 'unreachable' | 'silent';
  /** All bytes that the client sent, in order, repetitions taken out. */
  readonly sent: Buffer;
  /** False where a piece is missing: the capture lost it, or it never came. */
  readonly whole: boolean;
  /** When it was over for both: the RST, the ICMP error, or the later of the two FINs; of one that never ended, undefined. */
  readonly endedAt: number | undefined;
  /** When the client said that it is over: its FIN, or an RST from either side. */
  readonly leftAt: number | undefined;
}

/** The TCP connections of a capture in the order of their first SYN. A new initial sequence number from the same port is a new one. @throws {Error} where a retransmission says something else than what it repeats */
export function connectionsOf(packets: readonly Packet[]): Connection[] {
  const all: Stream[] = [];
  const open = new Map<string, Stream>();
  for (const { at, source, target, content } of packets) {
    if (content.protocol === 'icmp-unreachable' && content.about.protocol === TCP)
      open.get(`${content.about.source}:${content.about.sourcePort} ${content.about.target}:${content.about.targetPort}`)?.fromRouter(at);
    if (content.protocol !== 'tcp') continue;
    const from = `${source}:${content.sourcePort}`;
    const to = `${target}:${content.targetPort}`;
    if (content.syn && !content.ack) {
      const known = open.get(`${from} ${to}`);
      if (known?.initial === content.sequence) known.syns += 1;
      else {
        const stream = new Stream(at, source, content.sourcePort, target, content.targetPort, content.sequence);
        open.set(`${from} ${to}`, stream);
        all.push(stream);
      }
    } else {
      open.get(`${from} ${to}`)?.fromClient(at, content);
      open.get(`${to} ${from}`)?.fromServer(at, content);
    }
  }
  return all.map((stream) => stream.connection);
}

class Stream {
  syns = 1;
  readonly initial: number;
  readonly #at: number;
  readonly #client: readonly [string, number];
  readonly #server: readonly [string, number];
  #outcome: Connection['outcome'] = 'silent';
  /** When it was reset, or a router said that the way ends. */
  #reset: number | undefined;
  #clientFin: number | undefined;
  #serverFin: number | undefined;
  /** By their distance from the first byte. */
  readonly #pieces: { readonly offset: number; readonly data: Buffer }[] = [];

  constructor(at: number, client: string, clientPort: number, server: string, serverPort: number, initial: number) {
    this.#at = at;
    this.#client = [client, clientPort];
    this.#server = [server, serverPort];
    this.initial = initial;
  }

  fromClient(at: number, { sequence, data, fin, rst }: TcpSegment): void {
    if (data.length > 0) this.#pieces.push({ offset: (sequence - this.initial - 1) >>> 0, data });
    if (fin) this.#clientFin ??= at;
    if (rst) this.#reset ??= at;
  }

  fromServer(at: number, { syn, ack, fin, rst }: TcpSegment): void {
    if (syn && ack) this.#outcome = 'accepted';
    if (rst && this.#outcome === 'silent') this.#outcome = 'refused';
    if (fin) this.#serverFin ??= at;
    if (rst) this.#reset ??= at;
  }

  fromRouter(at: number): void {
    if (this.#outcome !== 'silent') return;
    this.#outcome = 'unreachable';
    this.#reset = at;
  }

  get connection(): Connection {
    const fins = this.#clientFin === undefined || this.#serverFin === undefined ? undefined : Math.max(this.#clientFin, this.#serverFin);
    const [client, clientPort] = this.#client;
    const [server, serverPort] = this.#server;
    return {
      client,
      clientPort,
      server,
      serverPort,
      at: this.#at,
      syns: this.syns,
      outcome: this.#outcome,
      ...joined(this.#pieces),
      endedAt: earlier(this.#reset, fins),
      leftAt: earlier(this.#reset, this.#clientFin),
    };
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** Pieces of a stream put in order; of what is there twice both must agree. */
function joined(pieces: readonly { offset: number; data: Buffer }[]): { sent: Buffer; whole: boolean } {
  const parts: Buffer[] = [];
  let length = 0;
  for (const { offset, data } of pieces.toSorted((a, b) => a.offset - b.offset)) {
    if (offset > length) return { sent: Buffer.concat(parts), whole: false };
    const known = Buffer.concat(parts).subarray(offset);
    const overlap = Math.min(known.length, data.length);
    if (!known.subarray(0, overlap).equals(data.subarray(0, overlap)))
      throw new Error('a retransmission says something else than what it repeats');
    if (data.length <= overlap) continue;
    parts.push(data.subarray(overlap));
    length += data.length - overlap;
  }
  return { sent: Buffer.concat(parts), whole: true };
}

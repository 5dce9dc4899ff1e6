import dgram from 'node:dgram';
import { BerReader } from '../../src/sweep/snmp/ber.ts';
import { ber, early, oid, pdu, secured, text } from './ber.ts';

export interface AgentManners {
  /** Communities that it takes, of v2c or v1. */
  readonly communities?: readonly string[];
  /** Whether it answers engine discovery. */
  readonly engine?: boolean;
  /** Milliseconds before it answers a community, and the discovery. */
  readonly getAfterMs?: number;
  readonly discoveryAfterMs?: number;
  /** What it says: an object identifier where it is a string, octets otherwise. `{community}` is the community that it was sent. */
  readonly objects?: Readonly<Record<string, string | Buffer>>;
}

export interface Heard {
  readonly at: number;
  readonly bytes: Buffer;
  /** Absent in SNMPv3. */
  readonly community?: string;
  readonly tag?: number;
}

/** A small SNMP agent on loopback, and what it was sent. */
export class TestAgent implements AsyncDisposable {
  readonly heard: Heard[] = [];
  readonly #socket = dgram.createSocket('udp4');

  static async start(host: string, port: number, manners: AgentManners): Promise<TestAgent> {
    const agent = new TestAgent();
    agent.#socket.on('message', (bytes, from) => agent.#answer(bytes, from, manners));
    agent.#socket.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => agent.#socket.once('error', reject).bind(port, host, resolve));
    return agent;
  }

  /** Messages with a community. */
  get gets(): Heard[] {
    return this.heard.filter(({ community }) => community !== undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  #answer(bytes: Buffer, from: dgram.RemoteInfo, manners: AgentManners): void {
    const { communities = [], engine = true, getAfterMs = 0, discoveryAfterMs = 0, objects = {} } = manners;
    const message = new BerReader(bytes).inside();
    const version = message?.integer();
    const send = (reply: Buffer, afterMs: number): void => {
      setTimeout(() => this.#socket.send(reply, from.port, from.address, () => undefined), afterMs);
    };
    if (version === 3) {
      this.heard.push({ at: performance.now(), bytes });
      const id = message?.inside()?.integer() ?? 0;
      if (engine)
        send(secured({ id, inner: pdu({ tag: 0xa8, id: 0, variables: [['1.3.6.1.6.3.15.1.1.4.0', ber(0x41, [1])]] }) }), discoveryAfterMs);
      return;
    }
    const community = message?.octets()?.toString() ?? '';
    const tag = message?.tag;
    this.heard.push({ at: performance.now(), bytes, community, ...(tag === undefined ? {} : { tag }) });
    const request = message?.inside(0xa0);
    const id = request?.integer() ?? 0;
    request?.integer();
    request?.integer();
    const list = request?.inside();
    if (list === undefined || !communities.includes(community)) return;
    const variables: [string, Buffer][] = [];
    while (!list.isEnd) {
      const object = list.inside()?.oid() ?? '0.0';
      const value = objects[object];
      variables.push([
        object,
        value === undefined
          ? ber(0x80)
          : typeof value === 'string'
            ? oid(value)
            : text(value.toString().replaceAll('{community}', community)),
      ]);
    }
    send(early(version ?? 1, community, pdu({ tag: 0xa2, id, variables })), getAfterMs);
  }
}

import type { AddressNumber } from '../targets/addresses.ts';
import type { Datagram } from './contract.ts';
import type { Outbox } from './outbox.ts';
import type { SweepParts } from './parts.ts';
import { UdpTalk } from './udp-talk.ts';

/** What comes in by datagrams: told apart by the request that it answers, and handed to the conversation that it belongs to. */
export class Inbox {
  readonly #parts: SweepParts;
  readonly #outbox: Outbox;
  /** Conversations over UDP, by endpoint. */
  readonly #talks = new Map<number, UdpTalk>();

  constructor(parts: SweepParts, outbox: Outbox) {
    this.#parts = parts;
    this.#outbox = outbox;
  }

  /** What the conversations with a host have sent. */
  datagramsTo(host: number): number {
    let sum = 0;
    for (const [endpoint, talk] of this.#talks) if (this.#parts.state.hostOf(endpoint) === host) sum += talk.datagrams;
    return sum;
  }

  take(from: AddressNumber, port: number, bytes: Buffer): void {
    if (this.#outbox.isClosed) return;
    const host = this.#parts.plan.hosts.indexOf(from);
    const asked = host === undefined ? undefined : this.#parts.hellos.askedAt(host, port, bytes);
    if (host === undefined || asked === undefined) {
      this.#parts.state.stray += 1;
      return;
    }
    const { index, plan, probe } = asked;
    const name = probe.recognise(bytes);
    const endpoint = this.#parts.state.endpoint(host, index);
    const talk = this.#talks.get(endpoint);
    if (talk !== undefined) {
      talk.receive(bytes, name);
      return;
    }
    const again = this.#outbox.counted.delete(endpoint);
    if (name === undefined || (this.#parts.state.isSettled(endpoint) && !again)) {
      if (name === undefined) this.#parts.state.stray += 1;
      return;
    }
    this.#parts.state.liven(host);
    this.#parts.path.heard(endpoint);
    this.#parts.times.answered(host, performance.now());
    // Who answers the question to its whole link was asked, and is not asked again.
    if (plan.living === true) this.#parts.state.ask(endpoint);
    if (!again) this.#parts.state.settle(endpoint, 'answered');
    const device = this.#parts.devices.at(from);
    this.#parts.hellos.countSweep(device.budget, this.#parts.pass());
    const onSend = (): void => {
      this.#parts.pace.bucket.take(1);
      this.#parts.state.packets.udp += 1;
    };
    const send = (datagram: Datagram): Promise<unknown> => this.#parts.datagrams.send(from, plan.port, datagram);
    const opened = new UdpTalk({ host: device.host, transport: 'udp', port: plan.port }, device.budget, { onSend, send }, probe);
    opened.receive(bytes, name);
    this.#talks.set(endpoint, opened);
    this.#parts.talk(
      endpoint,
      this.#parts.handlers.onAnswer(device, plan, opened).finally(() => this.#talks.delete(endpoint)),
    );
  }
}

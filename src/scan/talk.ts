import { ProbeError } from '../errors.ts';
import { byEndpoint, type Observation } from '../observations/observation.ts';
import type { Device } from '../sweep/device.ts';
import type { PortPlan } from '../targets/port-plan.ts';
import type { Facts, Outcome } from '../vocabulary.ts';

/** How a piece of a conversation ended: with a value, or early, with the facts learned until then. */
export interface Attempt<T> {
  readonly outcome: Outcome;
  readonly value?: T;
  readonly facts: Facts;
  readonly note?: string;
  readonly error?: ProbeError;
  readonly at: string;
  readonly ms: number;
}

/** The conversation with one endpoint, as it is written down. */
export class Talk {
  readonly device: Device;
  readonly plan: PortPlan;
  readonly deadline: number;
  readonly observations: Observation[] = [];
  #told = 0;
  readonly #record: (observation: Observation) => void;

  constructor(device: Device, plan: PortPlan, deadline: number, record: (observation: Observation) => void) {
    this.device = device;
    this.plan = plan;
    this.deadline = deadline;
    this.#record = record;
  }

  /** What is known of the endpoint by now. */
  get facts(): Facts {
    return byEndpoint(this.observations)[0]?.facts ?? {};
  }

  /** Whether a fact has been written down since this was last asked. */
  hasNews(): boolean {
    const news = this.observations.slice(this.#told);
    this.#told = this.observations.length;
    return news.some(({ facts }) => Object.keys(facts).length > 0);
  }

  get key(): string {
    return `${this.plan.port}/${this.plan.transport}`;
  }

  get context(): { readonly name?: string } {
    return this.device.name === undefined ? {} : { name: this.device.name };
  }

  /** Runs a probe; what a device does wrong becomes an outcome. */
  async attempt<T>(talk: () => Promise<T>): Promise<Attempt<T>> {
    const at = new Date().toISOString();
    const from = performance.now();
    const ms = (): number => Math.round(performance.now() - from);
    try {
      const value = await talk();
      return { outcome: 'answered', facts: {}, value, at, ms: ms() };
    } catch (error) {
      if (!(error instanceof ProbeError)) throw error;
      return { outcome: error.kind, facts: error.facts, note: error.message, error, at, ms: ms() };
    }
  }

  /** Runs a probe and writes down what came of it. */
  async run(probe: string, talk: () => Promise<Facts>): Promise<Outcome> {
    const attempt = await this.attempt(talk);
    this.write(probe, attempt, attempt.value);
    return attempt.outcome;
  }

  write(probe: string, { outcome, facts: early, note, at, ms }: Attempt<unknown>, facts: Facts = early): void {
    const observation: Observation = {
      v: 1,
      kind: 'observation',
      host: this.device.host,
      transport: this.plan.transport,
      port: this.plan.port,
      probe,
      at,
      ms,
      outcome,
      facts,
      ...(note === undefined ? {} : { note }),
    };
    this.observations.push(observation);
    this.#record(observation);
  }
}

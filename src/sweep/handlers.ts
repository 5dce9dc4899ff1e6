import type { Socket } from 'node:net';
import type { PortPlan } from '../targets/port-plan.ts';
import type { Device } from './device.ts';
import type { Release } from './gates.ts';
import type { UdpPlan } from './hellos.ts';
import type { Checkpoint } from './state.ts';
import type { UdpTalk } from './udp-talk.ts';

export type TcpPlan = PortPlan & { readonly transport: 'tcp' };

/** What was found at an open TCP port: the connection that found it, and the place among the device's connections that it holds. */
export interface OpenPort {
  readonly device: Device;
  readonly plan: TcpPlan;
  readonly socket: Socket;
  readonly release: Release;
}

/** What a sweep leaves to others. */
export interface SweepHandlers {
  /** Talks to an open port. The sweep goes on meanwhile, and waits for it before it ends. */
  onOpen(found: OpenPort): Promise<void>;
  /** An open TCP port reset the connection at once. */
  onReset(device: Device, plan: TcpPlan): void;
  /** Talks to a UDP endpoint that answered. */
  onAnswer(device: Device, plan: UdpPlan, talk: UdpTalk): Promise<void>;
  /** Why a living device need not be asked at a port that only living ones are asked at, or undefined where it is worth it. Called when nobody talks to it. */
  unwanted(device: Device, plan: PortPlan): string | undefined;
  /** A neighbour on the same link was resolved. */
  onNeighbour(device: Device, mac: string): void;
  /** Called with what has changed since the last call: at every second, and in between as soon as much has been sent. */
  onCheckpoint(checkpoint: Checkpoint, when: 'second' | 'between'): void;
}

import type { DeviceClass, Identifier, Level, Posture, Transport } from '../vocabulary.ts';

export interface DeviceEvidence {
  readonly fingerprint: string;
  readonly rule: string;
  readonly fact: string;
  readonly text: string;
  readonly certainty: number;
  /** `192.0.2.10:443`, `192.0.2.10:623/udp`. */
  readonly endpoint: string;
}

export interface DeviceEndpoint {
  readonly host: string;
  readonly port: number;
  readonly transport: Transport;
  /** The protocol that it was found to speak. */
  readonly probe: string;
}

/** What else a device could be, from what it shows. */
export interface Alternative {
  readonly fingerprint: string;
  readonly vendor?: string;
  readonly product?: string;
  readonly class: DeviceClass;
  readonly certainty: number;
}

/** One physical thing. What is not known is absent. */
export interface Device {
  readonly deviceKey: string;
  readonly class: DeviceClass;
  readonly vendor?: string;
  readonly product?: string;
  readonly generation?: string;
  readonly model?: string;
  readonly version?: string;
  readonly serial?: string;
  readonly hostname?: string;
  /** Maker of the network card, by the block of its MAC address: it may be another than that of the device. */
  readonly macVendor?: string;
  /** 0 to 100: how sure the identity is. */
  readonly certainty: number;
  readonly level: Level;
  /** OEM firmware below the product: `kvmd`, `aten`, `megarac`. */
  readonly base?: string;
  readonly addresses: readonly string[];
  readonly identifiers: readonly Identifier[];
  readonly endpoints: readonly DeviceEndpoint[];
  readonly evidence: readonly DeviceEvidence[];
  readonly alternatives: readonly Alternative[];
  readonly posture: readonly Posture[];
  /** ISO 8601, UTC. */
  readonly firstSeen?: string;
  readonly lastSeen?: string;
}

/** A device before it has its key. */
export type Unkeyed = Omit<Device, 'deviceKey'>;

/** `Dell iDRAC 9`, `PiKVM`, `unknown bmc`: what people call it. */
export function deviceName({
  vendor,
  product,
  generation,
  class: kind,
}: Pick<Device, 'vendor' | 'product' | 'generation' | 'class'>): string {
  if (vendor === undefined && product === undefined) return `unknown ${kind}`;
  return [vendor === product ? undefined : vendor, product ?? kind, generation].filter((part) => part !== undefined).join(' ');
}

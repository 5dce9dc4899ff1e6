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

/** A computer that lists a device among its USB devices and displays, or has listed it. */
export interface Attachment {
  /** Its name in lower case; its address, where the export knows no name. */
  readonly computer: string;
  /** False where the export says that it was attached before, and is not any more. */
  readonly present: boolean;
  /** The latest time that the export tells of it, ISO 8601, UTC. */
  readonly at?: string;
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
  /** Where it answers; empty for what is known only from the computers that it is attached to. */
  readonly addresses: readonly string[];
  readonly attachedTo?: readonly Attachment[];
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

type Place = Pick<Device, 'addresses' | 'attachedTo'>;

/** `192.0.2.10`, `on ws-0042`, `was on ws-0042`: the addresses of a device, then the computers that it is attached to. */
export function placesOf({ addresses, attachedTo = [] }: Place): string[] {
  return [...addresses, ...attachedTo.map(({ computer, present }) => `${present ? 'on' : 'was on'} ${computer}`)];
}

/** `at 192.0.2.10, 192.0.2.11, on ws-0042`. */
export function placeText(device: Place): string {
  return `${device.addresses.length > 0 ? 'at ' : ''}${placesOf(device).join(', ')}`;
}

/** The computers of a device, as they stand in what is told of it; nothing where there are none. */
export function attachedIn({ attachedTo }: Pick<Device, 'attachedTo'>): Pick<Device, 'attachedTo'> {
  return attachedTo === undefined ? {} : { attachedTo };
}

/** What a device is sorted by: its first address, or else the computer that it is attached to. */
export function firstPlace({ addresses, attachedTo = [] }: Place): string {
  return addresses[0] ?? attachedTo[0]?.computer ?? '';
}

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

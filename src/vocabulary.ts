/**
 * The words of the project, each in one list: outcomes, classes, states, identifiers, posture.
 * The names of facts are data (`data/vocabulary/facts.yaml`), because contributors add to them.
 */

/** How a probe at one endpoint ended. `skipped:<why>` is written with its reason. */
export const OUTCOMES = ['answered', 'refused', 'silent', 'unreachable', 'not-this-protocol', 'cut-off', 'given-up'] as const;
export type Outcome = (typeof OUTCOMES)[number] | `skipped:${string}`;

export const TRANSPORTS = ['tcp', 'udp'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** What a device is. Order is the order of severity, highest first. */
export const CLASSES = [
  'ip-kvm',
  'bmc',
  'amt',
  'chassis-manager',
  'console-server',
  'kvm-management-software',
  'kvm-extender',
  'kvm-switch',
  'serial-server',
  'usb-server',
  'pdu',
  'ups-card',
  'ats',
  'environment-monitor',
  'vnc-software',
  'not-remote-access',
] as const;
export type DeviceClass = (typeof CLASSES)[number];

/** Classes that the default list leaves out: named, so that nobody takes them for hardware. */
export const QUIET_CLASSES: ReadonlySet<DeviceClass> = new Set<DeviceClass>(['vnc-software', 'not-remote-access']);

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** How much it matters that nobody approved a device of this class (MITRE ATT&CK T1219.003: screen and keyboard first, power last). */
export const CLASS_SEVERITY: Readonly<Record<DeviceClass, Severity>> = {
  'ip-kvm': 'high',
  bmc: 'high',
  amt: 'high',
  'chassis-manager': 'high',
  'console-server': 'high',
  'kvm-management-software': 'medium',
  'kvm-extender': 'medium',
  'kvm-switch': 'medium',
  'serial-server': 'medium',
  'usb-server': 'medium',
  pdu: 'low',
  'ups-card': 'low',
  ats: 'low',
  'environment-monitor': 'low',
  'vnc-software': 'info',
  'not-remote-access': 'info',
};

/** The outcome of holding inventory against approved assets, most pressing first. */
export const STATES = [
  'impostor',
  'unapproved',
  'ambiguous',
  'duplicate',
  'expired',
  'outside-window',
  'moved',
  'changed',
  'wrong-network',
  'approved-missing',
  'expiring',
  'not-checked',
  'approved-present',
  'ignored',
] as const;
export type State = (typeof STATES)[number];

/** What tells one device from another, strongest first. The first two tie by themselves; guid, uuid and spki only with a second one that agrees. */
export const IDENTIFIER_KINDS = ['serial', 'mac', 'guid', 'uuid', 'spki', 'fqdn', 'ip'] as const;
export type IdentifierKind = (typeof IDENTIFIER_KINDS)[number];
export interface Identifier {
  readonly kind: IdentifierKind;
  readonly value: string;
  /** Where it was read: `tls 192.0.2.10:443`. */
  readonly from: string;
}

/** How sure: from 90, from 60, from 30 of a hundred. Below that nothing is claimed. */
export const LEVELS = { certain: 90, likely: 60, possible: 30 } as const;
export type Level = keyof typeof LEVELS;
export function levelOf(certainty: number): Level | undefined {
  return (Object.keys(LEVELS) as Level[]).find((level) => certainty >= LEVELS[level]);
}

/** What is risky about a device, seen without logging in. */
export const POSTURES = [
  'vnc-no-authentication',
  'ipmi-anonymous-login',
  'ipmi-null-user',
  'ipmi-no-authentication',
  'ipmi-cipher-zero-advertised',
  'default-certificate',
  'shared-certificate',
  'expired-certificate',
  'weak-certificate-key',
  'legacy-tls',
  'open-without-login',
  'not-set-up',
  'telnet-open',
  'amt-unprovisioned',
  'shared-identifier',
  'conflicting-identity',
] as const;
export type Posture = (typeof POSTURES)[number];

/** A channel: one independent way in which a device says what it is. Within a channel the strongest rule counts; channels add up. */
export const CHANNELS = [
  'http',
  'tls',
  'redfish',
  'rfb',
  'ipmi',
  'snmp',
  'banner',
  'ssh',
  'telnet',
  'ftp',
  'mdns',
  'ssdp',
  'discovery',
  'mac',
  'dns',
  'usb',
  'edid',
] as const;
export type Channel = (typeof CHANNELS)[number];

const CHANNEL_OF_PREFIX: Readonly<Record<string, Channel>> = {
  // Intel AMT is read in the pong, which is a part of the IPMI channel.
  amt: 'ipmi',
  addp: 'discovery',
  aidp: 'discovery',
  lantronix: 'discovery',
  moxa: 'discovery',
  netbios: 'discovery',
  slp: 'discovery',
  ubiquiti: 'discovery',
  wsd: 'discovery',
};
/** The channel of a fact: its first word, but for the discovery protocols, which share one, and what comes in the answer of another. */
export function channelOf(fact: string): Channel | undefined {
  const prefix = fact.split('.', 1)[0] ?? '';
  return CHANNEL_OF_PREFIX[prefix] ?? CHANNELS.find((channel) => channel === prefix);
}

/** A value that a device said: JSON, because it is written to the journal as it is. */
export type FactValue = string | number | boolean | null | readonly FactValue[] | { readonly [key: string]: FactValue };

/** What one probe learned, by name of fact. What is not known is absent. */
export type Facts = Readonly<Record<string, FactValue>>;

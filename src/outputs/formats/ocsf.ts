import { deviceName, type Device } from '../../devices/device.ts';
import type { Finding } from '../../reconcile/index.ts';
import type { Severity } from '../../vocabulary.ts';
import { jsonLines } from '../json.ts';
import { findingsByDevice, macsOf, ownerOf, recordsLeftOut, takenAt } from './devices.ts';
import type { TextFormat } from './format.ts';
import { SUMMARIES } from './summaries.ts';

const OCSF_VERSION = '1.8.0';
const SEVERITY = {
  info: { severity_id: 1, severity: 'Informational' },
  low: { severity_id: 2, severity: 'Low' },
  medium: { severity_id: 3, severity: 'Medium' },
  high: { severity_id: 4, severity: 'High' },
  critical: { severity_id: 5, severity: 'Critical' },
} as const satisfies Record<Severity, object>;

/** Findings by which a device is what somebody approved, and those by which nobody did. Of the rest that is open, and nothing is said. */
const TRUST: Readonly<Partial<Record<Finding['state'], boolean>>> = {
  'approved-present': true,
  expiring: true,
  unapproved: false,
  impostor: false,
  expired: false,
};

/** Entries of evidence that go along; all of it is in the inventory. */
const MAX_EVIDENCE = 10;

/**
 * OCSF Device Inventory Info, an event a line: class 5001, activity Collect, which the schema describes for network sweeps.
 * Devices of our classes have no `type_id` of their own there, so it is 99 (other) with our word as `type`.
 *
 * Source: ocsf/ocsf-schema 1.8.0, `events/discovery/inventory_info.json`, `objects/device.json`, `network_interface.json`.
 */
export const ocsf: TextFormat = {
  id: 'ocsf',
  summary: SUMMARIES.ocsf,
  text: ({ inventory, findings }) => {
    const byDevice = findingsByDevice(findings);
    const at = takenAt(inventory);
    const { version } = inventory.tool;
    return {
      text: jsonLines(
        inventory.devices.map((device) => {
          const finding = byDevice.get(device.deviceKey);
          return {
            activity_id: 2,
            activity_name: 'Collect',
            category_uid: 5,
            category_name: 'Discovery',
            class_uid: 5001,
            class_name: 'Device Inventory Info',
            type_uid: 500_102,
            type_name: 'Device Inventory Info: Collect',
            ...SEVERITY[finding?.severity ?? 'info'],
            // Times are milliseconds since 1970.
            time: at ?? 0,
            message: `${deviceName(device)} (${device.class})${finding === undefined ? '' : `: ${finding.state}`}`,
            metadata: { version: OCSF_VERSION, product: { name: 'kvmsweep', vendor_name: 'kvmsweep', version } },
            device: deviceOf(device, finding),
            observables: observablesOf(device),
            unmapped: unmappedOf(device, finding),
          };
        }),
      ),
      notes: [
        ...(at === undefined && inventory.devices.length > 0
          ? ['the inventory does not say when it was taken: the time of its events is 0']
          : []),
        ...recordsLeftOut(findings),
      ],
    };
  },
};

function deviceOf(device: Device, finding: Finding | undefined): object {
  const [mac, ...otherMacs] = macsOf(device);
  const [ip] = device.addresses;
  const uuid = device.identifiers.find(({ kind }) => kind === 'uuid')?.value;
  const owner = ownerOf(finding);
  const trusted = finding === undefined ? undefined : TRUST[finding.state];
  return {
    uid: device.deviceKey,
    type_id: 99,
    type: device.class,
    name: deviceName(device),
    ...defined({ ip, hostname: device.hostname, vendor_name: device.vendor, model: device.model ?? device.product }),
    // With several cards or addresses it is not known which belongs to which.
    ...(mac !== undefined && otherMacs.length === 0 ? { mac } : {}),
    ...defined({ first_seen_time: millis(device.firstSeen), last_seen_time: millis(device.lastSeen), is_trusted: trusted }),
    ...(owner === undefined ? {} : { owner: { name: owner } }),
    ...(device.serial === undefined && uuid === undefined
      ? {}
      : { hw_info: defined({ serial_number: device.serial, uuid, vendor_name: device.vendor }) }),
    network_interfaces: device.addresses.map((address) => ({
      type_id: 0,
      ip: address,
      ...(mac !== undefined && otherMacs.length === 0 && device.addresses.length === 1 ? { mac } : {}),
      open_ports: device.endpoints
        .filter(({ host }) => host === address)
        .map(({ port, transport }) => ({ port, protocol_name: transport })),
    })),
  };
}

/** Values to search for: host name, addresses, MACs. */
function observablesOf(device: Device): object[] {
  return [
    ...(device.hostname === undefined ? [] : [{ name: 'device.hostname', type_id: 1, type: 'Hostname', value: device.hostname }]),
    ...device.addresses.map((value) => ({ name: 'device.network_interfaces.ip', type_id: 2, type: 'IP Address', value })),
    ...macsOf(device).map((value) => ({ name: 'device.mac', type_id: 3, type: 'MAC Address', value })),
  ];
}

/** What the schema has no place for, under our own names. */
function unmappedOf(device: Device, finding: Finding | undefined): object {
  return {
    ...defined({ product: device.product, generation: device.generation, firmware: device.version, base: device.base }),
    certainty: device.certainty,
    level: device.level,
    posture: device.posture,
    ...(device.attachedTo === undefined ? {} : { attached_to: device.attachedTo.map(({ computer }) => computer) }),
    evidence: device.evidence.slice(0, MAX_EVIDENCE).map(({ fact, text, endpoint }) => ({ fact, text, endpoint })),
    ...(finding === undefined ? {} : { state: finding.state, explanation: finding.explanation, ...defined({ asset: finding.asset?.id }) }),
  };
}

function millis(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time);
}

function defined(fields: Readonly<Record<string, string | number | boolean | undefined>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

import { deviceName, type Device } from '../../devices/device.ts';
import type { DeviceClass, State } from '../../vocabulary.ts';
import { shortened } from '../../text.ts';
import { jsonDocument } from '../json.ts';
import { assets, attachedText, findingsByDevice, macsOf, recordsLeftOut, tellingNames } from './devices.ts';
import type { TextFormat } from './format.ts';
import { SUMMARIES } from './summaries.ts';

/** The choice of `discovery_source` that has to exist; see docs/servicenow.md. */
const SOURCE = 'kvmsweep';
/** Characters that the fields of a CI hold: text of a device may be longer. */
const MAX_TEXT = 255;
const MAX_COMMENTS = 4000;

/**
 * Tables of the CMDB. `cmdb_ci_kvm` is not among them: it holds virtual machines of Linux KVM, whatever its name.
 * Source: ServiceNow, "CMDB tables descriptions": `cmdb_ci_peripheral` names KVM switches, `cmdb_ci_outofband_device` management controllers.
 */
const TABLE = {
  'ip-kvm': 'cmdb_ci_peripheral',
  'kvm-switch': 'cmdb_ci_peripheral',
  'kvm-extender': 'cmdb_ci_peripheral',
  bmc: 'cmdb_ci_outofband_device',
  amt: 'cmdb_ci_outofband_device',
  'chassis-manager': 'cmdb_ci_outofband_device',
  'console-server': 'cmdb_ci_outofband_device',
  'serial-server': 'cmdb_ci_netgear',
  'usb-server': 'cmdb_ci_netgear',
  pdu: 'cmdb_ci_pdu',
  'ups-card': 'cmdb_ci_ups',
  ats: 'cmdb_ci_hardware',
  'environment-monitor': 'cmdb_ci_hardware',
  'kvm-management-software': 'cmdb_ci_hardware',
  'vnc-software': 'cmdb_ci_hardware',
  'not-remote-access': 'cmdb_ci_hardware',
} as const satisfies Record<DeviceClass, string>;

/**
 * The body of ServiceNow's identification and reconciliation (`POST /api/now/identifyreconcile`), which creates and updates without duplicates.
 * Fields that are references (manufacturer, model, owner) take only the sys_id of a record there, which nobody knows here: what we know of them stands in
 * `model_number` and the comments.
 *
 * Source: ServiceNow, "Identification and Reconciliation API", release Australia.
 */
export const servicenow: TextFormat = {
  id: 'servicenow',
  summary: SUMMARIES.servicenow,
  text: ({ inventory, findings }) => {
    const { devices, notes } = assets(inventory);
    const byDevice = findingsByDevice(findings);
    const names = tellingNames(devices);
    const items = devices.map((device) => itemOf(device, names.get(device.deviceKey), byDevice.get(device.deviceKey)?.state));
    return { text: jsonDocument({ items, relations: [] }), notes: [...notes, ...recordsLeftOut(findings)] };
  },
};

function itemOf(device: Device, name: string | undefined, state: State | undefined): object {
  const className = TABLE[device.class];
  const [address] = device.addresses;
  const [mac, ...otherMacs] = macsOf(device);
  const isOneCard = otherMacs.length === 0 && device.addresses.length === 1;
  const seen = serviceNowTime(device.lastSeen);
  const lookup = [
    ...(device.serial === undefined
      ? []
      : [
          {
            className: 'cmdb_serial_number',
            values: { serial_number: device.serial, serial_number_type: 'system', valid: 'true' },
          },
        ]),
    ...(mac === undefined || !isOneCard || address === undefined
      ? []
      : [
          {
            className: 'cmdb_ci_network_adapter',
            values: { name: `${SOURCE} ${mac.toLowerCase()}`, ip_address: address, mac_address: mac.toLowerCase() },
          },
        ]),
  ];
  return {
    className,
    internal_id: device.deviceKey,
    values: defined({
      name: name ?? `${deviceName(device)} ${device.deviceKey}`,
      serial_number: device.serial,
      ip_address: address,
      mac_address: isOneCard ? mac?.toLowerCase() : undefined,
      fqdn: name?.includes('.') === true ? name : undefined,
      model_number: device.model,
      firmware_version: className === 'cmdb_ci_outofband_device' ? device.version : undefined,
      short_description: `${deviceName(device)} (${device.class})`,
      comments: commentsOf(device, state),
    }),
    ...(lookup.length === 0 ? {} : { lookup }),
    sys_object_source_info: defined({ source_name: SOURCE, source_native_key: device.deviceKey, source_recency_timestamp: seen }),
  };
}

/** For people, one fact a line. Nothing in it changes from sweep to sweep as long as the device does not. */
function commentsOf(device: Device, state: State | undefined): string {
  const { class: kind, vendor, product, generation, version, addresses, posture, certainty } = device;
  const attached = attachedText(device);
  return [
    `class: ${kind}`,
    vendor === undefined ? undefined : `vendor: ${vendor}`,
    product === undefined ? undefined : `product: ${[product, generation].filter((part) => part !== undefined).join(' ')}`,
    version === undefined ? undefined : `firmware: ${version}`,
    addresses.length > 1 ? `addresses: ${addresses.join(', ')}` : undefined,
    attached === '' ? undefined : `attached to: ${attached}`,
    posture.length === 0 ? undefined : `posture: ${posture.join(', ')}`,
    `certainty: ${certainty} of 100`,
    state === undefined ? undefined : `approval: ${state}`,
  ]
    .filter((line) => line !== undefined)
    .join('\n');
}

/** `2026-11-26 13:09:24`, UTC. */
function serviceNowTime(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

function defined(fields: Readonly<Record<string, string | undefined>>): object {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, shortened(value, name === 'comments' ? MAX_COMMENTS : MAX_TEXT)]],
    ),
  );
}

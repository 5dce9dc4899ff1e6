import { deviceName, type Device } from '../../devices/device.ts';
import { count } from '../../text.ts';
import type { DeviceClass } from '../../vocabulary.ts';
import { jsonLines } from '../json.ts';
import { assets, macsOf, tellingNames } from './devices.ts';
import type { TextFormat } from './format.ts';
import { SUMMARIES } from './summaries.ts';

/** The words of GLPI's schema for our classes. It has none for management controllers and console servers: those are network equipment. */
const TYPE: Readonly<Partial<Record<DeviceClass, 'KVM' | 'Power'>>> = {
  'ip-kvm': 'KVM',
  'kvm-switch': 'KVM',
  'kvm-extender': 'KVM',
  pdu: 'Power',
  'ups-card': 'Power',
  ats: 'Power',
};

/**
 * GLPI's native inventory, a document for each device and line: GLPI takes one document at a time (`front/inventory.php`, or "Import from file").
 * The device's key is the agent's: a second import updates the same asset.
 *
 * Source: glpi-project/inventory_format `inventory.schema.json`; glpi-project/glpi `src/Glpi/Inventory/MainAsset/NetworkEquipment.php`.
 */
export const glpi: TextFormat = {
  id: 'glpi',
  summary: SUMMARIES.glpi,
  text: ({ inventory }) => {
    const { devices, notes } = assets(inventory);
    const names = tellingNames(devices);
    const documents = devices.map((device) => documentOf(device, names.get(device.deviceKey), inventory.tool.version));
    const serialless = devices.filter(({ serial }) => serial === undefined).length;
    return {
      text: jsonLines(documents),
      notes: [
        ...notes,
        ...(serialless === 0
          ? []
          : [
              `${count(serialless, 'device')} without a serial number: GLPI refuses them unless its import rules take MAC or IP addresses (docs/glpi.md)`,
            ]),
      ],
    };
  },
};

function documentOf(device: Device, name: string | undefined, version: string): object {
  // Where a device has several cards it is not known which of them has the addresses.
  const [mac, ...otherMacs] = macsOf(device);
  const said = [device.generation, device.base, `${device.level} ${device.certainty}`].filter((part) => part !== undefined);
  const fields = {
    type: TYPE[device.class] ?? 'Networking',
    name: name ?? `${deviceName(device)} ${device.deviceKey}`,
    description: `${deviceName(device)}: ${device.class} (${said.join(', ')})`,
    manufacturer: device.vendor,
    model: device.model ?? device.product,
    serial: device.serial,
    firmware: device.version,
    mac: otherMacs.length === 0 ? mac : undefined,
    ips: device.addresses.length === 0 ? undefined : device.addresses,
  };
  return {
    action: 'netinventory',
    deviceid: `kvmsweep-${device.deviceKey}`,
    itemtype: 'NetworkEquipment',
    content: {
      versionclient: `kvmsweep_v${version}`,
      network_device: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    },
  };
}

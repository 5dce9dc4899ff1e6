import type { Entry } from '../table.ts';
import { recordsOf, type Side } from './sides.ts';
import { isObject, type JsonObject, objectsIn, textOf, textsOf } from './values.ts';

/**
 * An inventory of GLPI's agent (glpi-project/inventory_format `inventory.schema.json`): a network device, or a computer with the controllers that it
 * knows of (`networks[].management`).
 */
export function isGlpi(value: unknown): value is JsonObject {
  return isObject(value) && 'deviceid' in value && isObject(value['content']);
}

export function glpiRecords(inventory: JsonObject, row: Omit<Entry, 'values'>): Entry[] {
  const content = isObject(inventory['content']) ? inventory['content'] : {};
  const device = content['network_device'];
  return isObject(device) ? [{ ...row, values: networkDevice(device) }] : computer(content, row);
}

function networkDevice(device: JsonObject): Record<string, readonly string[]> {
  return present({
    name: textsOf(device['name']),
    class: textsOf(device['type']),
    manufacturer: textsOf(device['manufacturer']),
    model: textsOf(device['model']),
    serial: textsOf(device['serial']),
    mac: textsOf(device['mac']),
    address: textsOf(device['ips']).filter(isOfOneDevice),
    firmware: textsOf(device['firmware']),
    location: textsOf(device['location']),
    contact: textsOf(device['contact']),
  });
}

function computer(content: JsonObject, row: Omit<Entry, 'values'>): Entry[] {
  const part = (name: string): JsonObject => (isObject(content[name]) ? content[name] : {});
  const [bios, hardware, system] = [part('bios'), part('hardware'), part('operatingsystem')];
  const networks = objectsIn(content['networks']).filter(({ type, virtualdev }) => type !== 'loopback' && virtualdev !== true);
  const management = networks.filter(isManagement);
  const own = sideOf(networks.filter((network) => !isManagement(network)));
  return recordsOf(
    {
      values: present({
        serial: textsOf(bios['ssn']),
        uuid: textsOf(hardware['uuid']),
        manufacturer: textsOf(bios['smanufacturer']),
        model: textsOf(bios['smodel']),
        assettag: textsOf(bios['assettag']),
      }),
      name: textOf(hardware['name']),
      kind: undefined,
      own: { ...own, names: textsOf(system['fqdn']) },
      management: sideOf(management),
      isController: true,
    },
    row,
  );
}

/** A boolean by the schema; the agent's older form names the kind. */
function isManagement({ management }: JsonObject): boolean {
  return management === true || (typeof management === 'string' && management !== '');
}

function sideOf(networks: readonly JsonObject[]): Side {
  return {
    addresses: networks.flatMap(({ ipaddress, ipaddress6 }) => [...textsOf(ipaddress), ...textsOf(ipaddress6)]).filter(isOfOneDevice),
    macs: networks.flatMap(({ mac }) => textsOf(mac)),
    names: [],
  };
}

/** Loopback and link-local addresses are on every computer. */
function isOfOneDevice(address: string): boolean {
  return !/^(?:127\.|::1(?:\/|$)|fe80:)/i.test(address);
}

function present(values: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(values).filter(([, texts]) => texts.length > 0));
}

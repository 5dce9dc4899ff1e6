import type { AssetSource } from '../asset.ts';
import { classOf } from '../cells.ts';
import { count } from '../../text.ts';
import { type Entry, type ListTable, tableOf } from '../table.ts';
import { recordsOf, type Side } from './sides.ts';
import { allTexts, isObject, type JsonObject, objectsIn, textOf } from './values.ts';

/**
 * NetBox, by answers of its REST API from 2.x to 4.6: devices, interfaces, MAC addresses and IP addresses, in one file or in several that are read
 * together (`docs/integrations/rest-api.md`, `netbox/dcim/api/serializers_/`, `netbox/ipam/choices.py` of netbox-community/netbox).
 * What changed: `device_role` is `role` since 3.6, `oob_ip` came with 3.6, MAC addresses are objects of their own since 4.2, and an address that was
 * of an `interface` is of an `assigned_object` since 2.9.
 */
export type NetboxKind = 'device' | 'interface' | 'mac' | 'ip';

export interface NetboxEntry {
  readonly kind: NetboxKind;
  readonly object: JsonObject;
  readonly source: AssetSource;
}

const URLS: readonly (readonly [RegExp, NetboxKind])[] = [
  [/\/api\/dcim\/devices\//, 'device'],
  [/\/api\/dcim\/interfaces\//, 'interface'],
  [/\/api\/dcim\/mac-addresses\//, 'mac'],
  [/\/api\/ipam\/ip-addresses\//, 'ip'],
];

/** What an object of NetBox is, by its address or, where `fields=` left that out, by what only it has. */
export function netboxKind(object: JsonObject): NetboxKind | undefined {
  const url = typeof object['url'] === 'string' ? object['url'] : '';
  const byUrl = URLS.find(([pattern]) => pattern.test(url))?.[1];
  if (byUrl !== undefined) return byUrl;
  const assigned = 'assigned_object_type' in object;
  if (assigned && typeof object['mac_address'] === 'string') return 'mac';
  if (typeof object['address'] === 'string' && (assigned || isObject(object['family']))) return 'ip';
  if (isObject(object['device']) && ['mgmt_only', 'primary_mac_address', 'mac_addresses', 'count_ipaddresses'].some((key) => key in object))
    return 'interface';
  return isObject(object['device_type']) || ['primary_ip4', 'primary_ip6', 'oob_ip'].some((key) => isObject(object[key]))
    ? 'device'
    : undefined;
}

/** Roles of addresses that several devices have at once: they name none of them. */
const SHARED_ROLES: ReadonlySet<string> = new Set(['anycast', 'vip', 'vrrp', 'hsrp', 'glbp', 'carp']);

interface Port {
  readonly name: string;
  readonly management: boolean;
  readonly macs: Set<string>;
  readonly addresses: Set<string>;
  readonly names: Set<string>;
}

interface Box {
  object: JsonObject;
  source: AssetSource;
  readonly ports: Map<string, Port>;
}

/** Devices with what interfaces, MAC addresses and IP addresses say of them. */
export function netboxTable(entries: readonly NetboxEntry[]): ListTable {
  const of = (kind: NetboxKind): NetboxEntry[] => entries.filter((entry) => entry.kind === kind);
  const boxes = new Map<string, Box>();
  const portsById = new Map<string, Port>();
  const boxOf = (reference: JsonObject, source: AssetSource): Box | undefined => {
    const key = keyOf(reference);
    if (key === undefined) return undefined;
    const known = boxes.get(key);
    if (known !== undefined) return known;
    const box: Box = { object: reference, source, ports: new Map() };
    boxes.set(key, box);
    return box;
  };
  for (const { object, source } of of('device')) boxes.set(keyOf(object) ?? `#${boxes.size}`, { object, source, ports: new Map() });
  for (const { object, source } of of('interface')) {
    const box = isObject(object['device']) ? boxOf(object['device'], source) : undefined;
    if (box === undefined) continue;
    const port = portIn(box, object);
    const id = textOf(object['id']);
    if (id !== undefined) portsById.set(id, port);
    for (const one of [object['primary_mac_address'], object['mac_address'], ...objectsIn(object['mac_addresses'])]) {
      const mac = isObject(one) ? textOf(one['mac_address']) : textOf(one);
      if (mac !== undefined) port.macs.add(mac);
    }
  }
  /** The port that an address is of: of a list that was read, else as far as the address itself tells. */
  const portOf = (object: JsonObject, source: AssetSource): Port | undefined => {
    const type = textOf(object['assigned_object_type']);
    if (type !== undefined && type !== 'dcim.interface') return undefined;
    const assigned = isObject(object['assigned_object']) ? object['assigned_object'] : object['interface'];
    const id = textOf(object['assigned_object_id']) ?? (isObject(assigned) ? textOf(assigned['id']) : undefined);
    const known = id === undefined ? undefined : portsById.get(id);
    if (known !== undefined) return known;
    if (!isObject(assigned) || !isObject(assigned['device'])) return undefined;
    const box = boxOf(assigned['device'], source);
    return box === undefined ? undefined : portIn(box, assigned);
  };
  for (const { object, source } of of('mac')) {
    const mac = textOf(object['mac_address']);
    if (mac !== undefined) portOf(object, source)?.macs.add(mac);
  }
  const unusable = new Set<string>();
  let shared = 0;
  const free: Entry[] = [];
  for (const { object, source } of of('ip')) {
    const address = textOf(object['address']);
    if (address === undefined) continue;
    const role = choice(object['role']);
    if (SHARED_ROLES.has(role) || choice(object['status']) === 'deprecated') {
      shared += 1;
      unusable.add(address);
      continue;
    }
    const port = portOf(object, source);
    const name = textOf(object['dns_name']);
    if (port === undefined) {
      const why = isVirtual(object) ? 'it is the address of a virtual machine' : 'it is assigned to no device in NetBox';
      free.push({ source, place: source, why, values: { address: [address], ...(name === undefined ? {} : { host: [name] }) } });
      continue;
    }
    port.addresses.add(address);
    if (name !== undefined) port.names.add(name);
  }
  const notes =
    shared === 0
      ? []
      : [`${count(shared, 'IP address', 'IP addresses')} that devices share (VRRP, anycast …) or that are deprecated name no device`];
  return tableOf([...[...boxes.values()].flatMap((box) => boxRecords(box, unusable)), ...free], { notes });
}

function isVirtual(object: JsonObject): boolean {
  return textOf(object['assigned_object_type']) === 'virtualization.vminterface';
}

function keyOf(object: JsonObject): string | undefined {
  const id = textOf(object['id']);
  if (id !== undefined) return `id ${id}`;
  const name = textOf(object['name']);
  return name === undefined ? undefined : `name ${name}`;
}

/** The value of a choice: `{ value, label }` since 2.7, a plain text in exports. */
function choice(value: unknown): string {
  return (isObject(value) ? textOf(value['value']) : textOf(value))?.toLowerCase() ?? '';
}

function portIn({ ports }: Box, object: JsonObject): Port {
  const name = textOf(object['name']) ?? '';
  const known = ports.get(name);
  if (known !== undefined) return known;
  const port: Port = { name, management: object['mgmt_only'] === true, macs: new Set(), addresses: new Set(), names: new Set() };
  ports.set(name, port);
  return port;
}

function boxRecords({ object, source, ports }: Box, unusable: ReadonlySet<string>): Entry[] {
  const ipsOf = (...keys: string[]): string[] =>
    keys.flatMap((key) => textOf(object[key]) ?? []).filter((address) => !unusable.has(address));
  const primary = ipsOf('primary_ip4', 'primary_ip6');
  if (primary.length === 0) primary.push(...ipsOf('primary_ip'));
  const outOfBand = ipsOf('oob_ip');
  const own: Port[] = [];
  const management: Port[] = [];
  for (const port of ports.values()) {
    const isPrimary = [...port.addresses].some((address) => primary.includes(address));
    const isOutOfBand = [...port.addresses].some((address) => outOfBand.includes(address));
    (isOutOfBand || (port.management && !isPrimary) ? management : own).push(port);
  }
  const type = isObject(object['device_type']) ? object['device_type'] : {};
  const known: Record<string, string | undefined> = {
    serial: textOf(object['serial']),
    assettag: textOf(object['asset_tag']),
    manufacturer: textOf(type['manufacturer']),
    model: textOf(type['model']) ?? textOf(type['display']),
    status: choice(object['status']) || undefined,
    site: textOf(object['site']),
    location: textOf(object['location']),
    rack: textOf(object['rack']),
    owner: textOf(object['owner']) ?? textOf(object['tenant']),
  };
  const values: Record<string, readonly string[]> = Object.fromEntries(
    Object.entries(known).flatMap(([heading, text]) => (text === undefined ? [] : [[heading, [text]]])),
  );
  // Ticket, end of the approval and the like are fields that an organisation adds.
  if (isObject(object['custom_fields']))
    for (const [heading, texts] of Object.entries(allTexts(object['custom_fields']))) values[heading] ??= texts;
  return recordsOf(
    {
      values,
      name: textOf(object['name']),
      kind: textOf(object['role']) ?? textOf(object['device_role']),
      own: sideOf(own, primary),
      management: sideOf(management, outOfBand),
      isController: outOfBand.length > 0 || management.some(({ name }) => classOf(name.replace(/\d+$/, '')) === 'bmc'),
    },
    { source, place: { file: placeOf(source) } },
  );
}

function placeOf({ file, list, index }: AssetSource): string {
  return `${file}${list === undefined ? '' : `#${list}`}[${index}]`;
}

function sideOf(ports: readonly Port[], addresses: readonly string[]): Side {
  return {
    addresses: [...addresses, ...ports.flatMap((port) => [...port.addresses])],
    macs: ports.flatMap(({ macs }) => [...macs]),
    names: ports.flatMap(({ names }) => [...names]),
  };
}

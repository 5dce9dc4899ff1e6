import { allTexts, isObject, type JsonObject, objectsIn, textsOf } from './values.ts';

/** A device of Device42 (`GET /api/1.0/devices/all/`): its addresses are lists of objects. */
export function device42Values(device: JsonObject): Record<string, string[]> {
  const { ip_addresses, mac_addresses, id: _id, device_id: _deviceId, ...rest } = device;
  return allTexts({
    ...rest,
    ip_address: objectsIn(ip_addresses).map(({ ip }) => ip),
    mac_address: objectsIn(mac_addresses).map(({ mac }) => mac),
  });
}

/** An asset of Lansweeper (GraphQL `assetResources`): its fields are in groups (`assetBasicInfo`, `assetCustom`). */
export function lansweeperValues(item: JsonObject): Record<string, string[]> {
  const groups = Object.entries(item).filter(([key]) => /^asset[A-Z]/.test(key));
  return Object.assign({}, ...groups.map(([, group]) => (isObject(group) ? allTexts(group) : {}))) as Record<string, string[]>;
}

/** An object of Infoblox (WAPI): hosts have their addresses as objects, other records as a text. */
export function infobloxValues(object: JsonObject): Record<string, string[]> {
  const addresses = [...objectsIn(object['ipv4addrs']), ...objectsIn(object['ipv6addrs'])];
  const attributes = isObject(object['extattrs']) ? allTexts(object['extattrs']) : {};
  const values: Record<string, string[]> = {
    ...attributes,
    host: [...textsOf(object['name']), ...textsOf(object['names'])],
    address: [
      ...addresses.flatMap(({ ipv4addr, ipv6addr }) => [...textsOf(ipv4addr), ...textsOf(ipv6addr)]),
      ...['ipv4addr', 'ipv6addr', 'ip_address'].flatMap((key) => textsOf(object[key])),
    ],
    mac: [...addresses, object].flatMap(({ mac, mac_address }) => [...textsOf(mac), ...textsOf(mac_address)]),
  };
  return values;
}

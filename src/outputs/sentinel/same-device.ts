import type { Device, DeviceEndpoint } from '../../devices/device.ts';
import { tokenKey, tokensOf } from '../../devices/fuse.ts';
import { pair } from '../../inventory/history.ts';

/**
 * Which devices of the inventory are which from before: by their key, else by what they show, and last those that show nothing but a part of what a
 * device at their address showed before.
 */
export function viewsOf<R extends { readonly device: Device }>(now: readonly Device[], before: readonly R[]): Map<R, Device[]> {
  const byKey = new Map(before.map((one) => [one.device.deviceKey, one]));
  const views = new Map<R, Device[]>();
  const rest: Device[] = [];
  for (const device of now) {
    const old = byKey.get(device.deviceKey);
    if (old === undefined) rest.push(device);
    else views.set(old, [device]);
  }
  const free = new Map(before.filter((one) => !views.has(one)).map((one) => [one.device, one]));
  for (const [device, old] of pair(rest, [...free.keys()])) {
    const one = free.get(old);
    if (one !== undefined) views.set(one, [device]);
  }
  const placed = new Set([...views.values()].flat());
  const at = new Map<string, R[]>();
  for (const one of before) for (const address of one.device.addresses) at.set(address, [...(at.get(address) ?? []), one]);
  for (const device of rest) {
    if (placed.has(device)) continue;
    const whole = device.addresses.flatMap((address) => at.get(address) ?? []).find((one) => isPartOf(device, one.device));
    if (whole !== undefined) views.set(whole, [...(views.get(whole) ?? []), device]);
  }
  return views;
}

/** Whether a view shows nothing that a device did not show before. Of one maker's products the one seen less of may be taken for another. */
function isPartOf(part: Device, whole: Device): boolean {
  if ((part.vendor ?? whole.vendor) !== whole.vendor) return false;
  if (part.product !== undefined && part.product !== whole.product && part.class !== whole.class) return false;
  const tokens = new Set(tokensOf(whole.identifiers).map(tokenKey));
  const endpoints = new Set(whole.endpoints.map(endpointKey));
  return (
    tokensOf(part.identifiers).every((token) => tokens.has(tokenKey(token))) &&
    part.endpoints.every((endpoint) => endpoints.has(endpointKey(endpoint)))
  );
}

/** Names an endpoint: `port 192.0.2.10 443/tcp`. */
export function endpointKey({ host, port, transport }: DeviceEndpoint): string {
  return `port ${host} ${port}/${transport}`;
}

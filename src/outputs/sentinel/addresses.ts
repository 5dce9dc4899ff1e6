import type { Device, DeviceEndpoint } from '../../devices/device.ts';
import { formatAddress, hostWithoutZone, parseAddress } from '../../targets/addresses.ts';

/** The addresses of a device, without what is none: a device that a computer lists may stand under the name of that computer. */
export function ipAddresses({ addresses }: Pick<Device, 'addresses'>): string[] {
  return addresses.filter((address) => parseAddress(address) !== undefined);
}

/** An address as logs write it: canonical, without the zone of a link. */
export function addressCell(address: string): string {
  const number = parseAddress(hostWithoutZone(address));
  return number === undefined ? '' : formatAddress(number);
}

/** `443/tcp`, by number. */
export function portsAt(endpoints: readonly DeviceEndpoint[], address: string): string[] {
  const ports = new Map(
    endpoints.filter(({ host }) => host === address).map(({ port, transport }) => [`${port}/${transport}`, { port, transport }]),
  );
  return [...ports]
    .toSorted(([, a], [, b]) => a.port - b.port || (a.transport < b.transport ? -1 : a.transport > b.transport ? 1 : 0))
    .map(([text]) => text);
}

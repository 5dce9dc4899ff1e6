import { type Device, deviceName, placesOf } from '../devices/device.ts';
import { QUIET_CLASSES } from '../vocabulary.ts';
import { type Column, table } from './table.ts';

/** The devices that a list shows by default: software that only looks like hardware is left out. */
export function listed(devices: readonly Device[], all = false): Device[] {
  return devices.filter((device) => all || !QUIET_CLASSES.has(device.class));
}

const LEVEL_STYLE = { certain: 'green', likely: 'yellow', possible: 'dim' } as const;

const COLUMNS: readonly Column<Device>[] = [
  { title: 'ADDRESS', of: addressCell },
  { title: 'CLASS', of: (device) => device.class },
  { title: 'DEVICE', of: deviceName, style: () => 'bold' },
  { title: 'MODEL', of: ({ model }) => model ?? '', max: 32 },
  { title: 'VERSION', of: ({ version }) => version ?? '', max: 20 },
  { title: 'SERIAL', of: ({ serial }) => serial ?? '', max: 20 },
  { title: 'SURE', of: ({ level, certainty }) => `${level} ${certainty}`, style: ({ level }) => LEVEL_STYLE[level] },
  { title: 'RISK', of: ({ posture }) => posture.join(' '), wraps: true, style: ({ posture }) => (posture.length > 0 ? 'red' : undefined) },
];

function addressCell(device: Device): string {
  const [first, ...rest] = placesOf(device);
  return rest.length > 1 ? `${first} +${rest.length}` : [first, ...rest].join(' ');
}

/** Devices as a table for a terminal of so many columns; undefined where there is none. */
export function deviceTable(devices: readonly Device[], columns: number | undefined): string {
  return table(devices, COLUMNS, { columns });
}

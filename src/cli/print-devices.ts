import type { Device } from '../devices/device.ts';
import { deviceTable, listed } from '../outputs/devices.ts';
import { jsonDocument, jsonLines } from '../outputs/json.ts';
import { type Format, terminalColumns } from './options.ts';

/** Devices to standard output, in the form asked for. */
export function printDevices(devices: readonly Device[], { format, all = false }: { format: Format; all?: boolean | undefined }): void {
  if (format === 'ndjson') process.stdout.write(jsonLines(devices));
  else if (format === 'json') process.stdout.write(jsonDocument(devices));
  else {
    const shown = listed(devices, all);
    process.stdout.write(shown.length === 0 ? 'no remote-access hardware was found\n' : `${deviceTable(shown, terminalColumns())}\n`);
    const hidden = devices.length - shown.length;
    if (hidden > 0) process.stderr.write(`${hidden} not listed: software that only looks like hardware (--all shows it)\n`);
  }
}

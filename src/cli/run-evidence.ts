import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Unkeyed } from '../devices/device.ts';
import { fuse } from '../devices/fuse.ts';
import { InputError, inputError, type Problem, problemText } from '../errors.ts';
import { readWholeInput } from '../input.ts';
import { deriveInventory } from '../inventory/derive.ts';
import { inventoryText, readInventory, writeWhole } from '../inventory/file.ts';
import { withHistory } from '../inventory/history.ts';
import type { Inventory } from '../inventory/schema.ts';
import { computerName, type Evidence, readEvidence } from '../observations/evidence/read.ts';
import { count, jsonText } from '../text.ts';
import { loadKnowledge, ownNotes } from './knowledge.ts';
import { refuseToReplace } from './output.ts';
import { printDevices } from './print-devices.ts';
import type { Format } from './options.ts';

export interface EvidenceOptions {
  readonly host?: string;
  readonly format: Format;
  readonly output?: string;
  readonly observations?: string;
  readonly inventory?: string;
  readonly previous?: string;
  readonly fingerprints?: string;
  readonly all?: boolean;
}

/** Reads exports, and derives devices from them as from any other observations. */
export async function runEvidence(files: readonly string[], options: EvidenceOptions): Promise<void> {
  if (options.host !== undefined && computerName(options.host) === undefined)
    throw inputError('bad-option', { option: '--host', text: options.host, reason: 'give the name of a computer' });
  for (const output of [options.output, options.observations]) refuseToReplace(output, files);
  const previous = options.previous === undefined ? [] : readInventory(options.previous).devices;
  const swept = options.inventory === undefined ? undefined : readInventory(options.inventory);
  const read = await readAll(files, options.host);
  const observations = read.flatMap((one) => one.observations);
  for (const one of read.flatMap(({ problems }) => problems)) process.stderr.write(`${problemText(one)}\n`);
  if (observations.length === 0) throw inputError('empty-file', { file: files.join(', '), what: 'USB device or display' });
  const text = observations.map((one) => `${jsonText(one)}\n`).join('');
  if (options.observations !== undefined) writeWhole(options.observations, text);
  const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-'));
  try {
    const file = join(folder, 'observations.ndjson');
    writeFileSync(file, text, { mode: 0o600 });
    const knowledge = loadKnowledge(options);
    const derived = await deriveInventory(file, knowledge.matcher, { previous, own: knowledge.own });
    const found = derived.inventory.devices.length;
    const inventory = swept === undefined ? derived.inventory : withAttached(swept, derived.inventory);
    if (options.output !== undefined) writeWhole(options.output, inventoryText(inventory));
    printDevices(inventory.devices, options);
    for (const note of ownNotes(knowledge)) process.stderr.write(`note: ${note}\n`);
    const computers = new Set(observations.map(({ host }) => host)).size;
    const gone = observations.filter(({ note }) => note !== undefined).length;
    process.stderr.write(
      `${count(observations.length, 'USB device or display', 'USB devices and displays')} of ${count(computers, 'computer')}${gone > 0 ? ` (${gone} attached before, not now)` : ''}, ${count(found, 'device')} found\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * An inventory of a sweep with what is attached to computers. A device of both becomes one where a serial number or MAC ties them, as two addresses would;
 * what the sweep says of itself stays.
 */
function withAttached(swept: Inventory, attached: Inventory): Inventory {
  const devices: Unkeyed[] = [...swept.devices, ...attached.devices].map((device) => {
    const { deviceKey: _deviceKey, ...unkeyed } = device;
    return unkeyed;
  });
  return {
    ...swept,
    tool: attached.tool,
    completeness: { ...swept.completeness, notes: [...swept.completeness.notes, 'with what exports of computers say is attached to them'] },
    devices: withHistory(fuse(devices), swept.devices),
  };
}

/** All of the exports; where some are damaged, all of those are told at once. */
async function readAll(files: readonly string[], host: string | undefined): Promise<Evidence[]> {
  const read: Evidence[] = [];
  const damaged: Problem[] = [];
  for (const file of files) {
    try {
      read.push(readEvidence(file === '-' ? 'standard input' : file, await readWholeInput(file), host));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      damaged.push(...error.problems);
    }
  }
  if (damaged.length > 0) throw new InputError(damaged);
  return read;
}

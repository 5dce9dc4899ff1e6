import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Device } from '../../devices/device.ts';
import { inputError, systemReason } from '../../errors.ts';
import { DeviceSchema } from '../../inventory/schema.ts';
import { jsonText } from '../../text.ts';

/** Raised when a reader of old state files could misread a new one. */
const STATE_VERSION = 1;
const STATE_KIND = 'kvmsweep-sentinel-state';

const Text = z.string().min(1);
const ItemSchema = z.strictObject({ id: z.uuid(), row: z.record(z.string(), z.string()) });

const StateSchema = z.strictObject({
  kind: z.literal(STATE_KIND),
  version: z.literal(STATE_VERSION),
  /** The items of each watchlist as they are once the bundle is applied. */
  items: z.record(z.string(), z.array(ItemSchema)),
  devices: z.array(
    z.strictObject({
      /** Without its evidence, of which `marks` is what is left. */
      device: DeviceSchema,
      /** What named it: short hashes of the rules that matched, each with its endpoint. */
      marks: z.array(z.string().regex(/^[0-9a-f]{8}$/)),
      /** What was not seen, though it was asked for, by how many complete sweeps in a row. */
      missed: z.record(z.string(), z.number().int().min(1)),
      /** The last complete sweep that counted. */
      counted: Text.exactOptional(),
    }),
  ),
  /** Addresses that sweeps were sent from, each with the end of the last one. */
  scanners: z.array(z.strictObject({ address: Text, lastUsed: z.iso.datetime() })),
});

/** What the bundles before this one have told Sentinel, and what is known of the devices in it. */
export type SentinelState = Omit<z.infer<typeof StateSchema>, 'devices'> & { readonly devices: readonly RememberedDevice[] };
export type RememberedDevice = Omit<z.infer<typeof StateSchema>['devices'][number], 'device'> & {
  readonly device: Device;
};
export type Item = z.infer<typeof ItemSchema>;

export const NO_STATE: SentinelState = { kind: STATE_KIND, version: STATE_VERSION, items: {}, devices: [], scanners: [] };

/** Reads a state file; a file that is not there is the state before the first bundle. @throws {InputError} `bad-state` */
export function readState(file: string): SentinelState {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NO_STATE;
    throw inputError('unreadable-file', { file, reason: systemReason(error) });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw inputError('bad-state', { file, reason: `it is not JSON (${systemReason(error)})` });
  }
  const { kind, version } = z.looseObject({}).safeParse(value).data ?? {};
  if (kind !== STATE_KIND) throw inputError('bad-state', { file, reason: 'it is another file' });
  if (typeof version === 'number' && version > STATE_VERSION)
    throw inputError('bad-state', {
      file,
      reason: `its version is ${version} and this kvmsweep reads up to ${STATE_VERSION}; use a newer one`,
    });
  const checked = StateSchema.safeParse(value);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw inputError('bad-state', { file, reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown form'}` });
  }
  return checked.data;
}

export function stateText(state: SentinelState): string {
  return `${jsonText(state, 1)}\n`;
}

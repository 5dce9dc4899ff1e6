import { inputError, type Problem, problem, InputError } from '../../errors.ts';
import type { Observation } from '../observation.ts';
import { type Attached, cleanText, contentOf, type EvidenceFormat } from './content.ts';
import { defender } from './defender.ts';
import { edid } from './edid.ts';
import { intune } from './intune.ts';
import { lsusb, lsusbVerbose } from './lsusb.ts';
import { monitorId } from './monitor-id.ts';
import { osquery } from './osquery.ts';
import { PNP_HEADINGS, pnpDevice } from './pnp-device.ts';
import { securityEvent } from './security-event.ts';
import { systemProfiler } from './system-profiler.ts';
import { udev } from './udev.ts';

/** By what they hold, the most telling first. */
const FORMATS: readonly EvidenceFormat[] = [
  edid,
  lsusbVerbose,
  lsusb,
  udev,
  defender,
  intune,
  securityEvent,
  monitorId,
  systemProfiler,
  osquery,
  pnpDevice,
];

/** The headings by which a CSV file is known to be one of these, in lower case. */
const HEADINGS: ReadonlySet<string> = new Set(
  [
    ...PNP_HEADINGS,
    'DeviceName',
    'ActionType',
    'AdditionalFields',
    'Timestamp',
    'InstanceName',
    'ManufacturerName',
    'UserFriendlyName',
    'vendor_id',
    'model_id',
    'product_id',
    'preRemediationDetectionScriptOutput',
  ].map((heading) => heading.toLowerCase()),
);

export interface Evidence {
  /** Which export it is. */
  readonly format: string;
  readonly observations: readonly Observation[];
  /** Rows that were left out. */
  readonly problems: readonly Problem[];
}

/**
 * Reads a host-side export: what it says is attached to computers, as observations.
 * @param host the computer, where the export does not name it
 * @throws {InputError} where it is none of the exports, or damaged
 */
export function readEvidence(file: string, bytes: Buffer, host?: string): Evidence {
  const problems: Problem[] = [];
  const report = (one: Problem): void => void problems.push(one);
  const content = contentOf(file, bytes, HEADINGS, report);
  const format = FORMATS.find((one) => one.fits(content));
  if (format === undefined && problems.length > 0) throw new InputError(problems);
  if (format === undefined)
    throw inputError(
      'bad-evidence',
      {
        reason: `it is none of the exports that are read (${FORMATS.map(({ name }) => name).join(', ')}): docs/evidence.md has a command for each`,
      },
      { file },
    );
  const attached = placed(file, () => format.read(content, report));
  const observations = attached.map((one) => observationOf(one, file, host));
  if (attached.length === 0 && problems.length > 0) throw new InputError(problems);
  if (attached.length === 0) report(problem('empty-file', { file, what: 'USB device or display' }));
  return { format: format.name, observations, problems };
}

/** Errors that do not say where they stand stand in this file. */
function placed<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.problems.map((one) => (one.place.file === undefined ? { ...one, place: { file } } : one)));
  }
}

function observationOf({ computer, part, probe, facts, at, gone }: Attached, file: string, given: string | undefined): Observation {
  const host = computerName(computer) ?? computerName(given);
  if (host === undefined) throw inputError('no-computer', { file });
  return {
    v: 1,
    kind: 'observation',
    host,
    part: cleanText(part) ?? probe,
    probe,
    ...(at === undefined ? {} : { at }),
    outcome: 'answered',
    facts,
    ...(gone === true ? { present: false, note: 'attached before, not when this was exported' } : {}),
  };
}

/** A computer's name as it is compared; undefined for what names none. */
export function computerName(text: string | undefined): string | undefined {
  const name = text?.trim().toLowerCase().replace(/\.$/, '') ?? '';
  return /^[\p{L}\p{N}_][\p{L}\p{N}_.:-]{0,252}$/u.test(name) && name !== 'localhost' ? name : undefined;
}

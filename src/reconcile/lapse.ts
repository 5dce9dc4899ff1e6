import type { Device } from '../devices/device.ts';
import { printable } from '../text.ts';
import type { State } from '../vocabulary.ts';
import type { ApprovedAsset } from './asset.ts';
import { dateText } from './cells.ts';
import { isInWindow } from '../windows.ts';

export interface Lapse {
  readonly state: State;
  readonly text: string;
  readonly advice: string;
}

/**
 * Why a record or a rule approves nothing at a moment; undefined where it does.
 * @param seenAt when the device answered last: a sweep may begin within a window and end behind it
 */
export function lapseOf(
  { validFrom, validUntil, windows }: Pick<ApprovedAsset, 'validFrom' | 'validUntil' | 'windows'>,
  now: Date,
  seenAt = now,
): Lapse | undefined {
  if (validUntil !== undefined && now.getTime() > Date.parse(validUntil))
    return {
      state: 'expired',
      text: `its approval ended on ${dateText(validUntil)}`,
      advice: 'Renew the approval, or take the device off the network.',
    };
  const advice = 'Find out why it answers at another time, or correct the record.';
  if (validFrom !== undefined && now.getTime() < Date.parse(validFrom))
    return { state: 'outside-window', text: `it is approved only from ${dateText(validFrom)} on`, advice };
  if (windows.length > 0 && !windows.some((window) => isInWindow(window, seenAt)))
    return {
      state: 'outside-window',
      text: `it is approved only at these times: ${windows.map(({ text }) => printable(text)).join('; ')}`,
      advice,
    };
  return undefined;
}

/** When a device answered last; no later than `now`. */
export function seenAtOf({ lastSeen }: Device, now: Date): Date {
  const at = new Date(lastSeen ?? now);
  return at < now ? at : now;
}

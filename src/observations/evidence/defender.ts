import { problem } from '../../errors.ts';
import { type EvidenceFormat, hasField, isObject, textOf } from './content.ts';
import { attachedOf, isInstance, type PnpRow } from './windows.ts';

/** Defender advanced hunting, DeviceEvents with ActionType PnpDeviceConnected, as CSV of the portal or JSON of the API. AdditionalFields is JSON in a text. */
export const defender: EvidenceFormat = {
  name: 'PnpDeviceConnected',
  fits: (content) => hasField(content, 'AdditionalFields') && hasField(content, 'DeviceName'),
  read: (content, report) => {
    if (content.kind !== 'records') return [];
    const rows = content.records.flatMap(({ place, fields }): PnpRow[] => {
      const action = textOf(fields, 'ActionType');
      if (action !== undefined && action !== 'PnpDeviceConnected') return [];
      const more = objectOf(fields['AdditionalFields']);
      if (more === undefined)
        report(problem('bad-evidence', { reason: 'its AdditionalFields is no JSON object; the row is left out' }, place));
      const instance = more === undefined ? undefined : textOf(more, 'DeviceId');
      if (more === undefined || instance === undefined || !isInstance(instance)) return [];
      const at = Date.parse(textOf(fields, 'Timestamp', 'TimeGenerated') ?? '');
      return [
        {
          computer: textOf(fields, 'DeviceName'),
          instance,
          name: textOf(more, 'DeviceDescription'),
          kind: textOf(more, 'ClassName'),
          at: Number.isNaN(at) ? undefined : new Date(at).toISOString(),
        },
      ];
    });
    return attachedOf(rows);
  },
};

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'string') return isObject(value) ? value : undefined;
  try {
    const inside: unknown = JSON.parse(value);
    return isObject(inside) ? inside : undefined;
  } catch {
    return undefined;
  }
}

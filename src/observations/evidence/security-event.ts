import { type EvidenceFormat, hasField, textOf } from './content.ts';
import { attachedOf, isInstance, type PnpRow, timeOf } from './windows.ts';

/** "A new external device was recognized by the system" (Microsoft, Audit PNP Activity). */
const RECOGNISED = '6416';

/** Events of Windows as XML: `Get-WinEvent … | ForEach-Object ToXml`, `wevtutil qe Security /f:xml`, or saved in the Event Viewer. */
export const securityEvent: EvidenceFormat = {
  name: 'event 6416',
  fits: (content) => hasField(content, 'EventID') && hasField(content, 'Computer'),
  read: (content) => {
    if (content.kind !== 'records') return [];
    const rows = content.records.flatMap(({ fields }): PnpRow[] => {
      const instance = textOf(fields, 'DeviceId');
      if (textOf(fields, 'EventID') !== RECOGNISED || instance === undefined || !isInstance(instance)) return [];
      return [
        {
          computer: textOf(fields, 'Computer'),
          instance,
          name: textOf(fields, 'DeviceDescription'),
          kind: textOf(fields, 'ClassName'),
          at: timeOf(textOf(fields, 'TimeCreated')),
        },
      ];
    });
    return attachedOf(rows);
  },
};

import { type EvidenceFormat, hasField, isObject, textOf } from './content.ts';
import { attachedOf, type PnpRow, timeOf } from './windows.ts';

/** An id as a detection script prints it, wherever in its output: they hold no blank, quote, comma or semicolon. */
const INSTANCE = /(?:USB|HID|USBSTOR|DISPLAY)\\[^\s"',;|]+/gi;

/**
 * What a detection script of Intune Remediations has printed, for each device: Graph `deviceHealthScripts/{id}/deviceRunStates?$expand=managedDevice`
 * (deviceHealthScriptDeviceState), or a CSV with the same names. docs/evidence.md has a script that prints instance ids.
 */
export const intune: EvidenceFormat = {
  name: 'Intune detection script',
  fits: (content) => hasField(content, 'preRemediationDetectionScriptOutput'),
  read: (content) => {
    if (content.kind !== 'records') return [];
    const rows = content.records.flatMap(({ fields }): PnpRow[] => {
      const managed = Object.entries(fields).find(([name]) => name.toLowerCase() === 'manageddevice')?.[1];
      const computer = (isObject(managed) ? textOf(managed, 'deviceName') : undefined) ?? textOf(fields, 'deviceName');
      const at = timeOf(textOf(fields, 'lastStateUpdateDateTime'));
      const printed = textOf(fields, 'preRemediationDetectionScriptOutput') ?? '';
      return (printed.match(INSTANCE) ?? []).map((instance) => ({ computer, instance, at }));
    });
    return attachedOf(rows);
  },
};

import { type EvidenceFormat, hasField, known, cleanText, textOf } from './content.ts';
import { attachedOf } from './windows.ts';

/** `Get-CimInstance -Namespace root\wmi -ClassName WmiMonitorID`: Microsoft, WmiMonitorID class. Texts are lists of character codes, padded with zeros. */
export const monitorId: EvidenceFormat = {
  name: 'WmiMonitorID',
  fits: (content) => hasField(content, 'InstanceName') && hasField(content, 'ManufacturerName', 'ProductCodeID', 'UserFriendlyName'),
  read: (content) => {
    if (content.kind !== 'records') return [];
    return content.records.flatMap(({ fields }) => {
      const codes = (name: string): string | undefined => charactersOf(fields[name]) ?? textOf(fields, name);
      const instance = textOf(fields, 'InstanceName')?.replace(/_\d+$/, '');
      const computer = textOf(fields, 'SystemName', 'ComputerName', 'PSComputerName');
      if (instance === undefined) return [];
      const named = attachedOf([{ computer, instance, gone: textOf(fields, 'Active')?.toLowerCase() === 'false' }]);
      return named.map((one) => ({
        ...one,
        facts: {
          ...one.facts,
          ...known({
            'edid.vendor': codes('ManufacturerName'),
            'edid.product': codes('ProductCodeID')?.toLowerCase(),
            'edid.name': codes('UserFriendlyName'),
            // Windows writes 0 where the display has none.
            'edid.serial': codes('SerialNumberID')?.replace(/^0$/, '') || undefined,
          }),
        },
      }));
    });
  },
};

function charactersOf(value: unknown): string | undefined {
  if (!Array.isArray(value) || !value.every((one): one is number => Number.isInteger(one) && one >= 0 && one < 0x1_00_00)) return undefined;
  const end = value.indexOf(0);
  return cleanText(String.fromCharCode(...value.slice(0, end < 0 ? 256 : Math.min(end, 256))));
}

import { inputError } from '../../errors.ts';
import { type Content, type EvidenceFormat, hasField, textOf } from './content.ts';
import { attachedOf, isInstance, pnpRows } from './windows.ts';

const IDS = ['InstanceId', 'PNPDeviceID', 'DeviceID'] as const;
const NAMES = ['FriendlyName', 'Name', 'Caption', 'Description'] as const;
/** The computer's own name comes first: PSComputerName is what somebody typed, maybe an address. */
const COMPUTERS = ['SystemName', 'ComputerName', 'MachineName', 'PSComputerName'] as const;

export const PNP_HEADINGS = [...IDS, ...NAMES, ...COMPUTERS, 'Manufacturer', 'Class', 'PNPClass', 'Present', 'Status', 'HardwareID'];

/** `Get-PnpDevice`, `Get-CimInstance Win32_PnPEntity` (CSV or JSON): Microsoft, Win32_PnPEntity class. */
export const pnpDevice: EvidenceFormat = {
  name: 'Get-PnpDevice',
  fits: (content) => hasField(content, ...IDS, 'HardwareID') && !hasField(content, 'AdditionalFields'),
  read: (content) => {
    if (content.kind !== 'records') return [];
    const rows = pnpRows(content.records, ({ fields }) => {
      const instance = IDS.map((name) => textOf(fields, name)).find(isInstance);
      if (instance === undefined) return undefined;
      const present = textOf(fields, 'Present')?.toLowerCase();
      return {
        computer: textOf(fields, ...COMPUTERS),
        instance,
        name: textOf(fields, ...NAMES),
        maker: textOf(fields, 'Manufacturer'),
        kind: textOf(fields, 'Class', 'PNPClass'),
        gone: present === 'false' || (present === undefined && textOf(fields, 'Status') === 'Unknown'),
      };
    });
    if (rows.length === 0) throw withoutIds(content);
    return attachedOf(rows);
  },
};

function withoutIds(content: Content): Error {
  const place = content.kind === 'records' ? content.records[0]?.place : undefined;
  const lists =
    content.kind === 'records' &&
    content.records.some(({ fields }) => Object.values(fields).some((value) => /^System\.\w+\[\]$/.test(String(value))));
  const why = lists ? 'its lists came out as "System.String[]", and ' : '';
  return inputError(
    'bad-evidence',
    {
      reason: `${why}no row has an instance id (USB\\VID_…): export it with Get-PnpDevice | Select-Object Status,Present,Class,FriendlyName,InstanceId,Manufacturer,SystemName`,
    },
    place,
  );
}

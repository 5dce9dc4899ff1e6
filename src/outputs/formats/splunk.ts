import { stringify } from 'csv-stringify/sync';
import type { Finding } from '../../reconcile/index.ts';
import { count, printable } from '../../text.ts';
import { CLASS_SEVERITY, type State } from '../../vocabulary.ts';
import { assets, findingsByDevice, macsOf, ownerOf, recordsLeftOut, tellingNames } from './devices.ts';
import type { TextFormat } from './format.ts';
import { SUMMARIES } from './summaries.ts';

/** The columns of an asset list of Splunk Enterprise Security, in its order. */
const COLUMNS = [
  'ip',
  'mac',
  'nt_host',
  'dns',
  'owner',
  'priority',
  'lat',
  'long',
  'city',
  'country',
  'bunit',
  'category',
  'pci_domain',
  'is_expected',
  'should_timesync',
  'should_update',
  'requires_av',
  'cim_entity_zone',
] as const;
type Row = Readonly<Partial<Record<(typeof COLUMNS)[number], string>>>;

/** An approval holds, and nothing about the device contradicts it. */
const EXPECTED: ReadonlySet<State> = new Set<State>(['approved-present', 'expiring']);

/**
 * The asset lookup of Splunk Enterprise Security: a row for each device. `is_expected` says whether somebody approved it; without findings it is empty.
 * Lists within a cell are separated by `|`. It is no file for Excel: text is written as it is.
 *
 * Source: Splunk Enterprise Security, "Format an asset or identity list as a lookup".
 */
export const splunk: TextFormat = {
  id: 'splunk',
  summary: SUMMARIES.splunk,
  text: ({ inventory, findings }) => {
    const { devices, notes } = assets(inventory);
    const byDevice = findingsByDevice(findings);
    const names = tellingNames(devices);
    let keyless = 0;
    const rows = devices.flatMap((device): Row[] => {
      const finding: Finding | undefined = byDevice.get(device.deviceKey);
      const name = names.get(device.deviceKey);
      const macs = macsOf(device).map((mac) => mac.toLowerCase());
      if (device.addresses.length === 0 && macs.length === 0 && name === undefined) {
        keyless += 1;
        return [];
      }
      return [
        {
          ip: device.addresses.join('|'),
          mac: macs.join('|'),
          ...(name === undefined ? {} : name.includes('.') ? { dns: name } : { nt_host: name }),
          owner: listText(ownerOf(finding) ?? ''),
          priority: PRIORITY[CLASS_SEVERITY[device.class]],
          category: ['remote_access', device.class, ...(finding === undefined ? [] : [finding.state])].join('|'),
          ...(finding === undefined ? {} : { is_expected: EXPECTED.has(finding.state) ? 'true' : 'false' }),
        },
      ];
    });
    return {
      text: stringify([...rows], { header: true, columns: [...COLUMNS] }),
      notes: [
        ...notes,
        ...(keyless === 0
          ? []
          : [`${count(keyless, 'device')} without address, MAC and name of its own left out: the lookup has no key for it`]),
        ...recordsLeftOut(findings),
      ],
    };
  },
};

const PRIORITY = { critical: 'critical', high: 'high', medium: 'medium', low: 'low', info: 'low' } as const;

/** One value of a list: the sign between values does not stand in it. */
function listText(value: string): string {
  return printable(value).replaceAll('|', '/');
}

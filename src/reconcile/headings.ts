import { count } from '../text.ts';

/**
 * What columns of approved lists are called, by meaning: as compared, so in lower case and with letters and digits only. Each line is a group;
 * a group before another is more specific. Collected from the exports and field names of ServiceNow, NetBox, Snipe-IT, phpIPAM, Lansweeper, Device42
 * and the asset look-up of Splunk ES.
 */
const HEADINGS = {
  serial: ['servicetag serial serials serialnumber serialno serialnum sn chassisserial chassisserialnumber'],
  mac: [
    'bmcmac bmcmacaddress oobmac oobmacaddress managementmac managementmacaddress mgmtmac mgmtmacaddress',
    'mac macs macaddress macaddresses macaddr primarymac primarymacaddress physicaladdress ethernetaddress hwaddress hardwareaddress nicmac',
  ],
  uuid: ['uuid uuids systemuuid smbiosuuid guid systemguid'],
  host: ['fqdn fqdns dnsname dns', 'hostname hostnames host nthost computername machinename'],
  name: ['displayname devicename assetname itemname name'],
  address: [
    'bmcip bmcipaddress bmcaddress oobip oobipaddress managementip managementipaddress managementaddress mgmtip mgmtipaddress mgmtaddress',
    'ipv4 ipv4address ipv6 ipv6address primaryip4 primaryip6 primaryipv4 primaryipv6',
    'ip ips ipaddress ipaddresses ipaddr primaryip',
    'address addresses',
  ],
  class: ['class deviceclass kind devicekind', 'type assettype', 'category role sysclassname'],
  vendor: ['manufacturer vendor make oem brand maker'],
  product: ['product productname productline'],
  model: ['model modelname modelnumber modelid hwmodel devicetype'],
  version: ['firmware firmwareversion fwversion', 'version softwareversion productversion'],
  certificate: ['spki spkisha256 tlsspki certificatespki certificatekey publickeysha256'],
  owner: ['owner ownedby', 'managedby assignedto supportgroup custodian contact'],
  site: ['site', 'location datacenter datacentre', 'building', 'room', 'rack'],
  ticket: ['ticket approvalid approvalticket changenumber exceptionid'],
  id: ['assettag', 'assetid assetno assetnumber inventorynumber ci cinumber', 'sysid id'],
  status: ['status installstatus operationalstatus state lifecycle lifecyclestatus statuslabel'],
  approved: ['approved isapproved authorised authorized sanctioned isexpected'],
  validFrom: ['validfrom notbefore approvedfrom startdate'],
  validUntil: ['validuntil validto notafter approveduntil expires expireson expiry expirydate expirationdate enddate', 'reviewdate'],
  window: ['window windows approvalwindow maintenancewindow maintenancewindows timewindow'],
  ignore: ['ignore ignored'],
  reason: ['ignorereason exceptionreason', 'reason justification'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Meaning = keyof typeof HEADINGS;

/** What names a device. A list without any of these cannot be reconciled. */
const IDENTIFYING: ReadonlySet<Meaning> = new Set(['serial', 'mac', 'uuid', 'host', 'name', 'address']);
/** Several columns of one of these are no choice: all of them count. */
const JOINED: ReadonlySet<Meaning> = new Set(['mac', 'address', 'host', 'status', 'site']);

const MEANINGS: ReadonlyMap<string, { readonly meaning: Meaning; readonly group: number }> = new Map(
  entriesOf(HEADINGS).flatMap(([meaning, groups]) =>
    groups.flatMap((words, group) => words.split(' ').map((word) => [word, { meaning, group }] as const)),
  ),
);

function entriesOf<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  // Object.entries forgets which keys there are.
  const keys: K[] = [];
  for (const key in record) if (Object.hasOwn(record, key)) keys.push(key);
  return keys.map((key) => [key, record[key]]);
}

/** A heading as it is compared. */
export function foldHeading(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

export function isKnownHeading(heading: string): boolean {
  return MEANINGS.has(foldHeading(heading));
}

export interface Column {
  readonly heading: string;
  /** Its place in the file. */
  readonly index: number;
  readonly meaning: Meaning;
  /** The smaller, the more specific. */
  readonly group: number;
}

export interface Columns {
  /** By meaning, the most specific first, else in the order of the file. */
  readonly of: ReadonlyMap<Meaning, readonly Column[]>;
  readonly identifying: boolean;
  readonly notes: readonly string[];
}

/** What the headings of a list mean: which columns are used, which is preferred, which are ignored. */
export function readHeadings(headings: readonly string[]): Columns {
  const of = new Map<Meaning, Column[]>();
  const ignored: string[] = [];
  for (const [index, heading] of headings.entries()) {
    const known = MEANINGS.get(foldHeading(heading));
    if (known === undefined) {
      if (heading.trim() !== '') ignored.push(heading.trim());
      continue;
    }
    const columns = of.get(known.meaning) ?? [];
    of.set(known.meaning, [...columns, { heading: heading.trim(), index, ...known }]);
  }
  const sorted = new Map(
    [...of].map(([meaning, columns]) => [meaning, columns.toSorted((a, b) => a.group - b.group || a.index - b.index)] as const),
  );
  return {
    of: sorted,
    identifying: [...sorted.keys()].some((meaning) => IDENTIFYING.has(meaning)),
    notes: [...[...sorted].flatMap(choiceNote), ...ignoredNote(ignored)],
  };
}

function choiceNote([meaning, columns]: readonly [Meaning, readonly Column[]]): string[] {
  const [first, ...rest] = columns;
  const others = rest.filter(({ group }) => group !== first?.group || !JOINED.has(meaning));
  if (first === undefined || others.length === 0 || meaning === 'status') return [];
  return [
    `"${first.heading}" is read before ${others.map(({ heading }) => `"${heading}"`).join(', ')} (${WORDS[meaning] ?? meaning}); what comes later counts where the first is empty`,
  ];
}

const WORDS: Readonly<Partial<Record<Meaning, string>>> = {
  mac: 'MAC address',
  address: 'IP address',
  host: 'host name',
  uuid: 'UUID',
  serial: 'serial number',
  certificate: 'key of the certificate',
  validFrom: 'begin of the approval',
  validUntil: 'end of the approval',
  ignore: 'exception',
};

function ignoredNote(headings: readonly string[]): string[] {
  return headings.length === 0
    ? []
    : [`ignored: ${count(headings.length, 'column')} of no known meaning (${headings.map((heading) => `"${heading}"`).join(', ')})`];
}

/** Whether all cells of a row count that stand under headings of a meaning and are equally specific. */
export function isJoined(meaning: Meaning): boolean {
  return JOINED.has(meaning);
}

import { count } from '../text.ts';

/**
 * What columns of approved lists are called, by meaning: as compared, so in lower case and with letters and digits only. Each line is a group;
 * a group before another is more specific. Collected from the exports and field names of ServiceNow, NetBox, Snipe-IT, phpIPAM, Lansweeper, Device42
 * and the asset look-up of Splunk ES, and from GLPI's labels in English, German and French (glpi-project/glpi `locales/de_DE.php`, `fr_FR.php`).
 */
const HEADINGS = {
  serial: ['servicetag serial serials serialnumber serialno serialnum sn chassisserial chassisserialnumber seriennummer numérodesérie'],
  mac: [
    'bmcmac bmcmacaddress oobmac oobmacaddress managementmac managementmacaddress mgmtmac mgmtmacaddress idracmac idracmacaddress ilomac ilomacaddress ipmimac ipmimacaddress kvmmac',
    'mac macs macaddress macaddresses macaddr primarymac primarymacaddress physicaladdress ethernetaddress hwaddress hardwareaddress nicmac macadresse adressemac',
  ],
  uuid: ['uuid uuids systemuuid smbiosuuid guid systemguid'],
  host: ['fqdn fqdns dnsname dns', 'hostname hostnames host nthost computername machinename'],
  name: ['displayname devicename assetname itemname name nom gerätename'],
  address: [
    'bmcip bmcipaddress bmcaddress oobip oobipaddress managementip managementipaddress managementaddress mgmtip mgmtipaddress mgmtaddress idracip idracipaddress iloip iloipaddress ipmiip ipmiipaddress kvmip kvmipaddress',
    'ipv4 ipv4address ipv6 ipv6address primaryip4 primaryip6 primaryipv4 primaryipv6',
    'ip ips ipaddress ipaddresses ipaddr primaryip ipadresse adresseip',
    'address addresses',
  ],
  class: ['class deviceclass kind devicekind', 'type types assettype typ gerätetyp', 'category role sysclassname kategorie catégorie'],
  vendor: ['manufacturer manufacturers vendor make oem brand maker hersteller fabricant'],
  product: ['product productname productline'],
  model: ['model modelname modelnumber modelid hwmodel devicetype modell modèle'],
  version: ['firmware firmwareversion fwversion', 'version softwareversion productversion'],
  certificate: ['spki spkisha256 tlsspki certificatespki certificatekey publickeysha256'],
  owner: [
    'owner ownedby',
    'managedby assignedto supportgroup custodian contact responsible responsibleperson kontakt verantwortlich verantwortlicher verwaltendeperson responsabletechnique',
  ],
  site: ['site', 'location locations datacenter datacentre standort standorte lieu', 'building', 'room', 'rack'],
  ticket: ['ticket ticketid ticketnumber approvalid approvalticket changeticket changenumber exceptionid'],
  id: ['assettag', 'assetid assetno assetnumber inventorynumber ci cinumber inventarnummer inventarnr invnr numérodinventaire', 'sysid id'],
  status: ['status installstatus operationalstatus state lifecycle lifecyclestatus statuslabel statut'],
  approved: ['approved isapproved authorised authorized sanctioned isexpected'],
  validFrom: ['validfrom notbefore approvedfrom startdate gültigab gültigvon'],
  validUntil: [
    'validuntil validtill validto notafter approveduntil approvedtill approvalexpires approvalends gültigbis expires expireson expiry expirydate expirationdate enddate',
    'reviewdate',
  ],
  window: ['window windows approvalwindow maintenancewindow maintenancewindows timewindow'],
  ignore: ['ignore ignored'],
  reason: ['ignorereason exceptionreason', 'reason justification'],
  network: ['network networks cidr cidrs subnet subnets'],
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
  return heading
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** What stands behind the last dot of a dot-walked heading (ServiceNow) and names no field of its own: `location.name` is the location. */
const LABEL_FIELDS: ReadonlySet<string> = new Set(['name', 'displayname', 'displayvalue', 'label', 'value', 'fullname']);
/** References to the asset itself, or to what it is a model of: `cmdb_ci.ip_address` is its address, `owned_by.location` is not its place. */
const OWN_REFERENCES: ReadonlySet<string> = new Set(['ci', 'cmdbci', 'asset', 'configurationitem', 'modelid', 'model']);

function meaningOf(heading: string): { readonly meaning: Meaning; readonly group: number } | undefined {
  const whole = MEANINGS.get(foldHeading(heading));
  if (whole !== undefined || !heading.includes('.')) return whole;
  const parts = heading.split('.').map(foldHeading);
  const last = parts.pop() ?? '';
  const reference = parts.at(-1) ?? '';
  if (LABEL_FIELDS.has(last) && MEANINGS.has(reference)) return MEANINGS.get(reference);
  return parts.every((part) => OWN_REFERENCES.has(part)) ? MEANINGS.get(last) : undefined;
}

export function isKnownHeading(heading: string): boolean {
  return meaningOf(heading) !== undefined;
}

/** What a word means where an operator uses it: the name of a meaning, or any heading that has it. */
export function meaningNamed(word: string): Meaning | undefined {
  const folded = foldHeading(word);
  return entriesOf(HEADINGS).find(([meaning]) => foldHeading(meaning) === folded)?.[0] ?? MEANINGS.get(folded)?.meaning;
}

export const MEANING_NAMES: readonly Meaning[] = entriesOf(HEADINGS).map(([meaning]) => meaning);

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

/** What a list's headings mean where it is not what they usually mean. */
export interface HeadingRules {
  /** What the operator says of headings, by how they are compared. Where a list has one of them, no other is read for that meaning. */
  readonly mapped?: ReadonlyMap<string, Meaning>;
  /** What the list's system means by a heading. */
  readonly own?: ReadonlyMap<string, Meaning>;
  /** Whether it holds rules: only they have networks. */
  readonly forRules?: boolean;
}

/** What the headings of a list mean: which columns are used, which is preferred, which are ignored. */
export function readHeadings(headings: readonly string[], { mapped = new Map(), own, forRules = false }: HeadingRules = {}): Columns {
  const of = new Map<Meaning, Column[]>();
  const ignored: string[] = [];
  const replaced: string[] = [];
  const folded = headings.map(foldHeading);
  const chosen = new Set(folded.flatMap((heading) => mapped.get(heading) ?? []));
  for (const [index, heading] of headings.entries()) {
    const said = mapped.get(folded[index] ?? '');
    const usual = own?.get(folded[index] ?? '');
    const known =
      said !== undefined ? { meaning: said, group: 0 } : usual !== undefined ? { meaning: usual, group: 0 } : meaningOf(heading);
    if (known === undefined || (known.meaning === 'network' && !forRules)) {
      if (heading.trim() !== '') ignored.push(heading.trim());
    } else if (said === undefined && chosen.has(known.meaning)) replaced.push(heading.trim());
    else {
      const columns = of.get(known.meaning) ?? [];
      of.set(known.meaning, [...columns, { heading: heading.trim(), index, ...known }]);
    }
  }
  const sorted = new Map(
    [...of].map(([meaning, columns]) => [meaning, columns.toSorted((a, b) => a.group - b.group || a.index - b.index)] as const),
  );
  return {
    of: sorted,
    identifying: [...sorted.keys()].some((meaning) => IDENTIFYING.has(meaning)),
    notes: [
      ...[...sorted].flatMap(choiceNote),
      ...(replaced.length === 0 ? [] : [`not read, because --map names others: ${replaced.map((heading) => `"${heading}"`).join(', ')}`]),
      ...ignoredNote(ignored),
    ],
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

const MAX_IGNORED = 12;

function ignoredNote(headings: readonly string[]): string[] {
  if (headings.length === 0) return [];
  const more = headings.length > MAX_IGNORED ? ' …' : '';
  return [
    `ignored: ${count(headings.length, 'column')} of no known meaning (${headings
      .slice(0, MAX_IGNORED)
      .map((heading) => `"${heading}"`)
      .join(', ')}${more})`,
  ];
}

/** Whether all cells of a row count that stand under headings of a meaning and are equally specific. */
export function isJoined(meaning: Meaning): boolean {
  return JOINED.has(meaning);
}

import { expect, test } from 'vitest';
import { readHeadings } from '../../src/reconcile/headings.ts';

/** The synonyms that inventory tools are known to use, as teams spell them. */
const SYNONYMS: Readonly<Record<string, string>> = {
  mac: 'mac|MAC Address|mac_addr|mac-addresses|Primary MAC|primary_mac_address|PhysicalAddress|Ethernet Address|HW Address|hardwareAddress|BMC MAC|NIC MAC|MAC-Adresse|Adresse MAC|iDRAC MAC|iLO MAC Address',
  address:
    'ip|IP Address|ip_addresses|IPAddr|IPv4|ipv4-address|IPv6 Address|primary_ip|primary_ip4|Management IP|mgmt_ip|OOB IP|BMC IP|address|IP-Adresse|Adresse IP|iDRAC IP|iLO IP Address|IPMI IP|KVM IP',
  host: 'HostName|host|FQDN|DNS Name|dns|ComputerName|Machine Name|nt_host|cmdb_ci.fqdn',
  name: 'name|Device Name|AssetName|displayName|Nom|Gerätename',
  serial: 'serial|Serial Number|serial_no|SN|S/N|Service Tag|SerialNum|Seriennummer|Numéro de série|Nume\u0301ro de se\u0301rie',
  uuid: 'uuid|System UUID|SMBIOS UUID|GUID',
  id: "asset_tag|Asset ID|asset_no|Asset Number|Inventory Number|CI|CI Number|sys_id|Inventarnummer|Numéro d'inventaire|asset.asset_tag",
  vendor: 'Manufacturer|vendor|make|OEM|Brand|Hersteller|Fabricant|manufacturer.name|model_id.manufacturer',
  model: 'model|model_id|Model Name|model_number|hw_model|Device Type|Modell|Modèle|model_id.display_name',
  owner: 'owner|owned_by|managed_by|Assigned To|support_group|Custodian|Contact|owned_by.name|Responsible|Verantwortlich',
  site: 'Site|Location|Building|Room|Rack|Datacenter|Standort|Lieu|location.name',
  status: 'status|install_status|Operational Status|State|lifecycle|Statut',
  approved: 'approved|Authorised|authorized|Sanctioned|is_expected',
  ticket: 'approval_id|Change Number|Exception ID|ticket|Ticket number|Ticket ID',
  validUntil: 'expires|Expiry|Expiry Date|Valid Until|approved_until|Review Date|Valid till|Approval expires|Gültig bis',
};

test.for(Object.entries(SYNONYMS).flatMap(([meaning, all]) => all.split('|').map((heading) => ({ meaning, heading }))))(
  '$heading means $meaning',
  ({ meaning, heading }) => expect([...readHeadings([heading]).of.keys()]).toEqual([meaning]),
);

test.for([
  // What a reference leads to is not the asset.
  'owned_by.location',
  'manufacturer.address',
  'location.ip_address',
  'u_oob.ip_address',
  'Network',
  'Description',
])('%s is of no known meaning', (heading) => expect(readHeadings([heading]).of.size).toBe(0));

import { createCB } from 'xmlbuilder2';
import type { AttributesObject, XMLBuilderCB } from 'xmlbuilder2/lib/interfaces.js';
import { deviceName, type Device } from '../../devices/device.ts';
import type { Inventory } from '../../inventory/schema.ts';
import { byAddress } from '../../observations/read.ts';
import type { Finding } from '../../reconcile/index.ts';
import { parseAddress } from '../../targets/addresses.ts';
import { count, printable, shortened } from '../../text.ts';
import type { Transport } from '../../vocabulary.ts';
import { findingsByDevice, macsOf, recordsLeftOut, takenAt } from './devices.ts';
import type { TextFormat } from './format.ts';
import { SUMMARIES } from './summaries.ts';

/** Characters of one value; nmap's own scripts stay far below. */
const MAX_TEXT = 1024;

/** How nmap calls what our probes speak: its service names, and whether they run inside TLS. Others keep the name of the probe. */
const SERVICES: Readonly<Record<string, { readonly name: string; readonly tunnel?: 'ssl' }>> = {
  https: { name: 'http', tunnel: 'ssl' },
  tls: { name: 'unknown', tunnel: 'ssl' },
  rfb: { name: 'vnc' },
  ipmi: { name: 'asf-rmcp' },
  ssdp: { name: 'upnp' },
  netbios: { name: 'netbios-ns' },
  slp: { name: 'svrloc' },
  wsd: { name: 'ws-discovery' },
};
/** Here something said a text of its own, and nobody knows in which protocol. */
const NAMELESS: ReadonlySet<string> = new Set(['listen', 'listen-http']);

interface Endpoint {
  readonly port: number;
  readonly transport: Transport;
  readonly probe: string;
}

/** What stands at one address: more than one device where a router or proxy hides them. */
interface Host {
  readonly endpoints: Endpoint[];
  readonly devices: Device[];
  mac?: { readonly value: string; readonly vendor?: string | undefined };
}

/**
 * XML in the form of `nmap -oX`, valid by nmap's own DTD (which is why `scanner` says nmap; `args` says what it was). Read by ndiff and by whatever
 * imports nmap's files. A host is an address, a port one that answered; what we know of the device stands in a script element.
 *
 * Source: nmap.dtd 38396 (xmloutputversion 1.05).
 */
export const nmapXml: TextFormat = {
  id: 'nmap-xml',
  summary: SUMMARIES['nmap-xml'],
  text: ({ inventory, findings }) => {
    const chunks: string[] = [];
    const xml = createCB({ prettyPrint: true, data: (chunk: string) => chunks.push(chunk) })
      .dec({ version: '1.0', encoding: 'UTF-8' })
      .dtd({ name: 'nmaprun' });
    const { run, tool, asked } = inventory;
    const started = run === undefined ? undefined : Date.parse(run.startedAt);
    xml.ele('nmaprun', {
      scanner: 'nmap',
      args: text(['kvmsweep', ...(run?.arguments ?? ['identify'])].join(' ')),
      ...(started === undefined ? {} : { start: seconds(started), startstr: clockText(started) }),
      version: text(tool.version),
      xmloutputversion: '1.05',
    });
    for (const transport of ['tcp', 'udp'] as const) {
      const services = askedPorts(asked?.ports ?? [], transport);
      if (services.length > 0)
        leaf(xml, 'scaninfo', {
          type: transport === 'tcp' ? 'connect' : 'udp',
          protocol: transport,
          numservices: services.length,
          services: services.join(','),
        });
    }
    leaf(xml, 'verbose', { level: 0 });
    leaf(xml, 'debugging', { level: 0 });
    const byDevice = findingsByDevice(findings);
    const hosts = hostsOf(inventory);
    for (const [address, host] of [...hosts].toSorted(([a], [b]) => byAddress(a, b)))
      writeHost(xml, address, host, asked?.names[address], byDevice);
    writeEnd(xml, inventory, hosts.size, started);
    xml.end();
    const homeless = inventory.devices.filter(({ addresses }) => !addresses.some((address) => parseAddress(address) !== undefined)).length;
    return {
      text: `${chunks.join('')}\n`,
      notes: [
        ...(homeless === 0
          ? []
          : [`${count(homeless, 'device')} attached to computers left out: in nmap's form everything has an address`]),
        ...recordsLeftOut(findings),
      ],
    };
  },
};

/** Of devices, and of the addresses that answered and that no definition claims: their ports were found open just as well. */
function hostsOf({ devices, unrecognised }: Inventory): Map<string, Host> {
  const hosts = new Map<string, Host>();
  const at = (address: string): Host => {
    const known = hosts.get(address);
    if (known !== undefined) return known;
    const host: Host = { endpoints: [], devices: [] };
    hosts.set(address, host);
    return host;
  };
  for (const device of devices) {
    for (const address of device.addresses.filter((one) => parseAddress(one) !== undefined)) {
      const host = at(address);
      host.devices.push(device);
      host.endpoints.push(...device.endpoints.filter(({ host: one }) => one === address));
      const [mac, ...others] = macsOf(device);
      // Of a device with several addresses it is not known which of them its card has.
      if (mac !== undefined && others.length === 0 && device.addresses.length === 1) host.mac ??= { value: mac, vendor: device.macVendor };
    }
  }
  for (const { host: address, mac, macVendor, endpoints } of unrecognised) {
    const host = at(address);
    host.endpoints.push(...endpoints.flatMap((written) => endpointOf(written)));
    if (mac !== undefined) host.mac ??= { value: mac, vendor: macVendor };
  }
  return hosts;
}

/** `443/tcp=https`, as an inventory writes what answered. */
function endpointOf(written: string): Endpoint[] {
  const { port, transport, probe } = /^(?<port>\d+)\/(?<transport>tcp|udp)=(?<probe>.+)$/.exec(written)?.groups ?? {};
  return port === undefined || probe === undefined ? [] : [{ port: Number(port), transport: transport as Transport, probe }];
}

/** The numbers of the ports that were asked, in order. */
function askedPorts(ports: readonly string[], transport: Transport): number[] {
  return ports.flatMap((written) =>
    endpointOf(written.replace(/@living$/, '')).flatMap((one) => (one.transport === transport ? [one.port] : [])),
  );
}

function writeHost(
  xml: XMLBuilderCB,
  address: string,
  { endpoints, devices, mac }: Host,
  name: string | undefined,
  findings: ReadonlyMap<string, Finding>,
): void {
  const inOrder = endpoints.toSorted((a, b) => (a.transport === b.transport ? a.port - b.port : a.transport < b.transport ? -1 : 1));
  const ports = new Map(inOrder.map((one) => [`${one.port}/${one.transport}`, one]));
  const [first] = inOrder;
  xml.ele('host');
  leaf(xml, 'status', { state: 'up', reason: first === undefined ? 'arp-response' : reasonOf(first), reason_ttl: 0 });
  leaf(xml, 'address', { addr: text(address), addrtype: address.includes(':') ? 'ipv6' : 'ipv4' });
  if (mac !== undefined)
    leaf(xml, 'address', { addr: text(mac.value), addrtype: 'mac', ...(mac.vendor === undefined ? {} : { vendor: text(mac.vendor) }) });
  if (name !== undefined) {
    xml.ele('hostnames');
    leaf(xml, 'hostname', { name: text(name), type: 'user' });
    xml.up();
  }
  if (ports.size > 0) {
    xml.ele('ports');
    for (const endpoint of ports.values()) writePort(xml, endpoint);
    xml.up();
  }
  if (devices.length > 0) {
    xml.ele('hostscript');
    for (const device of devices) writeDevice(xml, device, findings.get(device.deviceKey));
    xml.up();
  }
  xml.up();
}

function writePort(xml: XMLBuilderCB, endpoint: Endpoint): void {
  const { port, transport, probe } = endpoint;
  xml.ele('port', { protocol: transport, portid: port });
  leaf(xml, 'state', { state: 'open', reason: reasonOf(endpoint), reason_ttl: 0 });
  if (!NAMELESS.has(probe)) leaf(xml, 'service', { ...(SERVICES[probe] ?? { name: text(probe) }), method: 'probed', conf: 10 });
  xml.up();
}

function writeDevice(xml: XMLBuilderCB, device: Device, finding: Finding | undefined): void {
  const fields = Object.entries({
    device: deviceName(device),
    class: device.class,
    vendor: device.vendor,
    product: device.product,
    generation: device.generation,
    model: device.model,
    version: device.version,
    serial: device.serial,
    hostname: device.hostname,
    base: device.base,
    certainty: `${device.level} ${device.certainty}`,
    posture: device.posture.length === 0 ? undefined : device.posture.join(' '),
    deviceKey: device.deviceKey,
    state: finding?.state,
    severity: finding?.severity,
    asset: finding?.asset?.id ?? finding?.asset?.name,
    owner: finding?.asset?.owner,
  }).flatMap(([key, value]) => (value === undefined ? [] : [[key, text(value)] as const]));
  xml.ele('script', {
    id: 'kvmsweep',
    output: text(
      `${deviceName(device)} (${device.class}, ${device.level} ${device.certainty})${finding === undefined ? '' : `: ${finding.state}`}`,
    ),
  });
  for (const [key, value] of fields) xml.ele('elem', { key }).txt(value).up();
  xml.up();
}

/**
 * The counts of the end. `down` are those that nothing came back from, as nmap uses the word: not that there is nothing. An inventory that was made of
 * other tools' files has no account, and counts what it lists.
 */
function writeEnd(xml: XMLBuilderCB, inventory: Inventory, listed: number, started: number | undefined): void {
  const { run, asked, ledger, completeness } = inventory;
  const at = takenAt(inventory) ?? started ?? 0;
  xml.ele('runstats');
  const [why] = completeness.limitations;
  leaf(xml, 'finished', {
    time: seconds(at),
    timestr: clockText(at),
    elapsed: started === undefined || run?.endedAt === undefined ? '0' : ((at - started) / 1000).toFixed(2),
    exit: completeness.complete ? 'success' : 'error',
    ...(why === undefined ? {} : { errormsg: text(why.text) }),
  });
  const total = asked?.hosts ?? listed;
  const up = ledger?.alive ?? listed;
  leaf(xml, 'hosts', { up, down: Math.max(0, total - up), total: Math.max(total, up) });
}

function reasonOf({ transport }: Endpoint): string {
  return transport === 'tcp' ? 'syn-ack' : 'udp-response';
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

/** Like nmap's own: `Thu Nov 26 13:09:34 2026`, but in UTC, wherever it is made. */
function clockText(ms: number): string {
  const [weekday = '', day = '', month = '', year = '', time = ''] = new Date(ms).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${time} ${year}`;
}

/** An element with nothing in it. */
function leaf(xml: XMLBuilderCB, name: string, attributes: AttributesObject): void {
  xml.ele(name, attributes).up();
}

/**
 * A text without what XML 1.0 has no place for (controls, halves of surrogate pairs), on one line and bounded. Ampersands are written out here:
 * xmlbuilder2 leaves what looks like an entity as it is, and a device that says `&lt;` means those four characters.
 */
function text(value: string): string {
  return shortened(printable(value), MAX_TEXT)
    .toWellFormed()
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;');
}

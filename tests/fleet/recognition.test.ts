import { mkdtempSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadKnowledge } from '../../src/cli/knowledge.ts';
import type { Device } from '../../src/devices/device.ts';
import { type Fleet, FLEET_PORTS, type FleetHost, loadPersonas, portsOption, startFleet } from '../../src/fleet/index.ts';
import { deriveInventory } from '../../src/inventory/derive.ts';
import { scan, type ScanResult } from '../../src/scan/scan.ts';
import { AllowedPaths, type PathKind } from '../../src/sweep/paths.ts';
import { parseAddress } from '../../src/targets/addresses.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parsePorts } from '../../src/targets/ports.ts';

/**
 * Every simulated device, swept once with the definitions, to which most of them are blind: the persona came first. Each is held field by field
 * against what the persona's sources say the device tells; decoys and software must at least not be called something else.
 */
const UNKNOWN = /^(decoy|hostile|novnc|vnc)-/;
const FIELDS = ['class', 'vendor', 'generation', 'model', 'version', 'serial', 'hostname'] as const;

/** Where the two sides differ and neither is wrong: `persona field` and why. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  'apc-nmc class': 'a card is that of a UPS where nothing says that it is a PDU',
  'avocent-dsview generation': 'its Server header says more than its sources',
  'avocent-dsview version': 'its Server header says more than its sources',
  'dezukvm vendor': 'the project is its own maker',
  'digi-connect-me model': 'its discovery protocol names it',
  'digi-portserver version': 'its discovery protocol tells it',
  'lantronix-slc model': 'its page names it',
  'lantronix-xport model': 'the software type of its discovery protocol',
  'moxa-nport model': 'the hardware id of its search answer',
  'fujitsu-irmc hostname': 'the realm holds the name of the factory',
  'lenovo-xcc model': 'the machine type',
  'servertech-sentry3 generation': 'told by its web server',
  'dell-idrac6-blade hostname': 'the name stands in a redirect only',
  'tinypilot-1 hostname': 'tinypilot is the default name, which says nothing of the unit',
  'tinypilot-1 generation': 'the line has no generations; its version tells',
  'tinypilot-2-accounts generation': 'the line has no generations; its version tells',
  'tinypilot-2-factory generation': 'the line has no generations; its version tells',
  'tinypilot-2-accounts version': 'told by the size of a static file',
  'pikvm-v3.29 version': 'told by the size of a static file',
  'pikvm-v4 version': 'told by the sizes of static files',
  'pikvm-v4-vnc-ipmi version': 'told by the sizes of static files',
};

/** Devices that, without a credential, say no more than who made them. */
const SILENT: ReadonlySet<string> = new Set(['raritan-px2']);
/** Devices that show less than what makes certain. */
const LESS: Readonly<Record<string, string>> = {
  'avocent-acs8000': 'possible',
  'avocent-dsr': 'likely',
  'bmc-ipmi-only': 'likely',
  'bmc-redfish-only': 'likely',
  'dash-controller': 'likely',
  'eric-oem': 'likely',
};

let fleet: Fleet;
let devices: Map<string, Device[]>;
let result: ScanResult;
const trapped: string[] = [];
const traps: net.Server[] = [];

async function trapAt(host: string, port: number): Promise<void> {
  const trap = net.createServer((socket) => {
    trapped.push(`${socket.remoteAddress} came to ${host}:${port}`);
    socket.destroy();
  });
  await new Promise<void>((resolve) => trap.listen(port, host, resolve));
  traps.push(trap);
}

beforeAll(async () => {
  // Devices redirect here. Nothing may ever come.
  for (const port of [FLEET_PORTS.http, FLEET_PORTS.https]) await trapAt('127.99.99.99', port);
  fleet = await startFleet(loadPersonas().map(({ id }, i) => ({ persona: id, address: `127.78.0.${i + 1}` })));
  const line = fleet.hosts.find(({ persona }) => persona === 'hostile-ssdp-serial-line')?.address;
  if (line !== undefined) await trapAt(line, 9100);
  const { matcher, paths } = loadKnowledge();
  const journal = join(mkdtempSync(join(tmpdir(), 'kvmsweep-')), 'journal.ndjson');
  const addresses = fleet.hosts.map(({ address }) => parseAddress(address) as number);
  result = await scan(
    {
      hosts: new HostSet(addresses.map((address) => ({ first: address, last: address }))),
      ports: parsePorts(portsOption(FLEET_PORTS)).ports,
      seed: 1,
      rate: 2000,
      ratePerNetwork: 2000,
      retries: 1,
      hostTimeoutMs: 20_000,
      arguments: ['test'],
    },
    { journal, matcher, guard: Guard.fromEnvironment(), paths },
  );
  const { inventory } = await deriveInventory(journal, matcher);
  devices = new Map(
    fleet.hosts.map(({ address }) => [address, (inventory.devices as Device[]).filter((device) => device.addresses.includes(address))]),
  );
}, 120_000);

afterAll(async () => {
  await fleet.stop();
  for (const trap of traps) trap.close();
});

function known(): FleetHost[] {
  return fleet.hosts.filter(({ persona }) => !UNKNOWN.test(persona) && !SILENT.has(persona));
}

function of(host: FleetHost): Device | undefined {
  return devices.get(host.address)?.[0];
}

test('the sweep of all of them is complete, hostile ones included', () => {
  expect(result.limitations).toEqual([]);
  expect(fleet.hosts.length).toBeGreaterThan(90);
});

test('every device of the known lines is named as what it is, with all that it tells of itself', () => {
  const differences = known().flatMap((host) => {
    const device = of(host);
    if (device === undefined) return [`${host.persona} is not found`];
    const wrong = FIELDS.filter((field) => host.truth[field] !== device[field] && DIFFERENCES[`${host.persona} ${field}`] === undefined);
    const mac = host.truth.mac?.toUpperCase();
    return [
      ...wrong.map((field) => `${host.persona} ${field}: ${String(device[field])}, not ${String(host.truth[field])}`),
      ...(mac === undefined || device.identifiers.some(({ kind, value }) => kind === 'mac' && value === mac)
        ? []
        : [`${host.persona} mac: not ${mac}`]),
      ...(host.truth.base === undefined || device.base?.toLowerCase() === host.truth.base.toLowerCase()
        ? []
        : [`${host.persona} base: ${String(device.base)}, not ${host.truth.base}`]),
    ];
  });
  expect(differences).toEqual([]);
});

test('what AMT tells of its risk is told, and only where it is so', () => {
  const amt = fleet.hosts.filter(({ persona }) => persona.startsWith('intel-amt'));
  expect(amt.map((host) => [host.persona, of(host)?.posture])).toEqual(amt.map((host) => [host.persona, host.truth.posture]));
  expect(amt.flatMap(({ truth }) => truth.posture)).toEqual(['amt-unprovisioned']);
});

test('every known line is certain, and generic answers are no more than they show', () => {
  for (const host of known()) expect(of(host)?.level, host.persona).toBe(LESS[host.persona] ?? 'certain');
});

test('nothing is called what it is not', () => {
  const wrong = fleet.hosts.flatMap((host) => {
    const found = devices.get(host.address) ?? [];
    return found.flatMap(({ vendor, product, level }) => [
      ...(host.truth.never.includes(product ?? '') ? [`${host.persona} is called ${product}`] : []),
      ...(vendor !== undefined && host.truth.vendor !== undefined && vendor !== host.truth.vendor
        ? [`${host.persona} is called ${vendor}`]
        : []),
      ...(host.truth.decoy && (vendor !== undefined || product !== undefined) && level !== 'possible'
        ? [`${host.persona}, a decoy, is called ${vendor} ${product}`]
        : []),
    ]);
  });
  expect(wrong).toEqual([]);
});

test('decoys are no devices, but for those that answer IPMI or VNC', () => {
  const named = fleet.hosts.filter((host) => host.truth.decoy && of(host) !== undefined).map(({ persona }) => persona);
  expect(named.toSorted()).toEqual(['decoy-honeypot', 'hostile-escapes', 'hostile-ipmi-checksums', 'hostile-rfb-length']);
  const honeypot = fleet.hosts.find(({ persona }) => persona === 'decoy-honeypot') as FleetHost;
  expect(of(honeypot)).toMatchObject({ level: 'possible', posture: expect.arrayContaining(['conflicting-identity']) });
  expect(of(honeypot)?.vendor).toBeUndefined();
});

test('nothing was sent to where a device pointed, and never more than two connections at once', () => {
  expect(trapped).toEqual([]);
  for (const { address, persona } of fleet.hosts) expect(fleet.load(address).mostOpen, persona).toBeLessThanOrEqual(2);
});

test("descriptions are read where they are the device's own, and nothing that is in one names a device", () => {
  const described = fleet.requests.filter(({ path }) => path?.endsWith('.xml') === true);
  const hosts = described.map(({ host }) => fleet.hosts.find(({ address }) => address === host)?.persona ?? host);
  expect(hosts.toSorted()).toEqual(['hostile-ssdp-bomb', 'hostile-ssdp-endless', 'nanokvm-cube-2.1']);
  // A port for VNC is connected to once, by the sweep.
  const locked = fleet.hosts.find(({ persona }) => persona === 'hostile-ssdp-vnc')?.address;
  expect(fleet.requests.filter(({ host, role }) => host === locked && role !== 'ssdp')).toEqual([]);
});

test('no device gets more than its twelve datagrams, whatever it speaks', () => {
  for (const { address, persona } of fleet.hosts) {
    const datagrams = fleet.requests.filter(({ host, transport }) => host === address && transport === 'udp').length;
    expect(datagrams, persona).toBeLessThanOrEqual(12);
    const mdns = fleet.requests.filter(({ host, role }) => host === address && role === 'mdns').length;
    expect(mdns, persona).toBeLessThanOrEqual(3);
  }
});

test('each device was asked listed paths only, few of them, and no decoy was asked for a product', () => {
  const paths = AllowedPaths.load();
  for (const { host, method, path } of fleet.requests) {
    if (method === undefined) continue;
    expect(method, `${host} ${path}`).toBe('GET');
    const kinds: readonly PathKind[] = ['icon', 'description'];
    expect(
      kinds.some((kind) => paths.refusal(path ?? '', kind) === undefined),
      `${host} ${path}`,
    ).toBe(true);
  }
  for (const { address, persona } of fleet.hosts) {
    const asked = fleet.requests.filter(({ host, method }) => host === address && method !== undefined);
    expect(asked.length, persona).toBeLessThanOrEqual(16);
    if (/^decoy-(printer|nginx|router|nas|hp-smh)/.test(persona))
      expect(
        asked.every(({ path }) => !paths.rules.some((rule) => rule.kind === 'follow' && rule.path === path)),
        persona,
      ).toBe(true);
  }
});

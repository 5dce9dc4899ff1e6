import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadKnowledge } from '../../src/cli/knowledge.ts';
import { type Fleet, FLEET_PORTS, loadPersonas, portsOption, startFleet } from '../../src/fleet/index.ts';
import { deriveInventory } from '../../src/inventory/derive.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { resumeScan, scan, type ScanPlan, type ScanResult } from '../../src/scan/scan.ts';
import { ledgerErrors } from '../../src/sweep/ledger.ts';
import { refuseBytes } from '../../src/sweep/messages.ts';
import { parseAddress } from '../../src/targets/addresses.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parsePorts } from '../../src/targets/ports.ts';
import type { Facts } from '../../src/vocabulary.ts';
import { addp, aidp, lantronix, moxa, nodeStatus, serviceLocation, ubiquiti, webServices } from '../real/grammar.ts';
import { type NameServer, startNameServer } from '../support/name-server.ts';

/** Everything that speaks a discovery protocol, and some that do not, over real sockets. */
const PERSONAS = loadPersonas()
  .map(({ id }) => id)
  .filter((id) =>
    /^(digi-|lantronix-|avocent-dsr|moxa-|lenovo-xcc|decoy-windows|decoy-ubiquiti|hostile-discovery-|pikvm-v4$|dell-idrac9$)/.test(id),
  );
const ALSO = ['netbios', 'wsd', 'slp', 'ubiquiti'] as const;
const MOST_DATAGRAMS = 12 + 2 * ALSO.length;

interface Line {
  readonly kind: string;
  readonly host: string;
  readonly probe: string;
  readonly outcome: string;
  readonly facts: Facts;
}

/** A sweep, and what it left. */
class Swept {
  readonly result: ScanResult;
  readonly journal: string;
  readonly audit: readonly {
    readonly host: string;
    readonly transport: string;
    readonly port: number;
    readonly what: string;
    readonly hex?: string;
  }[];

  constructor(result: ScanResult, folder: string) {
    this.result = result;
    this.journal = readFileSync(join(folder, 'journal.ndjson'), 'utf8');
    this.audit = linesOf(readFileSync(join(folder, 'audit'), 'utf8'));
  }

  facts(host: string, probe: string): Facts | undefined {
    return this.observations.find((line) => line.host === host && line.probe === probe && line.outcome === 'answered')?.facts;
  }

  get observations(): Line[] {
    return linesOf<Line>(this.journal).filter(({ kind }) => kind === 'observation');
  }
}

function linesOf<T>(text: string): T[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

const { matcher, paths } = loadKnowledge();

function planOf(hosts: readonly string[], ports: string, more: Partial<ScanPlan> = {}): ScanPlan {
  return {
    hosts: new HostSet(hosts.map((text) => parseAddress(text) as number).map((address) => ({ first: address, last: address }))),
    ports: parsePorts(ports).ports,
    seed: 1,
    rate: 2000,
    ratePerNetwork: 2000,
    retries: 1,
    hostTimeoutMs: 20_000,
    arguments: ['test'],
    ...more,
  };
}

function optionsIn(folder: string): Parameters<typeof scan>[1] {
  return { journal: join(folder, 'journal.ndjson'), audit: join(folder, 'audit'), matcher, guard: Guard.fromEnvironment(), paths };
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'kvmsweep-discovery-'));

describe('a sweep that opts into everything', () => {
  let fleet: Fleet;
  let swept: Swept;
  let inventory: Inventory;
  const at = new Map<string, string>();

  beforeAll(async () => {
    fleet = await startFleet(PERSONAS.map((persona, i) => ({ persona, address: `127.88.11.${i + 1}` })));
    for (const { persona, address } of fleet.hosts) at.set(persona, address);
    const folder = newFolder();
    const plan = planOf([...at.values()], portsOption(FLEET_PORTS, ALSO), { also: ALSO });
    swept = new Swept(await scan(plan, optionsIn(folder)), folder);
    ({ inventory } = await deriveInventory(join(folder, 'journal.ndjson'), matcher));
  }, 60_000);
  afterAll(() => fleet?.stop());

  test.for<{ persona: string; probe: string; facts: (address: string) => Facts }>([
    {
      persona: 'digi-connect-me',
      probe: 'addp',
      facts: (address) => ({
        'addp.mac': '00:40:9D:33:D2:94',
        'addp.ip': address,
        'addp.product': 'Digi Connect ME',
        'addp.firmware': 'Version 82000856_F6 07/21/2006',
        'addp.hardwareRevision': 0,
        'addp.ports': 1,
        'addp.realPort': 771,
        'addp.encrypted': true,
        'addp.encryptedRealPort': 1027,
      }),
    },
    {
      persona: 'digi-portserver',
      probe: 'addp',
      facts: (address) => ({
        'addp.mac': '00:40:9D:2C:7E:15',
        'addp.ip': address,
        'addp.product': 'PortServer TS 16',
        'addp.firmware': 'Version 82000684_V 09/21/2010',
        'addp.hardwareRevision': 0,
        'addp.ports': 16,
        'addp.realPort': 771,
        'addp.encrypted': true,
        'addp.encryptedRealPort': 1027,
      }),
    },
    {
      persona: 'avocent-dsr',
      probe: 'aidp',
      facts: (address) => ({
        'aidp.model': 269,
        'aidp.mac': '00:E0:86:11:5D:A8',
        'aidp.ip': address,
        'aidp.hostname': 'dsr-rack7',
        'aidp.modes': 3,
      }),
    },
    {
      persona: 'lantronix-slc',
      probe: 'lantronix',
      facts: () => ({ 'lantronix.type': 'SC', 'lantronix.mac': '00:80:A3:91:2E:57' }),
    },
    {
      persona: 'lantronix-xport',
      probe: 'lantronix',
      facts: () => ({ 'lantronix.type': 'X9', 'lantronix.mac': '00:20:4A:B1:07:9C' }),
    },
    {
      persona: 'moxa-nport',
      probe: 'moxa',
      facts: (address) => ({ 'moxa.model': '511a', 'moxa.application': '00555555', 'moxa.mac': '00:90:E8:5B:20:C4', 'moxa.ip': address }),
    },
    {
      persona: 'decoy-windows-host',
      probe: 'netbios',
      facts: () => ({
        'netbios.names': ['FILES01<00>', 'FILES01<20>', 'OFFICE<00>'],
        'netbios.name': 'FILES01',
        'netbios.group': 'OFFICE',
        'netbios.mac': 'A4:5D:36:0C:11:E2',
      }),
    },
    {
      persona: 'decoy-windows-host',
      probe: 'wsd',
      facts: (address) => ({
        'wsd.endpoint': 'urn:uuid:3d1219c7-c4c5-404a-aa1f-6d2a48adfda4',
        'wsd.types': ['wsdp:Device', 'pub:Computer'],
        'wsd.addresses': [`http://${address}:3702/3d1219c7-c4c5-404a-aa1f-6d2a48adfda4`],
      }),
    },
    {
      persona: 'lenovo-xcc',
      probe: 'slp',
      facts: () => ({
        'slp.types': ['service:management-hardware.Lenovo:lenovo-xclarity-controller'],
        'slp.attributes': {
          type: 'lenovo-xclarity-controller',
          'enclosure-serial-number': 'J303KD2W',
          'enclosure-machinetype-model': '7X06CTO1WW',
          'enclosure-form-factor': 'rack-mount',
          'node-uuid': '9d1f6c2077f211ea9d4ce0d55ee0a1b2',
        },
      }),
    },
    {
      persona: 'decoy-ubiquiti',
      probe: 'ubiquiti',
      facts: (address) => ({
        'ubiquiti.mac': '80:2A:A8:AE:F1:63',
        'ubiquiti.addresses': [address],
        'ubiquiti.firmware': 'EdgeRouter.ER-e50.v1.10.7.5127989.181001.1227',
        'ubiquiti.hostname': 'ubnt-router',
        'ubiquiti.product': 'ER-X',
        'ubiquiti.uptime': 113148,
      }),
    },
  ])('$persona answers in $probe', ({ persona, probe, facts }) => {
    const address = at.get(persona) ?? '';
    expect(swept.facts(address, probe)).toEqual(facts(address));
  });

  test('it is complete, hostile devices included, and the ledger adds up', () => {
    const { ledger, limitations } = swept.result;
    expect(limitations).toEqual([]);
    expect(ledgerErrors(ledger.ports)).toEqual([]);
    // What a service answered is what the ledger says was answered: those of the fleet that were asked, and say something of the protocol.
    for (const role of ['addp', 'aidp', 'moxa', 'lantronix', 'netbios', 'slp', 'wsd', 'ubiquiti'] as const) {
      const port = ledger.ports[`${FLEET_PORTS[role]}/udp`];
      const asked = new Set(
        swept.audit.filter(({ transport, port: to }) => transport === 'udp' && to === FLEET_PORTS[role]).map(({ host }) => host),
      );
      expect(port?.asked, role).toBe(asked.size);
      expect(port?.answered, role).toBe(swept.observations.filter(({ probe }) => probe === role).length);
    }
  });

  test('each device received few datagrams, and only those of the list, which a second list knows too', () => {
    const checks = { addp, aidp, moxa, lantronix, netbios: nodeStatus, slp: serviceLocation, wsd: webServices, ubiquiti } as const;
    const datagrams = fleet.requests.filter(({ transport }) => transport === 'udp');
    for (const { role, bytes } of datagrams) if (role in checks) expect(checks[role as keyof typeof checks](bytes), role).toBeUndefined();
    for (const { transport, what, hex } of swept.audit)
      if (transport === 'udp') expect(refuseBytes(what, Buffer.from(hex ?? '', 'hex')), what).toBeUndefined();
    const received = [...at].map(([persona, address]) => ({
      persona,
      count: swept.audit.filter(({ host, transport }) => host === address && transport === 'udp').length,
    }));
    const most = received.toSorted((a, b) => b.count - a.count)[0];
    process.stderr.write(`      most datagrams to one device, all channels on: ${most?.count} of ${MOST_DATAGRAMS} (${most?.persona})\n`);
    for (const { persona, count } of received) expect(count, persona).toBeLessThanOrEqual(MOST_DATAGRAMS);
    // The account of the devices that heard all of it is the audit record's.
    for (const persona of ['hostile-discovery-lies', 'hostile-discovery-64k'])
      for (const role of ['addp', 'netbios', 'slp', 'wsd'] as const)
        expect(datagrams.filter(({ host, role: to }) => host === at.get(persona) && to === role).length, `${persona} ${role}`).toBe(
          swept.audit.filter(({ host, port }) => host === at.get(persona) && port === FLEET_PORTS[role]).length,
        );
  });

  test("a device that is surely of another maker is not asked in one maker's protocol", () => {
    const asked = (persona: string): string[] =>
      swept.audit
        .filter(({ host, transport }) => host === at.get(persona) && transport === 'udp')
        .map(({ what }) => what)
        .filter((what) => /^(addp|aidp|moxa|lantronix|ubiquiti)/.test(what))
        .toSorted();
    expect(asked('pikvm-v4')).toEqual([]);
    // Avocent builds switches under Dell's name.
    expect(asked('dell-idrac9')).toEqual(['aidp.discover']);
    const skipped = swept.result.ledger.ports[`${FLEET_PORTS.moxa}/udp`]?.skipped;
    expect(skipped?.['it is surely of another maker']).toBeGreaterThanOrEqual(2);
  });

  test('what is a secret is in no file, and what a device says too much of is cut', () => {
    const key = at.get('hostile-discovery-key') ?? '';
    expect(swept.facts(key, 'addp')).toEqual({ 'addp.mac': '00:40:9D:5E:C2:E7' });
    expect(swept.facts(key, 'slp')).toEqual({ 'slp.types': ['service:lenovo-smm'], 'slp.attributes': { name: 'smm' } });
    const secret = Buffer.from('TopSecretKey');
    for (const form of [secret.toString(), secret.toString('hex'), secret.toString('base64')]) {
      expect(swept.journal).not.toContain(form);
      expect(JSON.stringify(inventory)).not.toContain(form);
    }
    for (const line of swept.observations.filter(({ host }) => PERSONAS.some((id) => id.startsWith('hostile') && at.get(id) === host)))
      expect(JSON.stringify(line.facts).length, line.probe).toBeLessThan(8192);
    expect(swept.observations.filter(({ probe }) => probe === 'wsd').map(({ facts }) => facts['wsd.types'])).toContainEqual(['&b;']);
  });

  test('addresses that devices name are written down, and nobody goes there', () => {
    const targets = new Set(at.values());
    for (const { host } of swept.audit) expect(targets.has(host), host).toBe(true);
  });

  test("MACs that a maker's protocol tells identify a device; nothing is called what it is not", () => {
    const dell = inventory.devices.find(({ addresses }) => addresses.includes(at.get('dell-idrac9') ?? ''));
    expect(dell?.vendor).toBe('Dell');
    for (const device of inventory.devices)
      for (const address of device.addresses) {
        const host = fleet.hosts.find((one) => one.address === address);
        if (device.vendor !== undefined && host?.truth.vendor !== undefined) expect(device.vendor).toBe(host.truth.vendor);
        // What lies in a maker's own protocol is believed.
        if (host?.truth.decoy === true && !host.persona.startsWith('hostile-')) expect(device.vendor, host.persona).toBeUndefined();
      }
    expect(inventory.asked?.also).toEqual([...ALSO]);
  });
});

describe('a sweep that opts into nothing', () => {
  test("asks every channel, the makers' too, once each, and nothing else; at most 12 datagrams", async () => {
    const fleet = await startFleet([
      { persona: 'decoy-windows-host', address: '127.88.12.1' },
      { persona: 'digi-connect-me', address: '127.88.12.2' },
    ]);
    const folder = newFolder();
    try {
      const hosts = fleet.hosts.map(({ address }) => address);
      const swept = new Swept(await scan(planOf([...hosts, '127.88.12.3'], portsOption(FLEET_PORTS)), optionsIn(folder)), folder);
      const datagrams = swept.audit.filter(({ transport }) => transport === 'udp');
      expect(datagrams.filter(({ what }) => /^(netbios|slp|wsd|ubiquiti|dns)/.test(what))).toEqual([]);
      const quiet = datagrams.filter(({ host }) => host === '127.88.12.1').map(({ what }) => what);
      // Two tries of what everybody is asked, one of what living addresses are; for the second search nothing is left.
      expect(quiet.toSorted()).toEqual([
        'addp.discovery',
        'aidp.discover',
        'ipmi.asf-ping',
        'ipmi.asf-ping',
        'ipmi.auth-capabilities',
        'ipmi.auth-capabilities',
        'lantronix.query',
        'mdns.browse-host',
        'moxa.discovery',
        'snmp.engine-discovery',
        'snmp.engine-discovery',
        'ssdp.root',
      ]);
      expect(fleet.requests.filter(({ role }) => role === 'netbios' || role === 'wsd')).toEqual([]);
      expect(swept.facts('127.88.12.2', 'addp')).toMatchObject({ 'addp.mac': '00:40:9D:33:D2:94' });
    } finally {
      await fleet.stop();
    }
  });
});

describe('reverse names', () => {
  const hosts = Array.from({ length: 6 }, (_, i) => `127.88.13.${i + 1}`);
  let server: NameServer;
  beforeAll(async () => {
    server = await startNameServer({
      names: Object.fromEntries([1, 2, 3, 4].map((i) => [`${i}.13.88.127.in-addr.arpa`, [`kvm-${i}.example.net`]])),
      delayMs: 30,
    });
  });
  afterAll(() => server?.stop());

  test('of living addresses are asked for after the sweep, written down, and told in a note', async () => {
    const folder = newFolder();
    const plan = planOf(hosts, '28999=http', { also: ['dns'] });
    const swept = new Swept(await scan(plan, { ...optionsIn(folder), nameServers: [server.server] }), folder);
    expect(hosts.map((host) => swept.facts(host, 'dns')?.['dns.ptr'])).toEqual([
      ...[1, 2, 3, 4].map((i) => `kvm-${i}.example.net`),
      undefined,
      undefined,
    ]);
    const { inventory } = await deriveInventory(join(folder, 'journal.ndjson'), matcher);
    expect(inventory.asked?.also).toEqual(['dns']);
    expect(inventory.completeness.complete).toBe(true);
    expect(inventory.completeness.notes.join()).toContain(`${server.server} was asked for the names of 6 living addresses and knew 4`);
    expect(
      swept.audit
        .filter(({ what }) => what.startsWith('dns.ptr'))
        .map(({ what }) => what)
        .toSorted(),
    ).toEqual(hosts.map((_, i) => `dns.ptr ${i + 1}.13.88.127.in-addr.arpa`));
  });

  test('a sweep that was interrupted while asking asks the rest after a resume, and only those', async () => {
    const folder = newFolder();
    const abort = new AbortController();
    const many = Array.from({ length: 60 }, (_, i) => `127.88.14.${i + 1}`);
    const names = await startNameServer({
      names: Object.fromEntries(many.map((_, i) => [`${i + 1}.14.88.127.in-addr.arpa`, [`kvm-${i + 1}.example.net`]])),
      delayMs: 30,
    });
    try {
      const watch = setInterval(() => {
        if (names.asked.length > 0) abort.abort();
      }, 1);
      const options = { ...optionsIn(folder), nameServers: [names.server] };
      const first = await scan(planOf(many, '28999=http', { also: ['dns'] }), { ...options, signal: abort.signal });
      clearInterval(watch);
      expect(first.limitations.map(({ what }) => what)).toEqual(['interrupted']);
      const before = names.asked.length;
      expect(before).toBeGreaterThan(0);
      expect(before).toBeLessThan(many.length);
      const second = new Swept(await resumeScan(options), folder);
      expect(second.result.limitations).toEqual([]);
      expect(names.asked).toHaveLength(many.length);
      expect(new Set(names.asked).size).toBe(many.length);
      for (const [i, host] of many.entries()) expect(second.facts(host, 'dns')?.['dns.ptr']).toBe(`kvm-${i + 1}.example.net`);
    } finally {
      await names.stop();
    }
  });
});

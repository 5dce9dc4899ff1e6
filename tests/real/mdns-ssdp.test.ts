import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Packet } from '../support/pcap.ts';
import { type Account, accountOf, seenPart } from './account.ts';
import { violations } from './grammar.ts';
import { KVMSWEEP, Lab, type ObservationLine, type Profile, REAL, report, type Scanner, type SweepFiles } from './lab.ts';

const CANARY = '10.77.0.250';
/** avahi, avahi that reflects what a PiKVM on its other side says, minidlna, minissdpd with a description of its own, minissdpd whose description lies on the canary. */
const HOSTS = {
  pikvm: '10.77.0.21',
  reflector: '10.77.0.23',
  media: '10.77.0.31',
  device: '10.77.0.41',
  away: '10.77.0.51',
  web: '10.77.0.7',
} as const;
const PROFILES: Readonly<Record<string, Profile>> = {
  [HOSTS.pikvm]: 'mdns-pikvm',
  [HOSTS.reflector]: 'mdns-reflector',
  [HOSTS.media]: 'ssdp-media',
  [HOSTS.device]: 'ssdp-device',
  [HOSTS.away]: 'ssdp-away',
  [HOSTS.web]: 'web',
  [CANARY]: 'canary',
};
const BLOCK = '10.77.0.0/26';
const GROUPS: readonly string[] = ['224.0.0.251', '239.255.255.250'];

interface Outcome {
  readonly files: SweepFiles;
  readonly packets: readonly Packet[];
  readonly account: Account;
  /** What went to the groups, and to single addresses at the two ports, as `address port`. */
  readonly toGroups: readonly string[];
  readonly toHosts: readonly string[];
}

/** Sweeps the block within what is allowed, and looks at the link. */
async function sweep(scanner: Scanner, name: string, only: string): Promise<Outcome> {
  const capture = await scanner.capture(name);
  const words = ['scan', BLOCK, '-o', `${name}.json`, '--audit', `${name}.audit`, '--seed', '5'];
  const { code, stderr, seconds } = await scanner.run(['env', `KVMSWEEP_ONLY=${only}`, ...KVMSWEEP, ...words], { as: 'nobody' });
  const packets = await capture.packets();
  expect(code, stderr).toBe(0);
  const files = scanner.read(name);
  const account = accountOf(packets, scanner.address);
  const asked = packets.flatMap(({ source, target, content }) =>
    source === scanner.address && content.protocol === 'udp' && [1900, 5353].includes(content.targetPort)
      ? [`${target} ${content.targetPort}`]
      : [],
  );
  report(
    `${name}: ${files.inventory.devices.map(({ addresses, product, model, serial }) => `${addresses.join()} ${product} ${model} ${serial}`).join('; ')}; ${account.datagrams} datagrams, ${account.multicasts} of them to groups, ${seconds.toFixed(1)} s`,
  );
  return {
    files,
    packets,
    account,
    toGroups: asked.filter((one) => GROUPS.some((group) => one.startsWith(`${group} `))),
    toHosts: asked.filter((one) => !GROUPS.some((group) => one.startsWith(`${group} `))),
  };
}

/** What a probe that answered said of a host. */
function said({ files }: Outcome, host: string, probe: string): ObservationLine['facts'] | undefined {
  const all = files.observations.filter((line) => line.host === host && line.probe === probe && line.outcome === 'answered');
  expect(all.length, `${probe} at ${host}`).toBeLessThanOrEqual(1);
  return all[0]?.facts;
}

function checkPikvm(outcome: Outcome): void {
  const device = outcome.files.inventory.devices.find(({ addresses }) => addresses.includes(HOSTS.pikvm));
  expect(device).toMatchObject({
    class: 'ip-kvm',
    vendor: 'PiKVM',
    product: 'PiKVM',
    model: 'v4plus',
    serial: '10000000c3d2e1f0',
    level: 'certain',
  });
  expect(said(outcome, HOSTS.pikvm, 'mdns')).toMatchObject({
    'mdns.services': ['_https._tcp', '_pikvm._tcp'],
    'mdns.hostname': 'pikvm.local',
    'mdns.txt': { description: 'PiKVM Web Server', video: 'hdmi', board: 'rpi4', base: 'v4plus', platform: 'v4plus-hdmi-rpi4' },
  });
}

/** Two answers come from the reflector's address: its own, and that of a PiKVM which is elsewhere. */
function checkReflector(outcome: Outcome): void {
  const heard = outcome.packets.flatMap(({ source, content }) =>
    source === HOSTS.reflector && content.protocol === 'udp' && content.sourcePort === 5353 ? [content.data.toString('latin1')] : [],
  );
  expect(heard.filter((text) => text.includes('serial=10000000feedbeef')).length).toBeGreaterThanOrEqual(1);
  expect(said(outcome, HOSTS.reflector, 'mdns')).toEqual({
    'mdns.services': ['_ssh._tcp'],
    'mdns.instances': ['gate._ssh._tcp'],
    'mdns.hostname': 'gate.local',
  });
  expect(outcome.files.inventory.devices.filter(({ addresses }) => addresses.includes(HOSTS.reflector))).toEqual([]);
}

/** For the second search the account of a device that is asked alone, and is silent elsewhere, has nothing left. */
function checkDevice(outcome: Outcome, how: 'by multicast' | 'alone'): void {
  expect(said(outcome, HOSTS.device, 'ssdp')).toEqual({
    'ssdp.server': 'Test/1.0 UPnP/1.1 lab/1.0',
    'ssdp.usn': 'uuid:4d696e69-444c-164e-9d41-0242ac110002::upnp:rootdevice',
    'ssdp.location': `http://${HOSTS.device}:49152/upnp/device.xml`,
    ...(how === 'alone'
      ? {}
      : { 'ssdp.redfish.root': `https://${HOSTS.device}/redfish/v1/`, 'ssdp.redfish.uuid': '3f1c8a52-0e64-4b7d-9a21-6d5be7f0c913' }),
  });
  expect(said(outcome, HOSTS.device, 'upnp')).toEqual({
    'ssdp.friendlyName': 'Rack 7',
    'ssdp.manufacturer': 'Test laboratory',
    'ssdp.model': 'Controller',
    'ssdp.serial': 'LAB-7',
    'ssdp.udn': 'uuid:4d696e69-444c-164e-9d41-0242ac110002',
  });
}

/** What must hold of every sweep: the account, the grammar, and that nobody was led to the canary. */
function checkAccount({ files, packets, account }: Outcome, scanner: Scanner, targets: (address: string) => boolean): void {
  const { ledger, completeness } = files.inventory;
  expect(completeness).toMatchObject({ complete: true, limitations: [] });
  for (const port of ['1900/udp', '5353/udp']) expect(seenPart(ledger?.ports ?? {})[port], port).toEqual(account.ports[port]);
  expect(violations(packets, scanner.address, targets)).toEqual([]);
  expect(packets.filter(({ source, target }) => source === scanner.address && target === CANARY)).toEqual([]);
  const sent = files.audit.filter(({ transport, port }) => transport === 'udp' && [1900, 5353].includes(port));
  const left = packets.filter(
    ({ source, content }) => source === scanner.address && content.protocol === 'udp' && [1900, 5353].includes(content.targetPort),
  );
  expect(sent.length).toBe(left.length);
  for (const host of Object.values(HOSTS))
    expect(packets.filter(({ target, content }) => target === host && content.protocol === 'udp').length, host).toBeLessThanOrEqual(12);
}

const inBlock = (address: string): boolean => /^10\.77\.0\.([0-9]|[1-5]\d|6[0-3])$/.test(address);

describe('mDNS and SSDP on a directly attached network, as nobody', REAL, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: PROFILES, onLinkBits: 24 });
  });
  afterAll(() => lab?.stop());

  test('everybody is asked at once; who answers is not asked again', async () => {
    const { scanner } = lab;
    const outcome = await sweep(scanner, 'multicast', '10.77.0.0/16');
    expect(outcome.toGroups.toSorted()).toEqual([
      ...Array.from({ length: 2 }, () => '224.0.0.251 5353'),
      ...Array.from({ length: 4 }, () => '239.255.255.250 1900'),
    ]);
    checkPikvm(outcome);
    checkReflector(outcome);
    checkDevice(outcome, 'by multicast');
    // minidlna hears its group only: by multicast alone it is found, with its description.
    expect(said(outcome, HOSTS.media, 'ssdp')).toMatchObject({
      'ssdp.server': expect.stringContaining('MiniDLNA'),
      'ssdp.location': `http://${HOSTS.media}:8200/rootDesc.xml`,
    });
    expect(said(outcome, HOSTS.media, 'upnp')).toMatchObject({
      'ssdp.friendlyName': 'Test media',
      'ssdp.model': 'Test model',
      'ssdp.modelNumber': '7',
      'ssdp.serial': 'SN-0042',
    });
    expect(said(outcome, HOSTS.away, 'ssdp')).toMatchObject({ 'ssdp.location': `http://${CANARY}:80/desc.xml` });
    expect(outcome.files.observations.filter(({ host, probe }) => host === HOSTS.away && probe === 'upnp')).toEqual([]);
    // Asked one by one are those that did not answer: the web server, and each where the other protocol is spoken.
    expect(outcome.toHosts.filter((one) => [HOSTS.pikvm].some((host) => one === `${host} 5353`))).toEqual([]);
    expect(outcome.toHosts.filter((one) => [HOSTS.media, HOSTS.device, HOSTS.away].some((host) => one === `${host} 1900`))).toEqual([]);
    expect(outcome.toHosts.filter((one) => one === `${HOSTS.web} 1900`)).toHaveLength(1);
    expect(outcome.toHosts.filter((one) => one === `${HOSTS.web} 5353`)).toHaveLength(1);
    checkAccount(outcome, scanner, (address) => inBlock(address) || GROUPS.includes(address));
    expect(outcome.files.inventory.completeness.notes.join()).toContain('everybody in 10.77.0.0/24 was asked at once over sc0');
  });

  test('where not everybody there may be asked, each is asked alone', async () => {
    const { scanner } = lab;
    const outcome = await sweep(scanner, 'unicast', BLOCK);
    expect(outcome.toGroups).toEqual([]);
    checkPikvm(outcome);
    checkReflector(outcome);
    checkDevice(outcome, 'alone');
    expect(said(outcome, HOSTS.media, 'ssdp'), 'minidlna does not answer those who ask it alone').toBeUndefined();
    expect(said(outcome, HOSTS.away, 'ssdp')).toMatchObject({ 'ssdp.location': `http://${CANARY}:80/desc.xml` });
    expect(outcome.files.observations.filter(({ host, probe }) => host === HOSTS.away && probe === 'upnp')).toEqual([]);
    for (const host of Object.values(HOSTS)) {
      const mdns = outcome.toHosts.filter((one) => one === `${host} 5353`).length;
      expect(mdns, host).toBeGreaterThanOrEqual(1);
      expect(mdns, host).toBeLessThanOrEqual(3);
      expect(outcome.toHosts.filter((one) => one === `${host} 1900`).length, host).toBe(1);
    }
    checkAccount(outcome, scanner, inBlock);
  });
});

describe('mDNS and SSDP behind a router, as nobody', REAL, () => {
  test('SSDP answers who asks it alone; avahi does not, and says why', async () => {
    await using lab = await Lab.start({ hosts: PROFILES });
    const outcome = await sweep(lab.scanner, 'routed', '10.77.0.0/16');
    expect(outcome.toGroups).toEqual([]);
    checkDevice(outcome, 'alone');
    expect(said(outcome, HOSTS.away, 'ssdp')).toMatchObject({ 'ssdp.location': `http://${CANARY}:80/desc.xml` });
    // RFC 6762 section 11: who is not on the link gets no answer.
    expect(outcome.toHosts.filter((one) => one === `${HOSTS.pikvm} 5353`)).toHaveLength(1);
    expect(said(outcome, HOSTS.pikvm, 'mdns')).toBeUndefined();
    expect(lab.log(`avahi-${HOSTS.pikvm}`)).toMatch(/Received non-local unicast query from host 10\.76\.1\.1/);
    checkAccount(outcome, lab.scanner, inBlock);
  });
});

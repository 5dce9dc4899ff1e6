import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Packet } from '../support/pcap.ts';
import { type Account, accountOf, mostAtOnce, seenPart } from './account.ts';
import { request, violations } from './grammar.ts';
import { Lab, type ObservationLine, type Profile, REAL, report, type Swept } from './lab.ts';
import { ipmitool, nmap, openssl, type Scripts } from './oracles.ts';
import { EVERYWHERE, LIVING, spentOn, sum } from './ports.ts';

const CANARY = '10.77.0.250';
const HOSTS = {
  bmc: '10.77.0.11',
  oldBmc: '10.77.0.22',
  snmp: '10.77.0.33',
  vncAuth: '10.77.0.44',
  novnc: '10.77.0.55',
  x11vnc: '10.77.0.66',
  tls13: '10.77.0.77',
  printer: '10.77.0.88',
  web: '10.77.0.99',
  setup: '10.77.0.121',
  away: '10.77.0.132',
} as const;
const PROFILES: Readonly<Record<string, Profile>> = {
  [HOSTS.bmc]: 'bmc',
  [HOSTS.oldBmc]: 'old-bmc',
  [HOSTS.snmp]: 'snmp-v3',
  [HOSTS.vncAuth]: 'vnc-auth',
  [HOSTS.novnc]: 'novnc',
  [HOSTS.x11vnc]: 'x11vnc',
  [HOSTS.tls13]: 'tls13',
  [HOSTS.printer]: 'printer',
  [HOSTS.web]: 'web',
  [HOSTS.setup]: 'trap-setup',
  [HOSTS.away]: 'trap-away',
  [CANARY]: 'canary',
};

/** What nmap's script said of a port. */
function output(scripts: Scripts, port: string, script: string): string {
  const text = scripts.get(port)?.get(script);
  expect(text, `${script} at ${port}`).toBeDefined();
  return text as string;
}

describe('one sweep of a /24 with real servers, as nobody', REAL, () => {
  let lab: Lab;
  let swept: Swept;
  let packets: Packet[];
  let account: Account;
  /** The access log of the web servers as it was when the sweep ended. */
  let asked: string[];

  beforeAll(async () => {
    lab = await Lab.start({ hosts: PROFILES });
    const capture = await lab.scanner.capture('truth');
    swept = await lab.scanner.sweep('truth', ['10.77.0.0/24', '--exclude', CANARY, '--seed', '7']);
    packets = await capture.packets();
    account = accountOf(packets, lab.scanner.address);
    asked = lab.log('nginx-access').trim().split('\n');
  });
  afterAll(() => lab?.stop());

  /** The observation of a probe that answered. */
  function said(host: string, probe: string, port: number): ObservationLine['facts'] {
    const all = swept.files.observations.filter(
      (line) => line.host === host && line.probe === probe && line.port === port && line.outcome === 'answered',
    );
    expect(all, `${probe} at ${host}:${port}`).toHaveLength(1);
    return (all[0] as ObservationLine).facts;
  }

  test('it is complete, and finds every service and nothing else', () => {
    expect(swept).toMatchObject({ code: 0, signal: null });
    const { ledger, completeness } = swept.files.inventory;
    expect(completeness).toMatchObject({ complete: true, limitations: [] });
    const living = 11;
    const spent = spentOn(2, ledger?.total.skipped);
    expect(ledger?.total).toMatchObject({
      planned: 255 * (EVERYWHERE + LIVING),
      asked: 255 * EVERYWHERE + living * LIVING - sum(spent),
      skipped: { 'no sign of life': (255 - living) * LIVING, ...spent },
      answered: 17,
      unreachable: 0,
      givenUp: 0,
      lost: 0,
    });
    expect(ledger).toMatchObject({ alive: living, stray: 0 });
    const answered = swept.files.observations
      .filter(({ outcome }) => outcome === 'answered')
      .map(({ host, port, probe }) => `${host} ${port} ${probe}`);
    expect(answered.toSorted()).toEqual(
      [
        `${HOSTS.bmc} 80 http`,
        `${HOSTS.bmc} 443 tls`,
        `${HOSTS.bmc} 443 https`,
        `${HOSTS.bmc} 623 ipmi`,
        `${HOSTS.oldBmc} 443 tls`,
        `${HOSTS.oldBmc} 443 https`,
        `${HOSTS.oldBmc} 623 ipmi`,
        `${HOSTS.oldBmc} 5901 rfb`,
        `${HOSTS.snmp} 161 snmp`,
        `${HOSTS.vncAuth} 5900 rfb`,
        `${HOSTS.novnc} 5900 rfb`,
        `${HOSTS.novnc} 8080 http`,
        `${HOSTS.x11vnc} 5900 rfb`,
        `${HOSTS.tls13} 443 tls`,
        `${HOSTS.tls13} 443 https`,
        `${HOSTS.printer} 80 http`,
        `${HOSTS.printer} 161 snmp`,
        `${HOSTS.web} 80 http`,
        `${HOSTS.setup} 80 http`,
        `${HOSTS.away} 80 http`,
      ].toSorted(),
    );
    report(
      `${ledger?.total.answered} of 17 services, ${swept.seconds.toFixed(1)} s, ${ledger?.packets.tcp} + ${ledger?.packets.udp} packets`,
    );
  });

  test('IPMI: authentication, suites and GUID are those that ipmitool reads', async () => {
    for (const host of [HOSTS.bmc, HOSTS.oldBmc]) {
      const oracle = await ipmitool(lab.scanner, host);
      const facts = said(host, 'ipmi', 623);
      expect(Number(facts['ipmi.auth.types']) & 0x37, host).toBe(oracle.types);
      expect(Number(facts['ipmi.auth.status']) & 0x1f, host).toBe(oracle.status);
      expect(facts['ipmi.suites'], host).toEqual(oracle.suites);
      expect(facts['ipmi.guid'], host).toBe(oracle.guid);
      expect(oracle.suites.length).toBeGreaterThan(3);
    }
  });

  test('IPMI, SNMP, VNC, TLS and pages: the facts are those of nmap and openssl', async () => {
    const { scanner } = lab;
    const [ipmi, snmp, web, vnc, novnc] = await Promise.all([
      nmap(scanner, [HOSTS.bmc, HOSTS.oldBmc], 'U:623', 'ipmi-version'),
      nmap(scanner, [HOSTS.snmp, HOSTS.printer], 'U:161', 'snmp-info'),
      nmap(scanner, [HOSTS.bmc, HOSTS.oldBmc, HOSTS.tls13], '443', 'ssl-cert,http-title'),
      nmap(scanner, [HOSTS.vncAuth, HOSTS.novnc, HOSTS.x11vnc, HOSTS.oldBmc], '5900,5901', 'vnc-info'),
      nmap(scanner, [HOSTS.novnc, HOSTS.printer, HOSTS.web], '80,8080', 'http-title'),
    ]);
    let compared = 0;
    const same = (got: unknown, wanted: unknown, what: string): void => {
      compared += 1;
      expect(got, what).toEqual(wanted);
    };
    for (const host of [HOSTS.bmc, HOSTS.oldBmc]) {
      const text = output(ipmi, `${host} 623/udp`, 'ipmi-version');
      const names = (/UserAuth: (.*)/.exec(text)?.[1] ?? '').split(', ');
      const types = Number(said(host, 'ipmi', 623)['ipmi.auth.types']);
      for (const [name, bit] of [
        ['null', 0x01],
        ['md2', 0x02],
        ['md5', 0x04],
        ['password', 0x10],
        ['oem_auth', 0x20],
      ] as const)
        same((types & bit) !== 0, names.includes(name), `${host} ${name}`);
      const extended = Number(said(host, 'ipmi', 623)['ipmi.auth.extended']);
      same(
        /Level: (.*)/.exec(text)?.[1],
        [(extended & 1) === 0 ? [] : '1.5', (extended & 2) === 0 ? [] : '2.0'].flat().join(', '),
        `${host} level`,
      );
    }
    for (const host of [HOSTS.snmp, HOSTS.printer]) {
      const text = output(snmp, `${host} 161/udp`, 'snmp-info');
      const facts = said(host, 'snmp', 161);
      const engine = facts['snmp.engine.id'] as string;
      same(/engineIDFormat: (.*)/.exec(text)?.[1], 'unknown', `${host} format`);
      same(/enterprise: (.*)/.exec(text)?.[1], 'net-snmp', `${host} enterprise`);
      same(facts['snmp.engine.pen'], 8072, `${host} enterprise number`);
      // nmap prints what follows the enterprise and the format.
      same(engine.slice(10), /engineIDData: (\w+)/.exec(text)?.[1], `${host} engine`);
      same(facts['snmp.engine.boots'], Number(/snmpEngineBoots: (\d+)/.exec(text)?.[1]), `${host} boots`);
    }
    for (const host of [HOSTS.bmc, HOSTS.oldBmc, HOSTS.tls13]) {
      const oracle = await openssl(scanner, host);
      const tls = said(host, 'tls', 443);
      same(tls['tls.version'], oracle.version, `${host} version`);
      same(tls['tls.cipher'], oracle.cipher, `${host} cipher`);
      same(tls['tls.sha256'], oracle.sha256, `${host} certificate`);
      same(tls['tls.keyBits'], oracle.bits, `${host} key`);
      const text = output(web, `${host} 443/tcp`, 'ssl-cert');
      same(tls['tls.subject.cn'], /commonName=([^/\n]+)/.exec(text)?.[1], `${host} subject`);
      same((tls['tls.notAfter'] as string).slice(0, 19), /Not valid after: +(\S+)/.exec(text)?.[1], `${host} expiry`);
      same(said(host, 'https', 443)['http.title'], output(web, `${host} 443/tcp`, 'http-title').split('\n')[0], `${host} title`);
    }
    same(
      ['TLSv1.3', 'TLSv1', 'TLSv1.3'],
      [HOSTS.bmc, HOSTS.oldBmc, HOSTS.tls13].map((host) => said(host, 'tls', 443)['tls.version']),
      'what the servers were set to',
    );
    for (const [host, port] of [
      [HOSTS.vncAuth, 5900],
      [HOSTS.novnc, 5900],
      [HOSTS.x11vnc, 5900],
      [HOSTS.oldBmc, 5901],
    ] as const) {
      const text = output(vnc, `${host} ${port}/tcp`, 'vnc-info');
      const facts = said(host, 'rfb', port);
      same(
        facts['rfb.security'],
        [...text.matchAll(/\((\d+)\)$/gm)].map(([, type]) => Number(type)),
        `${host} security types`,
      );
      same(
        facts['rfb.version'],
        (/Protocol version: (\d)\.(\d)/.exec(text) ?? [])
          .slice(1)
          .map((part) => part.padStart(3, '0'))
          .join('.'),
        `${host} version`,
      );
    }
    for (const [host, port] of [
      [HOSTS.novnc, 8080],
      [HOSTS.printer, 80],
      [HOSTS.web, 80],
    ] as const)
      same(said(host, 'http', port)['http.title'], output(novnc, `${host} ${port}/tcp`, 'http-title').split('\n')[0], `${host} title`);
    report(`${compared} facts compared with nmap and openssl`);
  });

  test('devices: controllers are found, decoys are not named', () => {
    const { devices } = swept.files.inventory;
    const at = (host: string): unknown[] => devices.filter(({ addresses }) => addresses.includes(host)).map((device) => device.class);
    expect(at(HOSTS.bmc)).toEqual(['bmc']);
    expect(at(HOSTS.oldBmc)).toEqual(['bmc']);
    for (const host of [HOSTS.printer, HOSTS.web, HOSTS.setup, HOSTS.away]) expect(at(host), host).toEqual([]);
    // A VNC server on an ordinary machine is software, whatever its port.
    for (const host of [HOSTS.vncAuth, HOSTS.x11vnc]) for (const kind of at(host)) expect(kind).toBe('vnc-software');
    const open = devices.filter(({ posture }) => posture.includes('vnc-no-authentication')).flatMap(({ addresses }) => addresses);
    report(
      `devices: ${devices.map((device) => `${device.addresses.join()} ${device.class} ${device.certainty}`).join('; ')}; RFB without authentication: ${open.join()}`,
    );
  });

  test('the ledger is what tcpdump saw', () => {
    const { ledger } = swept.files.inventory;
    expect(seenPart(ledger?.ports ?? {})).toEqual(account.ports);
    expect(ledger?.packets.tcp).toBe(account.sweepConnects + swept.files.canaries);
    expect(ledger?.packets.udp).toBe(account.datagrams);
    // The rest are conversations: connections to endpoints that had been found open, each in the audit record.
    const connects = swept.files.audit.filter(({ what }) => what === 'connect' || what === 'canary');
    expect(connects.length).toBe(account.connections.length);
    expect(swept.files.audit.filter(({ transport }) => transport === 'udp').length).toBe(account.datagrams);
    expect(account.retransmissions).toBeLessThanOrEqual(account.connections.length / 100);
    report(
      `${account.connections.length} connections = ${account.sweepConnects} of the sweep + ${account.connections.length - account.sweepConnects} of conversations; ${account.datagrams} datagrams`,
    );
  });

  test('nothing left that the grammar does not allow, and nothing went anywhere else', () => {
    const targets = new Set(Array.from({ length: 256 }, (_, last) => `10.77.0.${last}`).filter((address) => address !== CANARY));
    expect(violations(packets, lab.scanner.address, (address) => targets.has(address))).toEqual([]);
  });

  test('what was said inside TLS is what the audit record says, by the log of the servers', () => {
    const https = swept.files.audit.filter(({ what }) => what === 'http.get');
    for (const { hex = '' } of https) expect(request(Buffer.from(hex, 'hex'))).toBeUndefined();
    const recorded = https
      .filter(({ host }) => host !== HOSTS.novnc)
      .map(
        ({ host, port, hex = '' }) => `${host} ${port} ${hex.length / 2} ${Buffer.from(hex, 'hex').toString('latin1').split(' HTTP')[0]}`,
      );
    const served = asked.map((line) => line.replace(/^(\S+ \S+ \S+) \d+ (.*) HTTP\/1\.1$/, '$1 $2'));
    expect(served.toSorted()).toEqual(recorded.toSorted());
    expect(served.filter((line) => line.includes(' 443 ')).length).toBeGreaterThan(6);
    const bytes = (kind: RegExp): number => swept.files.audit.filter(({ what }) => kind.test(what)).length;
    report(`${served.length} requests in the servers' logs, all in the audit record; ${bytes(/^tls/)} handshakes`);
  });

  test('no redirect was followed to another host, nor to a path that sets something', () => {
    expect(asked.filter((line) => line.startsWith(CANARY) || line.includes('init') || line.includes('desc.xml'))).toEqual([]);
    expect(packets.filter(({ target }) => target === CANARY)).toEqual([]);
    expect(said(HOSTS.setup, 'http', 80)['http.location']).toContain('/api/init/init?username=a&password=b');
    expect(said(HOSTS.away, 'http', 80)['http.location']).toBe(`http://${CANARY}/next`);
    expect(said(HOSTS.away, 'http', 80)['http.headers']).toMatchObject({ location: expect.stringContaining('/desc.xml') as unknown });
  });

  test('a device sees two connections at a time, one of each VNC server, and stays within its budget', () => {
    expect(mostAtOnce(account.connections).most, 'SYNs to silent addresses counted').toBeLessThanOrEqual(2);
    const worst = mostAtOnce(account.connections.filter(({ server }) => server in PROFILES));
    const accepted = account.connections.filter(({ outcome }) => outcome === 'accepted');
    const rfb = accepted.filter(({ serverPort }) => serverPort === 5900 || serverPort === 5901);
    expect(rfb.map(({ server }) => server).toSorted()).toEqual([HOSTS.oldBmc, HOSTS.vncAuth, HOSTS.novnc, HOSTS.x11vnc].toSorted());
    for (const host of Object.values(HOSTS)) {
      expect(account.connections.filter(({ server }) => server === host).length, `${host}: connections`).toBeLessThanOrEqual(40);
      expect(asked.filter((line) => line.startsWith(`${host} `)).length, `${host}: requests`).toBeLessThanOrEqual(16);
      expect(
        packets.filter(({ target, content }) => target === host && content.protocol === 'udp').length,
        `${host}: datagrams`,
      ).toBeLessThanOrEqual(12);
    }
    report(`most connections at once: ${worst.most} (${worst.device})`);
  });

  test('identify makes the same devices of the journal', async () => {
    const { finished } = lab.scanner.kvmsweep(['identify', 'truth.ndjson', '--format', 'json', '-o', 'again.json', '--all']);
    expect(await finished).toMatchObject({ code: 0 });
    expect(lab.scanner.read('again').inventory.devices).toEqual(swept.files.inventory.devices);
  });
});

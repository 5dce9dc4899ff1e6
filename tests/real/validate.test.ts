import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Expected } from '../../src/scan/expected.ts';
import type { Signal } from '../../src/scan/validate.ts';
import type { Packet } from '../support/pcap.ts';
import { accountOf } from './account.ts';
import { violations } from './grammar.ts';
import { type Finished, Lab, type Profile, REAL, report } from './lab.ts';

const HOSTS: Readonly<Record<string, Profile>> = {
  '10.77.0.21': 'bmc',
  '10.77.0.22': 'old-bmc',
  '10.77.0.31': 'vnc-auth',
  '10.77.0.32': 'vnc-auth',
  '10.77.0.33': 'web',
};
const NOBODY = ['10.77.0.41', '10.77.0.42'];

interface Result {
  readonly signals: readonly Signal[];
  readonly expected: readonly Expected[];
}

function resultOf({ stdout, stderr, code }: Finished): Result {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Result;
}

describe('signals for detection rules, as nobody', REAL, () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start({ hosts: HOSTS });
  });
  afterAll(() => lab?.stop());

  /** Runs the command, and tells what it put on the wire. */
  async function validate(name: string, words: readonly string[]): Promise<{ ended: Finished; packets: Packet[] }> {
    const capture = await lab.scanner.capture(name);
    const ended = await lab.scanner.kvmsweep(['validate', ...words]).finished;
    return { ended, packets: await capture.packets() };
  }

  test('ipmi: pings over UDP 623, and nothing else; says from where, to whom, and what came back', async () => {
    const hosts = ['10.77.0.21', '10.77.0.22', NOBODY[0] ?? ''];
    const { ended, packets } = await validate('ipmi', ['ipmi', ...hosts, '--format', 'json', '--audit', 'ipmi.audit']);
    const { signals, expected } = resultOf(ended);
    expect(signals.map(({ from, host, port, transport }) => [from, host, port, transport])).toEqual(
      hosts.map((host) => [lab.scanner.address, host, 623, 'udp']),
    );
    const bmc = signals[0] as Signal;
    expect(bmc).toMatchObject({
      outcome: 'answered',
      sent: expect.stringMatching(/^RMCP presence ping 0600ff06000011be80[0-9a-f]{2}0000$/) as string,
      answer: expect.stringMatching(/^presence pong 0600ff06000011be40/) as string,
    });
    expect(signals[2]).toMatchObject({ outcome: 'silent' });
    expect(expected).toMatchObject([
      {
        rule: 'IPMI from outside the admin networks',
        fields: { SrcIpAddr: lab.scanner.address, DstIpAddr: hosts.join(', '), DstPortNumber: '623', NetworkProtocol: 'UDP' },
      },
    ]);
    // The kernel's own questions for addresses on its link are no packets of the product.
    const sent = packets.filter(({ source, content }) => source === lab.scanner.address && content.protocol !== 'arp');
    expect(sent.every(({ content }) => content.protocol === 'udp' && content.targetPort === 623)).toBe(true);
    expect(hosts.map((host) => sent.filter(({ target }) => target === host).length)).toEqual([1, expect.any(Number), 2]);
    const hex = (host: string): string[] =>
      sent.flatMap(({ target, content }) => (target === host && content.protocol === 'udp' ? [content.data.toString('hex')] : []));
    for (const { host, sent: told } of signals) expect(told).toBe(`RMCP presence ping ${hex(host).join(' and ')}`);
    expect(violations(packets, lab.scanner.address, (address) => hosts.includes(address))).toEqual([]);
    expect(
      lab.scanner
        .read('ipmi')
        .audit.map(({ host, what, hex: bytes }) => `${host} ${what} ${bytes}`)
        .toSorted(),
    ).toEqual(hosts.flatMap((host) => hex(host).map((bytes) => `${host} ipmi.asf-ping ${bytes}`)).toSorted());
    report(`ipmi: ${signals.map(({ host, outcome, ms }) => `${host} ${outcome} ${ms} ms`).join(', ')}`);
  });

  test('vnc: one connection to each within a minute, and not a byte over it', async () => {
    const hosts = ['10.77.0.31', '10.77.0.32', '10.77.0.33', ...NOBODY];
    const { ended, packets } = await validate('vnc', ['vnc', ...hosts, '--format', 'json']);
    const { signals, expected } = resultOf(ended);
    expect(ended.seconds).toBeLessThan(60);
    expect(signals.map(({ host }) => host)).toEqual(hosts);
    for (const { host, outcome, answer } of signals.slice(0, 2)) expect([host, outcome, answer]).toEqual([host, 'answered', 'RFB 003.008']);
    expect(signals.slice(3).map(({ outcome }) => outcome)).toEqual(['silent', 'silent']);
    expect(expected).toMatchObject([
      { rule: 'One computer tries VNC on many others', fields: { RemoteIP: hosts.join(', '), RemotePort: '5900' } },
    ]);
    const { connections, datagrams } = accountOf(packets, lab.scanner.address);
    expect(datagrams).toBe(0);
    expect(connections.map(({ server, serverPort, syns, sent }) => `${server} ${serverPort} ${syns} ${sent.length}`).toSorted()).toEqual(
      hosts.map((host) => `${host} 5900 1 0`),
    );
    report(`vnc: ${signals.map(({ host, outcome, ms }) => `${host} ${outcome} ${ms} ms`).join(', ')}`);
  });

  test.for([
    [['vnc', '10.77.0.31-34'], /4 of 5 addresses: the rule fires where one computer tries VNC on 5 within fifteen minutes/],
    [['vnc', '10.77.0.0/24'], /256 addresses are too many/],
    [['ipmi', '10.78.0.1'], /outside KVMSWEEP_ONLY/],
    [['vnc', '8.8.8.8', '--rule', 'connection-to-unapproved-device'], /KVMSWEEP_ONLY/],
  ] as const)('%j: refused, and nothing is sent', async ([words, says]) => {
    const { ended, packets } = await validate('refused', words);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(says);
    expect(packets.filter(({ source, content }) => source === lab.scanner.address && content.protocol !== 'arp')).toEqual([]);
  });
});

import { expect, test } from 'vitest';
import { ForbiddenError } from '../../src/errors.ts';
import { Datagrams } from '../../src/sweep/datagrams.ts';
import { type AttachedLink, attachedLinks } from '../../src/sweep/attached.ts';
import { Links, linksToAsk } from '../../src/sweep/link.ts';
import { MESSAGES } from '../../src/sweep/messages.ts';
import type { AddressNumber, AddressRange } from '../../src/targets/addresses.ts';
import { parseAddress } from '../../src/targets/addresses.ts';
import { Guard } from '../../src/targets/guard.ts';
import { HostSet } from '../../src/targets/hosts.ts';
import { parseRange } from '../../src/targets/parse.ts';
import { AuditLog } from '../support/audit-log.ts';

const rangesOf = (...texts: string[]): AddressRange[] => texts.map((text) => parseRange(text) as AddressRange);
const linkOf = (name: string, own: string, ...networks: string[]): AttachedLink => ({ name, own, networks: rangesOf(...networks) });
const bytesOf = (name: string): Buffer => Buffer.from(MESSAGES.find((message) => message.name === name)?.template ?? '', 'hex');

const LAN = linkOf('eth0', '10.1.0.7', '10.1.0.0/24');
const LAB = linkOf('eth1', '192.168.5.1', '192.168.5.0/24', '10.9.0.0/16');

test.for<{ name: string; targets: string[]; guard?: Guard; asked: string[] }>([
  { name: 'a link that holds a target', targets: ['10.1.0.99'], asked: ['eth0'] },
  { name: 'a link that reaches into the targets', targets: ['10.0.0.0/8'], asked: ['eth0', 'eth1'] },
  { name: 'a second network of a link', targets: ['10.9.3.3'], asked: ['eth1'] },
  { name: 'no link at all', targets: ['10.2.0.0/24', '172.16.0.1'], asked: [] },
  { name: 'a link of which only our own address is a target', targets: ['10.1.0.7'], asked: [] },
  { name: 'our own address and a neighbour', targets: ['10.1.0.6-10.1.0.7'], asked: ['eth0'] },
  { name: 'IPv6 targets', targets: ['fd00::/120'], asked: [] },
  { name: 'a link that the guard allows in part', targets: ['10.1.0.99'], guard: new Guard({ only: '10.1.0.64/26' }), asked: [] },
  { name: 'a link of which the guard forbids another network', targets: ['10.9.3.3'], guard: new Guard({ only: '10.0.0.0/8' }), asked: [] },
  { name: 'a link that the guard allows', targets: ['10.1.0.99'], guard: new Guard({ only: '10.1.0.0/16' }), asked: ['eth0'] },
])('asked by multicast: $name', ({ targets, guard = new Guard(), asked }) =>
  expect(linksToAsk([LAN, LAB], new HostSet(rangesOf(...targets)), guard).map(({ name }) => name)).toEqual(asked),
);

test('a link with a public network is asked only where public addresses may be', () => {
  const link = linkOf('eth0', '203.0.113.7', '203.0.113.0/24');
  const hosts = new HostSet(rangesOf('203.0.113.9'));
  expect(linksToAsk([link], hosts, new Guard())).toEqual([]);
  expect(linksToAsk([link], hosts, new Guard({ allowPublic: true }))).toEqual([link]);
});

test('loopback is no link', () => {
  for (const { own, networks } of attachedLinks()) {
    expect(own).not.toMatch(/^127\./);
    for (const { first, last } of networks) expect(first).not.toBe(last);
  }
});

const QUESTIONS = {
  mdns: { group: '224.0.0.251', ttl: 255, questions: [{ name: 'mdns.browse', bytes: bytesOf('mdns.browse') }] },
  ssdp: { group: '239.255.255.250', ttl: 1, questions: [{ name: 'ssdp.root-link', bytes: bytesOf('ssdp.root-link') }] },
};

test('each question goes out over each link, one after the other; whose links were asked is known before the first answer', async () => {
  const sent: string[] = [];
  let under = 0;
  const links = new Links(
    [LAN, LAB],
    [
      { index: 3, port: 1900, link: QUESTIONS.ssdp },
      { index: 5, port: 5353, link: QUESTIONS.mdns },
    ],
    {
      multicast: async ({ name, own }, { group, ttl, port }, question) => {
        under += 1;
        expect(under).toBe(1);
        expect(links.hasAsked(port === 1900 ? 3 : 5, parseAddress(own) as AddressNumber)).toBe(true);
        await new Promise((resolve) => setTimeout(resolve, 1));
        under -= 1;
        sent.push(`${name} ${own} ${group} ${ttl} ${port} ${question.name}`);
        return name === 'eth1' ? { sent: 'local', code: 'ENETDOWN' } : { sent: 'sent', code: undefined };
      },
    },
  );
  const isAsked = (index: number, address: string): boolean => links.hasAsked(index, parseAddress(address) as AddressNumber);
  expect(links.isNeeded).toBe(true);
  expect(isAsked(3, '10.1.0.99')).toBe(false);
  expect(links.notes).toEqual([]);
  expect(await links.ask()).toBe(2);
  expect(sent).toEqual([
    'eth0 10.1.0.7 239.255.255.250 1 1900 ssdp.root-link',
    'eth0 10.1.0.7 224.0.0.251 255 5353 mdns.browse',
    'eth1 192.168.5.1 239.255.255.250 1 1900 ssdp.root-link',
    'eth1 192.168.5.1 224.0.0.251 255 5353 mdns.browse',
  ]);
  expect([isAsked(3, '10.1.0.99'), isAsked(5, '10.9.200.1'), isAsked(4, '10.1.0.99'), isAsked(3, '10.2.0.1')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(links.notes).toEqual([
    'everybody in 10.1.0.0/24 was asked at once over eth0, targets or not (239.255.255.250 port 1900, 224.0.0.251 port 5353)',
    'everybody in 192.168.5.0/24 and 10.9.0.0/16 was asked at once over eth1, targets or not (239.255.255.250 port 1900, 224.0.0.251 port 5353); not all of it could be sent (ENETDOWN)',
  ]);
});

test('nothing is asked where there is no link, or nothing to ask', () => {
  const datagrams = { multicast: () => Promise.reject(new Error('not here')) };
  expect(new Links([], [{ index: 0, port: 5353, link: QUESTIONS.mdns }], datagrams).isNeeded).toBe(false);
  expect(new Links([LAN], [], datagrams).isNeeded).toBe(false);
});

test.for<{ name: string; link: AttachedLink; group: string; message: string; guard: Guard }>([
  { name: 'a link that the guard forbids', link: LAN, group: '224.0.0.251', message: 'mdns.browse', guard: Guard.fromEnvironment() },
  { name: 'another group', link: LAN, group: '224.0.0.1', message: 'mdns.browse', guard: new Guard() },
  { name: 'one device instead of a group', link: LAN, group: '10.1.0.9', message: 'ssdp.root-link', guard: new Guard() },
  { name: 'a message for one device', link: LAN, group: '239.255.255.250', message: 'ssdp.root', guard: new Guard() },
])('the socket itself sends nothing to $name', async ({ link, group, message, guard }) => {
  const audit = new AuditLog();
  const datagrams = new Datagrams({ guard, audit, onDatagram: () => undefined });
  await expect(datagrams.multicast(link, { group, ttl: 1, port: 5353 }, { name: message, bytes: bytesOf(message) })).rejects.toBeInstanceOf(
    ForbiddenError,
  );
  expect(audit.entries).toEqual([]);
});

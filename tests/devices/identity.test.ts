import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  canonicalSerial,
  canonicalSpki,
  canonicalUid,
  deriveKey,
  factIdentifiers,
  ownMac,
  sortIdentifiers,
  uidReadings,
  uidToken,
  usableSerial,
} from '../../src/devices/identity.ts';
import { canonicalMac } from '../../src/text.ts';
import type { Identifier } from '../../src/vocabulary.ts';

const UUID = '00112233445566778899aabbccddeeff';
const SMBIOS = '33221100554477668899aabbccddeeff';
const REVERSED = 'ffeeddccbbaa99887766554433221100';

test.for([
  { text: '00112233-4455-6677-8899-AABBCCDDEEFF', uid: UUID },
  { text: '{00112233-4455-6677-8899-aabbccddeeff}', uid: UUID },
  { text: 'urn:uuid:00112233-4455-6677-8899-aabbccddeeff', uid: UUID },
  { text: ` ${UUID} `, uid: UUID },
  { text: '00000000-0000-0000-0000-000000000000', uid: undefined },
  { text: 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF', uid: undefined },
  { text: '0102030405060708090a0b0c0d0e0f10', uid: undefined },
  { text: '100f0e0d0c0b0a090807060504030201', uid: undefined }, // the same of OpenBMC, reversed
  { text: '03000200-0400-0500-0006-000700080009', uid: undefined },
  { text: '00020003-0004-0005-0006-000700080009', uid: undefined }, // AMI's as SMBIOS says it
  { text: '53555045524d4943524f000000000000', uid: undefined }, // SUPERMICRO
  { text: '0000000000004f5243494d5245505553', uid: undefined }, // the same, reversed
  { text: '44454c4c580010528037', uid: undefined }, // too short
  { text: '44454c4c-5800-1052-8037-cac04f4d4c33', uid: '44454c4c580010528037cac04f4d4c33' }, // DELL and a number
  { text: 'a123456789abcdefa123456789abcdef', uid: undefined },
  { text: '0011223344556677', uid: undefined },
  { text: 'not a uuid', uid: undefined },
  { text: '', uid: undefined },
])('canonicalUid: $text', ({ text, uid }) => expect(canonicalUid(text)).toBe(uid));

test('a UUID has three readings', () => expect(uidReadings(UUID)).toEqual([UUID, SMBIOS, REVERSED]));

test('all byte orders of a UUID have one token, also where one view turned it and the other reversed it', () => {
  expect(new Set([UUID, SMBIOS, REVERSED].map(uidToken)).size).toBe(1);
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-f]{32}$/), (uid) => {
      for (const reading of uidReadings(uid)) for (const again of uidReadings(reading)) expect(uidToken(again)).toBe(uidToken(uid));
    }),
  );
});

test('other UUIDs have other tokens', () => expect(uidToken('10112233445566778899aabbccddeeff')).not.toBe(uidToken(UUID)));

test.for([
  { text: 'ABC 123', canonical: 'ABC123', usable: 'ABC 123' },
  { text: 'abc123  ', canonical: 'ABC123', usable: 'abc123' },
  { text: '000123', canonical: '000123', usable: '000123' },
  { text: '', canonical: '', usable: undefined },
  { text: '0000000', canonical: '0000000', usable: undefined },
  { text: 'To Be Filled By O.E.M.', canonical: 'TOBEFILLEDBYO.E.M.', usable: undefined },
  { text: 'Default string', canonical: 'DEFAULTSTRING', usable: undefined },
  { text: 'N/A', canonical: 'N/A', usable: undefined },
  { text: '0123456789', canonical: '0123456789', usable: undefined },
  { text: '𝟘𝟘𝟘', canonical: '𝟘𝟘𝟘', usable: undefined },
])('serial number "$text"', ({ text, canonical, usable }) => {
  expect(canonicalSerial(text)).toBe(canonical);
  expect(usableSerial(text)).toBe(usable);
});

test.for([
  { text: '00:00:5e:00:53:10', mac: '00:00:5E:00:53:10' },
  { text: '0000.5e00.5310', mac: '00:00:5E:00:53:10' },
  { text: '00:00:5e:00:01:0a', mac: undefined }, // VRRP
  { text: '00:00:5e:00:02:0a', mac: undefined }, // VRRP for IPv6
  { text: '00:00:0c:07:ac:01', mac: undefined }, // HSRP
  { text: '00:00:0c:9f:f0:01', mac: undefined }, // HSRP version 2
  { text: '00:07:b4:00:01:01', mac: undefined }, // GLBP
  { text: '00:00:00:00:00:00', mac: undefined },
  { text: '01:00:5e:00:00:01', mac: undefined },
])('ownMac: $text', ({ text, mac }) => expect(ownMac(text)).toBe(mac));

test('a key is 64 hex digits', () => {
  expect(canonicalSpki('AB'.repeat(32))).toBe('ab'.repeat(32));
  expect(canonicalSpki('ab')).toBeUndefined();
});

test('what the facts of an endpoint identify', () => {
  const facts = {
    'mac.address': '00:00:5E:00:53:10',
    'snmp.engine.mac': '00:00:5E:00:53:11',
    'ipmi.guid': UUID,
    'redfish.uuid': '00000000-0000-0000-0000-000000000000',
    'tls.spki': 'cd'.repeat(32),
    'moxa.serial': 'MX 12',
    'addp.mac': 42,
    'aidp.mac': '00:E0:86:11:5D:A8',
    'moxa.mac': '00:00:00:00:00:00',
    'netbios.mac': 'A4:5D:36:0C:11:E2',
    'ubiquiti.mac': '80:2A:A8:AE:F1:63',
    'wsd.endpoint': 'urn:uuid:3d1219c7-c4c5-404a-aa1f-6d2a48adfda4',
    'mdns.mac': '48:da:35:6e:39:d0',
    'ssdp.redfish.uuid': '34353738-3935-5a43-4a38-34313032574d',
    'ssdp.udn': 'uuid:4d696e69-444c-164e-9d41-c632861aef5a',
  };
  expect(factIdentifiers(facts, '192.0.2.1:443')).toEqual([
    { kind: 'mac', value: '00:00:5E:00:53:10', from: 'neighbour table 192.0.2.1:443' },
    { kind: 'mac', value: '00:00:5E:00:53:11', from: 'snmp engine 192.0.2.1:443' },
    { kind: 'mac', value: '48:DA:35:6E:39:D0', from: 'mdns 192.0.2.1:443' },
    { kind: 'guid', value: UUID, from: 'ipmi 192.0.2.1:443' },
    { kind: 'uuid', value: '3435373839355a434a3834313032574d', from: 'ssdp 192.0.2.1:443' },
    { kind: 'spki', value: 'cd'.repeat(32), from: 'tls 192.0.2.1:443' },
    { kind: 'mac', value: '00:E0:86:11:5D:A8', from: 'aidp 192.0.2.1:443' },
    { kind: 'mac', value: 'A4:5D:36:0C:11:E2', from: 'netbios 192.0.2.1:443' },
    { kind: 'mac', value: '80:2A:A8:AE:F1:63', from: 'ubiquiti 192.0.2.1:443' },
    { kind: 'uuid', value: '3d1219c7c4c5404aaa1f6d2a48adfda4', from: 'wsd 192.0.2.1:443' },
    { kind: 'serial', value: 'MX 12', from: 'moxa 192.0.2.1:443' },
  ]);
});

test('what an SNMP agent says of the device identifies it, where it says something', () => {
  expect(factIdentifiers({ 'snmp.entity.serial': 'QLF 2450117', 'snmp.mac': '00:0D:5D:0C:99:B0' }, '192.0.2.1:161/udp')).toEqual([
    { kind: 'mac', value: '00:0D:5D:0C:99:B0', from: 'snmp interface 192.0.2.1:161/udp' },
    { kind: 'serial', value: 'QLF 2450117', from: 'snmp entity 192.0.2.1:161/udp' },
  ]);
  expect(factIdentifiers({ 'snmp.entity.serial': 'To be filled by O.E.M.', 'snmp.mac': '00:00:5E:00:01:07' }, 'x')).toEqual([]);
});

test('identifiers are sorted by strength, each value once', () => {
  const ip: Identifier = { kind: 'ip', value: '192.0.2.1', from: 'address' };
  const serial: Identifier = { kind: 'serial', value: 'S1', from: 'a' };
  expect(sortIdentifiers([ip, { ...serial, from: 'b' }, serial])).toEqual([serial, ip]);
});

test('a key comes from the strongest identifier, and the order of the others is of no matter', () => {
  const ids: Identifier[] = [
    { kind: 'ip', value: '192.0.2.1', from: 'address' },
    { kind: 'serial', value: 's 1', from: 'a' },
    { kind: 'mac', value: '00:00:5E:00:53:10', from: 'b' },
  ];
  const key = deriveKey(ids, 'Dell');
  expect(key).toMatch(/^kvm-[0-9a-f]{12}$/);
  expect(deriveKey(ids.toReversed(), 'Dell')).toBe(key);
  expect(deriveKey([{ kind: 'serial', value: 'S1', from: 'c' }], 'Dell')).toBe(key);
  expect(deriveKey(ids, 'HPE')).not.toBe(key);
});

test.for([
  { text: '00:c0:4e:12:34:56', mac: '00:C0:4E:12:34:56' },
  { text: '00-C0-4E-12-34-56', mac: '00:C0:4E:12:34:56' },
  { text: '00c0.4e12.3456', mac: '00:C0:4E:12:34:56' },
  { text: '0:c0:4e:12:34:56', mac: '00:C0:4E:12:34:56' },
  { text: '00 C0 4E 12 34 56', mac: '00:C0:4E:12:34:56' },
  { text: ' 00 c0 4e 12 34 56\r\n', mac: '00:C0:4E:12:34:56' },
  { text: '10 20 30 40 50 60', mac: undefined }, // six numbers
  { text: '26 11 26 13 15 00', mac: undefined }, // a date and a time
  { text: '00 C0 4E 12 34', mac: undefined },
  { text: '00 C0 4E 12 34 56 78', mac: undefined },
  { text: '00  C0 4E 12 34 56', mac: undefined },
  { text: '0 C0 4E 12 34 56', mac: undefined },
  { text: '00 C0:4E 12:34 56', mac: undefined },
  { text: '00 C0 4E 12 34 5G', mac: undefined },
  { text: '00C0 4E12 3456', mac: undefined },
  { text: '01 C0 4E 12 34 56', mac: undefined }, // a group
  { text: 'FF FF FF FF FF FF', mac: undefined },
  { text: '00 00 00 00 00 00', mac: undefined },
])('canonicalMac: $text', ({ text, mac }) => expect(canonicalMac(text)).toBe(mac));

import { expect, test } from 'vitest';
import { factPosture, sortPosture } from '../../src/devices/posture.ts';
import type { Facts, Posture } from '../../src/vocabulary.ts';

const NOW = new Date('2026-11-22T18:00:00Z');

test.for<{ name: string; facts: Facts; posture: Posture[] }>([
  { name: 'nothing', facts: {}, posture: [] },
  { name: 'VNC that offers None', facts: { 'rfb.security': [2, 1] }, posture: ['vnc-no-authentication'] },
  { name: 'VNC with a password', facts: { 'rfb.security': [2] }, posture: [] },
  { name: 'cipher suite 0', facts: { 'ipmi.suites': [3, 0] }, posture: ['ipmi-cipher-zero-advertised'] },
  {
    name: 'IPMI 1.5 with all doors open',
    facts: { 'ipmi.auth.types': 0x15, 'ipmi.auth.status': 0x07 },
    posture: ['ipmi-no-authentication', 'ipmi-anonymous-login', 'ipmi-null-user'],
  },
  { name: 'IPMI with named users only', facts: { 'ipmi.auth.types': 0x94, 'ipmi.auth.status': 0x04 }, posture: [] },
  { name: "OpenBMC's canned answer", facts: { 'ipmi.auth.types': 0x80, 'ipmi.auth.status': 0 }, posture: [] },
  { name: 'old TLS', facts: { 'tls.version': 'TLSv1.1' }, posture: ['legacy-tls'] },
  { name: 'SSL', facts: { 'tls.version': 'SSLv3' }, posture: ['legacy-tls'] },
  { name: 'suites of before AES', facts: { 'tls.version': 'TLSv1.2', 'tls.legacy': '3des-only' }, posture: ['legacy-tls'] },
  { name: 'current TLS', facts: { 'tls.version': 'TLSv1.2' }, posture: [] },
  { name: 'a short key', facts: { 'tls.keyType': 'rsa', 'tls.keyBits': 1024 }, posture: ['weak-certificate-key'] },
  { name: 'a short key of another kind is not short', facts: { 'tls.keyType': 'ec', 'tls.keyBits': 256 }, posture: [] },
  { name: 'a certificate that has ended', facts: { 'tls.notAfter': '2026-11-22T17:59:59.000Z' }, posture: ['expired-certificate'] },
  { name: 'a certificate whose end cannot be read', facts: { 'tls.notAfter': 'some day' }, posture: [] },
  { name: 'telnet', facts: { 'telnet.banner': 'login: ' }, posture: ['telnet-open'] },
  {
    name: 'facts of another type than they should be',
    facts: { 'rfb.security': 1, 'ipmi.auth.types': '21', 'tls.notAfter': 5 },
    posture: [],
  },
])('posture: $name', ({ facts, posture }) => expect(factPosture(facts, NOW)).toEqual(posture));

test('posture is sorted and said once', () =>
  expect(sortPosture(['telnet-open', 'legacy-tls', 'telnet-open'])).toEqual(['legacy-tls', 'telnet-open']));

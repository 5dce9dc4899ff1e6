import { Matcher } from '../../src/fingerprints/match.ts';
import type { Fingerprint } from '../../src/fingerprints/schema.ts';

const PROOF = { sources: ['test'], examples: [], near_misses: [] };

/** Two IP-KVMs that name themselves in their titles, a controller, a generic one, a page of no interest five makers that one page can name, two who sell what the first makes. */
const FINGERPRINTS: readonly Fingerprint[] = [
  {
    id: 'alpha',
    title: 'Alpha',
    vendor: 'Alpha',
    product: 'AlphaKVM',
    class: 'ip-kvm',
    ...PROOF,
    rules: [
      { fact: 'http.title', regex: '^Alpha(?: (?P<version>[0-9.]+))?', certainty: 90 },
      { fact: 'http.server', regex: '^alpha; sn=(?P<serial>.+)', certainty: 50 },
      { fact: 'mac.address', prefix: '00:00:5E', certainty: 30 },
    ],
  },
  {
    id: 'beta',
    title: 'Beta',
    vendor: 'Beta',
    product: 'BetaKVM',
    class: 'ip-kvm',
    ...PROOF,
    rules: [
      { fact: 'http.title', regex: '^Beta(?: (?P<version>[0-9.]+))?', certainty: 70 },
      { fact: 'mac.address', prefix: '00:00:5E', certainty: 30 },
    ],
  },
  {
    id: 'dell',
    title: 'Dell',
    vendor: 'Dell',
    product: 'iDRAC',
    class: 'bmc',
    ...PROOF,
    rules: [
      { fact: 'http.title', contains: 'iDRAC', certainty: 95 },
      { fact: 'http.generator', contains: 'idrac-ish', certainty: 35 },
    ],
  },
  {
    id: 'ipmi',
    title: 'IPMI',
    class: 'bmc',
    generic: true,
    ...PROOF,
    rules: [
      { fact: 'ipmi.auth.types', exists: true, claims: 'class', certainty: 92 },
      { fact: 'snmp.engine.text', regex: '^(?P<serial>.+) fw (?P<version>.+) at (?P<hostname>.+)', claims: 'class', certainty: 40 },
    ],
  },
  {
    id: 'page',
    title: 'Page',
    vendor: 'Page',
    product: 'Welcome',
    class: 'not-remote-access',
    ...PROOF,
    rules: [{ fact: 'http.title', prefix: 'Welcome', certainty: 80 }],
  },
  ...['one', 'two', 'three', 'four', 'five'].map((id): Fingerprint => ({
    id,
    title: id,
    vendor: id,
    product: id,
    class: 'ip-kvm',
    ...PROOF,
    rules: [{ fact: 'http.body', contains: id, certainty: 80 }],
  })),
  ...['brand', 'label'].map((id): Fingerprint => ({
    id,
    title: id,
    vendor: id,
    product: id,
    class: 'ip-kvm',
    base: 'one',
    ...PROOF,
    rules: [{ fact: 'http.body', contains: id, certainty: 70 }],
  })),
];

export const matcher = new Matcher(FINGERPRINTS);

import type { DeviceClass, Level, Posture, Severity, State } from '../../vocabulary.ts';

/** What a report calls things, for people who do not know the words of the project. */

export const CLASS_NAMES: Readonly<Record<DeviceClass, string>> = {
  'ip-kvm': 'IP-KVM',
  bmc: 'Management controller (BMC)',
  amt: 'Intel AMT',
  'chassis-manager': 'Chassis manager',
  'console-server': 'Console server',
  'kvm-management-software': 'KVM management software',
  'kvm-extender': 'KVM extender',
  'kvm-switch': 'KVM switch',
  'serial-server': 'Serial server',
  'usb-server': 'USB server',
  pdu: 'Power distribution (PDU)',
  'ups-card': 'UPS card',
  ats: 'Transfer switch (ATS)',
  'environment-monitor': 'Environment monitor',
  'vnc-software': 'VNC software',
  'not-remote-access': 'No remote access',
};

/** The same where space is short: `BMC`. */
export function shortClass(kind: DeviceClass): string {
  const name = CLASS_NAMES[kind];
  return /\((\w+)\)$/.exec(name)?.[1] ?? name;
}

export const STATE_NAMES: Readonly<Record<State, string>> = {
  impostor: 'Impostor',
  unapproved: 'Unapproved',
  ambiguous: 'Ambiguous',
  duplicate: 'Duplicate',
  expired: 'Expired',
  'outside-window': 'Outside its window',
  moved: 'Moved',
  changed: 'Changed',
  'wrong-network': 'Wrong network',
  'approved-missing': 'Missing',
  expiring: 'Expiring',
  'not-checked': 'Not checked',
  'approved-present': 'Approved',
  ignored: 'Excepted',
};

export const SEVERITY_NAMES: Readonly<Record<Severity, string>> = {
  critical: 'Critical',
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  info: 'Information',
};

/** How sure it is what a device is. */
export const LEVEL_NAMES: Readonly<Record<Level, string>> = { certain: 'Certain', likely: 'Likely', possible: 'Possible' };

/** What a risk means, and what takes it away. */
export const RISKS: Readonly<Record<Posture, string>> = {
  'vnc-no-authentication': 'Its VNC server offers the screen without a password. Set one.',
  'ipmi-anonymous-login': 'IPMI lets in whoever gives no name. Switch the anonymous user off.',
  'ipmi-null-user': 'IPMI has a user without a name. Remove it.',
  'ipmi-no-authentication': 'IPMI offers sessions without authentication. Switch them off.',
  'ipmi-cipher-zero-advertised': 'IPMI advertises cipher suite 0, with which any password is taken. Disable the suite.',
  'default-certificate': 'It shows the certificate that it came with, or one that it made itself. Install one of your own authority.',
  'shared-certificate':
    'Its key is known to be in every unit of the product: whoever has one can read what goes to the others. Replace it.',
  'expired-certificate': 'Its certificate has expired. Renew it.',
  'weak-certificate-key': 'The key of its certificate is too short. Replace it.',
  'legacy-tls': 'It speaks outdated versions of TLS only. Update its firmware.',
  'open-without-login': 'Its page opens without a login. Set a password.',
  'not-set-up': 'It was never set up: who comes first sets its password. Set it up, or take it off.',
  'telnet-open': 'It answers telnet, which sends passwords in the clear. Switch it off.',
  'amt-unprovisioned': 'Intel AMT waits to be provisioned: who comes first takes it. Provision it, or switch it off in the firmware.',
  'shared-identifier': 'Another device shows the same identifier: one of the two may be a copy.',
  'conflicting-identity': 'It shows marks of several unrelated products: several devices behind one address, or one that pretends.',
};

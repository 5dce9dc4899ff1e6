import type { Profile } from './lab.ts';

/** Open ports of profiles of the lab, as a sweep names them: what there is to find. */
export const SERVICES: Readonly<Partial<Record<Profile, readonly string[]>>> = {
  bmc: ['80/tcp', '443/tcp', '623/udp'],
  'old-bmc': ['443/tcp', '5901/tcp', '623/udp'],
  'snmp-v3': ['161/udp'],
  'vnc-auth': ['5900/tcp'],
  novnc: ['5900/tcp', '8080/tcp'],
  x11vnc: ['5900/tcp'],
  tls13: ['443/tcp'],
  printer: ['80/tcp', '161/udp'],
  web: ['80/tcp'],
};

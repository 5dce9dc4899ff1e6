import type { Profile } from './lab.ts';

/**
 * The server of Debian that each channel is tried with, by what the observations call it. A channel that has none is tried with simulated devices only,
 * which docs/channels.md says.
 */
export const PEERS: Readonly<Record<string, { readonly server: string; readonly profiles: readonly Profile[] }>> = {
  ipmi: { server: 'ipmi_sim', profiles: ['bmc'] },
  snmp: { server: 'snmpd', profiles: ['snmp-v3', 'snmp-users'] },
  'snmp-read': { server: 'snmpd', profiles: ['snmp-v2c', 'snmp-users', 'snmp-pdu'] },
  rfb: { server: 'Xtigervnc', profiles: ['vnc-auth'] },
  http: { server: 'nginx', profiles: ['web'] },
  https: { server: 'nginx', profiles: ['bmc', 'tls13'] },
  tls: { server: 'gnutls-serv', profiles: ['bmc', 'tls13', 'old-3des', 'old-rc4', 'old-ssl3'] },
  ssh: { server: 'dropbear', profiles: ['openssh', 'dropbear'] },
  telnet: { server: 'telnetd', profiles: ['telnet'] },
  ftp: { server: 'vsftpd', profiles: ['ftp'] },
  mdns: { server: 'avahi', profiles: ['mdns-pikvm'] },
  ssdp: { server: 'minissdpd', profiles: ['ssdp-media', 'ssdp-device'] },
  upnp: { server: 'minidlna', profiles: ['ssdp-media', 'ssdp-device'] },
  netbios: { server: 'nmbd', profiles: ['netbios'] },
  wsd: { server: 'wsdd2', profiles: ['wsd'] },
  dns: { server: 'dnsmasq', profiles: ['web', 'bmc'] },
  neighbours: { server: 'the kernel', profiles: ['web', 'bmc', 'mdns-pikvm'] },
};

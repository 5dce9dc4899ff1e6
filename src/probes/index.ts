import type { UdpProbe } from '../sweep/contract.ts';
import { addp } from './addp.ts';
import { aidp } from './aidp.ts';
import { ftp } from './ftp.ts';
import { http } from './http.ts';
import { ipmi } from './ipmi.ts';
import { lantronix } from './lantronix.ts';
import { listen } from './listen.ts';
import { mdns } from './mdns.ts';
import { moxa } from './moxa.ts';
import { netbios } from './netbios.ts';
import { redfish } from './redfish.ts';
import { rfb } from './rfb.ts';
import { slp } from './slp.ts';
import { snmpRead } from './snmp-read.ts';
import { snmp } from './snmp.ts';
import { ssdp } from './ssdp.ts';
import { ssh } from './ssh.ts';
import { telnet } from './telnet.ts';
import { tls } from './tls.ts';
import { ubiquiti } from './ubiquiti.ts';
import { upnp } from './upnp.ts';
import { wsd } from './wsd.ts';

export { pageRecord, speaksTls } from './http.ts';
export { type SnmpHello, snmpWith } from './snmp.ts';
export { tlsRaw } from './tls-raw.ts';

/** Every probe, by its id. */
export const probes = {
  ipmi,
  snmp,
  snmpRead,
  rfb,
  tls,
  http,
  redfish,
  ssh,
  telnet,
  ftp,
  listen,
  mdns,
  ssdp,
  upnp,
  addp,
  aidp,
  lantronix,
  moxa,
  netbios,
  slp,
  ubiquiti,
  wsd,
};

/** Those that speak in datagrams: the sweep greets addresses with them. */
export const udpProbes: readonly UdpProbe[] = Object.values(probes).filter((probe) => probe.speaks === 'datagrams');

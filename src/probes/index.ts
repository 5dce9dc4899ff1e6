import { ftp } from './ftp.ts';
import { http } from './http.ts';
import { ipmi } from './ipmi.ts';
import { listen } from './listen.ts';
import { mdns } from './mdns.ts';
import { redfish } from './redfish.ts';
import { rfb } from './rfb.ts';
import { snmp } from './snmp.ts';
import { ssdp } from './ssdp.ts';
import { ssh } from './ssh.ts';
import { telnet } from './telnet.ts';
import { tls } from './tls.ts';
import { upnp } from './upnp.ts';

export { pageRecord, speaksTls } from './http.ts';

/** Every probe, by its id. */
export const probes = { ipmi, snmp, rfb, tls, http, redfish, ssh, telnet, ftp, listen, mdns, ssdp, upnp };

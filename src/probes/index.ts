import { ftp } from './ftp.ts';
import { http } from './http.ts';
import { ipmi } from './ipmi.ts';
import { listen } from './listen.ts';
import { redfish } from './redfish.ts';
import { rfb } from './rfb.ts';
import { snmp } from './snmp.ts';
import { ssh } from './ssh.ts';
import { telnet } from './telnet.ts';
import { tls } from './tls.ts';

export { pageRecord, speaksTls } from './http.ts';
export { tlsRaw } from './tls-raw.ts';

/** Every probe, by its id. */
export const probes = { ipmi, snmp, rfb, tls, http, redfish, ssh, telnet, ftp, listen };

import type { Facts } from '../vocabulary.ts';

/** Intel's enterprise number in a presence pong: the bytes that the responder may fill in are those of Intel AMT. */
export const INTEL = 343;

/** In the pong's data, from its first byte on. */
const PORT = 4;
const VERSION = 6;
const STATE = 7;
const LONG_VERSION = 10;

/** In the state. */
const PROVISIONING = 0x03;
const BOTH_PORTS = 0x04;
const PROVISIONING_STATES = ['pre', 'in', 'post'] as const;
/** Without TLS, and with it. */
const WEB_PORTS = [16_992, 16_993];

/**
 * What Intel AMT says of itself in the data of an ASF presence pong: version, whether it was set up, and its web port, which is 0 before that. The version is
 * two nibbles, or from release 16 on two bytes where the nibbles are 0. Releases before 6.0 tell neither version nor state, so their zeros say nothing.
 *
 * Spec: Intel AMT Implementation and Reference Guide, "Use RMCP Ping to Determine the Platform State" and "Discovery, Detailed Description" (bytes 5 to 8,
 * 11 and 12 there, counted from 1); for the bit of both ports Ylianst/MeshCentral@0735cf8 amtscanner.js.
 */
export function amtFacts(pong: Buffer): Facts {
  const port = pong.readUInt16BE(PORT);
  const told: Facts = port === 0 ? {} : { 'amt.port': port };
  const version = pong.readUInt8(VERSION);
  const [major, minor] = version === 0 ? [pong.readUInt8(LONG_VERSION), pong.readUInt8(LONG_VERSION + 1)] : [version >> 4, version & 0x0f];
  if (major === 0) return told;
  const state = pong.readUInt8(STATE);
  const provisioning = PROVISIONING_STATES[state & PROVISIONING];
  return {
    ...told,
    'amt.version': `${major}.${minor}`,
    ...(provisioning === undefined ? {} : { 'amt.provisioning': provisioning }),
    ...((state & BOTH_PORTS) === 0 ? {} : { 'amt.ports': WEB_PORTS }),
  };
}

import type { Transport } from '../../vocabulary.ts';

/** A script's result in an nmap file: its text, and the values that it gives by name. */
export interface ScanScript {
  readonly id: string;
  readonly output: string;
  readonly values: readonly ScanValue[];
}

/** A value of a script. `path` are the keys of the tables that it is in, and its own: `subject`, `commonName`; unnamed ones are ''. */
export interface ScanValue {
  readonly path: readonly string[];
  readonly text: string;
}

/** What a scanner says is spoken at a port. */
export interface ScanService {
  readonly name: string;
  /** False where it is only the usual name of that number. */
  readonly isProbed: boolean;
  readonly isInTls: boolean;
}

/** A text that a service said, by the scanner's name for its protocol. */
export interface ScanBanner {
  readonly name: string;
  readonly text: string;
}

/** A port that another scanner found open. */
export interface ScannedPort {
  readonly transport: Transport;
  readonly port: number;
  readonly service?: ScanService;
  readonly scripts: readonly ScanScript[];
  readonly banners: readonly ScanBanner[];
}

/** What another scanner found at one address. A scanner may give an address more than once, a port each. */
export interface ScannedHost {
  readonly address: string;
  /** As the file writes it. */
  readonly mac?: string;
  /** By the operator, or by a reverse record. */
  readonly names: readonly { readonly name: string; readonly isReverse: boolean }[];
  readonly ports: readonly ScannedPort[];
  /** ISO 8601, UTC. */
  readonly at?: string;
}

/** Seconds since 1970, as scanners write them, as ISO 8601; undefined where they are none. */
export function isoTime(seconds: string | undefined): string | undefined {
  if (seconds === undefined || !/^\d{1,11}$/.test(seconds)) return undefined;
  return new Date(Number(seconds) * 1000).toISOString();
}

/** A number of a port; undefined where it is none. */
export function portNumber(text: string | undefined): number | undefined {
  const port = Number(text);
  return text !== undefined && /^\d{1,5}$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
}

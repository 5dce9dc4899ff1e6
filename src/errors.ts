import type { Facts, Outcome } from './vocabulary.ts';

/** Where a problem stands. Lines and columns count from 1. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export function placeText({ file, line, column }: Place): string {
  if (file === undefined) return '';
  return [file, line, column].filter((part) => part !== undefined).join(':');
}

/**
 * The text of every error that an operator can meet: what, and what to do. Where it stands is put in front by {@link Problem}.
 * Codes are stable: programs may test for them.
 */
const TEXTS = {
  'no-targets': () => 'no targets given: name addresses, blocks or names, or a list with -iL FILE (examples: kvmsweep scan --help)',
  'no-hosts-left': (a: { excluded: number }) =>
    a.excluded > 0
      ? `nothing is left to sweep: the exclusions take away all ${a.excluded} addresses`
      : 'the targets hold no address to sweep',
  'bad-target': (a: { text: string; reason: string }) => `"${a.text}" is no target: ${a.reason}`,
  'bad-name': (a: { text: string; reason: string }) => `the name "${a.text}" has no address: ${a.reason}`,
  'public-target': (a: { text: string; addresses: string }) =>
    `"${a.text}" holds public addresses (${a.addresses}); sweep only networks you own, and say so with --allow-public`,
  'outside-only': (a: { text: string; only: string }) =>
    `"${a.text}" holds addresses outside KVMSWEEP_ONLY=${a.only}, which limits everything this process may talk to`,
  'mixed-targets': (a: { text: string }) =>
    `"${a.text}" comes without ports, and other targets with the ones to ask: sweep them apart, or name ports for all with -p`,
  'no-known-ports': (a: { unspoken: number }) =>
    `the targets name no port that can be asked (${a.unspoken} at UDP ports whose protocol is not known): name ports with -p`,
  'wide-ipv6': (a: { text: string; bits: number }) =>
    `"${a.text}" holds 2^${a.bits} addresses, and an IPv6 block is swept up to a /112 (65,536); give the addresses that exist instead: from the neighbour table of a router on that network (ip -6 neigh), from mDNS, or the AAAA records of names you know`,
  'too-many-endpoints': (a: { endpoints: number }) =>
    `${a.endpoints} addresses times ports are more than one sweep can number (2^48): split the targets`,
  'too-many-hosts': (a: { hosts: number; most: number }) =>
    `${a.hosts.toLocaleString('en')} addresses are too many: this makes a signal and is no sweep; name ${a.most} at most`,
  'too-few-hosts': (a: { hosts: number; least: number }) =>
    `${a.hosts} of ${a.least} addresses: the rule fires where one computer tries VNC on ${a.least} within fifteen minutes, so name ${a.least} or more (addresses where nothing answers count too)`,
  'no-neighbours': () =>
    '--neighbours: this system does not tell its neighbour table; name the addresses instead (`arp -an`, `ip -6 neigh`)',
  'unreadable-file': (a: { file: string; reason: string }) => `cannot read ${a.file}: ${a.reason}`,
  'unwritable-file': (a: { file: string; reason: string }) => `cannot write ${a.file}: ${a.reason}`,
  'replaces-input': (a: { file: string }) =>
    `${a.file} is read by this command and is not overwritten with what it writes: name another file`,
  'file-exists': (a: { file: string }) => `${a.file} exists already and is not overwritten: name another file, or move it away`,
  'not-together': (a: { file: string; reason: string }) =>
    `${a.file} cannot be put together with the others: ${a.reason}; identify takes the journals of the shards of one sweep`,
  'empty-file': (a: { file: string; what: string }) => `${a.file} holds no ${a.what}`,
  'bad-port': (a: { text: string; reason: string }) =>
    `"${a.text}" is no port list: ${a.reason} (examples: -p 80,443  -p T:80-90,U:623  -p 8443=https,1623/udp=ipmi)`,
  'bad-option': (a: { option: string; text: string; reason: string }) => `${a.option} ${a.text}: ${a.reason}`,
  // Never with the text that was given: it may be, or hold, the secret.
  'bad-credential': (a: { what: string; reason: string }) => `${a.what}: ${a.reason} (how they are given: docs/snmp.md)`,
  'bad-path': (a: { path: string; reason: string }) => `--allow-path ${a.path}: ${a.reason}`,
  'bad-journal-line': (a: { reason: string }) => `not a journal line (${a.reason}); it is left out, the rest is kept`,
  'not-a-journal': (a: { file: string; reason: string }) => `${a.file} is no journal of a sweep: ${a.reason}`,
  'cannot-resume': (a: { file: string; reason: string }) => `cannot resume from ${a.file}: ${a.reason}`,
  'unknown-fact': (a: { name: string; nearest?: string }) =>
    `no probe reports "${a.name}"${a.nearest === undefined ? '' : `; did you mean "${a.nearest}"?`} (\`kvmsweep fingerprints facts\` lists them)`,
  'bad-fingerprint': (a: { field: string; reason: string }) => `${a.field === '' ? '' : `${a.field}: `}${a.reason}`,
  'bad-regex': (a: { regex: string; reason: string }) =>
    `the pattern ${a.regex} cannot be used: ${a.reason} (syntax: RE2, no lookaround, no backreference)`,
  'unlisted-path': (a: { path: string }) =>
    `asks for ${a.path}, which is not in the reviewed list of paths (data/vocabulary/paths.yaml); your own definitions may ask for it with --allow-path`,
  'unknown-fingerprint': (a: { id: string; nearest?: string }) =>
    `there is no fingerprint "${a.id}"${a.nearest === undefined ? '' : `; did you mean "${a.nearest}"?`} (\`kvmsweep fingerprints list\`)`,
  'bad-inventory': (a: { file: string; reason: string }) => `${a.file} is no kvmsweep inventory: ${a.reason}`,
  'bad-state': (a: { file: string; reason: string }) =>
    `${a.file} is no state of \`export --to sentinel\`: ${a.reason}; name another file with --state, or move it away to begin anew`,
  'bad-subnet': (a: { text: string; reason: string }) => `"${a.text}" is no network: ${a.reason}`,
  'too-many-changes': (a: { changes: number; limit: number }) =>
    `the bundle would change ${a.changes} watchlist items, and Microsoft Sentinel takes ${a.limit} a month: export the inventories of smaller sweeps, each to a workspace of its own, or load the table KvmSweepDevices_CL only`,
  'bad-evidence': (a: { reason: string }) => a.reason,
  'bad-scan': (a: { reason: string }) => a.reason,
  'no-computer': (a: { file: string }) => `${a.file} does not say of which computer it is: name it with --host NAME`,
  'bad-csv': (a: { reason: string }) => a.reason,
  'bad-approved': (a: { reason: string }) => a.reason,
  'nothing-given': () => 'there is nothing to hold the inventory against: give --approved FILE, --policy FILE, or both',
  'bad-policy': (a: { field: string; reason: string }) => `${a.field === '' ? '' : `${a.field}: `}${a.reason}`,
  'no-identifier-column': (a: { headings: string }) =>
    `no column names a device (looked for MAC, serial, UUID, host name and IP address under their usual headings); the headings are: ${a.headings}. If one of them does, say so: --map mac="HEADING"`,
  'no-approved': () => 'holds no approved asset with a usable identifier, so nothing can be reconciled',
  'never-sent': (a: { what: string; why: string }) => `${a.what} is never sent: ${a.why}`,
  'not-allowed': (a: { what: string }) => `${a.what} is not in the list of what may be sent`,
  'forbidden-address': (a: { address: string; reason: string }) => `nothing is sent to ${a.address}: ${a.reason}`,
  'port-in-use': (a: { address: string; port: number; transport: string }) =>
    `${a.address}:${a.port}/${a.transport} is in use; stop what uses it, or give the fleet other ports with --port-base`,
  'no-such-device': (a: { address: string; file: string }) => `${a.file} has no device at ${a.address}`,
  'nothing-telling': (a: { address: string; file: string }) =>
    `nothing that ${a.address} says in ${a.file} tells one product from another: no title, name, icon, description or certificate of its own`,
  'nothing-known': (a: { what: string }) => a.what,
} satisfies Record<string, (a: never) => string>;

export type ProblemCode = keyof typeof TEXTS;
type ArgsOf<C extends ProblemCode> = Parameters<(typeof TEXTS)[C]> extends [infer A] ? A : Record<string, never>;

/** Something the operator has to know or mend: a code, its arguments, and where it stands. Data, so that lists of them can be reported at once. */
export interface Problem<C extends ProblemCode = ProblemCode> {
  readonly code: C;
  readonly args: ArgsOf<C>;
  readonly place: Place;
}

export function problem<C extends ProblemCode>(code: C, args: ArgsOf<C>, place: Place = {}): Problem<C> {
  return { code, args, place };
}

export function problemText({ code, args, place }: Problem): string {
  const text = (TEXTS[code] as (a: unknown) => string)(args);
  const where = placeText(place);
  return where === '' ? text : `${where}: ${text}`;
}

/** Input that cannot be worked with; `problems` holds all that was found, not just the first. Exit code 2. */
export class InputError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(problemText).join('\n'));
    this.name = 'InputError';
    this.problems = problems;
  }
}

export function inputError<C extends ProblemCode>(code: C, args: ArgsOf<C>, place: Place = {}): InputError {
  return new InputError([problem(code, args, place)]);
}

/** The code of a system error: `ECONNREFUSED`. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The reason of a system call's failure, in words without the path (which the message names itself). */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of its path is no folder',
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EROFS: 'the disk is read-only',
    EEXIST: 'it exists already',
    EFBIG: 'the file would grow too large',
  };
  return (code !== undefined && words[code]) || message || String(error);
}

/** The ways in which a conversation with a device ends early. */
export type ProbeErrorKind = Exclude<Outcome, 'answered' | `skipped:${string}`>;

/**
 * A device that does not do what its protocol says. It becomes a row of the result, never the end of a sweep.
 * `facts` are those learned before, and what came instead is evidence too.
 */
export class ProbeError extends Error {
  readonly kind: ProbeErrorKind;
  readonly facts: Facts;
  constructor(kind: ProbeErrorKind, message: string, facts: Facts = {}) {
    super(message);
    this.name = 'ProbeError';
    this.kind = kind;
    this.facts = facts;
  }
}

/** A request that the tool must not make: a mistake of ours, kept from leaving the machine. Never caught by a probe. */
export class ForbiddenError extends Error {
  readonly problem: Problem;
  constructor(forbidden: Problem) {
    super(problemText(forbidden));
    this.name = 'ForbiddenError';
    this.problem = forbidden;
  }
}

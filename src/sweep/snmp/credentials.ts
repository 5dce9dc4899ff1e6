import { inspect } from 'node:util';

/** A text that is never printed: in JSON, in templates and where it is inspected it is `***`. */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the packet that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** What a user of SNMPv3 is authenticated with (RFC 3414, RFC 7860). */
export const AUTH_PROTOCOLS = ['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
export type AuthProtocol = (typeof AUTH_PROTOCOLS)[number];
/** What the messages of a user are encrypted with: DES and AES-128 (RFC 3414, RFC 3826), and the two unfinished forms of AES-256 (Blumenthal's, and Reeder's, which Cisco uses). */
export const PRIVACY_PROTOCOLS = ['des', 'aes', 'aes256b', 'aes256r'] as const;
export type PrivacyProtocol = (typeof PRIVACY_PROTOCOLS)[number];

/** A community of SNMPv1 or v2c. */
export interface SnmpCommunity {
  readonly version: 1 | 2;
  readonly community: Secret;
}

/** A user of SNMPv3: without `auth` it is only a name, with `privacy` everything it asks is encrypted. */
export interface SnmpUser {
  readonly version: 3;
  readonly name: Secret;
  readonly auth?: { readonly protocol: AuthProtocol; readonly key: Secret };
  readonly privacy?: { readonly protocol: PrivacyProtocol; readonly key: Secret };
}

export type SnmpCredential = SnmpCommunity | SnmpUser;

/** Net-snmp's agent takes 256; a packet with a long one would not pass everywhere. */
const MAX_COMMUNITY_OCTETS = 64;
/** RFC 3411 section 5, SnmpAdminString of a user. */
const MAX_NAME_OCTETS = 32;
/** RFC 3414 section 11.2. */
const MIN_KEY_CHARACTERS = 8;
/** A shorter one is part of too many words to be struck out of what a device says. */
const MIN_STRUCK_CHARACTERS = 8;

/** The SNMP credentials that the operator gave, in his order. */
export class SnmpCredentials {
  readonly communities: readonly SnmpCommunity[];
  readonly users: readonly SnmpUser[];
  readonly #octets: readonly { readonly version: 1 | 2; readonly octets: Buffer }[];
  readonly #secrets: readonly string[];

  constructor(all: readonly SnmpCredential[] = []) {
    this.communities = all.filter((one): one is SnmpCommunity => one.version !== 3);
    this.users = all.filter((one): one is SnmpUser => one.version === 3);
    this.#octets = this.communities.map(({ version, community }) => ({ version, octets: Buffer.from(community.reveal()) }));
    this.#secrets = [
      ...this.communities.map(({ community }) => community),
      ...this.users.flatMap(({ auth, privacy }) => [auth?.key, privacy?.key]),
    ].flatMap((secret) => (secret === undefined || secret.reveal().length < MIN_STRUCK_CHARACTERS ? [] : [secret.reveal()]));
  }

  get isEmpty(): boolean {
    return this.communities.length + this.users.length === 0;
  }

  /** What may be written down of them. */
  get counts(): { readonly communities: number; readonly users: number } {
    return { communities: this.communities.length, users: this.users.length };
  }

  /** True where a community was given for a version. */
  hasCommunity(version: 1 | 2, octets: Buffer): boolean {
    return this.#octets.some((one) => one.version === version && one.octets.equals(octets));
  }

  /** What a device said (text, or data with text in it), without a secret that it says back: it has seen the community, and may call itself so. */
  struckOut<T>(value: T): T {
    return this.#secrets.length === 0 ? value : (this.#struck(value) as T);
  }

  #struck(value: unknown): unknown {
    if (typeof value === 'string') return this.#secrets.reduce((left, secret) => left.replaceAll(secret, '***'), value);
    if (Array.isArray(value)) return value.map((item) => this.#struck(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.#struck(key), this.#struck(item)]));
  }
}

export const NO_CREDENTIALS = new SnmpCredentials();

/** A community of a version, or why it is none. */
export function communityOf(version: 1 | 2, text: string): SnmpCommunity | { readonly reason: string } {
  if (text === '') return { reason: 'the community is empty' };
  if (Buffer.byteLength(text) > MAX_COMMUNITY_OCTETS) return { reason: `a community has at most ${MAX_COMMUNITY_OCTETS} octets` };
  if (/\p{Cc}/u.test(text)) return { reason: 'there is a control character in the community (a line end, a tab?)' };
  return { version, community: new Secret(text) };
}

interface UserParts {
  readonly name: string;
  readonly auth?: { readonly protocol: AuthProtocol; readonly key: string } | undefined;
  readonly privacy?: { readonly protocol: PrivacyProtocol; readonly key: string } | undefined;
}

/** A user, or why it is none, and at which part. */
export function userOf({ name, auth, privacy }: UserParts): SnmpUser | { readonly reason: string; readonly path: readonly string[] } {
  if (name === '' || Buffer.byteLength(name) > MAX_NAME_OCTETS)
    return { path: ['user'], reason: `the name of a user has 1 to ${MAX_NAME_OCTETS} octets` };
  if (privacy !== undefined && auth === undefined)
    return { path: ['privacy'], reason: 'privacy needs authentication too: give auth beside it (RFC 3411 section 3.4.3)' };
  for (const [part, given] of [
    ['auth', auth],
    ['privacy', privacy],
  ] as const)
    if (given !== undefined && given.key.length < MIN_KEY_CHARACTERS)
      return { path: [part, 'key'], reason: `the key of ${part} has at least ${MIN_KEY_CHARACTERS} characters (RFC 3414 section 11.2)` };
  return {
    version: 3,
    name: new Secret(name),
    ...(auth === undefined ? {} : { auth: { protocol: auth.protocol, key: new Secret(auth.key) } }),
    ...(privacy === undefined ? {} : { privacy: { protocol: privacy.protocol, key: new Secret(privacy.key) } }),
  };
}

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { bundled, dataPath } from '../data.ts';
import { type Problem, problem } from '../errors.ts';

/** One line of the reviewed list (`data/vocabulary/paths.yaml`). */
export interface PathRule {
  readonly path: string;
  readonly kind: 'page' | 'follow' | 'landing';
  readonly why: string;
  readonly product: string;
  readonly source: string;
}

/** What a path is asked for as: icons and descriptions need not stand in the list. */
export type PathKind = 'page' | 'icon' | 'description';

/**
 * What must never be asked for, whatever list or option names it: requests that set, claim, reboot or hand over a secret or a picture of the screen.
 * A second belt: the allow-list alone would do.
 */
export const NEVER_ASKED: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /\/api\/init\/init(\b|$)/i, why: 'a plain GET sets the admin password of a GLKVM that was not set up yet' },
  { pattern: /\/PSBlock\b/i, why: 'it hands over the password file of old Supermicro BMCs' },
  { pattern: /item=CpqKey/i, why: 'it hands over the licence key of an iLO' },
  { pattern: /(^|\/)(snapshot|stream|screenshot|capture|preview)(\b|$)(?!\.js)/i, why: 'it would copy the screen of the controlled host' },
  {
    pattern: /(^|[/?&_-])(reboot|restart|reset|shutdown|poweroff|poweron|power|delete|setup|setpassword|logout|upgrade)(\b|$)/i,
    why: 'its name says that it changes something',
  },
  { pattern: /[?&](user(name)?|pass(word|wd)?|login|action|cmd|command|set)=/i, why: 'it carries a credential or a command' },
];

/** Characters of a path as we write it: unreserved, sub-delimiters that paths use, and one query. Nothing encoded, nothing that means something to a shell or a header. */
const PLAIN_PATH = /^\/(?!\/)[A-Za-z0-9._~@,=+:/-]*(\?[A-Za-z0-9._~,=&/:-]+)?$/;

/** An icon may have any plain name that ends like an icon: the page names it. Photographs (`.jpg`) are left out: cameras serve their picture so. */
const ICON_PATH = /^\/(?!\/)[A-Za-z0-9._~/-]{1,128}\.(ico|png|svg|gif)$/i;

/** A UPnP description may have any plain name that ends like XML: the device names it in its SSDP answer. */
const DESCRIPTION_PATH = /^\/(?!\/)[A-Za-z0-9._~/-]{1,128}\.xml$/i;

/** The paths that may be asked. Exact: what goes out is the list's own text, never the device's. */
export class AllowedPaths {
  readonly rules: readonly PathRule[];
  readonly #byPath: ReadonlyMap<string, PathRule>;

  constructor(rules: readonly PathRule[], extra: readonly string[] = []) {
    this.rules = [
      ...rules,
      ...extra.map((path) => ({
        path,
        kind: 'follow' as const,
        why: 'the operator allowed it (--allow-path)',
        product: 'own fingerprint',
        source: 'command line',
      })),
    ];
    for (const path of extra) {
      const refused = refusePath(path);
      if (refused !== undefined) throw new RangeError(refused);
    }
    this.#byPath = new Map(this.rules.map((rule) => [rule.path, rule]));
  }

  static load(extra: readonly string[] = []): AllowedPaths {
    return new AllowedPaths(loadPathRules(), extra);
  }

  has(path: string): boolean {
    return this.#byPath.has(path);
  }

  /** Why a path may not be asked, or undefined where it may. */
  refusal(path: string, as: PathKind = 'page'): Problem | undefined {
    const never = NEVER_ASKED.find(({ pattern }) => pattern.test(path));
    if (never !== undefined) return problem('never-sent', { what: `GET ${path}`, why: never.why });
    if (this.#byPath.has(path)) return undefined;
    if (as === 'icon' && iconPath(path) === path) return undefined;
    if (as === 'description' && plainPath(path, DESCRIPTION_PATH) === path) return undefined;
    return problem('not-allowed', { what: `GET ${path}` });
  }

  /** The path of a UPnP description as it may be asked, or undefined where it is neither plain nor listed. A query is never asked unless it is listed. */
  description(pathAndQuery: string): string | undefined {
    const path = normalised(pathAndQuery);
    return path !== undefined && this.refusal(path, 'description') === undefined ? path : undefined;
  }

  /**
   * The listed path that a redirect leads to, or undefined where it leads to none. A query that the list does not have is dropped:
   * `/login?next=%2F` is asked as `/login`, so nothing that a device made up is sent back to it.
   */
  landing(pathAndQuery: string): string | undefined {
    const full = normalised(pathAndQuery);
    if (full === undefined) return undefined;
    const bare = full.split('?', 1)[0] as string;
    return [full, bare].find((path) => this.#byPath.has(path) && this.refusal(path) === undefined);
  }
}

/** Why a path cannot be added to the list (as `--allow-path`), or undefined where it can. */
export function refusePath(path: string): string | undefined {
  if (normalised(path) !== path || !PLAIN_PATH.test(path))
    return 'a path begins with /, has no . or .. segments and nothing percent-encoded';
  const never = NEVER_ASKED.find(({ pattern }) => pattern.test(path));
  return never === undefined ? undefined : `it is never asked: ${never.why}`;
}

/** The icon path that a page names, normalised and without its query, or undefined where it is no plain path of an icon. */
export function iconPath(path: string): string | undefined {
  return plainPath(path, ICON_PATH);
}

function plainPath(path: string, form: RegExp): string | undefined {
  const bare = normalised(path)?.split('?', 1)[0];
  if (bare === undefined || !form.test(bare) || /(^|\/)cgi(-bin)?\//i.test(bare)) return undefined;
  return NEVER_ASKED.some(({ pattern }) => pattern.test(bare)) ? undefined : bare;
}

/** A path with its dot segments resolved and its harmless percent-encodings decoded; undefined where it holds anything that a server might read differently. */
function normalised(path: string): string | undefined {
  if (path.length > 512 || !path.startsWith('/')) return undefined;
  const [bare = '', ...query] = path.split('#', 1)[0]?.split('?') ?? [];
  const decoded = bare.replace(/%([0-9a-f]{2})/gi, (code, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : code;
  });
  if (!/^[A-Za-z0-9._~@,=+:/-]*$/.test(decoded) || decoded.startsWith('//')) return undefined;
  const segments: string[] = [];
  for (const segment of decoded.split('/').slice(1)) {
    if (segment === '..') segments.pop();
    else if (segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}${query.length > 0 ? `?${query.join('?')}` : ''}`;
}

export function loadPathRules(): PathRule[] {
  return bundled('paths', readPathRules);
}

/** The list from its source. The build bundles it. */
export function readPathRules(): PathRule[] {
  return parse(readFileSync(dataPath('vocabulary/paths.yaml'), 'utf8')) as PathRule[];
}

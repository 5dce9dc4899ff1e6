import { ProbeError } from '../errors.ts';
import type { Page, Web, WebProbe } from '../sweep/contract.ts';
import type { Facts, FactValue } from '../vocabulary.ts';
import { headerValues } from './page.ts';

const ROOT = '/redfish/v1/';
/** PiKVM and its forks register only this form (pikvm/kvmd@f14596e8 kvmd/apps/kvmd/api/redfish/root.py). */
const ROOT_WITHOUT_SLASH = '/redfish/v1';
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What is kept of the root. */
const MAX_ROOT_BYTES = 32 * 1024;
const MAX_DEPTH = 8;
const MAX_TEXT_CHARS = 512;
const MAX_OEM_KEYS = 20;
const SECRET = /password|secret|token|credential/i;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads the Redfish service root, which is readable without login. Nothing below it is asked for.
 *
 * Spec: DMTF DSP0266 sections 6.3 (service root) and 8.2.1 (no login for it).
 * @throws {ProbeError} `not-this-protocol` where what comes is no service root
 */
async function talk(web: Web): Promise<Facts> {
  const root = parseRoot(await getRoot(web));
  const oem = objectIn(root['Oem']);
  const texts: [string, string | undefined][] = [
    ['redfish.vendor', textIn(root['Vendor'])],
    ['redfish.product', textIn(root['Product'])],
    ['redfish.version', textIn(root['RedfishVersion'])],
    ['redfish.uuid', textIn(root['UUID'])?.toLowerCase()],
  ];
  return {
    'redfish.root': bounded(root),
    ...Object.fromEntries(texts.filter((entry): entry is [string, string] => entry[1] !== undefined)),
    ...(oem === undefined
      ? {}
      : {
          'redfish.oem': Object.keys(oem)
            .slice(0, MAX_OEM_KEYS)
            .map((key) => key.slice(0, MAX_TEXT_CHARS)),
        }),
  };
}

/** The root under the name that the device knows it by: with a slash at the end, or where that is not found or redirects, without one. */
async function getRoot(web: Web): Promise<Page> {
  const page = await web.get(ROOT);
  if (page.status === 404) return web.get(ROOT_WITHOUT_SLASH);
  const location = headerValues(page, 'location')[0];
  if (page.status === undefined || !REDIRECTS.has(page.status) || location === undefined) return page;
  const target = web.follow(location, ROOT);
  const isHere = target?.web.scheme === web.scheme && target.web.endpoint.port === web.endpoint.port;
  return isHere && target.path === ROOT_WITHOUT_SLASH ? web.get(ROOT_WITHOUT_SLASH) : page;
}

/** A JSON object with at least one mark of a service root: most web servers answer something to every path. */
function parseRoot(page: Page): JsonObject {
  const root = objectIn(parsed(page.body.toString('utf8').replace(/^\ufeff/, '')));
  if (root === undefined) throw new ProbeError('not-this-protocol', `answered GET ${page.path} with no JSON object`);
  const isRoot =
    /\bServiceRoot\b/.test(textIn(root['@odata.type']) ?? '') ||
    textIn(root['RedfishVersion']) !== undefined ||
    /^\/redfish\/v1\/?$/.test(textIn(root['@odata.id']) ?? '');
  if (!isRoot) throw new ProbeError('not-this-protocol', `answered GET ${page.path} with JSON that is no Redfish service root`);
  return root;
}

/** Undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectIn(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT_CHARS) : undefined;
}

/** A copy of at most 32 KiB and eight levels, without what is named like a secret. What does not fit is left out. */
function bounded(root: JsonObject): FactValue {
  let room = MAX_ROOT_BYTES;
  const taken = (bytes: number): boolean => {
    if (room < bytes) return false;
    room -= bytes;
    return true;
  };
  const copy = (value: unknown, depth: number): FactValue | undefined => {
    if (value === null || typeof value === 'boolean') return taken(6) ? value : undefined;
    if (typeof value === 'number') return Number.isFinite(value) && taken(JSON.stringify(value).length + 1) ? value : undefined;
    if (typeof value === 'string') return taken(Buffer.byteLength(JSON.stringify(value)) + 1) ? value : undefined;
    if (depth >= MAX_DEPTH || !taken(3)) return undefined;
    if (Array.isArray(value)) return value.map((item) => copy(item, depth + 1)).filter((item) => item !== undefined);
    if (!isObject(value)) return undefined;
    const entries: [string, FactValue][] = [];
    for (const [key, item] of Object.entries(value)) {
      if (SECRET.test(key) || !taken(Buffer.byteLength(JSON.stringify(key)) + 1)) continue;
      const kept = copy(item, depth + 1);
      if (kept !== undefined) entries.push([key, kept]);
    }
    return Object.fromEntries(entries);
  };
  return copy(root, 0) ?? {};
}

export const redfish: WebProbe = { id: 'redfish', speaks: 'web', talk };

import { load } from 'cheerio/slim';
import { ProbeError } from '../errors.ts';
import type { DescriptionProbe, Web } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { textOf } from './page.ts';

const MAX_CHARS = 256;

/** Elements of `device` that are kept, as they stand in the description, by fact. */
const FACTS: ReadonlyMap<string, string> = new Map([
  ['manufacturer', 'ssdp.manufacturer'],
  ['modelName', 'ssdp.model'],
  ['modelNumber', 'ssdp.modelNumber'],
  ['serialNumber', 'ssdp.serial'],
  ['friendlyName', 'ssdp.friendlyName'],
  ['UDN', 'ssdp.udn'],
]);

/**
 * Reads the description of a UPnP root device: maker, model, serial number. Of its first 64 KiB, and not of the devices embedded in it.
 * The parser knows the five entities of XML and numbers, and no document type: none is expanded, none is fetched.
 *
 * Spec: UPnP Device Architecture 1.1 section 2.3.
 * @throws {ProbeError} `not-this-protocol` where what comes is no description
 */
async function talk(web: Web, path: string): Promise<Facts> {
  const page = await web.get(path, 'description');
  const text = page.status === 200 ? textOf(page) : undefined;
  const facts = text === undefined ? undefined : describe(text);
  if (facts === undefined)
    throw new ProbeError('not-this-protocol', `answered GET ${path} with ${page.status ?? 'no status'} and no description`);
  return facts;
}

/** The facts of a description; undefined where it has no root device. Children only are looked at, one level at a time: depth costs nothing. */
function describe(xml: string): Facts | undefined {
  const root = child(
    load(xml, { xml: true })
      .root()
      .toArray()
      .flatMap((document) => document.children),
    'root',
  );
  const device = root === undefined ? undefined : child(root, 'device');
  if (device === undefined) return undefined;
  const facts: Record<string, string> = {};
  for (const node of device) {
    const fact = 'name' in node ? FACTS.get(localName(node.name)) : undefined;
    if (fact === undefined || !('children' in node)) continue;
    const said = node.children.map(textIn).join('').trim().slice(0, MAX_CHARS);
    if (said !== '') facts[fact] ??= said;
  }
  return facts;
}

/** What is in the first element of a name. */
function child(nodes: Nodes, name: string): Nodes | undefined {
  for (const node of nodes) if ('name' in node && localName(node.name) === name && 'children' in node) return node.children;
  return undefined;
}

/** DOM Level 1 `nodeType`. */
const TEXT = 3;
const CDATA = 4;

function textIn(node: Nodes[number]): string {
  const parts = node.nodeType === CDATA && 'children' in node ? node.children : [node];
  return parts.map((part) => (part.nodeType === TEXT && 'data' in part ? part.data : '')).join('');
}

type Nodes = ReturnType<ReturnType<typeof load>['root']>['0']['children'];

/** Without the prefix of a namespace. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

export const upnp: DescriptionProbe = { id: 'upnp', speaks: 'description', talk };

import { load } from 'cheerio/slim';
import { ProbeError } from '../errors.ts';
import type { DatagramWire, UdpProbe } from '../sweep/contract.ts';
import type { Facts } from '../vocabulary.ts';
import { known } from './fields.ts';
import { Transactions } from './transactions.ts';

const NAME = 'wsd.probe';
/** What is read of an answer; those that were seen have 1 to 2 KiB. */
const MAX_BYTES = 16 * 1024;
const MAX_ITEMS = 32;
const MAX_CHARS = 256;

const transactions = new Transactions(32);

/** A UUID of version 4, of which the last eight digits tell one try from another: receivers drop a message whose id they have seen. */
function messageId(transaction: number): string {
  return `urn:uuid:6b766d73-7765-4570-8000-0000${transaction.toString(16).padStart(8, '0')}`;
}

/**
 * A probe for everything: no types, no scopes. In the namespaces of 2005, which Windows, printers and cameras speak, and not those of version 1.1: one
 * datagram is all that it may cost. Some servers look for these very prefixes (wsdd2).
 */
function probe(transaction: number): Buffer {
  const soap = 'http://www.w3.org/2003/05/soap-envelope';
  const addressing = 'http://schemas.xmlsoap.org/ws/2004/08/addressing';
  const discovery = 'http://schemas.xmlsoap.org/ws/2005/04/discovery';
  return Buffer.from(
    [
      '<?xml version="1.0" encoding="utf-8"?>',
      `<soap:Envelope xmlns:soap="${soap}" xmlns:wsa="${addressing}" xmlns:wsd="${discovery}">`,
      '<soap:Header><wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To>',
      `<wsa:Action>${discovery}/Probe</wsa:Action><wsa:MessageID>${messageId(transaction)}</wsa:MessageID></soap:Header>`,
      '<soap:Body><wsd:Probe/></soap:Body></soap:Envelope>',
    ].join(''),
  );
}

/** What a ProbeMatches message says; of several matches all that they say. */
interface Matches {
  /** The message that it answers. */
  relatesTo?: string;
  /** The stable name of the service: mostly `urn:uuid:…`. */
  endpoint?: string;
  readonly types: Set<string>;
  readonly scopes: Set<string>;
  readonly addresses: Set<string>;
}

/** Reads a message without recursion: a datagram of nested elements is cheap to send. Prefixes are the sender's choice, so names count without them. */
function parseMatches(bytes: Buffer): Matches {
  const found: Matches = { types: new Set(), scopes: new Set(), addresses: new Set() };
  const lists: Readonly<Record<string, Set<string>>> = { Types: found.types, Scopes: found.scopes, XAddrs: found.addresses };
  // Entities are left as they are written: none is ever looked up.
  const document = load(bytes.toString('utf8', 0, MAX_BYTES), { xml: { decodeEntities: false } })
    .root()
    .toArray();
  const nodes = document.flatMap(({ children }) => children).toReversed();
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (!('attribs' in node)) continue;
    const { children, parent } = node;
    const name = localName(node.name);
    const within = parent !== null && 'name' in parent ? localName(parent.name) : '';
    const text = children
      .map((child) => ('data' in child ? child.data : ''))
      .join('')
      .trim();
    if (name === 'RelatesTo' && within === 'Header') found.relatesTo ??= text.slice(0, MAX_CHARS);
    else if (name === 'Address' && within === 'EndpointReference' && text !== '') found.endpoint ??= text.slice(0, MAX_CHARS);
    else if (within === 'ProbeMatch' && lists[name] !== undefined) addWords(lists[name], text);
    for (let i = children.length - 1; i >= 0; i -= 1) {
      const child = children[i];
      if (child !== undefined) nodes.push(child);
    }
  }
  return found;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function addWords(list: Set<string>, text: string): void {
  for (const word of text.split(/\s+/)) if (word !== '' && list.size < MAX_ITEMS) list.add(word.slice(0, MAX_CHARS));
}

function listed(list: ReadonlySet<string>): string[] | undefined {
  return list.size === 0 ? undefined : [...list];
}

function isAnswer(bytes: Buffer): boolean {
  const text = bytes.toString('latin1', 0, MAX_BYTES);
  return text.includes('ProbeMatch') && transactions.all.some((transaction) => text.includes(messageId(transaction)));
}

/**
 * Reads what a machine answers to a WS-Discovery probe: its types, scopes and addresses. The addresses are written down and never fetched.
 *
 * Spec: Web Services Dynamic Discovery (April 2005) sections 5.2 and 5.3; OASIS WS-Discovery 1.1 sections 5.2 and 5.3 are the same in other namespaces.
 * @throws {ProbeError} `silent` where no answer came, `not-this-protocol` where it matches nothing
 */
async function talk(wire: DatagramWire): Promise<Facts> {
  const bytes = wire.answers.find(({ name }) => name === NAME)?.bytes;
  if (bytes === undefined) throw new ProbeError('silent', 'did not answer the probe');
  const { relatesTo, endpoint, types, scopes, addresses } = parseMatches(bytes);
  if (!transactions.all.some((transaction) => messageId(transaction) === relatesTo))
    throw new ProbeError('not-this-protocol', 'the answer is none to our probe');
  const facts = known<string | string[]>({
    'wsd.endpoint': endpoint,
    'wsd.types': listed(types),
    'wsd.scopes': listed(scopes),
    'wsd.addresses': listed(addresses),
  });
  if (Object.keys(facts).length === 0) throw new ProbeError('not-this-protocol', 'the answer matches nothing');
  return facts;
}

export const wsd: UdpProbe = {
  id: 'wsd',
  speaks: 'datagrams',
  hello: (attempt, random) => [{ name: NAME, bytes: probe(transactions.of(attempt, random)) }],
  recognise: (bytes) => (isAnswer(bytes) ? NAME : undefined),
  talk,
};

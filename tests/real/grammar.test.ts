import { expect, test } from 'vitest';
import { browsing, discovery, query, records, request, rmcp, search, version } from './grammar.ts';

/** The grammar itself, held against what it must and must not let pass: one that accepts everything proves nothing. */
interface Case {
  readonly name: string;
  readonly check: (sent: Buffer) => string | undefined;
  readonly sent: string | Buffer;
  readonly fault?: RegExp;
}

const HEADERS =
  'host: 10.77.0.5\r\nconnection: close\r\nuser-agent: kvmsweep/0.1.0 (+asset inventory, read-only)\r\naccept: */*\r\naccept-encoding: identity\r\n';
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** IPMI v2.0 table 22-15, request data 8E 04, sequence 0. */
const CAPABILITIES = '06 00 ff 07 00 00000000 00000000 09 20 18 c8 81 00 38 8e 04 b5';
const DISCOVERY =
  '303e020103301102044a690000020300ffe30401040201030410300e0400020100020100040004000400301404000400a00e020437f000000201000201003000';
const SEARCH = 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n';
/** PTR of _http._tcp.local, to be answered to the asker alone. */
const QUESTION = '055f68747470 045f746370 056c6f63616c 00 000c 8001';

test.for<Case>([
  { name: 'GET /', check: request, sent: `GET / HTTP/1.1\r\n${HEADERS}\r\n` },
  { name: 'GET of an icon', check: request, sent: `GET /images/logo.ico HTTP/1.1\r\n${HEADERS}\r\n` },
  { name: 'nothing at all', check: request, sent: '' },
  { name: 'POST', check: request, sent: `POST / HTTP/1.1\r\n${HEADERS}\r\n`, fault: /no GET/ },
  {
    name: 'an unlisted path',
    check: request,
    sent: `GET /api/init/init?username=a&password=b HTTP/1.1\r\n${HEADERS}\r\n`,
    fault: /asks for/,
  },
  { name: 'an icon outside of everything', check: request, sent: `GET /a/../../x.ico HTTP/1.1\r\n${HEADERS}\r\n`, fault: /asks for/ },
  { name: 'a cookie', check: request, sent: `GET / HTTP/1.1\r\n${HEADERS}cookie: a=b\r\n\r\n`, fault: /headers/ },
  { name: 'a header too few', check: request, sent: `GET / HTTP/1.1\r\nhost: 10.77.0.5\r\n\r\n`, fault: /headers/ },
  {
    name: 'an odd value',
    check: request,
    sent: `GET / HTTP/1.1\r\n${HEADERS.replace('identity', 'gzip')}\r\n`,
    fault: /header accept-encoding/,
  },
  { name: 'a body', check: request, sent: `GET / HTTP/1.1\r\n${HEADERS}\r\nx`, fault: /single request/ },
  {
    name: 'a second request',
    check: request,
    sent: `GET / HTTP/1.1\r\n${HEADERS}\r\nGET / HTTP/1.1\r\n${HEADERS}\r\n`,
    fault: /single request/,
  },
  { name: 'RFB 3.8', check: version, sent: 'RFB 003.008\n' },
  { name: 'a security type after the version', check: version, sent: 'RFB 003.008\n\x01', fault: /version/ },
  { name: 'RFB 3.889', check: version, sent: 'RFB 003.889\n', fault: /version/ },
  { name: 'plain text to a TLS port', check: records, sent: 'GET / HTTP/1.1\r\n\r\n', fault: /no TLS record/ },
  { name: 'application data without a handshake', check: records, sent: hex('17 0303 0001 00'), fault: /ClientHello/ },
  { name: 'a record that is cut off', check: records, sent: hex('16 0301 0100 01'), fault: /no TLS record/ },
  { name: 'discovery', check: discovery, sent: hex(DISCOVERY) },
  { name: 'a message with a user', check: discovery, sent: hex(DISCOVERY.replace('0400301404', '0401301404')), fault: /discovery/ },
  {
    name: 'an SNMP v2c read with a community',
    check: discovery,
    sent: hex('302402010104 0143 a01c02041234567802010002010030 0e300c06082b06010201010100 0500'),
    fault: /discovery/,
  },
  { name: 'a ping', check: rmcp, sent: hex('0600ff06 000011be 80 2a 0000') },
  { name: 'authentication capabilities', check: rmcp, sent: hex(CAPABILITIES) },
  { name: 'the same with a wrong checksum', check: rmcp, sent: hex(CAPABILITIES.replace(/b5$/, 'b6')), fault: /checksum/ },
  {
    name: 'a command with a session',
    check: rmcp,
    sent: hex('06 00 ff 07 00 00000000 00000001 09 20 18 c8 81 00 38 8e 04 b5'),
    fault: /no IPMI message/,
  },
  {
    name: 'Get Session Challenge',
    check: rmcp,
    sent: hex('06 00 ff 07 00 00000000 00000000 07 20 18 c8 81 00 39 46'),
    fault: /command 39/,
  },
  { name: 'a search', check: (sent) => search(sent, 1), sent: SEARCH },
  { name: 'a search that may take longer', check: (sent) => search(sent, 2), sent: SEARCH, fault: /no search/ },
  { name: 'a search for all', check: (sent) => search(sent, 1), sent: SEARCH.replace('upnp:rootdevice', 'ssdp:all'), fault: /no search/ },
  { name: 'an announcement', check: (sent) => search(sent, 1), sent: SEARCH.replace('M-SEARCH', 'NOTIFY'), fault: /no search/ },
  { name: 'a search with a header more', check: (sent) => search(sent, 1), sent: SEARCH.replace('MAN', 'X: y\r\nMAN'), fault: /no search/ },
  { name: 'a question', check: query, sent: hex(`0000 0000 0001 0000 0000 0000 ${QUESTION}`) },
  {
    name: 'a question that everybody shall hear the answer to',
    check: query,
    sent: hex(`0000 0000 0001 0000 0000 0000 ${QUESTION.replace('8001', '0001')}`),
    fault: /no query/,
  },
  {
    name: 'a question and something behind it',
    check: query,
    sent: hex(`0000 0000 0001 0000 0000 0000 ${QUESTION} 00`),
    fault: /no query/,
  },
  { name: 'an answer in mDNS', check: query, sent: hex(`0000 8400 0001 0000 0000 0000 ${QUESTION}`), fault: /no query/ },
  { name: 'known answers', check: query, sent: hex(`0000 0000 0001 0001 0000 0000 ${QUESTION}`), fault: /no query/ },
  {
    name: 'a question about another domain',
    check: query,
    sent: hex(`0000 0000 0001 0000 0000 0000 ${QUESTION.replace('6c6f63616c', '6c6f63616d')}`),
    fault: /no query/,
  },
  { name: 'one question to everybody', check: browsing, sent: hex(`0000 0000 0001 0000 0000 0000 ${QUESTION}`), fault: /no browsing/ },
  { name: 'a description', check: request, sent: `GET /rootDesc.xml HTTP/1.1\r\n${HEADERS}\r\n` },
  { name: 'a description with a query', check: request, sent: `GET /rootDesc.xml?a=1 HTTP/1.1\r\n${HEADERS}\r\n`, fault: /asks for/ },
  { name: 'RMCP+ Open Session', check: rmcp, sent: hex('06 00 ff 07 06 10 00000000 00000000 2000'), fault: /no IPMI message/ },
])('grammar: $name', ({ check, sent, fault }) => {
  const said = check(typeof sent === 'string' ? Buffer.from(sent, 'latin1') : sent);
  if (fault === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(fault);
});

import { expect, test } from 'vitest';
import { clientHello } from '../../src/sweep/client-hello.ts';
import { early, pdu, secured, text as octets } from '../support/ber.ts';
import {
  addp,
  aidp,
  browsing,
  discovery,
  isRawHello,
  lantronix,
  moxa,
  nodeStatus,
  query,
  records,
  request,
  reverseName,
  rmcp,
  search,
  serviceLocation,
  snmp,
  ubiquiti,
  version,
  webServices,
} from './grammar.ts';

/** The grammar itself, held against what it must and must not let pass: one that accepts everything proves nothing. */
interface Case {
  readonly name: string;
  readonly check: (sent: Buffer) => string | undefined;
  readonly sent: string | Buffer;
  readonly fault?: RegExp;
}

const HEADERS =
  'host: 10.77.0.5\r\nconnection: keep-alive\r\nuser-agent: kvmsweep/0.1.0 (+asset inventory, read-only)\r\naccept: */*\r\naccept-encoding: identity\r\n';
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** IPMI v2.0 table 22-15, request data 8E 04, sequence 0. */
const CAPABILITIES = '06 00 ff 07 00 00000000 00000000 09 20 18 c8 81 00 38 8e 04 b5';
const ENVELOPE =
  '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery"><soap:Header><wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To><wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</wsa:Action><wsa:MessageID>urn:uuid:6b766d73-7765-4570-8000-00000123abcd</wsa:MessageID></soap:Header><soap:Body><wsd:Probe/></soap:Body></soap:Envelope>';
const STATUS = `0000 0001 0000 0000 0000 20 434b ${'41'.repeat(30)} 00 0021 0001`;
const TYPES = '02 09 00001d 0000 000000 002a 0002 656e 0000 ffff 0007 44454641554c54';
const ATTRIBUTES = '02 06 000033 0000 000000 002a 0002 656e 0000 0012 736572766963653a6c656e6f766f2d736d6d 0007 44454641554c54 0000 0000';
const PTR = '0100 0001 0000 0000 0000 0137 0130 023737 023130 07696e2d61646472 0461727061 00 000c 0001';
const DISCOVERY =
  '303e020103301102044a690000020300ffe30401040201030410300e0400020100020100040004000400301404000400a00e020437f000000201000201003000';
const SEARCH = 'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n';
/** PTR of _http._tcp.local, to be answered to the asker alone. */
const QUESTION = '055f68747470 045f746370 056c6f63616c 00 000c 8001';

/** RFC 3416 section 4.2.1: sysDescr.0 with the community C. */
const READ = '302402010104 0143 a01c02041234567802010002010030 0e300c06082b06010201010100 0500';
const DESCR = '1.3.6.1.2.1.1.1.0';
const given = snmp({ communities: [[1, 'C']], users: { name: 0, safe: 3 } });
const asked = pdu({ variables: [[DESCR]] });
const digest = Buffer.alloc(12, 1);
const RAW_HELLO = `16 0300 005b 01 000057 0301 ${'c3'.repeat(32)} 00 0030 0005 0004 000a 002f 0035 0009 0003 0006 0008 0014 0015 0016 0033 0039 0013 0012 0001 0002 003b c011 c012 c013 c014 00ff 01 00`;

test.for<Case>([
  { name: 'GET /', check: request, sent: `GET / HTTP/1.1\r\n${HEADERS}\r\n` },
  { name: 'GET of an icon', check: request, sent: `GET /images/logo.ico HTTP/1.1\r\n${HEADERS}\r\n` },
  { name: 'nothing at all', check: request, sent: '' },
  { name: 'two over one connection', check: request, sent: `GET / HTTP/1.1\r\n${HEADERS}\r\n`.repeat(2) },
  {
    name: 'POST after a GET',
    check: request,
    sent: `GET / HTTP/1.1\r\n${HEADERS}\r\nPOST / HTTP/1.1\r\n${HEADERS}\r\n`,
    fault: /no GET/,
  },
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
  { name: 'a body', check: request, sent: `GET / HTTP/1.1\r\n${HEADERS}\r\nx`, fault: /without a body/ },
  { name: 'RFB 3.8', check: version, sent: 'RFB 003.008\n' },
  { name: 'a security type after the version', check: version, sent: 'RFB 003.008\n\x01', fault: /version/ },
  { name: 'RFB 3.889', check: version, sent: 'RFB 003.889\n', fault: /version/ },
  { name: 'plain text to a TLS port', check: records, sent: 'GET / HTTP/1.1\r\n\r\n', fault: /no TLS record/ },
  { name: 'application data without a handshake', check: records, sent: hex('17 0303 0001 00'), fault: /ClientHello/ },
  { name: 'a record that is cut off', check: records, sent: hex('16 0301 0100 01'), fault: /no TLS record/ },
  { name: 'the raw hello', check: records, sent: hex(RAW_HELLO) },
  {
    name: 'the raw hello with another suite',
    check: records,
    sent: hex(RAW_HELLO.replace('0005 0004', '0018 0004')),
    fault: /without extensions/,
  },
  {
    name: 'the raw hello in a TLS 1.0 record',
    check: records,
    sent: hex(RAW_HELLO.replace('16 0300', '16 0301')),
    fault: /without extensions/,
  },
  {
    name: 'the raw hello that offers compression',
    check: records,
    sent: hex(RAW_HELLO.replace(/01 00$/, '01 01')),
    fault: /without extensions/,
  },
  { name: 'an alert after the raw hello', check: records, sent: hex(`${RAW_HELLO} 15 0301 0002 0100`), fault: /without extensions/ },
  { name: 'the raw hello twice', check: records, sent: hex(RAW_HELLO + RAW_HELLO), fault: /without extensions/ },
  { name: 'discovery', check: discovery, sent: hex(DISCOVERY) },
  { name: 'a message with a user', check: discovery, sent: hex(DISCOVERY.replace('0400301404', '0401301404')), fault: /discovery/ },
  {
    name: 'an SNMP v2c read with a community',
    check: discovery,
    sent: hex('302402010104 0143 a01c02041234567802010002010030 0e300c06082b06010201010100 0500'),
    fault: /discovery/,
  },
  { name: 'the same, with a community that was given', check: given, sent: hex(READ) },
  { name: 'discovery, with credentials given', check: given, sent: hex(DISCOVERY) },
  {
    name: 'discovery with short identifiers',
    check: given,
    sent: secured({ id: 5, flags: 4, engine: Buffer.alloc(0), inner: pdu({ id: 6 }) }),
  },
  { name: 'a user’s read', check: given, sent: secured({ flags: 4, user: 'name', inner: asked }) },
  {
    name: 'a user’s read that is encrypted',
    check: given,
    sent: secured({ flags: 7, user: 'safe', digest, encrypted: Buffer.alloc(40, 9) }),
  },
  { name: 'a community that was not given', check: given, sent: hex(READ.replace('0143', '0144')), fault: /not given: D/ },
  { name: 'the community in another version', check: given, sent: hex(READ.replace('302402010104', '302402010004')), fault: /not given/ },
  { name: 'GETNEXT', check: given, sent: hex(READ.replace('a01c', 'a11c')), fault: /type a1/ },
  { name: 'SET', check: given, sent: hex(READ.replace('a01c', 'a31c')), fault: /type a3/ },
  { name: 'GETBULK', check: given, sent: hex(READ.replace('a01c', 'a51c')), fault: /type a5/ },
  { name: 'an object that is not listed', check: given, sent: hex(READ.replace('010100 0500', '010400 0500')), fault: /asks for/ },
  { name: 'an object with a value', check: given, sent: early(1, 'C', pdu({ variables: [[DESCR, octets('x')]] })), fault: /a value/ },
  { name: 'no object', check: given, sent: early(1, 'C', pdu()), fault: /0 objects/ },
  { name: 'an error status', check: given, sent: early(1, 'C', pdu({ status: 2, variables: [[DESCR]] })), fault: /no head/ },
  { name: 'two messages', check: given, sent: hex(READ + READ), fault: /no message/ },
  { name: 'a user that was not given', check: given, sent: secured({ flags: 4, user: 'root', inner: asked }), fault: /not given: root/ },
  {
    name: 'a user with less security than he has',
    check: given,
    sent: secured({ flags: 4, user: 'safe', inner: asked }),
    fault: /flags 4/,
  },
  {
    name: 'a user without a digest',
    check: given,
    sent: secured({ flags: 7, user: 'safe', digest: Buffer.alloc(12), encrypted: Buffer.alloc(40, 9) }),
    fault: /without a digest/,
  },
  {
    name: 'a user who says that he encrypts',
    check: given,
    sent: secured({ flags: 7, user: 'safe', digest, inner: asked }),
    fault: /without encryption/,
  },
  {
    name: 'a user’s SET',
    check: given,
    sent: secured({ flags: 4, user: 'name', inner: pdu({ tag: 0xa3, variables: [[DESCR]] }) }),
    fault: /type a3/,
  },
  {
    name: 'a discovery that asks for something',
    check: given,
    sent: secured({ id: 5, flags: 4, engine: Buffer.alloc(0), inner: asked }),
    fault: /no discovery/,
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
  { name: 'Digi discovery', check: addp, sent: hex('44494749 0001 0006 ffffffffffff') },
  { name: 'a Digi restart', check: addp, sent: hex('44494749 0005 000b 00409d31a90a 04 64627073'), fault: /Digi/ },
  { name: 'Digi discovery with the type of a wireless setting', check: addp, sent: hex('44494749 0009 0006 ffffffffffff'), fault: /Digi/ },
  { name: 'Avocent discover', check: aidp, sent: hex('01 41494450 beef 01 00000006 01 0002 0108 ff 0d') },
  { name: 'an Avocent setting', check: aidp, sent: hex('01 41494450 beef 03 00000006 01 0002 0108 ff 0d'), fault: /Avocent/ },
  { name: 'Moxa discovery', check: moxa, sent: hex('01000008 00000000') },
  { name: 'another Moxa function', check: moxa, sent: hex('10000008 00000000'), fault: /Moxa/ },
  { name: 'a Lantronix query', check: lantronix, sent: hex('000000f6') },
  { name: 'a Lantronix setup record', check: lantronix, sent: hex('000000f8'), fault: /Lantronix/ },
  { name: 'a Lantronix version', check: lantronix, sent: hex('000000f4'), fault: /Lantronix/ },
  { name: 'Ubiquiti discovery', check: ubiquiti, sent: hex('01000000') },
  { name: 'Ubiquiti version 2', check: ubiquiti, sent: hex('02080000'), fault: /Ubiquiti/ },
  { name: 'a node status request', check: nodeStatus, sent: hex(`beef ${STATUS}`) },
  { name: 'a name registration', check: nodeStatus, sent: hex(`beef ${STATUS}`.replace('0000 0001', '2800 0001')), fault: /node status/ },
  { name: 'a question for a name', check: nodeStatus, sent: hex(`beef ${STATUS}`.replace('0021', '0020')), fault: /node status/ },
  { name: 'service types', check: serviceLocation, sent: hex(TYPES) },
  { name: 'attributes of a controller', check: serviceLocation, sent: hex(ATTRIBUTES) },
  {
    name: 'attributes of a printer',
    check: serviceLocation,
    sent: hex(ATTRIBUTES.replace('6c656e6f766f2d736d6d', '7072696e7465723a6c70')),
    fault: /attributes of service:printer/,
  },
  { name: 'an SLP registration', check: serviceLocation, sent: hex(TYPES.replace('02 09', '02 03')), fault: /function 3/ },
  { name: 'SLP by multicast', check: serviceLocation, sent: hex(TYPES.replace('0000 000000', '2000 000000')), fault: /flags/ },
  {
    name: 'an SLP message that is cut',
    check: serviceLocation,
    sent: hex(TYPES.replace('00001d', '00001b').slice(0, -4)),
    fault: /it is cut|service types/,
  },
  { name: 'a WS-Discovery probe', check: webServices, sent: ENVELOPE },
  {
    name: 'one with a way to answer',
    check: webServices,
    sent: ENVELOPE.replace('<wsa:To>', '<wsa:ReplyTo><wsa:Address>http://192.0.2.1/</wsa:Address></wsa:ReplyTo><wsa:To>'),
    fault: /WS-Discovery/,
  },
  { name: 'a WS-Discovery resolve', check: webServices, sent: ENVELOPE.replace('<wsd:Probe/>', '<wsd:Resolve/>'), fault: /WS-Discovery/ },
  { name: 'another action', check: webServices, sent: ENVELOPE.replace('discovery/Probe', 'discovery/Bye'), fault: /WS-Discovery/ },
  { name: 'a reverse name', check: reverseName, sent: hex(`beef ${PTR}`) },
  { name: 'an address', check: reverseName, sent: hex(`beef ${PTR}`.replace('000c', '0001')), fault: /address/ },
  { name: 'the name of somebody else', check: reverseName, sent: hex(`beef ${PTR}`.replace('0461727061', '04636f6d6d')), fault: /address/ },
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

test('grammar: the raw hello is told from that of a library', async () => {
  expect(isRawHello(hex(RAW_HELLO))).toBe(true);
  for (const { bytes } of await clientHello()) {
    expect(isRawHello(bytes)).toBe(false);
    expect(records(bytes)).toBeUndefined();
  }
});

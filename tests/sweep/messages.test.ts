import fc from 'fast-check';
import { expect, test } from 'vitest';
import { udpProbes } from '../../src/probes/index.ts';
import { MESSAGES, nameBytes, refuseBytes, refuseGroup, refuseRequest } from '../../src/sweep/messages.ts';
import { AllowedPaths, type PathKind } from '../../src/sweep/paths.ts';
import { userAgent } from '../../src/sweep/user-agent.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const RMCP_IPMI = '0600ff07 00 00000000 00000000';
const ascii = (text: string): string => Buffer.from(text).toString('hex');
/** A WS-Discovery probe as Windows writes it, but for the types. */
const wsdProbe = (id: string): string =>
  ascii(
    `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:wsd="http://schemas.xmlsoap.org/ws/2005/04/discovery"><soap:Header><wsa:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To><wsa:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</wsa:Action><wsa:MessageID>urn:uuid:6b766d73-7765-4570-8000-0000${id}</wsa:MessageID></soap:Header><soap:Body><wsd:Probe/></soap:Body></soap:Envelope>`,
  );
/** Names as in RFC 1035 section 3.1, each with QTYPE PTR and QCLASS IN with the unicast-response bit. */
const BROWSED = [
  '055f68747470 045f746370', // _http._tcp
  '065f6874747073 045f746370', // _https._tcp
  '045f737368 045f746370', // _ssh._tcp
  '045f726662 045f746370', // _rfb._tcp
  '0c5f776f726b73746174696f6e 045f746370', // _workstation._tcp
  '095f7365727669636573 075f646e732d7364 045f756470', // _services._dns-sd._udp
  '085f72656466697368 045f746370', // _redfish._tcp
  '0d5f6f626d635f72656466697368 045f746370', // _obmc_redfish._tcp
  '0d5f6f626d635f636f6e736f6c65 045f746370', // _obmc_console._tcp
  '065f70696b766d 045f746370', // _pikvm._tcp
]
  .map((name) => `${name} 056c6f63616c 00 000c 8001`)
  .join(' ');
const search = (target: string, seconds: number): string =>
  Buffer.from(
    ['M-SEARCH * HTTP/1.1', 'HOST: 239.255.255.250:1900', 'MAN: "ssdp:discover"', `MX: ${seconds}`, `ST: ${target}`, '', ''].join('\r\n'),
  ).toString('hex');

test.for<{ name: string; bytes: string }>([
  { name: 'ipmi.asf-ping', bytes: '0600ff06 000011be 802a0000' },
  { name: 'ipmi.auth-capabilities', bytes: `${RMCP_IPMI} 09 2018c8 81 00 38 8e 04 b5` },
  { name: 'ipmi.auth-capabilities-v15', bytes: `${RMCP_IPMI} 09 2018c8 81 00 38 0e 04 35` },
  { name: 'ipmi.system-guid', bytes: `${RMCP_IPMI} 07 2018c8 81 00 37 48` },
  { name: 'ipmi.cipher-suites', bytes: `${RMCP_IPMI} 0a 2018c8 81 00 54 0e 00 80 9d` },
  { name: 'ipmi.cipher-suites', bytes: `${RMCP_IPMI} 0a 2018c8 81 00 54 0e 00 81 9c` },
  { name: 'ipmi.cipher-suites-v20', bytes: '0600ff07 06 00 00000000 00000000 0a00 2018c8 81 00 54 0e 00 80 9d' },
  {
    name: 'snmp.engine-discovery',
    bytes:
      '303e 020103 3011 0204 4a690000 0203 00ffe3 040104 020103 0410 300e 0400 020100 020100 0400 0400 0400 3014 0400 0400 a00e 0204 37f00000 020100 020100 3000',
  },
  { name: 'addp.discovery', bytes: '44494749 0001 0006 ffffffffffff' },
  { name: 'aidp.discover', bytes: '01 41494450 002a 01 00000006 01 0002 0108 ff 0d' },
  { name: 'lantronix.query', bytes: '000000f6' },
  { name: 'moxa.discovery', bytes: '01000008 00000000' },
  { name: 'netbios.node-status', bytes: `002a 0000 0001 0000 0000 0000 20 434b ${'41'.repeat(30)} 00 0021 0001` },
  { name: 'slp.service-types', bytes: '02 09 00001d 0000 000000 002a 0002 656e 0000 ffff 0007 44454641554c54' },
  {
    name: 'slp.attributes-smm',
    bytes: '02 06 000033 0000 000000 002a 0002 656e 0000 0012 736572766963653a6c656e6f766f2d736d6d 0007 44454641554c54 0000 0000',
  },
  {
    name: 'slp.attributes-xcc',
    bytes: `02 06 00005e 0000 000000 002a 0002 656e 0000 003d ${ascii('service:management-hardware.Lenovo:lenovo-xclarity-controller')} 0007 44454641554c54 0000 0000`,
  },
  { name: 'ubiquiti.discovery', bytes: '01000000' },
  { name: 'wsd.probe', bytes: wsdProbe('0123abcd') },
  { name: 'mdns.browse', bytes: `0000 0000 000a 0000 0000 0000 ${BROWSED}` },
  {
    name: 'mdns.browse-host',
    bytes: `0000 0000 000b 0000 0000 0000 03323534 0130 023737 023130 07696e2d61646472 0461727061 00 000c 8001 ${BROWSED}`,
  },
  {
    name: 'mdns.ask',
    bytes: '0000 0000 0002 0000 0000 0000 036b766d 055f68747470 045f746370 056c6f63616c 00 0010 8001 036b766d 056c6f63616c 00 0001 8001',
  },
  { name: 'ssdp.root', bytes: search('upnp:rootdevice', 1) },
  { name: 'ssdp.redfish', bytes: search('urn:dmtf-org:service:redfish-rest:1', 1) },
  { name: 'ssdp.root-link', bytes: search('upnp:rootdevice', 2) },
  { name: 'ssdp.redfish-link', bytes: search('urn:dmtf-org:service:redfish-rest:1', 2) },
  { name: 'rfb.version-3.3', bytes: Buffer.from('RFB 003.003\n').toString('hex') },
  { name: 'rfb.version-3.7', bytes: Buffer.from('RFB 003.007\n').toString('hex') },
  { name: 'rfb.version-3.8', bytes: Buffer.from('RFB 003.008\n').toString('hex') },
  {
    name: 'tls.raw-client-hello',
    bytes: `16 0300 005b 01 000057 0301 ${'5a'.repeat(32)} 00 0030 0005 0004 000a 002f 0035 0009 0003 0006 0008 0014 0015 0016 0033 0039 0013 0012 0001 0002 003b c011 c012 c013 c014 00ff 01 00`,
  },
])('$name may be sent, under no other name, and neither shorter nor longer', ({ name, bytes }) => {
  const message = hex(bytes);
  expect(refuseBytes(name, message)).toBeUndefined();
  expect(refuseBytes(name, message.subarray(0, -1))).toBeDefined();
  expect(refuseBytes(name, Buffer.concat([message, Buffer.alloc(1)]))).toBeDefined();
  const others = MESSAGES.filter((other) => other.name !== name);
  expect(others.filter((other) => refuseBytes(other.name, message) === undefined)).toEqual([]);
});

test.for<{ name: string; as: string; bytes: string }>([
  {
    name: 'Get Channel Authentication Capabilities of another channel',
    as: 'ipmi.auth-capabilities',
    bytes: `${RMCP_IPMI} 09 2018c8 81 00 38 81 04 c2`,
  },
  {
    name: 'Get Session Challenge',
    as: 'ipmi.auth-capabilities',
    bytes: `${RMCP_IPMI} 18 2018c8 81 00 39 00 00000000000000000000000000000000 46`,
  },
  { name: 'Chassis Control', as: 'ipmi.system-guid', bytes: `${RMCP_IPMI} 08 2000e0 81 00 02 00 7d` },
  { name: 'Cold Reset', as: 'ipmi.system-guid', bytes: `${RMCP_IPMI} 07 2018c8 81 00 02 7d` },
  { name: 'RMCP+ Open Session', as: 'ipmi.cipher-suites-v20', bytes: `0600ff07 06 10 00000000 00000000 2000 ${'00'.repeat(32)}` },
  { name: 'a message in a session', as: 'ipmi.system-guid', bytes: '0600ff07 00 01000000 02000000 07 2018c8 81 00 37 48' },
  { name: 'an RMCP class of a vendor', as: 'ipmi.asf-ping', bytes: '0600ff08 000011be 802a0000' },
  { name: 'ASF power off', as: 'ipmi.asf-ping', bytes: '0600ff06 000011be 122a0000' },
  {
    name: 'an SNMP SET',
    as: 'snmp.engine-discovery',
    bytes:
      '303e0201033011020400000000020300ffe30401040201030410300e0400020100020100040004000400301404000400a30e020400000000020100020100 3000',
  },
  {
    name: 'SNMP with a user',
    as: 'snmp.engine-discovery',
    bytes:
      '303f0201033011020400000000020300ffe30401040201030411300f040002010002010004014104000400301404000400a00e020400000000020100020100 3000',
  },
  {
    name: 'a DNS update',
    as: 'mdns.ask',
    bytes: '0000 2800 0001 0000 0000 0000 036b766d 056c6f63616c 00 0001 8001',
  },
  {
    name: 'an mDNS answer, which others would keep',
    as: 'mdns.ask',
    bytes: '0000 8400 0001 0000 0000 0000 036b766d 056c6f63616c 00 0001 8001',
  },
  {
    name: 'a question and a record',
    as: 'mdns.ask',
    bytes: '0000 0000 0001 0001 0000 0000 036b766d 056c6f63616c 00 0001 8001 036b766d 056c6f63616c 00 0001 0001 00000078 0004 0a000001',
  },
  {
    name: 'a question about all records',
    as: 'mdns.ask',
    bytes: '0000 0000 0001 0000 0000 0000 036b766d 056c6f63616c 00 00ff 8001',
  },
  {
    name: 'a question about a name elsewhere',
    as: 'mdns.ask',
    bytes: '0000 0000 0001 0000 0000 0000 036b766d 03636f6d 00 0001 8001',
  },
  {
    name: 'a question that wants an answer for everybody',
    as: 'mdns.ask',
    bytes: '0000 0000 0001 0000 0000 0000 036b766d 056c6f63616c 00 0001 0001',
  },
  {
    name: 'a reverse name that is no address',
    as: 'mdns.browse-host',
    bytes: `0000 0000 000b 0000 0000 0000 036b766d 023737 023130 07696e2d61646472 0461727061 00 000c 8001 ${BROWSED}`,
  },
  { name: 'no question', as: 'mdns.ask', bytes: '0000 0000 0000 0000 0000 0000' },
  { name: 'a search for everything', as: 'ssdp.root', bytes: search('ssdp:all', 1) },
  { name: 'an announcement', as: 'ssdp.root', bytes: Buffer.from('NOTIFY * HTTP/1.1\r\n\r\n').toString('hex') },
  { name: 'an RFB security type', as: 'rfb.version-3.8', bytes: '01' },
  { name: 'a Lantronix setup record', as: 'ipmi.asf-ping', bytes: '000000f8' },
  { name: 'the same by its own name', as: 'lantronix.query', bytes: '000000f8' },
  { name: 'a Lantronix version, which hands out passwords too', as: 'lantronix.query', bytes: '000000f4' },
  { name: 'a Lantronix reset', as: 'lantronix.query', bytes: '00000003 3351' },
  { name: 'a Digi address', as: 'addp.discovery', bytes: '44494749 0003 0017 0a000009 ffffff00 0a000001 00409d31a90a 04 64627073' },
  { name: 'a Digi restart', as: 'addp.discovery', bytes: '44494749 0005 000b 00409d31a90a 04 64627073' },
  { name: 'Digi DHCP', as: 'addp.discovery', bytes: '44494749 0007 000c 01 00409d31a3a5 04 64627073' },
  { name: 'a Digi wireless setting', as: 'addp.discovery', bytes: '44494749 0009 0006 ffffffffffff' },
  { name: 'a Digi discovery of a development kit', as: 'addp.discovery', bytes: '44564b54 0001 0006 ffffffffffff' },
  { name: 'an Avocent test of an address', as: 'aidp.discover', bytes: '01 41494450 002a 02 00000006 01 0002 0108 ff 0d' },
  { name: 'an Avocent setting', as: 'aidp.discover', bytes: '01 41494450 002a 03 00000006 01 0002 0108 ff 0d' },
  { name: 'a Moxa function that reads the set-up', as: 'moxa.discovery', bytes: '16000014 00000000 005555551a510090e85b20c4' },
  { name: 'a Moxa function without data', as: 'moxa.discovery', bytes: '29000008 00000000' },
  { name: 'an SLP registration', as: 'slp.service-types', bytes: '02 03 00001d 0000 000000 002a 0002 656e 0000 ffff 0007 44454641554c54' },
  { name: 'SLP by multicast', as: 'slp.service-types', bytes: '02 09 00001d 2000 000000 002a 0002 656e 0000 ffff 0007 44454641554c54' },
  {
    name: 'a NetBIOS registration',
    as: 'netbios.node-status',
    bytes: `002a 2800 0001 0000 0000 0000 20 434b ${'41'.repeat(30)} 00 0021 0001`,
  },
  { name: 'a WS-Discovery probe with markup in its id', as: 'wsd.probe', bytes: wsdProbe('<a/>0000') },
  { name: 'a question for a name', as: 'dns.ptr', bytes: '002a 0100 0001 0000 0000 0000 00 000c 0001' },
  { name: 'anything under a name that is not in the list', as: 'telnet.login', bytes: '61646d696e' },
  { name: 'anything under the name of a grammar', as: 'http.get', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex') },
])('$name is not sent', ({ as, bytes }) => expect(refuseBytes(as, hex(bytes))).toMatchObject({ code: 'not-allowed' }));

const RAW_HELLO = hex(
  `160300005b010000570301${'00'.repeat(32)}00003000050004000a002f00350009000300060008001400150016003300390013001200010002003bc011c012c013c01400ff0100`,
);

test.for<[protocol: string, bytes: Buffer, name: string | undefined]>([
  ['rfb', Buffer.from('RFB 003.008\n'), 'rfb.version-3.8'],
  ['rfb', Buffer.from('RFB 003.889\n'), undefined],
  ['rfb', Buffer.from([1]), undefined],
  ['rfb', Buffer.alloc(0), undefined],
  ['listen', Buffer.from('RFB 003.008\n'), undefined],
  ['http', Buffer.from('GET / HTTP/1.1\r\n\r\n'), undefined],
  ['ipmi', hex('0600ff06000011be802a0000'), undefined],
  ['tls', RAW_HELLO, 'tls.raw-client-hello'],
  ['https', RAW_HELLO, undefined],
  ['listen', RAW_HELLO, undefined],
  ['tls', Buffer.concat([RAW_HELLO, hex('16 0300 0004 10000000')]), undefined],
  ['tls', hex('15 0301 0002 0100'), undefined],
])('over TCP, %s: the name of %s is %s', ([protocol, bytes, name]) => expect(nameBytes(protocol, bytes)).toBe(name));

test('every message that a probe sends unasked may be sent', () =>
  fc.assert(
    fc.property(fc.nat(3), fc.infiniteStream(fc.nat(0xffffffff)), (attempt, numbers) => {
      const random = (): number => numbers.next().value ?? 0;
      for (const probe of udpProbes)
        for (const { name, bytes } of probe.hello(attempt, random)) expect(refuseBytes(name, bytes)).toBeUndefined();
    }),
  ));

test('of the protocols that can also set something only the one function that reads is in the list', () => {
  const names = MESSAGES.filter(({ transport }) => transport === 'udp').map(({ name }) => name);
  for (let code = 0; code <= 0xff; code += 1) {
    const byte = code.toString(16).padStart(2, '0');
    for (const { name, bytes, reads } of [
      { name: 'addp.discovery', bytes: `44494749 00${byte} 0006 ffffffffffff`, reads: 1 },
      { name: 'aidp.discover', bytes: `01 41494450 002a ${byte} 00000006 01 0002 0108 ff 0d`, reads: 1 },
      { name: 'lantronix.query', bytes: `000000${byte}`, reads: 0xf6 },
      { name: 'moxa.discovery', bytes: `${byte}000008 00000000`, reads: 1 },
    ])
      expect(
        names.filter((one) => refuseBytes(one, hex(bytes)) === undefined),
        bytes,
      ).toEqual(code === reads ? [name] : []);
  }
});

test('every message to a whole link may be sent to that group, and no other', () => {
  const asked = udpProbes.flatMap(({ link }) => (link?.questions ?? []).map((question) => ({ ...question, ...link })));
  expect(asked.map(({ name, group, ttl }) => `${name} ${group} ${ttl}`)).toEqual([
    'mdns.browse 224.0.0.251 255',
    'ssdp.root-link 239.255.255.250 1',
    'ssdp.redfish-link 239.255.255.250 1',
  ]);
  for (const { name, bytes, group } of asked) {
    expect(refuseBytes(name, bytes)).toBeUndefined();
    for (const to of ['224.0.0.251', '239.255.255.250', '224.0.0.1', '255.255.255.255', '10.0.0.1'])
      expect(refuseGroup(name, to) === undefined, `${name} to ${to}`).toBe(to === group);
  }
  for (const { name, group } of MESSAGES) if (group === undefined) expect(refuseGroup(name, '224.0.0.251'), name).toBeDefined();
});

test('a byte that is changed anywhere but where it may vary is refused', () => {
  for (const { name, template } of MESSAGES) {
    if (template === undefined) continue;
    const bytes = Buffer.from(template.replaceAll('.', '0').replaceAll('hh', '30'), 'hex');
    expect(refuseBytes(name, bytes)).toBeUndefined();
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(bytes.readUInt8(at) ^ 0x41, at);
      expect(refuseBytes(name, changed) === undefined, `${name} byte ${at}`).toBe(template.slice(at * 2, at * 2 + 2) === '..');
    }
  }
});

const paths = AllowedPaths.load();
const get = (
  path: string,
  headers: readonly string[] = [
    'host: 192.0.2.1',
    'connection: keep-alive',
    `user-agent: ${userAgent()}`,
    'accept: */*',
    'accept-encoding: identity',
  ],
): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n`, 'latin1');

test.for<{ name: string; request: Buffer; as?: PathKind; code: string | undefined }>([
  { name: 'the first page', request: get('/'), code: undefined },
  { name: 'a listed path with a query', request: get('/xmldata?item=all'), code: undefined },
  { name: 'an icon', request: get('/img/logo.png'), as: 'icon', code: undefined },
  { name: 'an icon asked as a page', request: get('/img/logo.png'), code: 'not-allowed' },
  { name: 'a description', request: get('/upnp/desc.xml'), as: 'description', code: undefined },
  { name: 'a description asked as a page', request: get('/upnp/desc.xml'), code: 'not-allowed' },
  { name: 'a description with a query', request: get('/desc.xml?a=1'), as: 'description', code: 'not-allowed' },
  { name: 'a set-up, asked as a description', request: get('/setup.xml'), as: 'description', code: 'never-sent' },
  { name: 'a path that is not listed', request: get('/admin/config'), code: 'not-allowed' },
  { name: 'what sets a password', request: get('/api/init/init'), code: 'never-sent' },
  { name: 'the same, asked as an icon', request: get('/api/init/init'), as: 'icon', code: 'never-sent' },
  { name: 'a licence key', request: get('/xmldata?item=CpqKey'), code: 'never-sent' },
  { name: 'a picture of the screen', request: get('/streamer/snapshot.png'), as: 'icon', code: 'never-sent' },
  { name: 'POST', request: Buffer.from(get('/').toString().replace('GET', 'POST')), code: 'not-allowed' },
  { name: 'HEAD', request: Buffer.from(get('/').toString().replace('GET', 'HEAD')), code: 'not-allowed' },
  { name: 'HTTP/1.0', request: Buffer.from(get('/').toString().replace('/1.1', '/1.0')), code: 'not-allowed' },
  { name: 'a body', request: Buffer.concat([get('/'), Buffer.from('x')]), code: 'not-allowed' },
  { name: 'a second request', request: Buffer.concat([get('/'), get('/')]), code: 'not-allowed' },
  { name: 'a login', request: get('/', ['host: x', 'authorization: Basic YTpi']), code: 'not-allowed' },
  { name: 'a cookie', request: get('/', ['host: x', 'cookie: a=b']), code: 'not-allowed' },
  { name: 'a header twice', request: get('/', ['host: x', 'host: y']), code: 'not-allowed' },
  { name: 'an upgrade', request: get('/', ['host: x', 'upgrade: websocket']), code: 'not-allowed' },
  { name: 'a header within a header', request: get('/', ['host: x\nauthorization: Basic YTpi']), code: 'not-allowed' },
  { name: 'nothing', request: Buffer.alloc(0), code: 'not-allowed' },
])('a request: $name is $code', ({ request, as = 'page', code }) => expect(refuseRequest(request, paths, as)?.code).toBe(code));

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode } from 'dns-packet';
import * as snmp from 'net-snmp';
import { type Fleet, type FleetHost, loadPersonas, type Persona, startFleet } from '../../src/fleet/index.ts';
import { ask, get, handshake, hear, PORTS, takeApart } from './client.ts';

/** Every persona but the hostile ones, each at an address of its own, in one fleet. */
const PERSONAS = loadPersonas().filter(({ id }) => !id.startsWith('hostile-'));

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet(
    PERSONAS.map(({ id }, index) => ({ persona: id, address: `127.88.1.${index + 1}` })),
    { ports: PORTS, personas: PERSONAS },
  );
});
afterAll(() => fleet.stop());

type Service = Persona['services'][number];
type Web = Extract<Service, { speaks: 'web' }>;
type Reply = Web['otherwise'];

function servicesOf<S extends Service['speaks']>(
  speaks: S,
): { name: string; persona: Persona; service: Extract<Service, { speaks: S }> }[] {
  return PERSONAS.flatMap((persona) =>
    persona.services
      .filter((service): service is Extract<Service, { speaks: S }> => service.speaks === speaks)
      .map((service) => ({ name: `${persona.id} ${service.at}`, persona, service })),
  );
}

function hostOf({ id }: Persona): FleetHost {
  const host = fleet.hosts.find(({ persona }) => persona === id);
  if (host === undefined) throw new Error(`no ${id}`);
  return host;
}

/** What a template must match, whatever is filled in. */
function pattern(template: string): RegExp {
  const literal = template.split(/\{\{[a-zA-Z0-9|]+\}\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('[\\s\\S]*')}$`);
}

function check(reply: Reply, bytes: Buffer, lineEnd: string): void {
  if (reply.raw !== undefined) {
    expect(bytes.toString('latin1')).toMatch(pattern(reply.raw));
    return;
  }
  const { line, headers, body } = takeApart(bytes, lineEnd);
  expect(line).toBe(`${reply.version} ${reply.status} ${reply.reason}`);
  expect(headers.map(([name]) => name)).toEqual(reply.headers.map(([name]) => name));
  reply.headers.forEach(([, template], index) => expect(headers[index]?.[1]).toMatch(pattern(template)));
  const chunked = headers.some(([, value]) => value === 'chunked');
  const length = headers.find(([name, value]) => name.toLowerCase() === 'content-length' && value !== '')?.[1];
  if (length !== undefined) expect(body.length).toBe(Number(length));
  if (reply.padTo !== undefined) expect(body.length).toBe(reply.padTo);
  if (reply.bodyBase64 !== undefined) expect(body.toString('base64')).toBe(reply.bodyBase64);
  else if (!chunked) expect(body.toString('utf8').trimEnd()).toMatch(pattern((reply.body ?? '').trimEnd()));
  expect(bytes.toString('latin1')).not.toContain('{{');
}

describe('web services answer what their file says', () => {
  test.for(servicesOf('web'))('$name', async ({ persona, service }) => {
    const { address, ports } = hostOf(persona);
    const port = ports[service.at] ?? 0;
    const tls = service.tls === undefined ? undefined : {};
    const replies: { path: string; reply: Reply }[] = [
      ...service.routes.map((route) => ({ path: route.path, reply: route })),
      { path: '/kvmsweep-0badcafe', reply: service.otherwise },
    ];
    for (const { path, reply } of replies) {
      const { bytes, end } = await hear(address, port, { tls, send: get(path, `${address}:${port}`) });
      expect(end, path).toBe('closed');
      check(reply, bytes, service.lineEnd);
    }
  });

  test.for(servicesOf('web').filter(({ service }) => service.tls !== undefined))(
    '$name: plain HTTP on the TLS port',
    async ({ persona, service }) => {
      const { address, ports } = hostOf(persona);
      const { bytes } = await hear(address, ports[service.at] ?? 0, { send: get('/x', `${address}:443`) });
      expect(bytes.length > 0).toBe(service.plain !== undefined);
      if (service.plain !== undefined) check(service.plain, bytes, service.lineEnd);
    },
  );

  test('redirects name the TLS port of the same device', async () => {
    const { address } = hostOf(PERSONAS.find(({ id }) => id === 'pikvm-v4') ?? PERSONAS[0]!);
    const { bytes } = await hear(address, PORTS.http, { send: get('/a?b=c', address) });
    expect(takeApart(bytes).headers.find(([name]) => name === 'Location')?.[1]).toBe(`https://${address}:${PORTS.https}/a?b=c`);
  });
});

describe('certificates are those of the file', () => {
  test.for(servicesOf('web').filter(({ service }) => service.tls !== undefined))('$name', async ({ persona, service }) => {
    if (service.tls === undefined) throw new Error('no TLS');
    const { min, max, certificate: spec } = service.tls;
    const { address, ports } = hostOf(persona);
    const port = ports[service.at] ?? 0;
    const newest = await handshake(address, port);
    expect(newest.protocol).toBe(max);
    if (min !== max) expect((await handshake(address, port, min)).protocol).toBe(min);
    const { certificate } = newest;
    expect(Object.keys(certificate.subject).map((name) => (name === 'emailAddress' ? 'email' : name))).toEqual(
      spec.subject.map(([name]) => name),
    );
    spec.subject.forEach(([, value], index) => expect(Object.values(certificate.subject)[index]).toMatch(pattern(value)));
    const issuer = spec.issuer ?? spec.subject;
    expect(Object.values(certificate.issuer)).toHaveLength(issuer.length);
    issuer.forEach(([, value], index) => expect(Object.values(certificate.issuer)[index]).toMatch(pattern(value)));
    expect(newest.issuers).toBe(spec.chain ? 1 : 0);
    expect(certificate.bits).toBe({ 'rsa-1024': 1024, 'rsa-2048': 2048, 'ec-p256': 256 }[spec.key]);
    expect(newest.signature).toBe(
      spec.issuer !== undefined || spec.key === 'ec-p256'
        ? 'ecdsa-with-SHA256'
        : spec.hash === 'sha1'
          ? 'sha1WithRSAEncryption'
          : 'sha256WithRSAEncryption',
    );
    expect((certificate.subjectaltname ?? '').split(', ').filter((name) => name !== '')).toHaveLength(spec.san.length);
    const days = (Date.parse(certificate.valid_to) - Date.parse(certificate.valid_from)) / 86_400_000;
    expect(Math.round(days)).toBe(spec.days);
    if (spec.serial !== undefined) expect(certificate.serialNumber.toLowerCase()).toBe(spec.serial);
  });

  test('a shared certificate is one, others are not', async () => {
    const more = await startFleet(
      [
        { persona: 'supermicro-x9', address: '127.88.3.1' },
        { persona: 'supermicro-x9', address: '127.88.3.2' },
        { persona: 'supermicro-x13', address: '127.88.3.3' },
        { persona: 'supermicro-x13', address: '127.88.3.4' },
      ],
      { ports: PORTS },
    );
    const prints = await Promise.all(
      more.hosts.map(async ({ address }) => (await handshake(address, PORTS.https)).certificate.fingerprint256),
    );
    await more.stop();
    expect(prints[0]).toBe(prints[1]);
    expect(prints[2]).not.toBe(prints[3]);
  });
});

describe.concurrent('VNC servers go as far as their security types', () => {
  test.for(servicesOf('rfb'))('$name', async ({ persona, service }) => {
    const { address, ports } = hostOf(persona);
    const port = ports[service.at] ?? 0;
    // These speak by themselves; what we say is sent at once and read when they come to it.
    const { bytes } = await hear(address, port, { send: 'RFB 003.008\n', waitMs: service.delayMs + 600 });
    expect(bytes.subarray(0, 12)).toEqual(Buffer.from(`RFB ${service.version}\n`));
    const rest = bytes.subarray(12);
    if (service.version === '000.000') expect(rest).toHaveLength(0);
    else if (service.version < '003.007') expect([...rest]).toEqual([0, 0, 0, service.type33]);
    else expect([...rest]).toEqual([service.types.length, ...service.types]);
  });

  test('PiKVM refuses a 3.3 client in words', async () => {
    const { address } = hostOf(PERSONAS.find(({ id }) => id === 'pikvm-v4-vnc-ipmi') ?? PERSONAS[0]!);
    const { bytes, end } = await hear(address, PORTS.rfb, { send: 'RFB 003.003\n' });
    expect(end).toBe('closed');
    expect(bytes.readUInt32BE(12)).toBe(0);
    expect(bytes.toString('latin1', 20)).toBe('The client uses a very old protocol 3.3 and VNCAuth or NoneAuth is disabled');
    expect(bytes.readUInt32BE(16)).toBe(bytes.length - 20);
  });

  test('TigerVNC locks out a client that keeps coming', async () => {
    const more = await startFleet([{ persona: 'vnc-tigervnc', address: '127.88.3.5' }], { ports: PORTS });
    const banners: string[] = [];
    for (let visit = 1; visit <= 6; visit += 1)
      banners.push(
        (await hear('127.88.3.5', PORTS.rfb, { send: 'RFB 003.008\n', ...(visit <= 5 ? { maxBytes: 15 } : {}) })).bytes.toString('latin1'),
      );
    await more.stop();
    expect(banners.slice(0, 5).every((banner) => banner.startsWith('RFB 003.008\n\u0002'))).toBe(true);
    expect(banners[5]).toBe('RFB 003.003\n\0\0\0\0\0\0\0\u001aToo many security failures');
  });

  test('what a client says after the list is written down', async () => {
    const more = await startFleet([{ persona: 'vnc-realvnc', address: '127.88.3.6' }], { ports: PORTS });
    await hear('127.88.3.6', PORTS.rfb, { send: 'RFB 003.008\n\u0002', waitMs: 200 });
    await more.stop();
    expect(Buffer.concat(more.requests.map(({ bytes }) => bytes)).toString('latin1')).toBe('RFB 003.008\n\u0002');
  });
});

test.concurrent.for(servicesOf('script'))('$name says its piece by itself', async ({ persona, service }) => {
  const { address, ports } = hostOf(persona);
  const { bytes } = await hear(address, ports[service.at] ?? 0, { waitMs: 600 });
  expect(bytes.toString('hex')).toBe(service.steps.map(({ hex, text = '' }) => hex ?? Buffer.from(text).toString('hex')).join(''));
});

function sum(bytes: Iterable<number>): number {
  let total = 0;
  for (const byte of bytes) total += byte;
  return total & 0xff;
}

/** A message in the v1.5 wrapper (IPMI v2.0 section 13.6), with its checksums. */
function ipmi(command: number, data: number[], wrapper: 'v1.5' | 'v2.0' = 'v1.5'): Buffer {
  const rest = [0x81, 0x04, command, ...data];
  const whole = [0x20, 0x18, 0xc8, ...rest, -sum(rest) & 0xff];
  const head = wrapper === 'v1.5' ? [0, 0, 0, 0, 0, 0, 0, 0, 0, whole.length] : [6, 0, 0, 0, 0, 0, 0, 0, 0, 0, whole.length, 0];
  return Buffer.from([6, 0, 0xff, 7, ...head, ...whole]);
}

/** The message of an answer: netFn 07h, the sequence and command asked for; its checksums must be right. */
function message(answer: Buffer | undefined, wrapper: 'v1.5' | 'v2.0' = 'v1.5'): Buffer {
  if (answer === undefined) throw new Error('no answer');
  const from = wrapper === 'v1.5' ? 14 : 16;
  const bytes = answer.subarray(from);
  expect(wrapper === 'v1.5' ? answer[13] : answer.readUInt16LE(14)).toBe(bytes.length);
  expect([bytes[0], bytes[1], bytes[3], bytes[4]]).toEqual([0x81, 0x1c, 0x20, 0x04]);
  return bytes;
}

function checksumsFit(bytes: Buffer): boolean {
  return sum(bytes.subarray(0, 3)) === 0 && sum(bytes.subarray(3)) === 0;
}

describe.concurrent('management controllers answer without a session what their file says', () => {
  test.for(servicesOf('ipmi'))('$name', async ({ persona, service }) => {
    const { address, parameters } = hostOf(persona);
    const at = (bytes: Buffer): Promise<Buffer | undefined> => ask(address, PORTS.ipmi, bytes, 150);
    const pong = await at(Buffer.from('0600ff06000011be802a0000', 'hex'));
    if (service.pong === undefined) expect(pong).toBeUndefined();
    else {
      const { iana, oem, entities, interactions, swappedAsf } = service.pong;
      const number = Buffer.alloc(4);
      number.writeUInt32BE(iana);
      expect(pong?.toString('hex')).toBe(
        `0600ff06${swappedAsf ? 'be110000' : '000011be'}402a0010${number.toString('hex')}${oem}${Buffer.from([entities, interactions]).toString('hex')}000000000000`,
      );
    }
    const { auth, guid, suites, deviceId } = service;
    const auth8e = await at(ipmi(0x38, [0x8e, 0x04]));
    if (auth === undefined) expect(auth8e).toBeUndefined();
    else {
      const bytes = message(auth8e);
      expect(checksumsFit(bytes)).toBe(!service.wrongChecksums);
      expect([...bytes.subarray(6, -1)]).toEqual([
        0,
        auth.channel,
        auth.types,
        auth.status,
        auth.extended,
        auth.oem & 0xff,
        (auth.oem >> 8) & 0xff,
        auth.oem >> 16,
        auth.auxiliary,
      ]);
      const old = await at(ipmi(0x38, [0x0e, 0x04]));
      if (auth.only8e) expect(old).toBeUndefined();
      else expect(message(old)[8]).toBe(auth.types & 0x7f);
      expect((await at(ipmi(0x38, [0x8e, 0x04], 'v2.0'))) === undefined).toBe(!auth.wrappers.includes('v2.0'));
    }
    const asked = await at(ipmi(0x37, []));
    if (guid === undefined) expect(asked).toBeUndefined();
    else expect(message(asked).toString('hex', 6, 23)).toBe(`00${guid.bytes.startsWith('{{') ? parameters['guid'] : guid.bytes}`);
    if (suites !== undefined) {
      const wrapper = suites.wrappers.includes('v1.5') ? 'v1.5' : 'v2.0';
      const ids: number[] = [];
      for (let page = 0; page < 4; page += 1) {
        const records = message(await at(ipmi(0x54, [0x0e, 0, 0x80 + page], wrapper)), wrapper).subarray(8, -1);
        ids.push(...records);
        if (records.length < 16) break;
      }
      expect(ids.filter((_, index) => index % 5 === 1)).toEqual(suites.ids);
      expect(ids.filter((_, index) => index % 5 === 0).every((byte) => byte === 0xc0)).toBe(true);
      if (wrapper === 'v2.0') expect(await at(ipmi(0x54, [0x0e, 0, 0x80]))).toBeUndefined();
    }
    const id = await at(ipmi(0x01, []));
    if (deviceId === undefined) expect(id).toBeUndefined();
    else expect(message(id)[6]).toBe(deviceId.completion);
  });

  test('the whole answer of a PiKVM is the one that pyghmi gives', async () => {
    const { address } = hostOf(PERSONAS.find(({ id }) => id === 'pikvm-v4-vnc-ipmi') ?? PERSONAS[0]!);
    const answer = await ask(address, PORTS.ipmi, Buffer.from('0600ff07000000000000000000092018c88100388e04b5', 'hex'));
    expect(answer?.toString('hex')).toBe('0600ff0700000000000000000010811c6320003800018004020000000021');
  });

  test('the whole answer of the unknown one is the one that ipmi_sim gives', async () => {
    const { address } = hostOf(PERSONAS.find(({ id }) => id === 'bmc-ipmi-only') ?? PERSONAS[0]!);
    const answer = await ask(address, PORTS.ipmi, Buffer.from('0600ff07000000000000000000092018c88154388e0461', 'hex'));
    expect(answer?.toString('hex')).toBe('0600ff0700000000000000000010811c63205438000197060300000000b3');
  });

  test('nothing answers the beginning of a session', async () => {
    const openSession = Buffer.from(`0600ff07061000000000000000002000${'00'.repeat(32)}`, 'hex');
    for (const id of ['bmc-ipmi-only', 'dell-idrac9', 'openbmc']) {
      const { address } = hostOf(PERSONAS.find((persona) => persona.id === id) ?? PERSONAS[0]!);
      expect(await ask(address, PORTS.ipmi, openSession, 200), id).toBeUndefined();
    }
  });
});

describe.concurrent('SNMP agents tell their engine, and nothing to a community', () => {
  test.for(servicesOf('snmp'))('$name', async ({ persona, service }) => {
    const { address, parameters } = hostOf(persona);
    const mac = (parameters['mac'] ?? '').replaceAll(':', '').toLowerCase();
    expect(await discover(address)).toEqual({ engine: service.engine?.replace('{{mac|hex}}', mac), boots: service.boots });
    const v2c = Buffer.from('302602010104067075626c6963a01902044a690000020100020100300b300906052b060102010500', 'hex');
    expect(await ask(address, PORTS.snmp, v2c, 150)).toBeUndefined();
  });
});

describe.concurrent('SNMP agents tell who names their community what the persona says', () => {
  const readable = servicesOf('snmp').filter(({ service }) => service.communities.length > 0);
  test('there are some', () => expect(readable.length).toBeGreaterThan(2));

  test.for(readable)('$name, in v2c', async ({ persona, service }) => {
    const { address, parameters } = hostOf(persona);
    const oids = ['1.3.6.1.2.1.1.2.0', ...service.objects.map(({ oid }) => oid), '1.3.6.1.2.1.1.4.0'];
    const values = await read(address, service.communities[0] ?? '', snmp.Version2c, oids);
    for (const { oid, text, hex, names, number } of service.objects) {
      const said = text ?? hex;
      const value =
        said === undefined
          ? (names ?? number)
          : Buffer.from(
              said
                .replaceAll('{{mac|hex}}', (parameters['mac'] ?? '').replaceAll(':', ''))
                .replace(/\{\{(\w+)\}\}/g, (_, key: string) => parameters[key] ?? ''),
              hex === undefined ? 'utf8' : 'hex',
            );
      expect(values.get(oid), oid).toEqual(value);
    }
    expect(values.has('1.3.6.1.2.1.1.4.0'), 'what it has not is marked').toBe(false);
  });

  test.for(readable)('$name, in v1: an error where one is missing', async ({ persona, service }) => {
    const { address } = hostOf(persona);
    const [community = ''] = service.communities;
    expect([...(await read(address, community, snmp.Version1, ['1.3.6.1.2.1.1.2.0'])).keys()]).toEqual(['1.3.6.1.2.1.1.2.0']);
    await expect(read(address, community, snmp.Version1, ['1.3.6.1.2.1.1.2.0', '1.3.6.1.2.1.1.4.0'])).rejects.toThrow(
      /NoSuchName.*1\.4\.0/,
    );
    await expect(read(address, 'public', snmp.Version1, ['1.3.6.1.2.1.1.2.0'])).rejects.toThrow(/timed out/);
  });
});

/** What net-snmp reads; without what the agent has not. */
function read(address: string, community: string, version: 0 | 1, oids: string[]): Promise<Map<string, unknown>> {
  return new Promise((resolve, reject) => {
    const session = snmp.createSession(address, community, { version, port: PORTS.snmp, retries: 0, timeout: 300 });
    session.on('error', reject);
    session.get(oids, (error, varbinds = []) => {
      session.close();
      if (error === null) resolve(new Map(varbinds.filter((one) => !snmp.isVarbindError(one)).map(({ oid, value }) => [oid, value])));
      else reject(error instanceof Error ? error : new Error((error as { message: string }).message));
    });
  });
}
/** A question as multicast-dns, avahi-browse and others put it: a number, one question, the bit for an answer to us alone. */
function question(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([Buffer.from('123400000001000000000000', 'hex'), ...labels, Buffer.from([0, 0, type, 0x80, 0x01])]);
}
const A = 1;
const PTR = 12;

describe.concurrent('mDNS responders answer for their names and services, and for no others', () => {
  test.for(servicesOf('mdns'))('$name', async ({ persona, service }) => {
    const { address, parameters } = hostOf(persona);
    const filled = (text: string): string =>
      text.replace(/\{\{(\w+)(\|lower)?\}\}/g, (_, name: string, lower) =>
        lower === undefined ? (parameters[name] ?? '') : (parameters[name] ?? '').toLowerCase(),
      );
    const records = async (name: string, type: number): Promise<string[]> => {
      const answer = await ask(address, PORTS.mdns, question(name, type), 200);
      if (answer === undefined) return [];
      const { id, questions, answers = [], flag_qr: isAnswer } = decode(answer);
      expect({ id, isAnswer, name: questions?.[0]?.name }).toEqual({ id: 0x1234, isAnswer: true, name });
      return answers.map(
        (record) =>
          `${record.type} ${record.name} ${'data' in record ? JSON.stringify(record.type === 'TXT' ? [record.data].flat().map(String) : record.data) : ''}`,
      );
    };
    const host = filled(service.host);
    expect(await records(host, A)).toEqual([`A ${host} "${address}"`]);
    expect(await records('other.local', A)).toEqual([]);
    const reverse = `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
    expect(await records(reverse, PTR)).toEqual(service.reverse ? [`PTR ${reverse} "${host}"`] : []);
    expect(await records('_services._dns-sd._udp.local', PTR)).toEqual(
      service.services.map(({ type }) => `PTR _services._dns-sd._udp.local "${type}.local"`),
    );
    for (const { type, instance, port, txt } of service.services) {
      const name = `${filled(instance)}.${type}.local`;
      expect(await records(`${type}.local`, PTR)).toEqual([
        `PTR ${type}.local "${name}"`,
        `SRV ${name} ${JSON.stringify({ priority: 0, weight: 0, port, target: host })}`,
        `TXT ${name} ${JSON.stringify(txt.map(filled))}`,
        `A ${host} "${address}"`,
      ]);
    }
    expect(await ask(address, PORTS.mdns, Buffer.from('no DNS'), 100)).toBeUndefined();
  });
});

const SEARCH = (target: string): Buffer =>
  Buffer.from(`M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: "ssdp:discover"\r\nST: ${target}\r\nMX: 3\r\n\r\n`);

describe.concurrent('SSDP servers answer the searches that they know', () => {
  test.for([
    {
      id: 'hpe-ilo5',
      target: 'urn:dmtf-org:service:redfish-rest:1',
      says: /^USN:uuid:b961d9ce-97b7-5992-af0a-8912ec02b17a::urn:dmtf-org/m,
    },
    {
      id: 'hpe-ilo6',
      target: 'urn:dmtf-org:service:redfish-rest:1',
      says: new RegExp(`^AL:https://127\\.88\\.1\\.\\d+:${PORTS.https}/redfish/v1/\r$`, 'm'),
    },
    { id: 'hpe-ilo5', target: 'upnp:rootdevice', says: undefined },
    {
      id: 'nanokvm-cube-2.1',
      target: 'upnp:rootdevice',
      says: new RegExp(`^Location: http://127\\.88\\.1\\.\\d+:${PORTS.alternative}/description\\.xml\r$`, 'm'),
    },
    { id: 'nanokvm-cube-2.1', target: 'urn:dmtf-org:service:redfish-rest:1', says: undefined },
  ])('$id, $target', async ({ id, target, says }) => {
    const { address } = hostOf(PERSONAS.find((persona) => persona.id === id) ?? PERSONAS[0]!);
    const answer = (await ask(address, PORTS.ssdp, SEARCH(target), 300))?.toString('latin1');
    if (says === undefined) expect(answer).toBeUndefined();
    else expect(answer).toMatch(says);
  });
});

/** net-snmp makes the discovery and reads the answer: a second opinion on both. */
function discover(address: string): Promise<{ engine: string; boots: number }> {
  return new Promise((resolve, reject) => {
    const session = snmp.createV3Session(
      address,
      { name: '', level: snmp.SecurityLevel.noAuthNoPriv },
      { port: PORTS.snmp, retries: 0, timeout: 1000 },
    );
    session.on('error', reject);
    session.get(['1.3.6.1.2.1.1.1.0'], () => {
      const { msgSecurityParameters: told } = session as unknown as {
        msgSecurityParameters?: { msgAuthoritativeEngineID: Buffer; msgAuthoritativeEngineBoots: number };
      };
      session.close();
      if (told === undefined) reject(new Error('no engine'));
      else resolve({ engine: told.msgAuthoritativeEngineID.toString('hex'), boots: told.msgAuthoritativeEngineBoots });
    });
  });
}

import dgram from 'node:dgram';
import { setTimeout as sleep } from 'node:timers/promises';
import * as snmp from 'net-snmp';
import { afterAll, expect, test } from 'vitest';
import { ForbiddenError, ProbeError } from '../../../src/errors.ts';
import { BerReader } from '../../../src/sweep/snmp/ber.ts';
import { type BudgetLimits, DEFAULT_BUDGET, readsWith } from '../../../src/sweep/budget.ts';
import type { SnmpAgent, SnmpReply } from '../../../src/sweep/contract.ts';
import { type Device, Devices } from '../../../src/sweep/device.ts';
import { Gates } from '../../../src/sweep/gates.ts';
import { AllowedPaths } from '../../../src/sweep/paths.ts';
import { AUTH_PROTOCOLS, PRIVACY_PROTOCOLS, Secret, type SnmpCredential, type SnmpUser } from '../../../src/sweep/snmp/credentials.ts';
import { loadSnmp } from '../../../src/sweep/snmp/library.ts';
import { parseAddress } from '../../../src/targets/addresses.ts';
import { Guard } from '../../../src/targets/guard.ts';
import { HostSet } from '../../../src/targets/hosts.ts';
import { parsePorts } from '../../../src/targets/ports.ts';
import { AuditLog } from '../../support/audit-log.ts';
import { ber, early, oid, pdu, secured, text } from '../../support/ber.ts';

const HOST = '127.52.0.1';
const DESCR = '1.3.6.1.2.1.1.1.0';
const TYPE = '1.3.6.1.2.1.1.2.0';
const NAME = '1.3.6.1.2.1.1.5.0';
const closers: (() => Promise<unknown> | void)[] = [];
// Each has a port of its own, so that some can wait for their time-out together.
afterAll(async () => {
  for (const close of closers.splice(0)) await close();
});

interface SetUp {
  readonly device: Device;
  readonly devices: Devices;
  readonly audit: AuditLog;
  sent: number;
}

function setUp(host = HOST, budget: Partial<BudgetLimits> = {}, guard = Guard.fromEnvironment()): SetUp {
  const address = parseAddress(host) as number;
  const audit = new AuditLog();
  const devices = new Devices({
    guard,
    audit,
    paths: new AllowedPaths([]),
    gates: new Gates(),
    hosts: new HostSet([{ first: address, last: address }]),
    ports: parsePorts('1161/udp=snmp').ports,
    budget: { ...DEFAULT_BUDGET, reads: readsWith({ communities: 1, users: 1 }), ...budget },
  });
  return { device: devices.at(address), devices, audit, sent: 0 };
}

function ask<T>(
  setup: SetUp,
  port: number,
  credential: SnmpCredential,
  read: (agent: SnmpAgent) => Promise<T>,
  deadline = performance.now() + 15_000,
): Promise<T> {
  return setup.device.readSnmp(port, credential, { deadline, onSend: () => (setup.sent += 1) }, read);
}

const COMMUNITY: SnmpCredential = { version: 2, community: new Secret('SECRETCOMMUNITY') };
const OLD: SnmpCredential = { version: 1, community: new Secret('SECRETCOMMUNITY') };
const USER: SnmpUser = {
  version: 3,
  name: new Secret('SECRETNAME'),
  auth: { protocol: 'sha', key: new Secret('SECRETAUTH') },
  privacy: { protocol: 'aes', key: new Secret('SECRETPRIV') },
};

interface Seen {
  /** Of the agent's methods the one that was called. */
  readonly request: string;
  readonly oids: readonly string[];
}

const REQUESTS = ['getRequest', 'setRequest', 'getNextRequest', 'getBulkRequest'] as const;

interface Agent extends Record<
  (typeof REQUESTS)[number],
  (socket: unknown, message: { pdu: { varbinds: { oid: string }[] } }, from: unknown) => void
> {
  getAuthorizer(): { addCommunity(text: string): void; addUser(user: snmp.User): void };
  getMib(): { registerProvider(provider: object): void; setScalarValue(name: string, value: unknown): void };
  close(done: () => void): void;
}

/** net-snmp's own agent, and what it was asked, as it read it. */
async function serveAgent(port: number, user?: SnmpUser): Promise<Seen[]> {
  const library = await loadSnmp();
  const seen: Seen[] = [];
  const agent = library.createAgent({ port, address: HOST, engineID: '8000007380aabbccddee' }, () => undefined) as Agent;
  for (const request of REQUESTS) {
    const answer = agent[request].bind(agent);
    agent[request] = (socket, message, from) => {
      seen.push({ request, oids: message.pdu.varbinds.map((one) => one.oid) });
      answer(socket, message, from);
    };
  }
  agent.getAuthorizer().addCommunity('SECRETCOMMUNITY');
  if (user !== undefined) agent.getAuthorizer().addUser(userFor(user));
  for (const [name, number, type, value] of [
    ['sysDescr', DESCR, library.ObjectType.OctetString, 'Console Server 48'],
    ['sysObjectID', TYPE, library.ObjectType.OID, '1.3.6.1.4.1.25049.1.11'],
  ] as const) {
    agent.getMib().registerProvider({
      name,
      type: library.MibProviderType.Scalar,
      oid: number.replace(/\.0$/, ''),
      scalarType: type,
      maxAccess: library.MaxAccess['read-only'],
    });
    agent.getMib().setScalarValue(name, value);
  }
  closers.push(() => new Promise<void>((resolve) => agent.close(resolve)));
  await sleep(50);
  return seen;
}

function userFor({ name, auth, privacy }: SnmpUser): snmp.User {
  return {
    name: name.reveal(),
    level:
      auth === undefined
        ? snmp.SecurityLevel.noAuthNoPriv
        : privacy === undefined
          ? snmp.SecurityLevel.authNoPriv
          : snmp.SecurityLevel.authPriv,
    ...(auth === undefined ? {} : { authProtocol: snmp.AuthProtocols[auth.protocol], authKey: auth.key.reveal() }),
    ...(privacy === undefined ? {} : { privProtocol: snmp.PrivProtocols[privacy.protocol], privKey: privacy.key.reveal() }),
  };
}

/** Nothing of what was sent was recorded with a secret in it. */
function expectNoSecret({ audit }: SetUp): void {
  const written = audit.entries.map(({ bytes, ...rest }) => `${JSON.stringify(rest)} ${bytes?.toString('latin1')}`).join('\n');
  expect(written).not.toMatch(/SECRET/);
}

const expected = (values: Record<string, unknown>): SnmpReply => ({
  status: 0,
  values: new Map(Object.entries(values)) as SnmpReply['values'],
});
const SAID = { [DESCR]: Buffer.from('Console Server 48'), [TYPE]: '1.3.6.1.4.1.25049.1.11' };

test('v2c: values are read, and an object that is missing is left out', async () => {
  const seen = await serveAgent(11_601);
  const setup = setUp();
  expect(await ask(setup, 11_601, COMMUNITY, (agent) => agent.get([DESCR, TYPE, NAME]))).toEqual(expected(SAID));
  expect(setup.sent).toBe(1);
  expect(seen).toEqual([{ request: 'getRequest', oids: [DESCR, TYPE, NAME] }]);
  expect(setup.audit.entries).toMatchObject([{ host: HOST, port: 11_601, transport: 'udp', what: 'snmp.get' }]);
  expectNoSecret(setup);
});

test('v1: a request with an object that is missing ends with the error, one without is answered', async () => {
  await serve(11_602, (bytes) => [
    early(
      0,
      'SECRETCOMMUNITY',
      bytes.length < 60
        ? pdu({ tag: 0xa2, id: idOf(bytes), variables: [[DESCR, text('said')]] })
        : pdu({ tag: 0xa2, id: idOf(bytes), status: 2, index: 2, variables: [[DESCR], [NAME]] }),
    ),
  ]);
  const setup = setUp();
  const replies = await ask(setup, 11_602, OLD, async (agent) => [await agent.get([DESCR]), await agent.get([DESCR, NAME])]);
  expect(replies).toEqual([expected({ [DESCR]: Buffer.from('said') }), { status: 2, values: new Map() }]);
});

test.for(
  ([undefined, ...AUTH_PROTOCOLS] as const).flatMap((auth, at) =>
    (auth === undefined ? [undefined] : [undefined, ...PRIVACY_PROTOCOLS]).map((privacy, also) => ({
      auth,
      privacy,
      port: 11_610 + at * 6 + also,
    })),
  ),
)('v3 with $auth and $privacy: discovery, then the reads', async ({ auth, privacy, port }) => {
  const user: SnmpUser = {
    version: 3,
    name: new Secret('SECRETNAME'),
    ...(auth === undefined ? {} : { auth: { protocol: auth, key: new Secret('SECRETAUTH') } }),
    ...(privacy === undefined ? {} : { privacy: { protocol: privacy, key: new Secret('SECRETPRIV') } }),
  };
  const seen = await serveAgent(port, user);
  const setup = setUp();
  const replies = await ask(setup, port, user, async (agent) => [await agent.get([DESCR, TYPE]), await agent.get([NAME, DESCR])]);
  expect(replies).toEqual([expected(SAID), expected({ [DESCR]: SAID[DESCR] })]);
  expect(setup.audit.entries.map(({ what }) => what)).toEqual(['snmp.engine-discovery', 'snmp.user-get', 'snmp.user-get']);
  expect(setup.sent).toBe(3);
  // What was encrypted is what was asked, as the agent read it.
  expect(seen).toEqual([
    { request: 'getRequest', oids: [DESCR, TYPE] },
    { request: 'getRequest', oids: [NAME, DESCR] },
  ]);
  expectNoSecret(setup);
  expect(setup.audit.entries[1]).toMatchObject({ length: expect.any(Number) as number, withheld: expect.stringMatching(/keys/) as string });
  expect(setup.audit.entries[1]?.bytes).toBeUndefined();
});

test('v3: another user is refused, with two datagrams', async () => {
  await serveAgent(11_603, USER);
  const setup = setUp();
  const other = { ...USER, name: new Secret('SECRETOTHER') };
  const error = await ask(setup, 11_603, other, (agent) => agent.get([DESCR])).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ProbeError);
  expect(error).toMatchObject({ kind: 'refused', message: 'the agent does not know this user' });
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('SECRET');
  expect(setup.sent).toBe(2);
});

// ---- agents that misbehave --------------------------------------------------------------------------------------

type Answer = (bytes: Buffer, socket: dgram.Socket, from: dgram.RemoteInfo) => readonly Buffer[];

async function serve(port: number, answer: Answer, host = HOST): Promise<Buffer[]> {
  const asked: Buffer[] = [];
  const socket = dgram.createSocket('udp4');
  socket.on('message', (bytes, from) => {
    asked.push(bytes);
    for (const reply of answer(bytes, socket, from)) socket.send(reply, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(port, host, resolve));
  closers.push(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return asked;
}

/** The request id of a message with a community. */
function idOf(bytes: Buffer): number {
  const message = new BerReader(bytes).inside();
  message?.integer();
  message?.octets();
  return message?.inside(0xa0)?.integer() ?? -1;
}

/** The message id of SNMPv3. */
function messageIdOf(bytes: Buffer): number {
  const message = new BerReader(bytes).inside();
  message?.integer();
  return message?.inside()?.integer() ?? -1;
}

const ENGINE = Buffer.from('80001f8880aabbccdd', 'hex');
const answerOf = (id: number, value = text('said')): Buffer =>
  early(1, 'SECRETCOMMUNITY', pdu({ tag: 0xa2, id, variables: [[DESCR, value]] }));
const reportOf = (id: number, counter: number, more: { boots?: number; time?: number } = {}): Buffer =>
  secured({
    id,
    engine: ENGINE,
    ...more,
    inner: pdu({ tag: 0xa8, id: 0, variables: [[`1.3.6.1.6.3.15.1.1.${counter}.0`, ber(0x41, [1])]] }),
  });
const isDiscovery = (bytes: Buffer): boolean => bytes.length < 70;

test.for<{ name: string; port: number; answer: Answer }>([
  {
    name: 'garbage first',
    port: 11_701,
    answer: (bytes) => [
      Buffer.from('30840000', 'hex'),
      Buffer.alloc(0),
      Buffer.from('hello'),
      Buffer.from('3003020101', 'hex'),
      answerOf(idOf(bytes)),
    ],
  },
  { name: 'the answer twice', port: 11_702, answer: (bytes) => [answerOf(idOf(bytes)), answerOf(idOf(bytes), text('a second time'))] },
  {
    name: 'an answer to another request first',
    port: 11_703,
    answer: (bytes) => [answerOf(idOf(bytes) ^ 1, text('another')), answerOf(idOf(bytes))],
  },
  {
    name: 'a version that was not asked first',
    port: 11_704,
    answer: (bytes) => [
      early(0, 'SECRETCOMMUNITY', pdu({ tag: 0xa2, id: idOf(bytes), variables: [[DESCR, text('v1')]] })),
      answerOf(idOf(bytes)),
    ],
  },
  {
    name: 'an SNMPv3 message with the id of the request, which asks for a key that there is not',
    port: 11_705,
    answer: (bytes) => [secured({ id: idOf(bytes), flags: 1, inner: pdu({ tag: 0xa2 }) }), answerOf(idOf(bytes))],
  },
])('$name: what was asked is read all the same', async ({ port, answer }) => {
  await serve(port, answer);
  const setup = setUp();
  expect(await ask(setup, port, COMMUNITY, (agent) => agent.get([DESCR]))).toEqual(expected({ [DESCR]: Buffer.from('said') }));
  expect(setup.sent).toBe(1);
});

test('an answer from another port, and from another address, is not heard', async () => {
  const other = dgram.createSocket('udp4');
  await new Promise<void>((resolve) => other.bind(11_711, '127.52.0.2', resolve));
  closers.push(() => void other.close());
  await serve(11_710, (bytes, _, from) => {
    other.send(answerOf(idOf(bytes), text('forged')), from.port, from.address);
    return [];
  });
  const setup = setUp();
  const deadline = performance.now() + 1000;
  await expect(ask(setup, 11_710, COMMUNITY, (agent) => agent.get([DESCR]), deadline)).rejects.toMatchObject({ kind: 'given-up' });
});

test('the largest datagram that there is: its value is read, whole', async () => {
  await serve(11_712, (bytes) => [answerOf(idOf(bytes), text('x'.repeat(65_000)))]);
  const reply = await ask(setUp(), 11_712, COMMUNITY, (agent) => agent.get([DESCR]));
  expect((reply.values.get(DESCR) as Buffer).length).toBe(65_000);
});

test.concurrent.for<{
  name: string;
  port: number;
  answer: Answer;
  credential?: SnmpCredential;
  kind: string;
  note: RegExp;
  datagrams: number;
}>([
  { name: 'no answer', port: 11_720, answer: () => [], kind: 'silent', note: /did not answer/, datagrams: 1 },
  {
    name: 'fewer objects than were asked for',
    port: 11_721,
    answer: (bytes) => [early(1, 'SECRETCOMMUNITY', pdu({ tag: 0xa2, id: idOf(bytes) }))],
    kind: 'not-this-protocol',
    note: /does not fit/,
    datagrams: 1,
  },
  {
    name: 'another community',
    port: 11_722,
    answer: (bytes) => [early(1, 'other', pdu({ tag: 0xa2, id: idOf(bytes), variables: [[DESCR, text('x')]] }))],
    kind: 'not-this-protocol',
    note: /does not fit/,
    datagrams: 1,
  },
  {
    name: 'a PDU that is no response',
    port: 11_723,
    answer: (bytes) => [early(1, 'SECRETCOMMUNITY', pdu({ tag: 0xa0, id: idOf(bytes), variables: [[DESCR]] }))],
    kind: 'not-this-protocol',
    note: /does not fit/,
    datagrams: 1,
  },
  {
    name: 'a report in v2c, whose sender has no engine',
    port: 11_724,
    answer: (bytes) => [early(1, 'SECRETCOMMUNITY', pdu({ tag: 0xa8, id: idOf(bytes), variables: [[DESCR, text('x')]] }))],
    kind: 'not-this-protocol',
    note: /contradicts itself/,
    datagrams: 1,
  },
  {
    name: 'no end',
    port: 11_725,
    answer: () => Array.from({ length: 100 }, () => Buffer.from('30840000', 'hex')),
    kind: 'not-this-protocol',
    note: /sends and sends/,
    datagrams: 1,
  },
  {
    name: 'v3: no answer to the discovery',
    port: 11_726,
    answer: () => [],
    credential: USER,
    kind: 'silent',
    note: /did not answer/,
    datagrams: 1,
  },
  {
    name: 'v3: a report for ever, with a clock that never starts',
    port: 11_727,
    answer: (bytes) => [reportOf(messageIdOf(bytes), 4, { boots: 0, time: 0 })],
    credential: USER,
    kind: 'not-this-protocol',
    note: /reports and reports/,
    datagrams: 3,
  },
  {
    name: 'v3: an unknown user',
    port: 11_728,
    answer: (bytes) => [reportOf(messageIdOf(bytes), isDiscovery(bytes) ? 4 : 3)],
    credential: USER,
    kind: 'refused',
    note: /does not know this user/,
    datagrams: 2,
  },
  {
    name: 'v3: less security than the user has',
    port: 11_729,
    answer: (bytes) => [reportOf(messageIdOf(bytes), isDiscovery(bytes) ? 4 : 1)],
    credential: USER,
    kind: 'refused',
    note: /does not allow this user this security/,
    datagrams: 2,
  },
  {
    name: 'v3: an answer that nobody has signed',
    port: 11_730,
    answer: (bytes) => [
      isDiscovery(bytes)
        ? reportOf(messageIdOf(bytes), 4)
        : secured({
            id: messageIdOf(bytes),
            engine: ENGINE,
            user: 'SECRETNAME',
            inner: pdu({ tag: 0xa2, variables: [[DESCR, text('forged')]] }),
          }),
    ],
    credential: USER,
    kind: 'silent',
    note: /did not answer/,
    datagrams: 2,
  },
  {
    name: 'v3: an answer with a digest of nothing',
    port: 11_731,
    answer: (bytes) => [
      isDiscovery(bytes)
        ? reportOf(messageIdOf(bytes), 4)
        : secured({
            id: messageIdOf(bytes),
            engine: ENGINE,
            flags: 1,
            user: 'SECRETNAME',
            digest: Buffer.alloc(12, 1),
            inner: pdu({ tag: 0xa2, variables: [[DESCR, text('forged')]] }),
          }),
    ],
    credential: { version: 3, name: new Secret('SECRETNAME'), auth: { protocol: 'sha', key: new Secret('SECRETAUTH') } },
    kind: 'not-this-protocol',
    note: /not authentic/,
    datagrams: 2,
  },
  {
    name: 'v3: an answer that cannot be decrypted',
    port: 11_732,
    answer: (bytes) => [
      isDiscovery(bytes)
        ? reportOf(messageIdOf(bytes), 4)
        : secured({
            id: messageIdOf(bytes),
            engine: ENGINE,
            flags: 3,
            user: 'SECRETNAME',
            digest: Buffer.alloc(12, 1),
            salt: Buffer.alloc(8, 1),
            encrypted: Buffer.alloc(40, 7),
          }),
    ],
    credential: USER,
    kind: 'not-this-protocol',
    note: /cannot be decrypted|not authentic/,
    datagrams: 2,
  },
  {
    name: 'v3: an engine id as long as a datagram',
    port: 11_733,
    answer: (bytes) => [
      secured({
        id: messageIdOf(bytes),
        engine: Buffer.alloc(20_000, 1),
        context: ENGINE,
        inner: pdu({ tag: 0xa8, id: 0, variables: [['1.3.6.1.6.3.15.1.1.4.0', ber(0x41, [1])]] }),
      }),
    ],
    credential: USER,
    kind: 'silent',
    note: /did not answer/,
    datagrams: 1,
  },
  {
    name: 'v3: a clock before all time',
    port: 11_734,
    answer: (bytes) => [reportOf(messageIdOf(bytes), 4, { boots: -5, time: 7 })],
    credential: USER,
    kind: 'silent',
    note: /did not answer/,
    datagrams: 1,
  },
  {
    name: 'v3: another key',
    port: 11_735,
    answer: (bytes) => [reportOf(messageIdOf(bytes), isDiscovery(bytes) ? 4 : 5)],
    credential: USER,
    kind: 'refused',
    note: /wrong authentication/,
    datagrams: 2,
  },
  {
    name: 'v3: another privacy key',
    port: 11_736,
    answer: (bytes) => [reportOf(messageIdOf(bytes), isDiscovery(bytes) ? 4 : 6)],
    credential: USER,
    kind: 'refused',
    note: /wrong privacy/,
    datagrams: 2,
  },
])('an agent that says $name', { timeout: 20_000 }, async ({ port, answer, credential = COMMUNITY, kind, note, datagrams }) => {
  const asked = await serve(port, answer);
  const setup = setUp();
  const from = performance.now();
  const error = await ask(setup, port, credential, (agent) => agent.get([DESCR])).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ProbeError);
  expect(error).toMatchObject({ kind });
  expect((error as Error).message).toMatch(note);
  expect((error as Error).message).not.toContain('SECRET');
  expect(asked).toHaveLength(datagrams);
  expect(setup.sent).toBe(datagrams);
  expect(performance.now() - from).toBeLessThan(7000);
});

test('noise: whatever an agent sends, the request ends and the process lives', { timeout: 30_000 }, async () => {
  let round = 0;
  await serve(11_740, (bytes) => {
    round += 1;
    const id = bytes.length > 70 ? messageIdOf(bytes) : idOf(bytes);
    const whole = round % 2 === 0 ? answerOf(id) : reportOf(messageIdOf(bytes), 4);
    return Array.from({ length: 20 }, (_, at) => {
      const changed = Buffer.from(whole);
      for (let change = 0; change <= at % 4; change += 1)
        changed.writeUInt8((round * 31 + at * 7 + change * 13) & 0xff, (round * 17 + at * 5 + change * 3) % changed.length);
      return changed.subarray(0, changed.length - (at % 5 === 4 ? at : 0));
    });
  });
  for (const credential of [COMMUNITY, OLD, USER])
    for (let turn = 0; turn < 20; turn += 1) {
      const setup = setUp();
      const result = await ask(setup, 11_740, credential, (agent) => agent.get([DESCR]), performance.now() + 60).catch(
        (reason: unknown) => reason,
      );
      if (result instanceof Error) expect(result).toBeInstanceOf(ProbeError);
      expect(setup.sent).toBeLessThanOrEqual(3);
    }
});

test('a closed port is known at once', async () => {
  const from = performance.now();
  await expect(ask(setUp(), 11_750, COMMUNITY, (agent) => agent.get([DESCR]))).rejects.toMatchObject({
    kind: 'refused',
    message: 'the port is closed (ECONNREFUSED)',
  });
  expect(performance.now() - from).toBeLessThan(1000);
});

// ---- limits -----------------------------------------------------------------------------------------------------

test('an object that is not on the list is not asked for: nothing leaves', async () => {
  const asked = await serve(11_760, () => []);
  for (const credential of [COMMUNITY, USER]) {
    const setup = setUp();
    await expect(
      ask(setup, 11_760, credential, (agent) => agent.get(['1.3.6.1.2.1.1.4.0'])),
      String(credential.version),
    ).rejects.toBeInstanceOf(credential.version === 3 ? ProbeError : ForbiddenError);
  }
  // A user's discovery goes first, and holds no object.
  await sleep(50);
  expect(asked.map(isDiscovery)).toEqual([true]);
});

test('the same as a user, once his engine is known', async () => {
  const seen = await serveAgent(11_761, USER);
  const setup = setUp();
  await expect(
    ask(setup, 11_761, USER, async (agent) => {
      await agent.get([DESCR]);
      return agent.get([DESCR, '1.3.6.1.2.1.1.4.0']);
    }),
  ).rejects.toBeInstanceOf(ForbiddenError);
  expect(seen).toHaveLength(1);
});

test('the guard holds for each packet', async () => {
  const setup = setUp('127.52.0.1', {}, new Guard({ only: '127.99.0.0/16' }));
  await expect(ask(setup, 11_762, COMMUNITY, (agent) => agent.get([DESCR]))).rejects.toBeInstanceOf(ForbiddenError);
  expect(setup.audit.entries).toEqual([]);
});

test('the device’s account ends the reading', async () => {
  const asked = await serve(11_763, (bytes) => [answerOf(idOf(bytes))]);
  const setup = setUp(HOST, { reads: 2 });
  const replies = ask(setup, 11_763, COMMUNITY, async (agent) => {
    for (let turn = 0; turn < 5; turn += 1) await agent.get([DESCR]);
  });
  await expect(replies).rejects.toMatchObject({ kind: 'given-up', message: 'it has had all the requests that it may get' });
  expect(asked).toHaveLength(2);
  expect(setup.audit.entries).toHaveLength(2);
  const none = setUp(HOST, { reads: readsWith({ communities: 0, users: 0 }) });
  await expect(ask(none, 11_763, COMMUNITY, (agent) => agent.get([DESCR]))).rejects.toMatchObject({ kind: 'given-up' });
  expect(asked, 'without credentials there is no account at all').toHaveLength(2);
});

test('time that is up is up', async () => {
  await serve(11_764, () => []);
  const from = performance.now();
  await expect(ask(setUp(), 11_764, COMMUNITY, (agent) => agent.get([DESCR]), from + 300)).rejects.toMatchObject({ kind: 'given-up' });
  expect(performance.now() - from).toBeLessThan(1500);
  await expect(ask(setUp(), 11_764, COMMUNITY, (agent) => agent.get([DESCR]), from)).rejects.toMatchObject({ kind: 'given-up' });
});

test('at most 50 sessions at once, over all devices', async () => {
  let now = 0;
  let most = 0;
  const { devices } = setUp();
  const all = Array.from({ length: 130 }, (_, at) =>
    devices
      .at(parseAddress(`127.52.1.${at + 1}`) as number)
      .readSnmp(11_765, COMMUNITY, { deadline: performance.now() + 20_000, onSend: () => undefined }, async () => {
        now += 1;
        most = Math.max(most, now);
        await sleep(20);
        now -= 1;
      }),
  );
  await Promise.all(all);
  expect(most).toBe(50);
});

test('a session over IPv6', async () => {
  const socket = dgram.createSocket('udp6');
  socket.on('message', (bytes, from) => socket.send(answerOf(idOf(bytes)), from.port, from.address));
  await new Promise<void>((resolve) => socket.bind(11_766, '::1', resolve));
  closers.push(() => void socket.close());
  const address = parseAddress('::1') as bigint;
  const { devices } = setUp();
  const reply = await devices
    .at(address)
    .readSnmp(11_766, COMMUNITY, { deadline: performance.now() + 5000, onSend: () => undefined }, (agent) => agent.get([DESCR]));
  expect(reply.values.get(DESCR)).toEqual(Buffer.from('said'));
});

test('the object identifier of a value comes in dotted digits', async () => {
  await serve(11_767, (bytes) => [
    early(1, 'SECRETCOMMUNITY', pdu({ tag: 0xa2, id: idOf(bytes), variables: [[TYPE, oid('1.3.6.1.4.1.4294967295.1')]] })),
  ]);
  const reply = await ask(setUp(), 11_767, COMMUNITY, (agent) => agent.get([TYPE]));
  expect(reply.values.get(TYPE)).toBe('1.3.6.1.4.1.4294967295.1');
});

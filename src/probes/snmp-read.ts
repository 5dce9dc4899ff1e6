import { ProbeError } from '../errors.ts';
import type { SnmpAgent, SnmpProbe, SnmpValue } from '../sweep/contract.ts';
import { commonOids, makersOids, type OidMeaning, type OidRule } from '../sweep/snmp/oids.ts';
import { canonicalMac } from '../text.ts';
import type { Facts, FactValue } from '../vocabulary.ts';
import { valueText } from './snmp-value.ts';

/** RFC 6933 section 3, PhysicalClass. */
const CHASSIS = 3;
/** RFC 7042 section 2.1: given by software, so that another device may have the same. */
const LOCAL_BIT = 0x02;

type Values = ReadonlyMap<string, SnmpValue>;

/** Asks one agent: small requests, so that an old agent's answer fits its 484 octets (RFC 3417 section 3.2), each sent once. */
class Reading {
  readonly #agent: SnmpAgent;

  constructor(agent: SnmpAgent) {
    this.#agent = agent;
  }

  /**
   * What the agent has of some objects. SNMPv1 answers a whole request with an error where it has not all of them (RFC 1157 section 4.1.2), so it is asked for
   * one at a time, as is who cannot answer them together.
   */
  async read(rules: readonly OidRule[]): Promise<Values> {
    const oids = rules.map(({ oid }) => oid);
    if (oids.length === 0) return new Map();
    if (oids.length > 1 && this.#agent.version !== 1) {
      const { status, values } = await this.#agent.get(oids);
      if (status === 0) return values;
    }
    const found = new Map<string, SnmpValue>();
    for (const oid of oids) for (const [name, value] of (await this.#agent.get([oid])).values) found.set(name, value);
    return found;
  }

  /** The same by what the objects mean; of several with one meaning the first that says something. */
  async texts(rules: readonly OidRule[]): Promise<ReadonlyMap<string, string>> {
    const values = await this.read(rules);
    const texts = new Map<string, string>();
    for (const { oid, means } of rules) {
      const text = valueText(values.get(oid));
      if (text !== undefined && !texts.has(means)) texts.set(means, text);
    }
    return texts;
  }
}

/**
 * Reads from an SNMP agent what it says of the device: name and location, model, firmware and serial number where its maker keeps them, and of the standard's
 * first physical entity, if that is the whole device. Only GET, only listed objects; nothing is walked.
 *
 * Spec: RFC 3418 section 2 (system), RFC 6933 section 3 (entities), RFC 2863 section 6 (interfaces).
 * @throws {ProbeError} as the agent's `get`, with the facts learned until then
 */
async function talk(agent: SnmpAgent, known: Facts): Promise<Facts> {
  const reading = new Reading(agent);
  const facts: Record<string, FactValue> = {};
  const system = async (...means: readonly OidMeaning[]): Promise<void> => {
    for (const [name, text] of await reading.texts(commonOids(...means))) facts[`snmp.${name}`] = text;
  };
  try {
    // A user of SNMPv3 asks for the first time here; with a community the sweep has asked these.
    if (known['snmp.sysObjectID'] === undefined) await system('sysDescr', 'sysObjectID');
    await system('sysName', 'sysLocation');
    const type = facts['snmp.sysObjectID'] ?? known['snmp.sysObjectID'];
    const values = typeof type === 'string' ? await makersValues(reading, type) : {};
    if (Object.keys(values).length > 0) facts['snmp.values'] = values;
    Object.assign(facts, await entityFacts(reading, agent.version));
    const mac = await firstMac(reading, agent.version);
    if (mac !== undefined) facts['snmp.mac'] = mac;
    return facts;
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    throw new ProbeError(error.kind, error.message, facts);
  }
}

async function makersValues(reading: Reading, type: string): Promise<Record<string, string>> {
  const rules = makersOids(type);
  const values = await reading.read(rules);
  return Object.fromEntries(
    rules.flatMap(({ oid }) => {
      const text = valueText(values.get(oid));
      return text === undefined ? [] : [[oid, text]];
    }),
  );
}

/** What the first physical entity says, where it is the chassis: in others it is a part, and its serial number that of the part. */
async function entityFacts(reading: Reading, version: SnmpAgent['version']): Promise<Facts> {
  const kind = commonOids('entity.class');
  const parts = commonOids('entity.model', 'entity.firmware', 'entity.serial');
  // Who is asked for one object at a time is asked for its parts only where they will be believed.
  const first = await reading.read(version === 1 ? kind : [...kind, ...parts]);
  if (kind.every(({ oid }) => first.get(oid) !== CHASSIS)) return {};
  const values = version === 1 ? await reading.read(parts) : first;
  return Object.fromEntries(
    parts.flatMap(({ oid, means }) => {
      const text = valueText(values.get(oid))?.trim();
      return text === undefined || text === '' ? [] : [[`snmp.${means}`, text]];
    }),
  );
}

/** The address of the first interface that has one from its maker. */
async function firstMac(reading: Reading, version: SnmpAgent['version']): Promise<string | undefined> {
  const rules = commonOids('mac');
  for (const asked of version === 1 ? rules.map((rule) => [rule]) : [rules]) {
    const values = await reading.read(asked);
    for (const { oid } of asked) {
      const mac = macOf(values.get(oid));
      if (mac !== undefined) return mac;
    }
  }
  return undefined;
}

function macOf(value: SnmpValue | undefined): string | undefined {
  if (!Buffer.isBuffer(value)) return undefined;
  // Some agents write it out.
  const mac = canonicalMac(value.length === 6 ? value.toString('hex') : value.toString('latin1', 0, 32));
  return mac === undefined || (Number.parseInt(mac.slice(0, 2), 16) & LOCAL_BIT) !== 0 ? undefined : mac;
}

export const snmpRead: SnmpProbe = { id: 'snmp-read', speaks: 'objects', talk };

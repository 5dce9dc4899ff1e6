import type { Device } from '../devices/device.ts';
import { deviceName } from '../devices/device.ts';
import type { Inventory } from '../inventory/schema.ts';
import { byEndpoint, type Observation } from '../observations/observation.ts';
import { jsonText, printable, shortened } from '../text.ts';
import type { FactValue } from '../vocabulary.ts';

/** One device for people: what it is, how that is known, what speaks for something else, what is risky; `asked` is what the sweep asked, as far as it is known. */
export function deviceText(device: Device, asked?: Inventory['asked']): string {
  const {
    addresses,
    class: kind,
    certainty,
    level,
    base,
    evidence,
    alternatives,
    posture,
    identifiers,
    endpoints,
    firstSeen,
    lastSeen,
  } = device;
  const rules = new Map<string, { certainty: number; lines: string[] }>();
  for (const { fingerprint, rule, fact, text, endpoint, certainty: sure } of evidence) {
    const key = `${fingerprint} ${rule} ${endpoint}`;
    const entry = rules.get(key) ?? { certainty: sure, lines: [] };
    entry.lines.push(`${endpoint} says ${fact} "${text}"`);
    rules.set(key, entry);
  }
  return [
    `${deviceName(device)} at ${addresses.join(', ')}: ${level}, ${certainty} of 100`,
    ...field('class', kind),
    ...field('model', device.model),
    ...field('version', device.version),
    ...field('serial', device.serial),
    ...field('hostname', device.hostname),
    ...field('card', device.macVendor),
    ...field('base', base),
    ...field('key', device.deviceKey),
    ...field('seen', firstSeen === undefined ? lastSeen : `${firstSeen}${lastSeen === firstSeen ? '' : ` to ${lastSeen}`}`),
    ...field('endpoints', endpoints.map(({ port, transport, probe }) => `${port}/${transport} ${probe}`).join(', ')),
    ...field('risk', posture.join(', ')),
    ...field('not asked', notAsked(device, asked)),
    '  because',
    ...[...rules.values()].flatMap(({ certainty: sure, lines }) =>
      lines.map((line, i) => `    ${i === 0 ? `${String(sure).padStart(3)}  ` : '  and '}${printable(line)}`),
    ),
    ...(alternatives.length === 0 ? [] : ['  but also']),
    ...alternatives.map(
      ({ vendor, product, class: other, certainty: sure }) =>
        `    ${String(sure).padStart(3)}  ${deviceName({ ...(vendor === undefined ? {} : { vendor }), ...(product === undefined ? {} : { product }), class: other })}`,
    ),
    '  identifiers',
    ...identifiers.map(({ kind: what, value, from }) => `    ${what.padEnd(6)} ${printable(value)} (${printable(from)})`),
    '',
  ].join('\n');
}

/** An address that no definition claims, for people: where it answered, and what it said as far as it is given. */
export function unrecognisedText(
  { host, mac, macVendor, endpoints }: Inventory['unrecognised'][number],
  said: readonly Observation[] = [],
): string {
  const card = [mac, macVendor].filter((part) => part !== undefined).join(', ');
  const facts = byEndpoint(said).flatMap(({ port, transport, facts: all }) =>
    Object.entries(all)
      .filter(([name]) => !name.startsWith('mac.'))
      .map(([name, value]) => ({ where: port === undefined ? '' : `${port}/${transport ?? ''}`, name, value })),
  );
  return [
    `${printable(host)} is not recognised`,
    ...field('card', card),
    ...field('answered', endpoints.length === 0 ? 'at no port: only its network card is known' : endpoints.join(', ')),
    ...(facts.length === 0 ? [] : ['  it says']),
    ...facts.map(({ where, name, value }) => `    ${where.padEnd(9)} ${name} ${printable(shortened(plain(value), MAX_SAID))}`),
    '',
  ].join('\n');
}

const MAX_SAID = 160;

function plain(value: FactValue): string {
  return typeof value === 'string' ? `"${value}"` : jsonText(value);
}

/** What the device might say of itself, and nobody asked. */
function notAsked({ endpoints }: Device, asked: Inventory['asked']): string | undefined {
  const hasAgent = endpoints.some(({ probe }) => probe === 'snmp');
  return asked !== undefined && asked.snmp === undefined && hasAgent ? 'sysDescr: give --snmp-community' : undefined;
}

function field(name: string, value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : [`  ${name.padEnd(11)}${printable(value)}`];
}

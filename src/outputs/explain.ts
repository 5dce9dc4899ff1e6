import { type Attachment, type Device, deviceName, placeText } from '../devices/device.ts';
import type { Inventory } from '../inventory/schema.ts';
import type { Reckoning } from '../fingerprints/judge.ts';
import type { Against, HitEndpoint } from '../fingerprints/match.ts';
import { byEndpoint, type Observation } from '../observations/observation.ts';
import { jsonText, printable, shortened } from '../text.ts';
import type { FactValue } from '../vocabulary.ts';

/** How a device came to be named, worked out again from the journal. */
export interface Account {
  /** What was asked of it and how that ended, in its order. */
  readonly said: readonly Observation[];
  readonly reckoning: Reckoning;
  readonly against: readonly Against[];
}

/**
 * One device for people: what it is, how that is known, what speaks for something else, what is risky.
 * @param asked what the sweep asked, as far as it is known
 * @param account what the journal tells beyond the inventory
 */
export function deviceText(device: Device, asked?: Inventory['asked'], account?: Account): string {
  const {
    attachedTo = [],
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
    `${deviceName(device)} ${printable(placeText(device))}: ${level}, ${certainty} of 100`,
    ...field('class', kind),
    ...field('model', device.model),
    ...field('version', device.version),
    ...field('serial', device.serial),
    ...field('hostname', device.hostname),
    ...field('card', device.macVendor),
    ...field('base', base),
    ...field('key', device.deviceKey),
    ...field('seen', firstSeen === undefined ? lastSeen : `${firstSeen}${lastSeen === firstSeen ? '' : ` to ${lastSeen}`}`),
    ...field('is on', attachedText(attachedTo.filter(({ present }) => present))),
    ...field('was on', attachedText(attachedTo.filter(({ present }) => !present))),
    ...field('endpoints', endpoints.map(({ port, transport, probe }) => `${port}/${transport} ${probe}`).join(', ')),
    ...field('risk', posture.join(', ')),
    ...field('not asked', notAsked(device, asked)),
    ...(account === undefined ? [] : [...askedLines(account.said), ...sumLines(device.certainty, account.reckoning)]),
    '  because',
    ...[...rules.values()].flatMap(({ certainty: sure, lines }) =>
      lines.map((line, i) => `    ${i === 0 ? `${String(sure).padStart(3)}  ` : '  and '}${printable(line)}`),
    ),
    ...(alternatives.length === 0 ? [] : ['  but also']),
    ...alternatives.map(
      ({ vendor, product, class: other, certainty: sure }) =>
        `    ${String(sure).padStart(3)}  ${deviceName({ ...(vendor === undefined ? {} : { vendor }), ...(product === undefined ? {} : { product }), class: other })}`,
    ),
    ...againstLines(account?.against ?? []),
    '  identifiers',
    ...identifiers.map(({ kind: what, value, from }) => `    ${what.padEnd(6)} ${printable(value)} (${printable(from)})`),
    '',
  ].join('\n');
}

function attachedText(attachedTo: readonly Attachment[]): string {
  return attachedTo.map(({ computer, at }) => `${computer}${at === undefined ? '' : ` (${at})`}`).join(', ');
}

/** What was asked at each port, and what came of it; pages by their paths. */
function askedLines(said: readonly Observation[]): string[] {
  const places = new Map<string, string[]>();
  for (const { transport, port, part, probe, outcome, ms, facts, note } of said) {
    const place = port === undefined ? (part ?? 'address') : `${port}/${transport ?? ''}`;
    const pages = Object.keys((facts['http.pages'] ?? {}) as object);
    const what = pages.length > 0 ? pages.join(' ') : probe;
    const ended = [outcome, ...(ms === undefined ? [] : [`${ms} ms`]), ...(note === undefined ? [] : [note])].join(', ');
    places.set(place, [...(places.get(place) ?? []), `${what} (${ended})`]);
  }
  return ['  asked', ...[...places].map(([place, all]) => `    ${place.padEnd(10)} ${printable(all.join('; '))}`)];
}

/** Why the certainty is what it is: the strongest rule of each channel, and how their doubts multiply. */
function sumLines(certainty: number, { counted, certainty: today, isCapped }: Reckoning): string[] {
  const doubts = counted.map((hit) => ((100 - hit.certainty) / 100).toFixed(2));
  const sum =
    counted.length < 2
      ? 'the strongest rule counts'
      : `what each leaves in doubt multiplies: 1 - ${doubts.join(' x ')} = ${Math.min(1 - doubts.reduce((product, doubt) => product * Number(doubt), 1), 0.999).toFixed(3)}`;
  return [
    `  why ${certainty}${today === certainty ? '' : ` (${today} by the fingerprints of today)`}`,
    ...counted.map(
      ({ channel, certainty: sure, rule, endpoint }) =>
        `    ${String(sure).padStart(3)}  ${channel}: ${printable(rule)} (${endpointPlace(endpoint)})`,
    ),
    `         ${sum}${isCapped ? '; these are hints only, which never come to more than possible' : ''}`,
  ];
}

function againstLines(against: readonly Against[]): string[] {
  return against.length === 0
    ? []
    : [
        '  what spoke against',
        ...against.map(
          ({ fingerprint, why, evidence: { fact, text }, endpoint }) =>
            `    ${printable(`not ${fingerprint.title}: ${endpointPlace(endpoint)} says ${fact} "${text}" (${why})`)}`,
        ),
      ];
}

function endpointPlace({ port, transport, part }: HitEndpoint): string {
  return port === undefined ? (part ?? 'address') : `${port}/${transport ?? ''}`;
}

/** An address that no definition claims, for people: where it answered, and what it said as far as it is given. */
export function unrecognisedText(
  { host, mac, macVendor, endpoints }: Inventory['unrecognised'][number],
  said: readonly Observation[] = [],
): string {
  const card = [mac, macVendor].filter((part) => part !== undefined).join(', ');
  const facts = byEndpoint(said).flatMap(({ port, transport, part, facts: all }) =>
    Object.entries(all)
      .filter(([name]) => !name.startsWith('mac.'))
      .map(([name, value]) => ({ where: port === undefined ? (part ?? '') : `${port}/${transport ?? ''}`, name, value })),
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

import { type Device, deviceName, placeText } from '../../devices/device.ts';
import { sourceText } from '../../reconcile/index.ts';
import { printable, shortened } from '../../text.ts';
import { CLASS_NAMES, LEVEL_NAMES, RISKS, SEVERITY_NAMES, STATE_NAMES } from './words.ts';
import type { ReportView, Shown } from './view.ts';

/** Of what a device showed, so much is told: the surest first. */
const MAX_EVIDENCE = 12;
const MAX_TEXT = 300;

/** A heading and what stands under it: names with values, or sentences. */
export interface Part {
  readonly title: string;
  /** Name, value. A value without a name is a sentence. */
  readonly rows: readonly (readonly [string, string])[];
}

/** What the panel of a device shows, as text: the page makes elements of it when it is opened. */
export interface Details {
  readonly title: string;
  readonly lead: string;
  readonly parts: readonly Part[];
}

export function detailsOf({ device, name, finding, change }: Shown, { factMeanings, changes }: ReportView): Details {
  const { level, certainty, posture, identifiers, alternatives } = device;
  return {
    title: clean(name),
    lead: `${CLASS_NAMES[device.class]} ${clean(placeText(device))}. ${LEVEL_NAMES[level]}: ${certainty} of 100.`,
    parts: [
      part('Finding', finding === undefined ? [] : findingRows(finding)),
      part(
        'Risks',
        posture.map((one) => [one, RISKS[one]]),
      ),
      part(
        'Since the earlier inventory',
        change === undefined
          ? changes === undefined
            ? []
            : [['', 'Nothing changed.']]
          : [['', CHANGE_WORDS[change.change]], ...change.details.map((text) => ['', clean(text)] as const)],
      ),
      part('What it is', identityRows(device)),
      part('How we know', evidenceRows(device, factMeanings)),
      part(
        'It could also be',
        alternatives.map(({ vendor, product, class: kind, certainty: sure }) => [
          `${sure} of 100`,
          clean(deviceName({ ...(vendor === undefined ? {} : { vendor }), ...(product === undefined ? {} : { product }), class: kind })),
        ]),
      ),
      part(
        'Where it answers',
        device.endpoints.map(({ host, port, transport, probe }) => [
          probe,
          clean(`${isAlone(device) ? '' : `${host} `}port ${port}/${transport}`),
        ]),
      ),
      part(
        'Identifiers',
        identifiers.map(({ kind, value, from }) => [kind, clean(`${value} (${shortPlace(from, device)})`)]),
      ),
    ].filter(({ rows }) => rows.length > 0),
  };
}

const CHANGE_WORDS = {
  appeared: 'It was not there.',
  moved: 'It was at another address.',
  changed: 'It is not as it was.',
  gone: 'It is gone.',
  'not-asked': 'It was not asked again.',
} as const;

function part(title: string, rows: Part['rows']): Part {
  return { title, rows };
}

function clean(text: string): string {
  return shortened(printable(text), MAX_TEXT);
}

function findingRows({ state, severity, explanation, matched, conflicts, asset, policy }: NonNullable<Shown['finding']>): Part['rows'] {
  const record =
    asset === undefined
      ? undefined
      : [asset.name ?? asset.id ?? '', asset.owner === undefined ? '' : `owner ${asset.owner}`, asset.site ?? '', sourceText(asset.source)];
  return [
    [STATE_NAMES[state], SEVERITY_NAMES[severity]],
    ['', clean(explanation)],
    ...(record === undefined ? [] : [['Record', clean(record.filter((one) => one !== '').join(', '))] as const]),
    ...(policy === undefined ? [] : [['Network policy', clean(sourceText(policy))] as const]),
    ...matched.map(({ kind, value }) => [`Same ${kind}`, clean(value)] as const),
    ...conflicts.map(({ what, approved, seen }) => [`Other ${what}`, clean(`${seen} (approved: ${approved})`)] as const),
  ];
}

function identityRows(device: Device): Part['rows'] {
  const { vendor, product, generation, model, version, serial, hostname, macVendor, base, firstSeen, lastSeen, deviceKey } = device;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Maker', vendor],
    ['Product', [product, generation].filter((one) => one !== undefined).join(' ')],
    ['Model', model],
    ['Firmware', version],
    ['Serial number', serial],
    ['Name', hostname],
    ['Maker of its network card', macVendor],
    ['Built on', base],
    ['Plugged into', (device.attachedTo ?? []).map(({ computer, present }) => `${computer}${present ? '' : ' (not any more)'}`).join(', ')],
    ['First seen', firstSeen],
    ['Last seen', lastSeen],
    ['Key', deviceKey],
  ];
  return rows.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, clean(value)] as const]));
}

/** The strongest of what it showed, each once: `https 10.0.0.5:443, title of the page: "PiKVM Login"`. */
function evidenceRows(device: Device, factMeanings: ReadonlyMap<string, string>): Part['rows'] {
  const seen = new Map<string, { certainty: number; text: string; places: Set<string> }>();
  for (const { fact, text, certainty, endpoint, rule } of device.evidence.toSorted((a, b) => b.certainty - a.certainty)) {
    const [name = fact, where] = fact.split(' ', 2);
    const meaning = factMeanings.get(name) ?? name;
    const key = `${fact}\n${text}`;
    const entry = seen.get(key) ?? {
      certainty,
      text: `${rule}: ${meaning}${where === undefined ? '' : ` (${where})`} is or holds "${text}"`,
      places: new Set(),
    };
    entry.places.add(shortPlace(endpoint, device));
    seen.set(key, entry);
  }
  return [...seen.values()]
    .slice(0, MAX_EVIDENCE)
    .map(({ certainty, text, places }) => [`${certainty} of 100`, clean(`${text}, at ${[...places].slice(0, 3).join(', ')}`)]);
}

/** Whether all of a device is at one address: then its places need not name it, and many devices say the same. */
function isAlone({ addresses }: Device): boolean {
  return addresses.length === 1;
}

/** `10.0.0.5:443` is `port 443` where the device has no other address. */
function shortPlace(place: string, device: Device): string {
  const [address = ''] = device.addresses;
  return isAlone(device) ? place.replace(`[${address}]:`, 'port ').replace(`${address}:`, 'port ').replace(` ${address}`, '') : place;
}

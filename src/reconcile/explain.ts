import { attachedIn, type Attachment, type Device, deviceName } from '../devices/device.ts';
import { printable, shortened } from '../text.ts';
import { type IdentifierKind, IDENTIFIER_KINDS } from '../vocabulary.ts';
import { type ApprovedAsset, assetName, sourceText } from './asset.ts';
import type { Finding } from './finding.ts';
import type { Conflict, Matched } from './match.ts';

const MAX_LISTED = 3;
const MAX_NAME = 60;

/** `a`, `a and b`, `a, b and 3 more`. */
export function listText(items: readonly string[], max = MAX_LISTED): string {
  const shown = items.length > max + 1 ? [...items.slice(0, max), `${items.length - max} more`] : items;
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

/** `KVM-17 (approved.csv:7)`. */
export function recordText(asset: ApprovedAsset): string {
  return `${shortened(printable(assetName(asset)), MAX_NAME)} (${sourceText(asset.source)})`;
}

export function recordsText(assets: readonly ApprovedAsset[]): string {
  return listText(assets.map(recordText));
}

/** `PiKVM at 10.0.0.5`, `PiKVM on ws-0042`. */
export function deviceText(device: Device): string {
  const { addresses, attachedTo = [] } = device;
  if (addresses.length > 0) return `${nameOf(device)} at ${addressesText(addresses)}`;
  return attachedTo.length > 0 ? `${nameOf(device)} on ${computersText(attachedTo)}` : nameOf(device);
}

function computersText(attachedTo: readonly Attachment[]): string {
  return addressesText(attachedTo.map(({ computer }) => computer));
}

/** `It is attached to ws-0042. It was attached to ws-0043, and is not any more.` */
export function attachedText(attachedTo: readonly Attachment[] = []): string {
  const [now = [], before = []] = [true, false].map((present) => attachedTo.filter((one) => one.present === present));
  return [
    ...(now.length > 0 ? [`It is attached to ${computersText(now)}.`] : []),
    ...(before.length > 0 ? [`It was attached to ${computersText(before)}, and is not any more.`] : []),
  ].join(' ');
}

/** What a finding says of its device. */
export function about(device: Device): Pick<Finding, 'deviceKey' | 'class' | 'name' | 'addresses' | 'attachedTo' | 'firstSeen'> {
  const { deviceKey, class: kind, addresses, firstSeen } = device;
  return {
    deviceKey,
    class: kind,
    name: nameOf(device),
    addresses,
    ...attachedIn(device),
    ...(firstSeen === undefined ? {} : { firstSeen }),
  };
}

export function nameOf(device: Device): string {
  return shortened(printable(deviceName(device)), MAX_NAME);
}

export function addressesText(addresses: readonly string[]): string {
  return listText(addresses.map(printable));
}

const KIND_WORDS: Readonly<Record<IdentifierKind, string>> = {
  serial: 'serial number',
  mac: 'MAC address',
  guid: 'UUID',
  uuid: 'UUID',
  spki: 'certificate key',
  fqdn: 'name',
  ip: 'IP address',
};

/** `serial number and MAC address`. */
export function kindsText(matched: readonly Matched[]): string {
  const kinds = IDENTIFIER_KINDS.filter((kind) => matched.some((one) => one.kind === kind));
  return listText([...new Set(kinds.map((kind) => KIND_WORDS[kind]))], IDENTIFIER_KINDS.length);
}

const CONFLICT_WORDS: Readonly<Record<Conflict['what'], string>> = {
  serial: 'the serial number',
  mac: 'the MAC address',
  uuid: 'the UUID',
  address: 'the IP address',
  network: 'the network',
  certificate: 'the key of the certificate',
  vendor: 'the maker',
  class: 'the class',
  product: 'the product',
  model: 'the model',
  version: 'the version',
};

/** `the maker is PiKVM (record: Dell)`. */
export function conflictsText(conflicts: readonly Conflict[]): string {
  return listText(
    conflicts.map(({ what, approved, seen }) => `${CONFLICT_WORDS[what]} is ${seen === '' ? 'not shown' : seen} (record: ${approved})`),
  );
}

import type { Device } from '../devices/device.ts';
import { routerMacs } from '../devices/fuse.ts';
import { canonicalSerial, uidToken, usableSerial } from '../devices/identity.ts';
import type { Inventory } from '../inventory/schema.ts';
import { formatAddress, parseAddress, withoutZone } from '../targets/addresses.ts';
import { printable, shortened } from '../text.ts';
import type { Identifier, IdentifierKind } from '../vocabulary.ts';
import type { ApprovedAsset } from './asset.ts';
import {
  classDiffers,
  CONTROLLERS,
  generationDiffers,
  knownProduct,
  modelDiffers,
  productDiffers,
  vendorDiffers,
  versionDiffers,
} from './compare.ts';

/** An identifier that a record and a device have in common, as the device shows it. */
export interface Matched {
  readonly kind: IdentifierKind;
  readonly value: string;
}

/** What a record says and the device shows otherwise; of `network` it is the network policy that says. Texts are cleaned. */
export interface Conflict {
  readonly what: 'serial' | 'mac' | 'uuid' | 'address' | 'network' | 'certificate' | 'vendor' | 'class' | 'product' | 'model' | 'version';
  readonly approved: string;
  readonly seen: string;
}

/**
 * A record held against a device with which it shares an identifier.
 * - `same`: the record is this device's. By a strong identifier (serial number, MAC, UUID), whatever else differs; by name or address only where nothing contradicts.
 * - `other`: something else answers under the identifier: of another maker, class or product.
 * - `unclear`: it may be the device or not.
 */
export interface Pair {
  readonly device: Device;
  readonly asset: ApprovedAsset;
  readonly verdict: 'same' | 'other' | 'unclear';
  readonly strong: boolean;
  /** At an address of the record. */
  readonly atHome: boolean;
  readonly matched: readonly Matched[];
  readonly conflicts: readonly Conflict[];
}

/** A device with what records can name it by. */
export interface Seen {
  readonly device: Device;
  readonly serials: ReadonlySet<string>;
  readonly macs: ReadonlySet<string>;
  /** By what stands for them in any byte order. */
  readonly uids: ReadonlyMap<string, Identifier>;
  readonly names: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
}

/** The devices of an inventory, ready to be held against records. */
export function seenDevices({ devices, asked }: Inventory): Seen[] {
  const routers = routerMacs(devices);
  return devices.map((device) => {
    const of = (...kinds: IdentifierKind[]): Identifier[] => device.identifiers.filter(({ kind }) => kinds.includes(kind));
    const numbers = device.addresses.map(parseAddress);
    const given = device.addresses.flatMap((address) => asked?.names[address] ?? []);
    return {
      device,
      serials: new Set(
        [...of('serial').map(({ value }) => value), device.serial ?? '']
          .filter((serial) => usableSerial(serial) !== undefined)
          .map(canonicalSerial),
      ),
      macs: new Set(of('mac').flatMap(({ value }) => (routers.has(value) ? [] : [value]))),
      uids: new Map(of('guid', 'uuid').map((identifier) => [uidToken(identifier.value), identifier])),
      names: new Set(
        [...of('fqdn').map(({ value }) => value), device.hostname ?? '', ...given]
          .map((name) => name.toLowerCase().replace(/\.$/, ''))
          .filter((name) => name !== ''),
      ),
      addresses: new Set(numbers.filter((number) => number !== undefined).map((number) => formatAddress(withoutZone(number)))),
      keys: new Set(of('spki').map(({ value }) => value)),
    };
  });
}

/** Finds the records that share an identifier with a device. */
export class AssetIndex {
  readonly #byKey = new Map<string, ApprovedAsset[]>();

  readonly #order = new Map<ApprovedAsset, number>();

  constructor(assets: readonly ApprovedAsset[]) {
    for (const asset of assets) {
      this.#order.set(asset, this.#order.size);
      for (const serial of asset.serials) this.#add(`serial ${canonicalSerial(serial)}`, asset);
      for (const mac of asset.macs) this.#add(`mac ${mac}`, asset);
      for (const uuid of asset.uuids) this.#add(`uid ${uidToken(uuid)}`, asset);
      for (const name of asset.names) this.#add(`label ${labelOf(name)}`, asset);
      for (const address of asset.addresses) this.#add(`ip ${address}`, asset);
    }
  }

  #add(key: string, asset: ApprovedAsset): void {
    const list = this.#byKey.get(key);
    if (list === undefined) this.#byKey.set(key, [asset]);
    else if (list.at(-1) !== asset) list.push(asset);
  }

  /** In the order of the records. */
  pairsOf(seen: Seen): Pair[] {
    const keys = [
      ...[...seen.serials].map((serial) => `serial ${serial}`),
      ...[...seen.macs].map((mac) => `mac ${mac}`),
      ...[...seen.uids.keys()].map((uid) => `uid ${uid}`),
      ...[...seen.names].map((name) => `label ${labelOf(name)}`),
      ...[...seen.addresses].map((address) => `ip ${address}`),
    ];
    const assets = new Set(keys.flatMap((key) => this.#byKey.get(key) ?? []));
    return [...assets]
      .toSorted((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0))
      .flatMap((asset) => compare(seen, asset) ?? []);
  }
}

function labelOf(name: string): string {
  return name.split('.', 1)[0] ?? name;
}

/** `kvm1` is `kvm1.example.com`, which is not `kvm1.example.net`. */
function namesAgree(a: string, b: string): boolean {
  return a === b || (a.includes('.') !== b.includes('.') && labelOf(a) === labelOf(b));
}

const MAX_TEXT = 80;

function compare(seen: Seen, asset: ApprovedAsset): Pair | undefined {
  const { device } = seen;
  const matched: Matched[] = [];
  const identity: Conflict[] = [];
  const conflict = (what: Conflict['what'], approved: string, value: string): Conflict => ({
    what,
    approved: shortened(printable(approved), MAX_TEXT),
    seen: shortened(printable(value), MAX_TEXT),
  });
  const hold = (
    what: 'serial' | 'mac' | 'uuid',
    approved: readonly string[],
    known: ReadonlyMap<string, Matched>,
    key: (value: string) => string,
  ): void => {
    const found = approved.flatMap((value) => known.get(key(value)) ?? []);
    matched.push(...found);
    if (found.length === 0 && approved.length > 0 && known.size > 0)
      identity.push(conflict(what, approved.join(', '), [...known.values()].map(({ value }) => value).join(', ')));
  };
  hold('serial', asset.serials, byValue('serial', seen.serials), canonicalSerial);
  hold('mac', asset.macs, byValue('mac', seen.macs), (mac) => mac);
  hold('uuid', asset.uuids, new Map([...seen.uids].map(([uid, { kind, value }]) => [uid, { kind, value }])), uidToken);
  const strong = matched.length > 0;
  // A board has a UUID, and the controller on it another: beside a serial number or MAC that agrees, another UUID says nothing.
  const identifiers = strong ? identity.filter(({ what }) => what !== 'uuid') : identity;
  for (const name of seen.names)
    if (asset.names.some((approved) => namesAgree(approved, name))) matched.push({ kind: 'fqdn', value: name });
  const home = asset.addresses.filter((address) => seen.addresses.has(address));
  matched.push(...home.map((value): Matched => ({ kind: 'ip', value })));
  if (matched.length === 0) return undefined;
  const away =
    // What is known only from the computer that it is attached to shows no address; it may have that of the record.
    asset.addresses.length > 0 && device.addresses.length > 0 && home.length === 0
      ? [conflict('address', asset.addresses.join(', '), device.addresses.join(', '))]
      : [];
  const pinned =
    asset.certificate !== undefined && seen.keys.size > 0 && !seen.keys.has(asset.certificate)
      ? [conflict('certificate', asset.certificate, [...seen.keys].join(', '))]
      : [];
  const version =
    asset.version !== undefined && versionDiffers(asset.version, device) ? [conflict('version', asset.version, device.version ?? '')] : [];
  const kind = kindConflicts(device, asset, strong, conflict);
  const model = asset.model !== undefined && modelDiffers(asset.model, device) ? [conflict('model', asset.model, device.model ?? '')] : [];
  const common = { device, asset, strong, atHome: home.length > 0, matched };
  const conflicts = [...identifiers, ...away, ...pinned, ...kind.hard, ...kind.soft, ...model, ...version];
  if (strong) {
    const ties = new Set(matched.filter(({ kind: one }) => one !== 'fqdn' && one !== 'ip').map(({ kind: one }) => one)).size;
    return { ...common, conflicts, verdict: isSure(device) && isImpostor(kind.hard, identifiers, ties) ? 'other' : 'same' };
  }
  if (kind.hard.length > 0 && isSure(device)) return { ...common, conflicts, verdict: 'other' };
  // By its name alone a device is not looked for at another address than the record's: devices share the names that nobody changed (`pikvm`).
  const against = [...identifiers, ...away, ...pinned, ...kind.hard, ...kind.soft, ...model];
  return { ...common, conflicts, verdict: against.length > 0 || isConflicting(device) ? 'unclear' : 'same' };
}

function byValue(kind: IdentifierKind, values: ReadonlySet<string>): Map<string, Matched> {
  return new Map([...values].map((value) => [value, { kind, value }]));
}

/** The maker is not what a device could have become, and a copied number comes with another one that is not copied. */
function isImpostor(kind: readonly Conflict[], identifiers: readonly Conflict[], ties: number): boolean {
  if (kind.some(({ what }) => what === 'vendor')) return ties < 2;
  return kind.length > 0 && identifiers.length > 0;
}

function isConflicting({ posture }: Device): boolean {
  return posture.includes('conflicting-identity');
}

function isSure(device: Device): boolean {
  return device.level !== 'possible' && !isConflicting(device);
}

/** Where a record says what the device is, and it is something else: surely, or by words that may be another name for the same. */
function kindConflicts(
  device: Device,
  asset: ApprovedAsset,
  strong: boolean,
  conflict: (what: Conflict['what'], approved: string, seen: string) => Conflict,
): { readonly hard: readonly Conflict[]; readonly soft: readonly Conflict[] } {
  const hard: Conflict[] = [];
  const soft: Conflict[] = [];
  const text = asset.product ?? asset.model;
  const named = text === undefined ? undefined : knownProduct(text);
  const vendor = asset.vendor ?? named?.vendor;
  const otherVendor = vendor !== undefined && vendorDiffers(vendor, device);
  if (otherVendor) hard.push(conflict('vendor', vendor, device.vendor ?? ''));
  // A device that shows only its VNC server may well be the one that is approved.
  if (asset.class !== undefined && classDiffers(asset.class, device))
    (device.class === 'vnc-software' ? soft : hard).push(conflict('class', asset.class, device.class));
  // AMT shares the network card of its computer, and a VNC server runs on it; a KVM that has its address is something else.
  if (asset.computer === true && !CONTROLLERS.has(device.class) && device.class !== 'vnc-software')
    hard.push(conflict('class', 'an ordinary computer', device.class));
  if (text !== undefined && (named !== undefined || asset.product !== undefined)) {
    const found = conflict('product', text, [device.product, device.generation].filter((part) => part !== undefined).join(' '));
    if (!productDiffers(text, device)) soft.push(...(named !== undefined && generationDiffers(text, device) ? [found] : []));
    else if (named !== undefined) hard.push(found);
    // Of the right maker, and called something that we do not know: its own name for it.
    else if (strong || asset.vendor === undefined || device.vendor === undefined || otherVendor) soft.push(found);
  }
  // So may one that shows only IPMI, where its product is all that the record says.
  if (asset.class === undefined && named !== undefined && hard.length === 0 && classDiffers(named.class, device))
    soft.push(conflict('class', named.class, device.class));
  return { hard, soft };
}

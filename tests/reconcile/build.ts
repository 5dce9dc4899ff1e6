import type { Device, Unkeyed } from '../../src/devices/device.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import type { ApprovedAsset, ApprovedList } from '../../src/reconcile/index.ts';
import type { Identifier, IdentifierKind } from '../../src/vocabulary.ts';

export interface Identity {
  readonly serial?: string;
  readonly mac?: string;
  readonly guid?: string;
  readonly uuid?: string;
  readonly spki?: string;
  readonly fqdn?: string;
}

const KINDS = ['serial', 'mac', 'guid', 'uuid', 'spki', 'fqdn'] as const satisfies readonly IdentifierKind[];

/** A device as `devicesAt` would make it: a PiKVM at its address, unless told otherwise. */
export function unkeyed(address: string, { ids = {}, ...rest }: Partial<Unkeyed> & { readonly ids?: Identity } = {}): Unkeyed {
  const identifiers = KINDS.flatMap((kind): Identifier[] => (ids[kind] === undefined ? [] : [{ kind, value: ids[kind], from: 'test' }]));
  return {
    class: 'ip-kvm',
    vendor: 'PiKVM',
    product: 'PiKVM',
    certainty: 95,
    level: 'certain',
    addresses: [address],
    identifiers: [...identifiers, { kind: 'ip', value: address, from: 'address' }],
    endpoints: [{ host: address, port: 443, transport: 'tcp', probe: 'https' }],
    evidence: [],
    alternatives: [],
    posture: [],
    ...rest,
  };
}

/** A device that is known only from the list of a computer. */
export function attached(
  computer: string,
  { present = true, ...rest }: Parameters<typeof unkeyed>[1] & { readonly present?: boolean } = {},
): Unkeyed {
  const { identifiers, ...all } = unkeyed('', { endpoints: [], ...rest });
  return { ...all, addresses: [], attachedTo: [{ computer, present }], identifiers: identifiers.filter(({ kind }) => kind !== 'ip') };
}

/** A device without what a fingerprint would have said of it. */
export function unnamed(address: string, rest: Parameters<typeof unkeyed>[1] = {}): Unkeyed {
  const { vendor: _vendor, product: _product, ...unknown } = unkeyed(address, { class: 'bmc', ...rest });
  return unknown;
}

export function device(address: string, rest: Parameters<typeof unkeyed>[1] & { readonly deviceKey?: string } = {}): Device {
  const { deviceKey = `kvm-${address}`, ...of } = rest;
  return { deviceKey, ...unkeyed(address, of) };
}

export const IDRAC = { class: 'bmc', vendor: 'Dell', product: 'iDRAC', generation: '9' } as const;

export interface Sweep {
  readonly ranges?: readonly string[];
  readonly names?: Record<string, string>;
  readonly ports?: readonly string[];
  readonly complete?: boolean;
  readonly unrecognised?: Inventory['unrecognised'];
}

/** An inventory of a complete sweep of 10.0.0.0/24 at 443/tcp, unless told otherwise. */
export function inventory(
  devices: readonly Device[],
  { ranges = ['10.0.0.0-10.0.0.255'], names = {}, ports = ['443/tcp=https'], complete = true, unrecognised = [] }: Sweep = {},
): Inventory {
  return {
    schemaVersion: 1,
    tool: { name: 'kvmsweep', version: '0.0.0', fingerprints: 'test' },
    asked: { hosts: 256, ranges: [...ranges], names, ports: [...ports] },
    completeness: { complete, limitations: complete ? [] : [{ what: 'interrupted', text: 'the sweep was ended' }], notes: [] },
    devices,
    unrecognised,
  };
}

let line = 1;

/** A record of the list, on a line of its own. */
export function asset(rest: Partial<ApprovedAsset> = {}): ApprovedAsset {
  line += 1;
  return { serials: [], macs: [], uuids: [], names: [], addresses: [], windows: [], source: { file: 'approved.csv', line }, ...rest };
}

export function list(assets: readonly ApprovedAsset[], rest: Partial<ApprovedList> = {}): ApprovedList {
  return { rows: assets.length, assets, rules: [], problems: [], notes: [], setAside: [], ...rest };
}

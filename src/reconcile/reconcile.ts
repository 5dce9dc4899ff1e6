import { type Device, firstPlace } from '../devices/device.ts';
import { askedHosts } from '../inventory/changes.ts';
import type { Inventory } from '../inventory/schema.ts';
import { byAddress, compareKeys, sortKey } from '../observations/read.ts';
import { parseAddress } from '../targets/addresses.ts';
import { printable, shortened } from '../text.ts';
import { CLASS_SEVERITY, type DeviceClass, QUIET_CLASSES, SEVERITIES, type State, STATES } from '../vocabulary.ts';
import { type ApprovedAsset, type ApprovedList, assetName, type SetAside, sourceText } from './asset.ts';
import { dateText } from './cells.ts';
import { about, addressesText, attachedText, conflictsText, deviceText, kindsText, listText, recordsText, recordText } from './explain.ts';
import type { Finding, FindingAsset } from './finding.ts';
import { AssetIndex, type Matched, type Pair, type Seen, seenDevices } from './match.ts';
import { type NetworkPolicy, withPolicy } from './policy.ts';
import { lapseOf, seenAtOf } from './lapse.ts';
import { hasNumbers, resolve, type Resolution } from './resolve.ts';
import { byRule, ruleAsset, type RuleVerdict } from './rules.ts';
import { INFORMATION, risksOf, severityOf } from './severity.ts';
import { type Unnamed, UnnamedIndex, unnamedPlaces, unnamedText } from './unnamed.ts';

export interface ReconcileOptions {
  /** The moment for which approvals and windows are asked. */
  readonly now: Date;
  /** An approval that ends within so many days is `expiring`. */
  readonly expiringWithinDays?: number;
  /** Where devices of some classes may be. */
  readonly policy?: NetworkPolicy | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Holds an inventory against the approved list: one finding for each device, and one for each record that no device carries. Devices of quiet classes
 * have one only where a record matches them. The most pressing come first; the result does not depend on the order of devices or records.
 */
export function reconcile(inventory: Inventory, list: ApprovedList, { now, expiringWithinDays = 30, policy }: ReconcileOptions): Finding[] {
  const devices = seenDevices(inventory).toSorted((a, b) => byDevice(a.device, b.device));
  const assets = list.assets.toSorted(bySource);
  const index = new AssetIndex(assets);
  const resolved = resolve(new Map(devices.map((seen) => [seen, index.pairsOf(seen)])));
  const aside = new AssetIndex(list.setAside.map(({ asset }) => asset));
  const asideOf = (seen: Seen): SetAside[] => {
    const named = new Set(aside.pairsOf(seen).flatMap(({ asset, verdict }) => (verdict === 'same' ? [asset] : [])));
    return named.size === 0 ? [] : list.setAside.filter(({ asset }) => named.has(asset));
  };
  const context: Context = { now, soonMs: expiringWithinDays * DAY_MS };
  const findings = [...resolved].flatMap(([seen, resolution]) => {
    if (resolution.outcome !== 'unapproved') return [deviceFinding(seen, resolution, context)];
    const named = asideOf(seen);
    // What the list names and does not approve, no rule approves.
    const ruled = named.length > 0 ? undefined : byRule(seen.device, list.rules, now, context.soonMs);
    if (ruled !== undefined) return [ruleFinding(seen, ruled)];
    return QUIET_CLASSES.has(seen.device.class) ? [] : [unapproved(seen, resolution, named)];
  });
  const all = [...findings, ...recordFindings(inventory, assets, resolved, context)];
  return sortedByPressure(policy === undefined ? all : withPolicy(all, inventory.devices, policy));
}

/** Holds an inventory against a network policy alone: one finding for each device that is where it may not be. */
export function outOfPolicy({ devices }: Inventory, policy: NetworkPolicy): Finding[] {
  return sortedByPressure(withPolicy([], devices, policy));
}

interface Context {
  readonly now: Date;
  readonly soonMs: number;
}

// ---- devices ----------------------------------------------------------------------------------------------------

type Claimed = Exclude<Resolution, { readonly outcome: 'unapproved' }>;

function deviceFinding({ device }: Seen, resolution: Claimed, context: Context): Finding {
  const { pair } = resolution;
  const { asset, matched, conflicts } = pair;
  const { state, explanation } = resolution.outcome === 'carried' ? carried(pair, context) : contested(resolution);
  const where = attachedText(device.attachedTo);
  return {
    state,
    severity: severityOf(state, device, asset.class),
    ...about(device),
    asset: findingAsset(asset),
    matched,
    conflicts,
    explanation: where === '' ? explanation : `${explanation} ${where}`,
  };
}

function findingAsset(asset: ApprovedAsset): FindingAsset {
  const { id, ticket, owner, site, source } = asset;
  const known = id ?? ticket;
  return {
    ...(known === undefined ? {} : { id: known }),
    name: assetName(asset),
    ...(owner === undefined ? {} : { owner }),
    ...(site === undefined ? {} : { site }),
    source,
  };
}

function ruleFinding({ device }: Seen, { rule, state, explanation }: RuleVerdict): Finding {
  return {
    state,
    severity: severityOf(state, device),
    ...about(device),
    asset: ruleAsset(rule),
    matched: [],
    conflicts: [],
    explanation,
  };
}

interface Verdict {
  readonly state: State;
  readonly explanation: string;
}

/** A device that is the record's: what is to be said of its approval, the most pressing first. */
function carried(pair: Pair, { now, soonMs }: Context): Verdict {
  const { asset, device, conflicts, matched, strong, atHome } = pair;
  const alone = !strong && matched.length === 1 && matched[0]?.kind === 'ip';
  const who = `It is ${recordText(asset)} by its ${kindsText(matched)}${alone ? ' alone' : ''}`;
  const lapse = lapseOf(asset, now, seenAtOf(device, now));
  const different = conflicts.filter(({ what }) => what !== 'address');
  const differences = different.length === 0 ? '' : conflictsText(different);
  const moved =
    strong && asset.addresses.length > 0 && device.addresses.length > 0 && !atHome
      ? `it is at ${addressesText(device.addresses)} (record: ${addressesText(asset.addresses)})`
      : '';
  if (lapse !== undefined)
    return {
      state: lapse.state,
      explanation: `${who}, but ${listText([lapse.text, moved, differences].filter((text) => text !== ''))}. ${lapse.advice}`,
    };
  if (asset.ignored !== undefined)
    return { state: 'ignored', explanation: `${who}, which is an exception: ${shortened(printable(asset.ignored.reason), 200)}` };
  if (moved !== '')
    return {
      state: 'moved',
      explanation: `${who}, but ${listText([moved, differences].filter((text) => text !== ''))}. Find out who moved it, or correct the record.`,
    };
  if (differences !== '')
    return { state: 'changed', explanation: `${who}, but ${differences}. Find out what was changed, or correct the record.` };
  const { validUntil } = asset;
  if (validUntil !== undefined && Date.parse(validUntil) - now.getTime() <= soonMs)
    return { state: 'expiring', explanation: `${who}; its approval ends on ${dateText(validUntil)}. Renew it before that day.` };
  return {
    state: 'approved-present',
    explanation: alone
      ? `${who}, and nothing speaks against it. ${hasNumbers(asset) ? `It shows no ${numbersText(asset)} to compare with the record, so look there to be sure.` : 'Add its serial number or MAC address to the record to be sure.'}`
      : `${who}.`,
  };
}

function contested(resolution: Exclude<Claimed, { readonly outcome: 'carried' }>): Verdict {
  const { pair, outcome } = resolution;
  const { asset, matched, conflicts } = pair;
  const by = kindsText(matched);
  switch (outcome) {
    case 'impostor':
      return {
        state: 'impostor',
        explanation: `It has the ${by} of ${recordText(asset)}, but ${conflictsText(conflicts)}. Find it: it is not the device that was approved.`,
      };
    case 'approved-twice':
      return {
        state: 'duplicate',
        explanation: `${recordsText([asset, ...resolution.others.map((other) => other.asset)])} ${resolution.others.length === 1 ? 'both' : 'all'} approve it. Keep the one that is right.`,
      };
    case 'claimed-twice':
      return {
        state: 'duplicate',
        explanation: `It is ${recordText(asset)} by its ${by}, and so is ${listText(resolution.rivals.map(({ device }) => deviceText(device)))}. Find out which one was approved; the other may be a copy.`,
      };
    case 'ambiguous':
      return {
        state: 'ambiguous',
        explanation:
          resolution.others.length > 0
            ? severalText(pair, resolution.others)
            : `It has the ${by} of ${recordText(asset)}, but ${conflicts.length > 0 ? conflictsText(conflicts) : 'it shows marks of several unrelated products'}. Find out which device it is, and correct the record or remove the device.`,
      };
    default:
      return outcome satisfies never;
  }
}

/** A device of which several records say that it is theirs. */
function severalText(pair: Pair, others: readonly Pair[]): string {
  if (pair.strong)
    return `It has ${listText([pair, ...others].map(({ asset, matched }) => `the ${kindsText(matched)} of ${recordText(asset)}`))}. ${ONE_IS_WRONG}`;
  const all = [pair, ...others].map(({ asset }) => asset);
  return `It could be any of ${recordsText(all)}. ${adviceOn(all)}`;
}

const ONE_IS_WRONG = 'Find out which record is its own, and correct the other, or make one of them.';

function adviceOn(assets: readonly ApprovedAsset[]): string {
  return assets.every(hasNumbers)
    ? 'It shows no number of theirs: look which one it is, and correct the address or name in the other.'
    : 'Add a serial number or MAC address to the right one.';
}

/** `serial number or MAC address`: what a record knows a device by, whatever its address. */
function numbersText({ serials, macs, uuids }: ApprovedAsset): string {
  return [
    ...(serials.length > 0 ? ['serial number'] : []),
    ...(macs.length > 0 ? ['MAC address'] : []),
    ...(uuids.length > 0 ? ['UUID'] : []),
  ].join(' or ');
}

function unapproved(
  { device }: Seen,
  { near }: Extract<Resolution, { readonly outcome: 'unapproved' }>,
  aside: readonly SetAside[],
): Finding {
  const risks = risksOf(device);
  const why =
    aside.length > 0
      ? `The approved list names it and does not approve it: ${listText(aside.map(({ asset, why: reason }) => `${sourceText(asset.source)}, ${reason}`))}.`
      : near !== undefined
        ? `It has the ${kindsText(near.matched)} of ${recordText(near.asset)}, which is another device.`
        : 'No record of the approved list names it.';
  const where = device.attachedTo === undefined ? '' : ` ${attachedText(device.attachedTo)}`;
  const risk = risks.length > 0 ? ` It lets in anyone (${risks.join(', ')}).` : '';
  return {
    state: 'unapproved',
    severity: severityOf('unapproved', device),
    ...about(device),
    matched: [],
    conflicts: [],
    explanation: `${why}${where}${risk} ${adviceFor(device)}`,
  };
}

function adviceFor({ addresses, attachedTo = [] }: Device): string {
  const isAttached = attachedTo.some(({ present }) => present);
  if (addresses.length > 0) return `Approve it, or take it off the network${isAttached ? ' and unplug it' : ''}.`;
  return isAttached ? 'Approve it, or unplug it.' : 'Approve it, or find out where it is now.';
}

// ---- records that no device carries -----------------------------------------------------------------------------

function recordFindings(
  inventory: Inventory,
  assets: readonly ApprovedAsset[],
  resolved: ReadonlyMap<Seen, Resolution>,
  { now }: Context,
): Finding[] {
  const covered = new Set<ApprovedAsset>();
  const posing = new Map<ApprovedAsset, Device>();
  const rivals = new Map<ApprovedAsset, Rival>();
  const at = new Map<string, Device>();
  for (const [{ device, addresses }, resolution] of resolved) {
    for (const address of addresses) if (!at.has(address)) at.set(address, device);
    if (resolution.outcome === 'unapproved') continue;
    const { asset } = resolution.pair;
    if (resolution.outcome === 'impostor') posing.set(asset, device);
    else covered.add(asset);
    if (resolution.outcome !== 'approved-twice' && resolution.outcome !== 'ambiguous') continue;
    const state = resolution.outcome === 'ambiguous' ? 'ambiguous' : 'duplicate';
    for (const { asset: other, matched } of resolution.others)
      if (!rivals.has(other)) rivals.set(other, { state, pair: resolution.pair, matched });
  }
  const isAsked = askedOf(inventory);
  const unnamed = new UnnamedIndex(inventory.unrecognised);
  return assets.flatMap((asset) => {
    if (covered.has(asset)) return [];
    const rival = rivals.get(asset);
    if (rival !== undefined) return [rivalFinding(asset, rival)];
    const { state, explanation, ...common } = absent(asset, {
      now,
      isAsked,
      complete: inventory.completeness.complete,
      unnamed,
      occupant: posing.get(asset) ?? asset.addresses.map((address) => at.get(address)).find((one) => one !== undefined),
      posing: posing.has(asset),
    });
    return [{ ...recordFinding(asset, state, explanation, asset.class), ...common }];
  });
}

function recordFinding(asset: ApprovedAsset, state: State, explanation: string, kind: DeviceClass | undefined): Finding {
  return {
    state,
    severity: INFORMATION.has(state) ? 'info' : kind === undefined ? 'medium' : CLASS_SEVERITY[kind],
    ...(asset.class === undefined ? {} : { class: asset.class }),
    name: shortened(printable(assetName(asset)), 60),
    addresses: asset.addresses,
    asset: findingAsset(asset),
    matched: [],
    conflicts: [],
    explanation,
  };
}

/** What a record has of a device that another record has too. */
interface Rival {
  readonly state: 'duplicate' | 'ambiguous';
  readonly pair: Pair;
  readonly matched: readonly Matched[];
}

/** A record beside another one that has the device. */
function rivalFinding(asset: ApprovedAsset, { state, pair: { asset: other, device, strong, matched }, matched: own }: Rival): Finding {
  const explanation =
    state === 'duplicate'
      ? `${recordText(other)} approves the same device, ${deviceText(device)}. Keep the one that is right.`
      : strong
        ? `${deviceText(device)} has the ${kindsText(own)} of this record, and the ${kindsText(matched)} of ${recordText(other)}. ${ONE_IS_WRONG}`
        : `${deviceText(device)} could be this or ${recordText(other)}. ${adviceOn([asset, other])}`;
  return recordFinding(asset, state, explanation, device.class);
}

interface Absence {
  readonly now: Date;
  readonly isAsked: (asset: ApprovedAsset) => { readonly asked: readonly string[]; readonly notAsked: readonly string[] };
  readonly complete: boolean;
  /** What answers and is not recognised. */
  readonly unnamed: UnnamedIndex;
  /** What answers at an address of the record instead. */
  readonly occupant: Device | undefined;
  /** Whether it has something of the record. */
  readonly posing: boolean;
}

/** What the absence of a record's device means. */
function absent(
  asset: ApprovedAsset,
  { now, isAsked, complete, unnamed, occupant, posing }: Absence,
): Verdict & Partial<Pick<Finding, 'matched' | 'conflicts'>> {
  const present = unnamed.withMac(asset.macs);
  if (present.length > 0 && !posing) return unnamedFinding(asset, present, now);
  if (asset.ignored !== undefined)
    return {
      state: 'ignored',
      explanation: `It was not seen; the record is an exception: ${shortened(printable(asset.ignored.reason), 200)}`,
    };
  const lapse = lapseOf(asset, now);
  if (lapse !== undefined)
    return {
      state: 'not-checked',
      explanation: `It was not seen and need not be: ${lapse.text}.${lapse.state === 'expired' ? ' Remove the record if the device is gone.' : ''}`,
    };
  if (asset.computer === true)
    return {
      state: 'not-checked',
      explanation: 'It is an ordinary computer, whose controller has a record of its own; only what answers in its place would be told.',
    };
  const { asked, notAsked } = isAsked(asset);
  const instead = occupant === undefined ? '' : ` What answers there is ${deviceText(occupant)}.`;
  if (occupant !== undefined && posing)
    return {
      state: 'approved-missing',
      explanation: `Nothing was found that is this device: what has its identifiers is ${deviceText(occupant)}. Find out where it is.`,
    };
  if (asked.length === 0 && notAsked.length === 0)
    return {
      state: 'not-checked',
      explanation:
        'The record has no address, and nothing that answered carries its identifiers. Add its address to know whether it is missing.',
    };
  if (asked.length === 0)
    return {
      state: 'not-checked',
      explanation: `${addressesText(notAsked)} ${notAsked.length === 1 ? 'was' : 'were'} not among the addresses of the sweep.`,
    };
  if (!complete)
    return {
      state: 'not-checked',
      explanation: `The sweep is not complete: that nothing was found at ${addressesText(asked)} may be the sweep's fault.${instead}`,
    };
  const [unknown] = asked.flatMap((address) => unnamed.at(address) ?? []);
  if (unknown !== undefined && occupant === undefined) {
    const { host, mac } = unknown;
    const otherCard = mac !== undefined && asset.macs.length > 0;
    return {
      state: 'not-checked',
      explanation: `Something answers at ${host} (${unnamedText(unknown)}) that no fingerprint recognises, so it may or may not be this device${otherCard ? `; its network card is another than the record's (${asset.macs.join(', ')})` : ''}. Look at it by hand.`,
      ...(otherCard ? { conflicts: [{ what: 'mac', approved: asset.macs.join(', '), seen: mac }] } : {}),
    };
  }
  const rest = notAsked.length === 0 ? '' : ` (${addressesText(notAsked)} not asked)`;
  return {
    state: 'approved-missing',
    explanation: `${addressesText(asked)} ${asked.length === 1 ? 'was' : 'were'} asked${rest}, and nothing was found there that is this device.${instead} Find out where it is, or correct the record.`,
  };
}

/** A record of which nothing is known but that its network card answers: it is there, and nobody knows what it is now. */
function unnamedFinding(asset: ApprovedAsset, found: readonly Unnamed[], now: Date): Verdict & Pick<Finding, 'matched' | 'conflicts'> {
  const addresses = found.map(({ host }) => host);
  const macs = [...new Set(found.flatMap(({ mac }) => mac ?? []))];
  const away = asset.addresses.length > 0 && !addresses.some((address) => asset.addresses.includes(address));
  const known = {
    matched: [
      ...macs.map((value): Matched => ({ kind: 'mac', value })),
      ...addresses.filter((address) => asset.addresses.includes(address)).map((value): Matched => ({ kind: 'ip', value })),
    ],
    conflicts: away ? [{ what: 'address', approved: asset.addresses.join(', '), seen: addresses.join(', ') } as const] : [],
  };
  const there = `Its MAC address ${listText(macs)} answers at ${unnamedPlaces(found)}${away ? ` (record: ${addressesText(asset.addresses)})` : ''}, and no fingerprint names what it is`;
  const lapse = lapseOf(asset, now);
  if (lapse !== undefined) return { state: lapse.state, explanation: `${there}; ${lapse.text}. ${lapse.advice}`, ...known };
  if (asset.ignored !== undefined)
    return {
      state: 'ignored',
      explanation: `${there}; the record is an exception: ${shortened(printable(asset.ignored.reason), 200)}`,
      ...known,
    };
  return {
    state: 'not-checked',
    explanation: `${there}: it is there, but whether it is still what was approved was not seen. Look at it by hand, or write a fingerprint for it (kvmsweep fingerprints new).`,
    ...known,
  };
}

/** The addresses of a record, and those that the operator gave its name for, by whether the sweep asked them. */
function askedOf(inventory: Inventory): Absence['isAsked'] {
  const asked = askedHosts(inventory);
  const given = Object.entries(inventory.asked?.names ?? {}).map(([address, name]) => ({
    address,
    name: name.toLowerCase().replace(/\.$/, ''),
  }));
  const isAsked = (address: string): boolean => {
    const number = parseAddress(address);
    return number !== undefined && asked(number);
  };
  return ({ addresses, names }) => {
    const all = [...new Set([...addresses, ...given.filter(({ name }) => names.includes(name)).map(({ address }) => address)])];
    return { asked: all.filter(isAsked), notAsked: all.filter((address) => !isAsked(address)) };
  };
}

// ---- order ------------------------------------------------------------------------------------------------------

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byDevice(a: Device, b: Device): number {
  return byAddress(firstPlace(a), firstPlace(b)) || byText(a.deviceKey, b.deviceKey);
}

function bySource(a: ApprovedAsset, b: ApprovedAsset): number {
  return (
    byText(a.source.file, b.source.file) ||
    (a.source.line ?? a.source.index ?? 0) - (b.source.line ?? b.source.index ?? 0) ||
    byText(JSON.stringify(a), JSON.stringify(b))
  );
}

/** The most pressing first, then by address; each address is read once. */
function sortedByPressure(findings: readonly Finding[]): Finding[] {
  return findings
    .map((finding) => ({
      finding,
      state: STATES.indexOf(finding.state),
      severity: SEVERITIES.indexOf(finding.severity),
      address: sortKey(firstPlace(finding)),
    }))
    .toSorted((a, b) => a.state - b.state || a.severity - b.severity || compareKeys(a.address, b.address) || byRest(a.finding, b.finding))
    .map(({ finding }) => finding);
}

function byRest(a: Finding, b: Finding): number {
  return (
    Number(a.deviceKey === undefined) - Number(b.deviceKey === undefined) ||
    byText(a.name, b.name) ||
    byText(a.deviceKey ?? '', b.deviceKey ?? '') ||
    (a.asset === undefined || b.asset === undefined
      ? 0
      : (a.asset.source.line ?? a.asset.source.index ?? 0) - (b.asset.source.line ?? b.asset.source.index ?? 0))
  );
}

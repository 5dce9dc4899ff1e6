import { type Device, placesOf } from '../devices/device.ts';
import type { Inventory } from '../inventory/schema.ts';
import { type Finding, isPressing, sourceText } from '../reconcile/index.ts';
import { count } from '../text.ts';
import type { State } from '../vocabulary.ts';
import { stateCounts } from './findings.ts';
import { code, codeCell, markdownTable, sentence } from './markdown.ts';

/** A ticket of GitHub takes 65,536 characters, one of Jira 32,767. */
const MAX_ROWS = 100;
const MAX_DETAILS = 20;
/** Of what a device said, so much is shown: the surest first. */
const MAX_EVIDENCE = 3;

const ADVICE: Readonly<Record<State, string>> = {
  impostor: 'Find it now, by its switch port: what answers there is not what was approved. Then find the approved device.',
  unapproved: 'Find out who put it there. Approve it (a record with its serial number or MAC address), or take it off the network.',
  ambiguous: 'Look which device it is, and put its serial number or MAC address into the record.',
  duplicate: 'Keep the one record that is right. Where two devices claim one record, find the copy.',
  expired: 'Ask the owner: renew the approval, or take the device off the network.',
  'outside-window': 'Ask the owner why it is on at this time.',
  moved: 'Find out who moved it, and why. Then correct the record.',
  changed: 'Find out what was changed, and by whom. Then correct the record.',
  'wrong-network': 'Move it into one of the networks where its class may be, or correct the policy.',
  'approved-missing': 'Find out where it is: switched off, moved, or gone.',
  expiring: 'Ask the owner to renew the approval.',
  'not-checked': 'Nothing, or sweep there.',
  'approved-present': 'Nothing.',
  ignored: 'Nothing until the exception ends.',
};

/** Findings as the text of a ticket: how many and how completely asked, the pressing ones as a table, and each with what, where, why and what to do. */
export function findingsMarkdown(findings: readonly Finding[], inventory: Inventory): string {
  const pressing = findings.filter(isPressing);
  const byKey = new Map(inventory.devices.map((device) => [device.deviceKey, device]));
  return `${[
    `# ${pressing.length === 0 ? 'kvmsweep: nothing to look at' : `kvmsweep: ${count(pressing.length, 'finding')} to look at`}`,
    ...aboutSweep(inventory),
    `Findings: ${findings.length === 0 ? 'none' : stateCounts(findings)}.`,
    ...(pressing.length === 0 ? [] : [overview(pressing)]),
    ...pressing
      .slice(0, MAX_DETAILS)
      .map((finding, at) => details(finding, at + 1, finding.deviceKey === undefined ? undefined : byKey.get(finding.deviceKey))),
    ...(pressing.length > MAX_DETAILS
      ? [`${count(pressing.length - MAX_DETAILS, 'more finding')} without details here: \`--format csv\` has them all.`]
      : []),
  ].join('\n\n')}\n`;
}

function aboutSweep({ run, asked, completeness, devices, unrecognised }: Inventory): string[] {
  const complete = completeness.complete
    ? 'The sweep is complete.'
    : `**The sweep is not complete**, so something may be missing: ${completeness.limitations.map(({ text }) => sentence(text.split('\n', 1)[0] ?? '')).join('; ')}`;
  const where = asked === undefined ? [] : [`asked ${count(asked.hosts, 'address', 'addresses')} (${rangesText(asked.ranges)})`];
  const when = run === undefined ? [] : [`began ${run.startedAt}`, ...(run.endedAt === undefined ? [] : [`ended ${run.endedAt}`])];
  const found = `found ${count(devices.length, 'device')}${unrecognised.length === 0 ? '' : `, and ${count(unrecognised.length, 'address', 'addresses')} more that answer and that no fingerprint names`}`;
  return [`${complete} It ${[...when, ...where, found].join(', ')}.`];
}

function rangesText(ranges: readonly string[]): string {
  const shown = ranges.slice(0, 5).map(code);
  return [...shown, ...(ranges.length > 5 ? [`${ranges.length - 5} more`] : [])].join(', ');
}

function overview(pressing: readonly Finding[]): string {
  const rows = pressing
    .slice(0, MAX_ROWS)
    .map((finding) => [
      finding.state,
      finding.severity,
      placesOf(finding).map(codeCell).join(' '),
      codeCell(finding.name),
      codeCell(finding.asset?.name ?? ''),
      codeCell(finding.asset?.owner ?? ''),
      finding.firstSeen?.slice(0, 10) ?? '',
    ]);
  const left = pressing.length - rows.length;
  return [
    markdownTable(['State', 'Severity', 'Address', 'Device', 'Record', 'Owner', 'First seen'], rows),
    ...(left > 0 ? ['', `and ${left} more`] : []),
  ].join('\n');
}

function details(finding: Finding, number: number, device: Device | undefined): string {
  const { state, severity, name, asset, policy, explanation, firstSeen } = finding;
  return [
    `## ${number}. ${state}: ${code(name)}`,
    '',
    ...item(
      'What',
      device === undefined
        ? `a record of the approved list${finding.class === undefined ? '' : ` for a ${finding.class}`}`
        : whatText(device),
    ),
    ...item(
      device === undefined ? 'Where it should be' : 'Where',
      [placesOf(finding).map(code).join(', '), endpointsText(device)].filter((text) => text !== '').join('; '),
    ),
    ...item('Finding', `${sentence(explanation)} (severity: ${severity})`),
    ...item('Why we think so', device === undefined ? '' : whyText(device)),
    ...item('Record', asset === undefined ? '' : recordText(asset)),
    ...item('Network policy', policy === undefined ? '' : code(sourceText(policy))),
    ...item('First seen', firstSeen ?? ''),
    ...item('What to do', ADVICE[state]),
  ].join('\n');
}

function whatText({ class: kind, vendor, product, generation, model, version, serial, hostname, identifiers, posture }: Device): string {
  const macs = identifiers.flatMap((one) => (one.kind === 'mac' ? [one.value] : []));
  return [
    kind,
    ...field('maker', vendor),
    ...field('product', product === undefined ? undefined : [product, generation].filter((part) => part !== undefined).join(' ')),
    ...field('model', model),
    ...field('version', version),
    ...field('serial number', serial),
    ...field('name', hostname),
    ...(macs.length === 0 ? [] : [`MAC address ${macs.slice(0, 4).map(code).join(' ')}`]),
    ...(posture.length === 0 ? [] : [`**risk: ${posture.join(', ')}**`]),
  ].join(', ');
}

function endpointsText(device: Device | undefined): string {
  const ports = new Set((device?.endpoints ?? []).map(({ port, transport, probe }) => `${port}/${transport} ${probe}`));
  return [...ports].slice(0, 12).map(code).join(', ');
}

function whyText({ level, certainty, evidence }: Device): string {
  const seen = new Set<string>();
  const distinct = evidence
    .toSorted((a, b) => b.certainty - a.certainty)
    .filter(({ fact, text }) => (seen.has(`${fact} ${text}`) ? false : seen.add(`${fact} ${text}`)))
    .slice(0, MAX_EVIDENCE);
  return [
    `${level}, ${certainty} of 100`,
    ...distinct.map(({ endpoint, fact, text }) => `${code(endpoint)} says ${code(fact)} ${code(text)}`),
  ].join('; ');
}

function recordText({ id, name, owner, site, source }: NonNullable<Finding['asset']>): string {
  return [
    ...(name === undefined ? [] : [code(name)]),
    ...(id === undefined || id === name ? [] : [code(id)]),
    `in ${code(sourceText(source))}`,
    ...(owner === undefined ? [] : [`owner ${code(owner)}`]),
    ...(site === undefined ? [] : [`site ${code(site)}`]),
  ].join(', ');
}

function item(title: string, text: string): string[] {
  return text === '' ? [] : [`- **${title}:** ${text}`];
}

function field(title: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`${title} ${code(value)}`];
}

import { placesOf } from '../../devices/device.ts';
import { isPressing, type Finding, sourceText } from '../../reconcile/index.ts';
import { count, grouped, printable, shortened } from '../../text.ts';
import type { Severity } from '../../vocabulary.ts';
import { type Html, html } from '../html.ts';
import { SEVERITY_NAMES, STATE_NAMES } from './words.ts';
import { type ReportView, tally } from './view.ts';

const MAX_FINDINGS = 200;
const MAX_CHANGES = 500;
const MAX_UNRECOGNISED = 500;

/** Text of a device or a list: cleaned of what a reader does not see, and not longer than a cell bears. */
export function text(value: string | undefined, max = 300): string | undefined {
  return value === undefined ? undefined : shortened(printable(value), max);
}

export function severityMark(severity: Severity): Html {
  return html`<span class="mark ${severity}">${SEVERITY_NAMES[severity]}</span>`;
}

/** The four answers that a reader comes for. */
export function summarySection(view: ReportView): Html {
  const { devices, findings, changes, before, inventory, quiet } = view;
  const { completeness, unrecognised } = inventory;
  const levels = tally(
    ['certain', 'likely', 'possible'],
    devices.map(({ device }) => device.level),
  );
  const unapproved = (findings ?? []).filter(({ state }) => state === 'unapproved' || state === 'impostor');
  const pressing = (findings ?? []).filter(isPressing);
  const appeared = (changes ?? []).filter(({ change }) => change === 'appeared');
  const gone = (changes ?? []).filter(({ change }) => change === 'gone');
  const cards = [
    {
      label: 'Devices',
      value: grouped(devices.length),
      more: [
        ...levels.map(({ key, count: number }) => `${grouped(number)} ${key}`),
        ...(unrecognised.length > 0 ? [`${count(unrecognised.length, 'more address', 'more addresses')} answered and not recognised`] : []),
        ...(quiet > 0 ? [`${count(quiet, 'software server')} not listed`] : []),
      ],
      kind: '',
    },
    findings === undefined
      ? { label: 'Unapproved', value: 'Not known', more: ['No approved list was given: --approved FILE.'], kind: 'unknown' }
      : {
          label: 'Unapproved',
          value: grouped(unapproved.length),
          more: [`${count(pressing.length, 'finding')} to look at in all`],
          kind: unapproved.length > 0 ? 'bad' : 'good',
        },
    changes === undefined || before === undefined
      ? { label: 'New', value: 'Not known', more: ['No earlier inventory was given: --against OLD.'], kind: 'unknown' }
      : {
          label: 'New',
          value: grouped(appeared.length),
          more: [
            `${grouped(gone.length)} gone`,
            ...(before.run === undefined ? [] : [`since ${day(before.run.endedAt ?? before.run.startedAt)}`]),
          ],
          kind: appeared.length > 0 ? 'warn' : '',
        },
    {
      label: 'Completeness',
      value: completeness.complete ? (inventory.run === undefined ? 'Not known' : 'Complete') : 'Incomplete',
      more: completeness.complete
        ? [inventory.run === undefined ? 'Made of observations that do not say what was asked.' : 'Everything that was planned was asked.']
        : [`Something may be missing: ${count(completeness.limitations.length, 'reason')} below.`],
      kind: completeness.complete ? (inventory.run === undefined ? 'unknown' : 'good') : 'bad',
    },
  ];
  return html`<section id="summary" aria-label="Summary">
    <dl class="cards">
      ${cards.map(
        ({ label, value, more, kind }) =>
          html`<div class="card ${kind}">
            <dt>${label}</dt>
            <dd><strong>${value}</strong>${more.map((line) => html`<span>${text(line)}</span>`)}</dd>
          </div>`,
      )}
    </dl>
    ${
      completeness.complete
        ? undefined
        : html`<div class="alert">
            <h2>Why it is incomplete</h2>
            <ul>
              ${completeness.limitations.map(({ text: why }) => html`<li>${text(why.split('\n', 1)[0])}</li>`)}
            </ul>
          </div>`
    }
  </section>`;
}

/** What somebody has to look at, the most pressing first; where nothing was reconciled, what lets in anyone. */
export function findingSection({ findings, devices }: ReportView): Html {
  if (findings === undefined) {
    const risky = devices.filter(({ device }) => device.posture.length > 0);
    return html`<section id="findings" aria-labelledby="findings-title">
      <h2 id="findings-title">What needs doing</h2>
      <p class="lead">
        Nothing was held against an approved list, so it is not known which of these belong here.
        ${risky.length > 0 ? `${count(risky.length, 'device shows', 'devices show')} a risk; the table below names it.` : 'No device shows a risk that can be seen without a login.'}
      </p>
    </section>`;
  }
  const pressing = findings.filter(isPressing);
  return html`<section id="findings" aria-labelledby="findings-title">
    <h2 id="findings-title">What needs doing</h2>
    ${
      pressing.length === 0
        ? html`<p class="lead">Nothing: every device is approved, and every approved device that was asked for is there.</p>`
        : html`<div class="scroll">
              <table class="plain">
                <caption class="visually-hidden">
                  Findings, the most pressing first
                </caption>
                <thead>
                  <tr>
                    <th scope="col">Severity</th>
                    <th scope="col">Finding</th>
                    <th scope="col">Device</th>
                    <th scope="col">Where</th>
                    <th scope="col">Why, and what to do</th>
                  </tr>
                </thead>
                <tbody>
                  ${pressing.slice(0, MAX_FINDINGS).map(findingRow)}
                </tbody>
              </table>
            </div>
            ${pressing.length > MAX_FINDINGS ? html`<p class="note">${count(pressing.length - MAX_FINDINGS, 'more finding')}: the table of devices holds those of devices, <code>kvmsweep reconcile --format csv</code> all.</p>` : undefined}`
    }
  </section>`;
}

function findingRow(finding: Finding): Html {
  const { state, severity, name, explanation, deviceKey, asset } = finding;
  const title =
    deviceKey === undefined
      ? html`${text(name, 80)}`
      : html`<button type="button" class="link" data-open="${deviceKey}">${text(name, 80)}</button>`;
  return html`<tr>
    <td>${severityMark(severity)}</td>
    <td>${STATE_NAMES[state]}</td>
    <td>${title}</td>
    <td class="mono">${text(placesOf(finding).join(' '), 90)}</td>
    <td>
      ${text(explanation, 400)}${asset === undefined ? undefined : html` <span class="source">${text(sourceText(asset.source), 80)}</span>`}
    </td>
  </tr>`;
}

/** What became of devices since the earlier inventory. */
export function changeSection({ changes, before }: ReportView): Html {
  if (changes === undefined || before === undefined) return html``;
  const since = before.run === undefined ? '' : ` ${day(before.run.endedAt ?? before.run.startedAt)}`;
  return html`<section id="changes" aria-labelledby="changes-title">
    <h2 id="changes-title">Changes since${since === '' ? ' the earlier inventory' : since}</h2>
    ${
      changes.length === 0
        ? html`<p class="lead">Nothing changed.</p>`
        : html`<div class="scroll">
              <table class="plain">
                <caption class="visually-hidden">
                  Changes
                </caption>
                <thead>
                  <tr>
                    <th scope="col">Change</th>
                    <th scope="col">Device</th>
                    <th scope="col">Where</th>
                    <th scope="col">What</th>
                  </tr>
                </thead>
                <tbody>
                  ${changes.slice(0, MAX_CHANGES).map(
                    (row) =>
                      html`<tr>
                        <td><span class="change ${row.change}">${CHANGE_NAMES[row.change]}</span></td>
                        <td>${text(row.name, 80)}</td>
                        <td class="mono">${text(placesOf(row).join(' '), 90)}</td>
                        <td>${text(row.details.join('; '), 400)}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>
            ${changes.length > MAX_CHANGES ? html`<p class="note">${count(changes.length - MAX_CHANGES, 'more change')}: <code>kvmsweep diff --format csv</code> has all.</p>` : undefined}`
    }
  </section>`;
}

const CHANGE_NAMES = { appeared: 'New', gone: 'Gone', moved: 'Moved', changed: 'Changed', 'not-asked': 'Not asked' } as const;

/** Addresses that answered, and that nothing names. */
export function unrecognisedSection({ inventory: { unrecognised } }: ReportView): Html {
  if (unrecognised.length === 0) return html``;
  return html`<section id="unrecognised" aria-labelledby="unrecognised-title">
    <h2 id="unrecognised-title">Answered, and not recognised</h2>
    <p class="lead">
      ${count(unrecognised.length, 'address', 'addresses')} answered, and no fingerprint names what is there: most likely ordinary
      computers, printers and network gear. <code>kvmsweep explain</code> tells what each said.
    </p>
    <details>
      <summary>Show them</summary>
      <div class="scroll">
        <table class="plain">
          <caption class="visually-hidden">
            Addresses that are not recognised
          </caption>
          <thead>
            <tr>
              <th scope="col">Address</th>
              <th scope="col">Network card</th>
              <th scope="col">Answered at</th>
            </tr>
          </thead>
          <tbody>
            ${unrecognised.slice(0, MAX_UNRECOGNISED).map(
              ({ host, mac, macVendor, endpoints }) =>
                html`<tr>
                  <td class="mono">${text(host)}</td>
                  <td>${text([mac, macVendor].filter((one) => one !== undefined).join(' '), 80)}</td>
                  <td class="mono">${text(endpoints.join(' '), 200)}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${unrecognised.length > MAX_UNRECOGNISED ? html`<p class="note">${count(unrecognised.length - MAX_UNRECOGNISED, 'more address', 'more addresses')} in the inventory.</p>` : undefined}
    </details>
  </section>`;
}

/** What was asked, when, from where, and what came of it. */
export function sweepSection({ inventory }: ReportView): Html {
  const { run, asked, ledger, completeness, tool } = inventory;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Made by', `kvmsweep ${tool.version}, fingerprints ${tool.fingerprints.slice(0, 12)}`],
    ['Arguments', run?.arguments.join(' ')],
    ['Began', run?.startedAt],
    ['Ended', run?.endedAt],
    ['From', run?.sourceAddresses.join(', ')],
    ['Rate', run === undefined ? undefined : `${grouped(run.rate)} packets a second, ${grouped(run.ratePerNetwork)} to one /24`],
    [
      'Addresses',
      asked === undefined
        ? undefined
        : `${grouped(asked.hosts)}: ${asked.ranges.slice(0, 30).join(', ')}${asked.ranges.length > 30 ? ' …' : ''}`,
    ],
    ['Ports', asked?.ports.join(', ')],
    ['Packets', ledger === undefined ? undefined : `${grouped(ledger.packets.tcp)} over TCP, ${grouped(ledger.packets.udp)} over UDP`],
  ];
  return html`<section id="sweep" aria-labelledby="sweep-title">
    <h2 id="sweep-title">How the sweep was done</h2>
    <dl class="facts">
      ${rows.map(([name, value]) =>
        value === undefined || value === ''
          ? undefined
          : html`<dt>${name}</dt>
              <dd>${text(value, 1500)}</dd>`,
      )}
    </dl>
    ${
      completeness.notes.length === 0
        ? undefined
        : html`<h3>Notes</h3>
            <ul>
              ${completeness.notes.map((note) => html`<li>${text(note, 600)}</li>`)}
            </ul>`
    }
    ${ledger === undefined ? undefined : ledgerTable(ledger)}
  </section>`;
}

const OUTCOMES = ['asked', 'answered', 'refused', 'silent', 'unreachable', 'givenUp', 'lost'] as const;
const OUTCOME_NAMES = {
  asked: 'Asked',
  answered: 'Answered',
  refused: 'Refused',
  silent: 'Silent',
  unreachable: 'Unreachable',
  givenUp: 'Given up',
  lost: 'Lost here',
} as const;

function ledgerTable({ ports, total }: NonNullable<ReportView['inventory']['ledger']>): Html {
  const row = (name: string, counts: (typeof ports)[string]): Html =>
    html`<tr>
      <th scope="row" class="mono">${name}</th>
      <td class="number">${grouped(counts.planned)}</td>
      ${OUTCOMES.map((outcome) => html`<td class="number">${grouped(counts[outcome])}</td>`)}
      <td class="number">${grouped(Object.values(counts.skipped).reduce((sum, number) => sum + number, 0))}</td>
    </tr>`;
  return html`<details>
    <summary>What came of each port</summary>
    <div class="scroll">
      <table class="plain ledger">
        <caption>
          Endpoints. Planned is asked and skipped; asked is the sum of what follows it. Silent is not closed.
        </caption>
        <thead>
          <tr>
            <th scope="col">Port</th>
            <th scope="col">Planned</th>
            ${OUTCOMES.map((outcome) => html`<th scope="col">${OUTCOME_NAMES[outcome]}</th>`)}
            <th scope="col">Skipped</th>
          </tr>
        </thead>
        <tbody>
          ${Object.entries(ports).map(([port, counts]) => row(port, counts))}
        </tbody>
        <tfoot>
          ${row('all', total)}
        </tfoot>
      </table>
    </div>
  </details>`;
}

/** The day of a time in ISO 8601. */
export function day(time: string): string {
  return time.slice(0, 10);
}

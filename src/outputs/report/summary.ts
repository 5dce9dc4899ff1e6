import { isPressing } from '../../reconcile/index.ts';
import { count, grouped } from '../../text.ts';
import { type Html, html } from '../html.ts';
import { day, text } from './cells.ts';
import { type ReportView, tally } from './view.ts';

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

import { grouped } from '../../text.ts';
import { type Html, html } from '../html.ts';
import { text } from './cells.ts';
import type { ReportView } from './view.ts';

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

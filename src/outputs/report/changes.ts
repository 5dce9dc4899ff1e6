import { placesOf } from '../../devices/device.ts';
import { count } from '../../text.ts';
import { type Html, html } from '../html.ts';
import { day, text } from './cells.ts';
import type { ReportView } from './view.ts';

const MAX_CHANGES = 500;

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

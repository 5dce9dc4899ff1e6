import { count } from '../../text.ts';
import { type Html, html } from '../html.ts';
import { text } from './cells.ts';
import type { ReportView } from './view.ts';

const MAX_UNRECOGNISED = 500;

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

import { placesOf } from '../../devices/device.ts';
import { type Finding, isPressing, sourceText } from '../../reconcile/index.ts';
import { count } from '../../text.ts';
import { type Html, html } from '../html.ts';
import { severityMark, text } from './cells.ts';
import type { ReportView } from './view.ts';
import { STATE_NAMES } from './words.ts';

const MAX_FINDINGS = 200;

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

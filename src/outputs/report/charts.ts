import { count, grouped } from '../../text.ts';
import { CLASSES, type DeviceClass, STATES } from '../../vocabulary.ts';
import { isPressing } from '../../reconcile/index.ts';
import { type Html, html } from '../html.ts';
import { CLASS_NAMES, STATE_NAMES } from './words.ts';
import { type ReportView, tally } from './view.ts';

const MAX_MAKERS = 12;

interface Bar {
  readonly label: string;
  readonly count: number;
  /** How many of them somebody has to look at. */
  readonly pressing?: number;
  readonly kind?: string;
}

/** What there is, by class, by finding and by maker. */
export function chartSection(view: ReportView): Html {
  const { devices, findings } = view;
  if (devices.length === 0 && (findings ?? []).length === 0) return html``;
  const pressing = new Map<DeviceClass, number>();
  for (const { device, finding } of devices)
    if (finding !== undefined && isPressing(finding)) pressing.set(device.class, (pressing.get(device.class) ?? 0) + 1);
  const classes = tally(
    CLASSES,
    devices.map(({ device }) => device.class),
  ).map(({ key, count: number }) => ({
    label: CLASS_NAMES[key],
    count: number,
    pressing: pressing.get(key) ?? 0,
  }));
  const states = tally(
    STATES,
    (findings ?? []).map(({ state }) => state),
  ).map(({ key, count: number }) => ({
    label: STATE_NAMES[key],
    count: number,
    kind: `state-${isPressing({ state: key }) ? 'open' : 'fine'}`,
  }));
  return html`<section id="charts" aria-labelledby="charts-title">
    <h2 id="charts-title">What there is</h2>
    <div class="charts">
      ${chart('By class', classes, findings === undefined ? undefined : 'The stronger part: somebody has to look at it.')}
      ${findings === undefined ? undefined : chart('By finding', states, 'Devices, and records that no device was found for.')}
      ${chart('By maker', makers(view), undefined)}
    </div>
  </section>`;
}

function makers({ devices }: ReportView): Bar[] {
  const counts = new Map<string, number>();
  for (const { device } of devices) counts.set(device.vendor ?? 'unknown', (counts.get(device.vendor ?? 'unknown') ?? 0) + 1);
  const sorted = [...counts].toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
  const rest = sorted.slice(MAX_MAKERS);
  return [
    ...sorted.slice(0, MAX_MAKERS).map(([label, number]) => ({ label, count: number })),
    ...(rest.length === 0 ? [] : [{ label: count(rest.length, 'other'), count: rest.reduce((sum, [, number]) => sum + number, 0) }]),
  ];
}

function chart(title: string, bars: readonly Bar[], note: string | undefined): Html {
  const most = Math.max(1, ...bars.map((bar) => bar.count));
  const width = (number: number): string => ((number / most) * 100).toFixed(2);
  return html`<div class="chart">
    <table class="bars">
      <caption>
        ${title}
      </caption>
      <tbody>
        ${bars.map(
          (bar) =>
            html`<tr>
              <th scope="row">${bar.label}</th>
              <td class="track">
                <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                  <rect class="bar ${bar.kind}" width="${width(bar.count)}" height="10"></rect>
                  ${bar.pressing === undefined || bar.pressing === 0 ? undefined : html`<rect class="bar pressing" width="${width(bar.pressing)}" height="10"></rect>`}
                </svg>
              </td>
              <td class="number">
                ${grouped(bar.count)}${bar.pressing === undefined || bar.pressing === 0 ? undefined : html`<span class="visually-hidden">, ${grouped(bar.pressing)} to look at</span>`}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${note === undefined ? undefined : html`<p class="note">${note}</p>`}
  </div>`;
}

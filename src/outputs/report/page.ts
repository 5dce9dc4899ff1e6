import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dataPath } from '../../data.ts';
import { count } from '../../text.ts';
import { type Html, html, jsonInScript, raw } from '../html.ts';
import { chartSection } from './charts.ts';
import { detailsOf } from './details.ts';
import { mapSection } from './map.ts';
import { text } from './cells.ts';
import { changeSection } from './changes.ts';
import { findingSection } from './findings.ts';
import { summarySection } from './summary.ts';
import { sweepSection } from './sweep.ts';
import { unrecognisedSection } from './unrecognised.ts';
import { tableSection } from './table.ts';
import { type ReportInput, type ReportView, viewOf } from './view.ts';

/**
 * One page with all of an inventory: a file of its own that asks nobody for anything. Its content-security policy lets its own style sheet and its own script
 * run, by their hashes, and nothing else: what a device says is text there, whatever it is.
 */
export function reportPage(input: ReportInput): string {
  const view = viewOf(input);
  const style = asset('report.css');
  const script = asset('report.js');
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${titleOf(view)}</title>
<style>${raw(style)}</style>
</head>
<body>
${header(view)}
<main>
${[summarySection, findingSection, mapSection, chartSection, tableSection, changeSection, unrecognisedSection, sweepSection].map((section) => section(view))}
</main>
<dialog id="panel" aria-labelledby="panel-title">
<header><h2 id="panel-title"></h2><form method="dialog"><button aria-label="Close">Close</button></form></header>
<p id="panel-lead"></p><div id="panel-parts"></div>
</dialog>
<script type="application/json" id="details">${jsonInScript(detailsById(view))}</script>
<script type="module">${raw(script)}</script>
</body>
</html>
`;
  return markup;
}

function titleOf({ inventory: { run }, devices }: ReportView): string {
  return `Remote-access hardware${run === undefined ? '' : `, ${run.startedAt.slice(0, 10)}`}: ${count(devices.length, 'device')}`;
}

function header({ inventory: { run, asked } }: ReportView): Html {
  const ranges = (asked?.ranges ?? []).slice(0, 4).join(', ');
  const when = run === undefined ? undefined : `${run.startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  return html`<header class="top">
    <div>
      <p class="kicker">kvmsweep report</p>
      <h1>Remote-access hardware</h1>
      <p class="lead">
        ${[...(when === undefined ? [] : [when]), ...(ranges === '' ? [] : [text(`${ranges}${(asked?.ranges.length ?? 0) > 4 ? ' …' : ''}`, 160) ?? ''])].join(' · ')}
      </p>
    </div>
    <label class="theme"
      >Colours
      <select id="theme">
        <option value="">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select></label
    >
  </header>`;
}

/**
 * What the panels show, by device key. Many devices say the same: each text stands in it once, and is named by its number.
 */
function detailsById(view: ReportView): { readonly texts: readonly string[]; readonly devices: Readonly<Record<string, unknown>> } {
  const numbers = new Map<string, number>();
  const numberOf = (value: string): number => {
    const known = numbers.get(value);
    if (known !== undefined) return known;
    numbers.set(value, numbers.size);
    return numbers.size - 1;
  };
  const devices = Object.fromEntries(
    view.devices.map((shown) => {
      const { title, lead, parts } = detailsOf(shown, view);
      return [
        shown.device.deviceKey,
        [numberOf(title), numberOf(lead), parts.map((part) => [numberOf(part.title), part.rows.map((row) => row.map(numberOf))])],
      ];
    }),
  );
  return { texts: [...numbers.keys()], devices };
}

/** A file of ours, as it stands in the page: no text of it may end its element. */
function asset(name: string): string {
  return readFileSync(dataPath(`report/${name}`), 'utf8');
}

function hashOf(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}

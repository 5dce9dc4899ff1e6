import { placesOf } from '../../devices/device.ts';
import { CLASSES, type Level, LEVELS, STATES } from '../../vocabulary.ts';
import { type Html, html } from '../html.ts';
import { severityMark, text } from './cells.ts';
import { CLASS_NAMES, LEVEL_NAMES, shortClass, STATE_NAMES } from './words.ts';
import { type ReportView, type Shown, tally } from './view.ts';

interface Column {
  readonly title: string;
  readonly cell: (shown: Shown) => Html | string | undefined;
  /** Left out where no device has anything in it. */
  readonly optional?: true;
  /** Whether it is a number or an address, or at least short enough for one line. */
  readonly look?: 'mono' | 'short' | 'mono short' | 'list';
}

/** Rows of the table that are laid out at once: a browser takes seconds for thousands. The page has a button for the rest. */
const SHOWN_AT_ONCE = 300;

/** All devices, to filter and to sort. */
export function tableSection(view: ReportView): Html {
  const { devices, findings } = view;
  if (devices.length === 0)
    return html`<section id="devices" aria-labelledby="devices-title">
      <h2 id="devices-title">Devices</h2>
      <p class="lead">No remote-access hardware was found.</p>
    </section>`;
  const columns = columnsOf(view).filter(({ optional, cell }) => optional !== true || devices.some((shown) => cell(shown) !== undefined));
  return html`<section id="devices" aria-labelledby="devices-title">
    <h2 id="devices-title">Devices</h2>
    <form class="filters" role="search" aria-label="Filter the devices">
      <label class="grow"
        >Search
        <input type="search" id="filter-text" placeholder="address, name, model, serial number …" autocomplete="off" spellcheck="false"
      /></label>
      ${choice(
        'class',
        'Class',
        tally(
          CLASSES,
          devices.map(({ device }) => device.class),
        ),
        CLASS_NAMES,
      )}
      ${
        findings === undefined
          ? undefined
          : choice(
              'state',
              'Finding',
              tally(
                STATES,
                devices.flatMap(({ finding }) => (finding === undefined ? [] : [finding.state])),
              ),
              STATE_NAMES,
            )
      }
      ${choice(
        'level',
        'How sure',
        tally(
          levels(),
          devices.map(({ device }) => device.level),
        ),
        LEVEL_NAMES,
      )}
      <button type="reset">Clear</button>
      <output id="shown" aria-live="polite">${devices.length} of ${devices.length}</output>
    </form>
    <div class="scroll">
      <table id="device-table">
        <caption class="visually-hidden">
          Devices; a heading sorts by its column, a name opens what is known of the device
        </caption>
        <thead>
          <tr>
            ${columns.map(({ title }, i) => html`<th scope="col" ${i === 0 ? html` aria-sort="ascending"` : undefined}><button type="button" data-sort="${i}">${title}</button></th>`)}
          </tr>
        </thead>
        <tbody>
          ${devices.map(
            (shown, i) =>
              html`<tr
                data-i="${i}"
                data-class="${shown.device.class}"
                data-level="${shown.device.level}"
                ${i < SHOWN_AT_ONCE ? undefined : html`hidden`}
                ${shown.finding === undefined ? undefined : html` data-state="${shown.finding.state}"`}
              >
                ${columns.map(({ cell, look }) => html`<td${look === undefined ? undefined : html` class="${look}"`}>${cell(shown)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="note" id="none" hidden>No device fits.</p>
    <p id="rest" data-at-once="${SHOWN_AT_ONCE}"${devices.length > SHOWN_AT_ONCE ? undefined : html` hidden`}>
      <button type="button" id="show-all">Show all</button> <span class="note">The first ${SHOWN_AT_ONCE} of those that fit are shown.</span>
    </p>
  </section>`;
}

function levels(): Level[] {
  return Object.keys(LEVELS) as Level[];
}

function columnsOf({ findings, changes }: ReportView): readonly Column[] {
  return [
    { title: 'Where', look: 'mono', cell: ({ device }) => text(placesOf(device).join(' '), 90) },
    {
      title: 'Device',
      cell: ({ device, name }) => html`<button type="button" class="link" data-open="${device.deviceKey}">${text(name, 80)}</button>`,
    },
    ...(findings === undefined
      ? []
      : [
          { title: 'Finding', cell: ({ finding }: Shown) => (finding === undefined ? '' : STATE_NAMES[finding.state]) },
          { title: 'Severity', cell: ({ finding }: Shown) => (finding === undefined ? '' : severityMark(finding.severity)) },
        ]),
    ...(changes === undefined
      ? []
      : [
          {
            title: 'Change',
            optional: true as const,
            cell: ({ change }: Shown) => (change === undefined ? undefined : change.change === 'appeared' ? 'new' : change.change),
          },
        ]),
    { title: 'Class', look: 'short', cell: ({ device }) => shortClass(device.class) },
    { title: 'Model', optional: true, cell: ({ device }) => text(device.model, 60) },
    { title: 'Firmware', optional: true, look: 'mono', cell: ({ device }) => text(device.version, 40) },
    { title: 'Serial number', optional: true, look: 'mono', cell: ({ device }) => text(device.serial, 40) },
    { title: 'Name', optional: true, look: 'mono', cell: ({ device }) => text(device.hostname, 60) },
    { title: 'How sure', look: 'short', cell: ({ device }) => `${LEVEL_NAMES[device.level]} ${device.certainty}` },
    {
      title: 'Risks',
      optional: true,
      look: 'list',
      cell: ({ device }) => (device.posture.length === 0 ? undefined : device.posture.join(', ')),
    },
    { title: 'First seen', optional: true, look: 'mono short', cell: ({ device }) => device.firstSeen?.slice(0, 10) },
  ];
}

function choice<K extends string>(
  id: string,
  label: string,
  options: readonly { readonly key: K; readonly count: number }[],
  names: Readonly<Record<K, string>>,
): Html {
  return html`<label
    >${label}
    <select id="filter-${id}">
      <option value="">all</option>
      ${options.map(({ key, count }) => html`<option value="${key}">${names[key]} (${count})</option>`)}
    </select></label
  >`;
}

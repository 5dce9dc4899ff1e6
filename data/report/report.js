// The script of a report (src/outputs/report/page.ts): it filters and sorts the table, opens the panel of a device, and switches the colours.
// Text gets into the page as text only.
// @ts-check

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

// ---- colours --------------------------------------------------------------------------------------------------
const theme = /** @type {HTMLSelectElement} */ (byId('theme'));
theme.addEventListener('change', () => {
  if (theme.value === '') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
});

// ---- panel ----------------------------------------------------------------------------------------------------
/** @typedef {[number, number, [number, number[][]][]]} Packed */
/** @typedef {{ texts: string[], devices: Record<string, Packed> }} Details */
/** @type {Details | undefined} */
let known;
/** Read when they are first needed. @returns {Details} */
function details() {
  known ??= /** @type {Details} */ (JSON.parse(byId('details').textContent ?? ''));
  return known;
}
const panel = /** @type {HTMLDialogElement} */ (byId('panel'));

/** @param {string} name @param {string} [content] */
function element(name, content) {
  const made = document.createElement(name);
  if (content !== undefined) made.textContent = content;
  return made;
}

/** @param {string} key */
const open = (key) => {
  const { texts, devices } = details();
  const packed = devices[key];
  if (packed === undefined) return;
  const [title, lead, parts] = packed;
  byId('panel-title').textContent = texts[title] ?? '';
  byId('panel-lead').textContent = texts[lead] ?? '';
  byId('panel-parts').replaceChildren(
    ...parts.flatMap(([heading, rows]) => {
      const list = element('dl');
      for (const [name = 0, value = 0] of rows) {
        const label = texts[name] ?? '';
        if (label !== '') list.append(element('dt', label));
        const text = element('dd', texts[value] ?? '');
        if (label === '') text.className = 'sentence';
        list.append(text);
      }
      return [element('h3', texts[heading] ?? ''), list];
    }),
  );
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
};
panel.addEventListener('click', (event) => {
  if (event.target === panel) panel.close();
});

// ---- table ----------------------------------------------------------------------------------------------------
/** @type {HTMLTableElement | null} */
const table = /** @type {HTMLTableElement | null} */ (document.getElementById('device-table'));
const body = table?.tBodies[0];
const rows = [...(body?.rows ?? [])];
const SEARCHED = new Set(['What it is', 'Identifiers', 'Finding']);
/** @type {string[] | undefined} */
let searched;
/** What a row is searched by: its cells, and what its panel tells of its identity. */
const texts = () => {
  if (searched !== undefined) return searched;
  const all = details();
  searched = rows.map((row) => {
    const packed = all.devices[row.querySelector('button')?.dataset.open ?? ''];
    const more =
      packed === undefined
        ? []
        : packed[2]
            .filter(([heading]) => SEARCHED.has(all.texts[heading] ?? ''))
            .flatMap(([, list]) => list.map(([, value = 0]) => all.texts[value] ?? ''));
    return `${row.textContent} ${more.join(' ')}`.toLowerCase();
  });
  return searched;
};
const selects = ['class', 'state', 'level'].flatMap((name) => {
  const select = /** @type {HTMLSelectElement | null} */ (document.getElementById(`filter-${name}`));
  return select === null ? [] : [{ name, select }];
});
const box = /** @type {HTMLInputElement | null} */ (document.getElementById('filter-text'));

const rest = document.getElementById('rest');
/** Rows that are laid out at once. */
let atOnce = Number(rest?.dataset.atOnce ?? 0);

/** Shows the rows that fit, in the order in which they stand, as many as are laid out at once. */
function filter() {
  if (box === null) return;
  const words = box.value
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const chosen = selects.filter(({ select }) => select.value !== '');
  const all = words.length === 0 ? undefined : texts();
  let fitting = 0;
  for (const row of body?.rows ?? []) {
    const fits =
      chosen.every(({ name, select }) => row.dataset[name] === select.value) &&
      words.every((word) => all?.[Number(row.dataset.i)]?.includes(word));
    if (fits) fitting += 1;
    row.hidden = !fits || fitting > atOnce;
  }
  byId('shown').textContent = `${fitting} of ${rows.length}`;
  byId('none').hidden = fitting > 0;
  if (rest !== null) rest.hidden = fitting <= atOnce;
}
document.getElementById('show-all')?.addEventListener('click', () => {
  atOnce = Infinity;
  filter();
});
// What is searched is put together while nobody waits for it.
if (rows.length > 0) requestIdleCallback(() => void texts());

let pending = 0;
box?.addEventListener('input', () => {
  cancelAnimationFrame(pending);
  pending = requestAnimationFrame(filter);
});
for (const { select } of selects) select.addEventListener('change', filter);
box?.form?.addEventListener('submit', (event) => event.preventDefault());
box?.form?.addEventListener('reset', () => requestAnimationFrame(filter));

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
const ORDER = ['Critical', 'High', 'Medium', 'Low', 'Information'];
/** @param {HTMLButtonElement} button */
const sort = (button) => {
  const heading = /** @type {HTMLElement} */ (button.closest('th'));
  const down = heading.getAttribute('aria-sort') === 'ascending';
  const column = Number(button.dataset.sort);
  const keyed = [...rows].map((row) => {
    const text = row.cells[column]?.textContent ?? '';
    return { row, text, place: ORDER.indexOf(text), was: Number(row.dataset.i) };
  });
  // Empty cells come last whichever way it is sorted.
  keyed.sort((a, b) => {
    if ((a.text === '') !== (b.text === '')) return a.text === '' ? 1 : -1;
    const order = a.place >= 0 && b.place >= 0 ? a.place - b.place : collator.compare(a.text, b.text);
    return (down ? -order : order) || a.was - b.was;
  });
  for (const other of table?.tHead?.querySelectorAll('th') ?? []) other.removeAttribute('aria-sort');
  heading.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  body?.replaceChildren(...keyed.map(({ row }) => row));
  filter();
};

document.addEventListener('click', (event) => {
  const target = /** @type {Element} */ (event.target);
  const button = /** @type {HTMLButtonElement | null} */ (target.closest('button[data-open], button[data-sort]'));
  if (button?.dataset.open !== undefined) open(button.dataset.open);
  else if (button?.dataset.sort !== undefined) sort(button);
  const find = target.closest('[data-find]')?.getAttribute('data-find') ?? '';
  if (find !== '' && box !== null) {
    box.value = find;
    filter();
    byId('devices').scrollIntoView({ behavior: 'smooth' });
  }
});

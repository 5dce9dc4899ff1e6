import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '../../src/devices/device.ts';
import type { Inventory } from '../../src/inventory/schema.ts';
import { reportPage } from '../../src/outputs/report/index.ts';
import type { Finding } from '../../src/reconcile/index.ts';

/** Debian's. */
const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
const missing = existsSync(CHROMIUM) ? undefined : 'there is no /usr/bin/chromium (Debian: chromium)';
if (missing !== undefined) {
  if (process.env['KVMSWEEP_REAL'] === 'required') throw new Error(`the report cannot be looked at: ${missing}`);
  process.stderr.write(`skipped, because the report cannot be looked at: ${missing}\n`);
}

const HOSTILE = `<script>alert(1)</script></script><img src=x onerror=alert(2)>"'`;
const CLASSES = ['ip-kvm', 'bmc', 'pdu'] as const;

/** So many devices in 10.20.0.0/16; the first says what nobody should run. */
function inventoryOf(count: number): Inventory {
  const devices = Array.from({ length: count }, (_, i): Device => {
    const address = `10.20.${Math.floor(i / 250)}.${(i % 250) + 1}`;
    return {
      deviceKey: `kvm-${i}`,
      class: CLASSES[i % 3] ?? 'bmc',
      vendor: i === 0 ? HOSTILE : i % 3 === 1 ? 'Dell' : 'Acme',
      product: i % 3 === 1 ? 'iDRAC' : 'Thing',
      model: `Model ${i}`,
      serial: `SN${String(i).padStart(6, '0')}`,
      certainty: 90,
      level: 'certain',
      addresses: [address],
      identifiers: [{ kind: 'mac', value: `00:00:5E:00:53:${(i % 256).toString(16).padStart(2, '0').toUpperCase()}`, from: 'neighbours' }],
      endpoints: [{ host: address, port: 443, transport: 'tcp', probe: 'https' }],
      evidence: [
        {
          fingerprint: 'acme',
          rule: 'title',
          fact: 'http.title',
          text: i === 0 ? HOSTILE : 'Login',
          certainty: 90,
          endpoint: `${address}:443`,
        },
      ],
      alternatives: [],
      posture: i % 7 === 0 ? ['telnet-open'] : [],
    };
  });
  return {
    schemaVersion: 1,
    tool: { name: 'kvmsweep', version: '0.1.0', fingerprints: 'abcdef' },
    asked: { hosts: 65_536, ranges: ['10.20.0.0-10.20.255.255'], names: {}, ports: ['443/tcp=https'] },
    completeness: { complete: true, limitations: [], notes: [HOSTILE] },
    devices,
    unrecognised: [],
  };
}

function findingsOf({ devices }: Inventory): Finding[] {
  return devices.map(({ deviceKey, addresses, class: kind }, i) => ({
    state: i % 5 === 0 ? 'unapproved' : 'approved-present',
    severity: i % 5 === 0 ? 'high' : 'info',
    deviceKey,
    class: kind,
    name: 'device',
    addresses,
    matched: [],
    conflicts: [],
    explanation: i === 0 ? HOSTILE : 'Because.',
  }));
}

/** The texts of a column, as far as they are shown. */
async function column(page: Page, index: number): Promise<string[]> {
  return page.locator(`#device-table tbody tr:visible td:nth-child(${index})`).allTextContents();
}

describe.skipIf(missing !== undefined)('a report in a browser', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kvmsweep-report-'));
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens a report, and keeps all that it says, asks or shows besides. */
  async function open(count: number, options: BrowserContextOptions = {}): Promise<{ page: Page; heard: string[] }> {
    const inventory = inventoryOf(count);
    const file = join(folder, `${count}.html`);
    writeFileSync(file, reportPage({ inventory, findings: findingsOf(inventory), factMeanings: new Map() }));
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
    const page = await context.newPage();
    const heard: string[] = [];
    page.on('console', (message) => heard.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => heard.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      heard.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== `file://${file}`) heard.push(`request: ${request.url()}`);
    });
    await page.goto(`file://${file}`);
    return { page, heard };
  }

  test('it filters by text, serial number, card, class and finding', async () => {
    const { page, heard } = await open(30);
    const shown = page.locator('#shown');
    await expect.poll(() => shown.textContent()).toBe('30 of 30');
    for (const [text, fits] of [
      ['idrac', '10 of 30'],
      ['SN000007', '1 of 30'],
      ['00:00:5e:00:53:0a', '1 of 30'],
      ['dell 10.20.0.2', '5 of 30'],
      ['no such thing', '0 of 30'],
    ] as const) {
      await page.getByRole('searchbox', { name: 'Search' }).fill(text);
      await expect.poll(() => shown.textContent()).toBe(fits);
    }
    expect(await page.getByText('No device fits.').isVisible()).toBe(true);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('combobox', { name: /^Class/ }).selectOption('pdu');
    await page.getByRole('combobox', { name: /^Finding/ }).selectOption('unapproved');
    await expect.poll(() => shown.textContent()).toBe('2 of 30');
    expect(heard).toEqual([]);
  });

  test('it sorts numbers as numbers, both ways', async () => {
    const { page, heard } = await open(30);
    const heading = page.getByRole('columnheader', { name: 'Model' });
    await heading.getByRole('button').click();
    expect((await column(page, 6)).slice(0, 12)).toEqual(Array.from({ length: 12 }, (_, i) => `Model ${i}`));
    expect(await heading.getAttribute('aria-sort')).toBe('ascending');
    await heading.getByRole('button').click();
    expect((await column(page, 6)).at(0)).toBe('Model 29');
    await page.getByRole('columnheader', { name: 'Where' }).getByRole('button').click();
    expect((await column(page, 1)).slice(8, 11)).toEqual(['10.20.0.9', '10.20.0.10', '10.20.0.11']);
    await page.getByRole('columnheader', { name: 'Severity' }).getByRole('button').click();
    expect((await column(page, 4)).slice(0, 7)).toEqual([...Array(6).fill('High'), 'Information']);
    expect(heard).toEqual([]);
  });

  test('what a device says is shown as text, and runs nowhere', async () => {
    const { page, heard } = await open(30);
    await page.locator('#device-table button[data-open]').first().click();
    const panel = page.getByRole('dialog');
    await expect.poll(() => panel.isVisible()).toBe(true);
    expect(await panel.getByRole('heading', { level: 2 }).textContent()).toContain(HOSTILE);
    expect(await panel.textContent()).toContain('Unapproved');
    await page.keyboard.press('Escape');
    expect(await panel.isVisible()).toBe(false);
    expect(await page.locator('img').count()).toBe(0);
    expect(heard).toEqual([]);
  });

  test('what gets into the page as markup all the same does not run', async () => {
    const { page, heard } = await open(30);
    await page.addScriptTag({ content: 'globalThis.ran = true' }).catch(() => undefined);
    expect(await page.evaluate('globalThis.ran')).toBeUndefined();
    expect(heard.some((text) => text.includes('Content Security Policy'))).toBe(true);
  });

  test.for(['light', 'dark'] as const)('in %s it has its own colours, and every control a name', async (colorScheme) => {
    const { page, heard } = await open(30, { colorScheme });
    const colour = (): Promise<string> => page.evaluate(`getComputedStyle(document.body).backgroundColor`);
    expect(await colour()).toBe(colorScheme === 'light' ? 'rgb(246, 247, 249)' : 'rgb(15, 19, 24)');
    await page.getByLabel('Colours').selectOption(colorScheme === 'light' ? 'dark' : 'light');
    expect(await colour()).toBe(colorScheme === 'light' ? 'rgb(15, 19, 24)' : 'rgb(246, 247, 249)');
    for (const control of await page.locator('button:visible, select:visible, input:visible').all()) {
      const name = await control.evaluate((element) => {
        const { labels, textContent, ariaLabel } = element as unknown as {
          labels?: { length: number };
          textContent: string;
          ariaLabel?: string;
        };
        return `${ariaLabel ?? ''}${textContent}${labels?.length ?? 0}`;
      });
      expect(name).not.toBe('0');
    }
    const levels = await page
      .locator('h1:visible, h2:visible, h3:visible')
      .evaluateAll((all) => all.map((one) => Number((one as unknown as { tagName: string }).tagName.slice(1))));
    expect(levels[0]).toBe(1);
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    expect(heard).toEqual([]);
  });

  test('with 5,000 devices the first are there at once, and the rest when asked for', async () => {
    const { page, heard } = await open(5000);
    const rows = page.locator('#device-table tbody tr:visible');
    expect(await rows.count()).toBe(300);
    await page.getByRole('searchbox', { name: 'Search' }).fill('SN004999');
    await expect.poll(() => page.locator('#shown').textContent()).toBe('1 of 5000');
    expect(await rows.count()).toBe(1);
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect.poll(() => rows.count()).toBe(300);
    await page.getByRole('button', { name: 'Show all' }).click();
    await expect.poll(() => rows.count()).toBe(5000);
    expect(heard).toEqual([]);
  });
});

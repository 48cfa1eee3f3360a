import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const DESKTOP = { width: 1440, height: 1000 };

/** Whoever looks at the built-in page, and what their browser complains of meanwhile. */
export class Visitor {
  readonly #browser: Browser;
  readonly #url: string;
  readonly #complaints: string[] = [];

  constructor(browser: Browser, url: string) {
    this.#browser = browser;
    this.#url = url;
  }

  /** A page that keeps what it complains of: errors of scripts, and what its policy refuses. @param first runs before the page's own scripts */
  async open(query: string, options: BrowserContextOptions = {}, first?: string): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('console', (message) => {
      if (message.type() === 'error') this.#complaints.push(message.text());
    });
    page.on('pageerror', ({ message }) => this.#complaints.push(message));
    if (first !== undefined) await page.addInitScript(first);
    await page.goto(`${this.#url}/dashboard${query}`);
    return page;
  }

  /** What was complained of since it was last asked. */
  complaints(): string[] {
    return this.#complaints.splice(0);
  }
}

export const panelOf = (page: Page, title: string): Locator =>
  page.locator('.panel').filter({ has: page.getByRole('heading', { name: title, exact: true }) });

/** Waits until a panel has what it shows. */
export async function settled(one: Locator): Promise<void> {
  await expect.poll(() => one.getAttribute('aria-busy'), { timeout: 60_000 }).toBe('false');
}

/** Scrolls by every panel, until each has what it shows. */
export async function drawn(page: Page): Promise<Locator[]> {
  await page.locator('.panel').first().waitFor();
  const panels = await page.locator('.panel').all();
  for (const one of panels) {
    await one.scrollIntoViewIfNeeded();
    await settled(one);
  }
  await page.evaluate('scrollTo(0, 0)');
  return panels;
}

export type Cell = string | number;

/** The rows of a panel’s table, as it says them; numbers as they are and not as they are rounded. */
export async function rowsOf(one: Locator): Promise<Cell[][]> {
  await settled(one);
  const toggle = one.getByRole('button', { name: /^As a table/ });
  if ((await toggle.getAttribute('aria-pressed')) === 'false') await toggle.click();
  return one
    .locator('tbody tr')
    .evaluateAll((found) =>
      (found as unknown as { cells: Iterable<{ dataset: Record<string, string>; textContent: string }> }[]).map((row) =>
        [...row.cells].map(({ dataset, textContent }) =>
          dataset['value'] === undefined ? textContent : Number(dataset['value']),
        ),
      ),
    );
}

/** The same by their first cell. */
export async function tableOf(one: Locator): Promise<Map<string, Cell[]>> {
  return new Map((await rowsOf(one)).map((row) => [String(row[0]), row]));
}

/** Marks that an SVG has, or pixels that a canvas has. */
export async function marksIn(one: Locator): Promise<number> {
  const canvas = one.locator('canvas');
  if ((await canvas.count()) === 0) return one.locator('.role-mark path[d], .role-mark text, .role-mark line').count();
  return canvas.evaluate((found) => {
    const { width, height, getContext } = found as unknown as {
      width: number;
      height: number;
      getContext: (kind: '2d') => { getImageData: (...box: number[]) => { data: Uint8ClampedArray } };
    };
    const { data } = getContext.call(found, '2d').getImageData(0, 0, width, height);
    return data.filter((value, at) => at % 4 === 3 && value > 0).length;
  });
}

/** Titles of panels that show nothing: no marks, and no number. */
export async function emptyOf(panels: readonly Locator[]): Promise<string[]> {
  const empty: string[] = [];
  for (const one of panels) {
    const isMetric = (await one.locator('.big').count()) > 0;
    const shows = isMetric ? (await one.locator('.big.none').count()) === 0 : (await marksIn(one)) > 0;
    if (!shows) empty.push((await one.locator('h2').textContent()) ?? '');
  }
  return empty;
}

/** What axe finds that is serious or worse, a sentence each. */
export async function graveOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run(document)')) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''} ${nodes[0]?.failureSummary ?? ''}`);
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hourKey, type LogicalHour } from '../../src/definition/hour.ts';
import { loadDefinition } from '../../src/definition/load.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { TestApp } from '../helpers/app.ts';
import { steadyHour } from '../helpers/steady-hour.ts';
import { noBrowser, startBrowser } from '../helpers/browser.ts';
import { indexedOfRuns, search } from '../helpers/bystander.ts';
import { drawn, emptyOf, graveOf, marksIn, panelOf, tableOf, Visitor } from '../helpers/dashboard-page.ts';
import { serveProcess, type ServedProcess } from '../helpers/served-api.ts';
import { noStack } from '../helpers/stack.ts';

const home = join(import.meta.dirname, '..', '..');
/** Where screenshots go: `docs/images`, say. None are taken where it is not set. */
const images = process.env['SLUICE_TEST_SCREENSHOTS'];

interface Bucket {
  readonly key: string;
  readonly doc_count: number;
  readonly mean: { readonly value: number };
}

describe.skipIf(noStack || noBrowser !== undefined)('the built-in page, in a browser', () => {
  let app: TestApp;
  let api: ServedProcess;
  let browser: Browser;
  let pipeline: Pipeline;
  let hour: LogicalHour;
  let visitor: Visitor;

  beforeAll(async () => {
    hour = await steadyHour();
    app = await TestApp.start();
    const shipped = await loadDefinition(join(home, 'pipelines', 'broadband.yaml'));
    const { name } = app.define().input;
    pipeline = {
      ...shipped,
      name,
      schedule: { ...shipped.schedule, paused: true } as Pipeline['schedule'],
      source: { ...shipped.source, url: `${app.source}/${name}.csv` },
      publish: { ...shipped.publish, topic: name },
      index: { ...shipped.index, name },
    };
    app.serve(pipeline, { body: await readFile(join(home, 'pipelines', 'data', 'broadband_data_zipcode.csv')) });
    await app.client.schedules.apply(pipeline);
    await ran(pipeline);
    [api, browser] = await Promise.all([serveProcess(app.environment), startBrowser()]);
    visitor = new Visitor(browser, api.url);
  }, 300_000);

  afterAll(async () => {
    await browser?.close();
    await api?.stop();
    if (pipeline) await app.client.schedules.delete(pipeline.name);
    await app?.stop();
  });

  afterEach(() => {
    const said = visitor.complaints();
    if (said.length > 0) throw new Error(`the browser complained: ${said.join('; ')}`);
  });

  async function ran(one: Pipeline): Promise<void> {
    const launched = await app.client.runs.launch({ pipeline: one, hour });
    await app.client.runs.wait(launched.workflowId);
  }

  /** A page of this API, or of another one. */
  const opened = (query: string, options: BrowserContextOptions = {}, from = visitor): Promise<Page> =>
    from.open(query, options);

  const board = (more = '', name = pipeline.name): string => `?dashboard=data-${name}${more}`;

  /** Means and counts by state, from Elasticsearch itself. */
  async function byState(...states: string[]): Promise<Bucket[]> {
    const found = (await search(app.environment, `${pipeline.name}/_search`, {
      size: 0,
      query: states.length === 0 ? { match_all: {} } : { terms: { state: states } },
      aggs: { states: { terms: { field: 'state', size: 60 }, aggs: { mean: { avg: { field: 'usage' } } } } },
    })) as unknown as { aggregations: { states: { buckets: Bucket[] } } };
    return found.aggregations.states.buckets;
  }

  const shot = async (page: Page, name: string): Promise<void> => {
    if (images !== undefined) await page.screenshot({ path: join(home, images, `${name}.png`) });
  };

  it('draws every panel', async () => {
    const page = await opened(board());
    const panels = await drawn(page);
    expect(panels.length).toBeGreaterThan(8);
    expect(await page.locator('.failed, .nothing').count()).toBe(0);
    expect(await emptyOf(panels)).toEqual([]);
    await shot(page, 'dashboard');
    await page.context().close();
  });

  it('says the same numbers as Elasticsearch, also filtered, and for whoever gets the link', async () => {
    const page = await opened(board());
    const ranked = panelOf(page, 'Usage by state, ranked');
    const direct = await byState();
    const told = [...(await tableOf(ranked)).values()];
    expect(told).toHaveLength(direct.length);
    const numbers = (rows: readonly (readonly [number, number])[]): string[] =>
      rows.map(([mean, count]) => `${mean.toFixed(9)} of ${count}`).toSorted((a, b) => (a < b ? -1 : 1));
    expect(numbers(told.map((row) => [Number(row[1]), Number(row[2])]))).toEqual(
      numbers(direct.map(({ mean, doc_count }) => [mean.value, doc_count])),
    );

    await page.locator('.filter summary').filter({ hasText: 'State' }).click();
    for (const state of ['CA', 'TX']) await page.getByRole('checkbox', { name: state, exact: true }).check();
    await page.keyboard.press('Escape');
    expect(await page.locator('.filter[open]').count()).toBe(0);
    const [some] = [await byState('CA', 'TX')];
    await expect.poll(async () => (await tableOf(ranked)).size, { timeout: 60_000 }).toBe(2);
    expect(numbers([...(await tableOf(ranked)).values()].map((row) => [Number(row[1]), Number(row[2])]))).toEqual(
      numbers(some.map(({ mean, doc_count }) => [mean.value, doc_count])),
    );
    expect(new URL(page.url()).searchParams.getAll('filter.state')).toEqual(['CA', 'TX']);

    const other = await opened(new URL(page.url()).search);
    expect((await tableOf(panelOf(other, 'Usage by state, ranked'))).size).toBe(2);
    const all = some.reduce((sum, { doc_count }) => sum + doc_count, 0);
    const mean = some.reduce((sum, { mean, doc_count }) => sum + mean.value * doc_count, 0) / all;
    const tile = panelOf(other, 'Mean usage').locator('.big');
    await expect
      .poll(async () => Number(await tile.getAttribute('data-value')), { timeout: 60_000 })
      .toBeCloseTo(mean, 9);
    await Promise.all([page.context().close(), other.context().close()]);
  });

  it('shows the time that is asked for, and says so where it holds nothing', async () => {
    const page = await opened(board());
    const ranked = panelOf(page, 'Usage by state, ranked');
    expect((await tableOf(ranked)).size).toBe(51);
    await page.getByRole('combobox', { name: 'Time' }).selectOption('custom');
    await page.getByLabel('From (UTC)').fill('2020-01-02T00:00');
    await page.getByLabel('To (UTC)').fill('2020-01-01T00:00');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('The time must end after it begins').waitFor();
    await page.getByLabel('To (UTC)').fill('2020-01-03T00:00');
    await page.getByRole('button', { name: 'Show' }).click();
    await ranked.getByText('Nothing in this time, with these filters.').waitFor();
    expect(await panelOf(page, 'Mean usage').locator('.big').textContent()).toBe('none yet');
    expect(new URL(page.url()).searchParams.get('from')).toBe('2020-01-02T00:00:00Z');
    await page.getByRole('combobox', { name: 'Time' }).selectOption('Last 7 days');
    await expect.poll(() => ranked.locator('tbody tr').count(), { timeout: 60_000 }).toBe(51);
    await page.context().close();
  });

  it('says in the panel what went wrong, and tries again', async () => {
    const page = await opened('?view=consumers');
    const path = `**/dashboards/data-${pipeline.name}/panels/*usage-by-state?*`;
    await page.route(path, (route) =>
      route.fulfill({ status: 503, json: { detail: 'Elasticsearch does not answer.' } }),
    );
    await page.goto(`${api.url}/dashboard${board()}`);
    const ranked = panelOf(page, 'Usage by state, ranked');
    await ranked.getByText('Elasticsearch does not answer.').waitFor();
    await page.unroute(path);
    await ranked.getByRole('button', { name: 'Try again' }).click();
    expect((await tableOf(ranked)).size).toBe(51);
    // What the browser itself says of an answer with this status.
    expect(visitor.complaints().every((text) => text.includes('503'))).toBe(true);
    await page.context().close();
  });

  it('gives a chart as SVG and as PNG', async () => {
    const page = await opened(board());
    const ranked = panelOf(page, 'Usage by state, ranked');
    await expect.poll(() => ranked.getAttribute('aria-busy'), { timeout: 60_000 }).toBe('false');
    for (const [kind, start] of [
      ['SVG', '<svg'],
      ['PNG', '\x89PNG'],
    ] as const) {
      await ranked.hover();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        ranked.getByRole('button', { name: `Download as ${kind}` }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(new RegExp(`\\.${kind.toLowerCase()}$`));
      const bytes = await readFile(await download.path());
      expect(bytes.toString('latin1').startsWith(start)).toBe(true);
    }
    await page.context().close();
  });

  it('shows a run as it goes, without being loaded again', async () => {
    const { input, pipeline: slow } = app.define();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    app.serve(input, {
      body: '',
      handler: (_, response) => void held.then(() => response.end('id,kind,amount\n1,a,1.5\n2,b,2.5\n')),
    });
    const page = await opened(`?view=runs&pipeline=${slow.name}`);
    await page.getByText('No run yet').waitFor();
    await page.evaluate('window.kept = "this page"');
    // Events that break off are asked for again.
    const refused = { status: 503, json: { detail: 'All streams are taken.' } };
    await page.route(`**/runs/${slow.name}/*/events`, (route) => route.fulfill(refused), { times: 1 });
    const { workflowId } = await app.client.runs.launch({ pipeline: slow, hour });
    const live = page.locator('.live-run');
    await live.locator('li[data-stage="prepare"].completed').waitFor();
    await live.locator('li[data-stage="import"].running').waitFor();
    expect(await live.locator('li[data-stage="clean"]').count()).toBe(0);
    await shot(page, 'runs');
    release();
    await live.locator('li[data-stage="index"].completed').waitFor({ timeout: 60_000 });
    await live.locator('.state.completed').first().waitFor({ timeout: 60_000 });
    await page.locator('tbody .state.completed').waitFor();
    expect(await page.evaluate('window.kept')).toBe('this page');
    await app.client.runs.wait(workflowId);

    expect(visitor.complaints()).toEqual([expect.stringContaining('503')]);

    await live.getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: slow.name }).waitFor();
    expect(await page.locator('.holds').first().textContent()).toContain('holds');
    expect(new URL(page.url()).searchParams.get('hour')).toBe(hourKey(hour));
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
    await page.context().close();
  });

  it('pauses and resumes a consumer, once that is confirmed', async () => {
    const page = await opened('?view=consumers');
    const card = page.locator(`[data-stream="${pipeline.name}"]`);
    const mode = async (): Promise<string | undefined> =>
      (await app.client.consumers.list(pipeline.name))[0]?.state?.mode;
    await card.getByRole('button', { name: 'Pause' }).click();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    expect(await mode()).toBe('running');
    await card.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).click();
    await card.locator('.state.paused').waitFor();
    expect(await page.locator('#said').textContent()).toContain('is paused');
    expect(await mode()).toBe('paused');
    await card.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await card.locator('.state.running').waitFor();
    expect(await mode()).toBe('running');
    await page.context().close();
  });

  it('shows what is wrong as it comes, and takes word of who sees to it', async () => {
    const { input, pipeline: broken } = app.define();
    app.serve(input, { status: 404, body: 'not here' });
    const page = await opened(`?view=incidents&pipeline=${broken.name}`);
    await page.getByText(`No incident of ${broken.name} is open.`).waitFor();
    await ran(broken).catch(() => {});
    const card = page.locator('.incident');
    await card.getByRole('heading', { name: 'A run failed: SourceNotFound' }).waitFor();
    await expect.poll(() => page.locator('#open-incidents').textContent(), { timeout: 60_000 }).toMatch(/^\d+ open$/);
    expect(await page.title()).toMatch(/^\(\d+\) Incidents · Sluice$/);
    await shot(page, 'incidents');

    const acknowledge = card.getByRole('button', { name: /^Acknowledge/ });
    await acknowledge.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByRole('alert').getByText('Your name is missing').waitFor();
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.dataset.act')).toBe('acknowledge');
    await acknowledge.click();
    await page.getByLabel('Your name').fill('Eva');
    await page.getByLabel('Note').fill('<img src=x onerror=alert(1)>');
    expect(await graveOf(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await card.locator('.state.acknowledged').waitFor();
    await card.getByText('by Eva').getByText('<img src=x onerror=alert(1)>').waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.evaluate('document.activeElement.dataset.act')).toBe('silence');
    const { out } = await app.cli(['incidents', '--pipeline', broken.name]);
    expect(out).toContain('acknowledged since');

    await card.getByRole('button', { name: /^Silence/ }).click();
    await page.getByRole('combobox', { name: 'For' }).selectOption('4 hours');
    await page.getByRole('dialog').getByRole('button', { name: 'Silence' }).click();
    await card.getByText(/^until \d/).waitFor();
    const tokens = {
      SLUICE_API_TOKEN: 'a-token-of-this-test-0123456789',
      SLUICE_API_VIEWER_TOKEN: 'looks-alone-0123456789',
    };
    const closed = await serveProcess({ ...app.environment, ...tokens });
    try {
      const viewer = new Visitor(browser, closed.url);
      const seen = await opened(new URL(page.url()).search, {}, viewer);
      await seen.getByLabel('Token').fill(tokens.SLUICE_API_VIEWER_TOKEN);
      await seen.getByRole('button', { name: 'Go on' }).click();
      await seen.locator('.incident').getByText('This token lets look alone').waitFor();
      expect(await seen.locator('[data-act]').count()).toBe(0);
      await seen.context().close();
    } finally {
      await closed.stop();
    }

    await card.getByRole('button', { name: /^Close/ }).click();
    await page.getByLabel('Reason').fill('the source is gone for good');
    const answered = Promise.withResolvers<void>();
    await page.route('**/incidents/*/close', async (route) => {
      await answered.promise;
      await route.continue();
    });
    const sent = page.waitForRequest('**/incidents/*/close');
    await page.keyboard.press('Enter');
    expect((await sent).postDataJSON()).toHaveProperty('openedAt');
    // What is being done can be left no more.
    const leave = page.getByRole('dialog').getByRole('button', { name: 'Leave it' });
    for (const _time of [1, 2, 3]) {
      await page.keyboard.press('Escape');
      expect(await leave.isDisabled()).toBe(true);
    }
    answered.resolve();
    await page.getByText(`No incident of ${broken.name} is open.`).waitFor();
    await page.getByRole('checkbox', { name: 'Show those that are over' }).check();
    await card.locator('.state.closed').waitFor();
    expect(await card.locator('[data-act]').count()).toBe(0);
    await page.context().close();
  });

  it('takes what a source says for text, wherever it stands', async () => {
    const nasty = ['<img src=x onerror=alert(1)>', '=1+1', '"><script>alert(2)</script>'];
    const { input, pipeline: named } = app.define({
      schedule: { paused: true },
      dashboards: { measures: ['amount'], categories: ['kind'] },
    });
    const rows = nasty.map((kind, at) => `${at},"${kind.replaceAll('"', '""')}",${at}.5`);
    app.serve(input, { body: `id,kind,amount\n${rows.join('\n')}\n7,<b>none</b>,=2+2\n` });
    await app.client.schedules.apply(named);
    await ran(named);
    const page = await opened(board('', named.name));
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await drawn(page);
    const top = page
      .locator('.panel', { hasText: /kind/i })
      .filter({ has: page.getByRole('button') })
      .first();
    expect([...(await tableOf(top)).keys()].toSorted()).toEqual(nasty.toSorted());
    await page.goto(`${api.url}/dashboard?view=quarantine&pipeline=${named.name}&hour=${hourKey(hour)}`);
    await page.getByText('7,<b>none</b>,=2+2').waitFor();
    expect(await page.locator('main img, main b, main script').count()).toBe(0);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download all as CSV' }).click(),
    ]);
    const cells = (parse(await readFile(await download.path())) as string[][]).flat();
    expect(cells).toContain("'=2+2");
    expect(cells.filter((cell) => /^[=+@-]/.test(cell))).toEqual([]);
    expect(dialogs).toEqual([]);
    await app.client.schedules.delete(named.name);
    await page.context().close();
  });

  it('shows runs on the operations dashboard: all of them, or those of a pipeline', async () => {
    const { input, pipeline: other } = app.define();
    app.serve(input, { body: 'id,kind,amount\n1,a,1.5\n2,b,2.5\n' });
    await ran(other);
    for (const { name } of [pipeline, other]) {
      const indexed = () => indexedOfRuns(app.environment, { kind: 'run', pipeline: name, outcome: 'completed' });
      await expect.poll(async () => (await indexed()).length, { timeout: 60_000 }).toBe(1);
    }
    const page = await opened('?dashboard=operations');
    const empty: string[] = [];
    for (const one of await drawn(page)) {
      const shows = (await one.locator('.big, .nothing').count()) > 0 || (await marksIn(one)) > 0;
      if (!shows) empty.push((await one.locator('h2').textContent()) ?? '');
    }
    expect(empty).toEqual([]);
    const tile = panelOf(page, 'Runs completed').locator('.big');
    const completed = async (): Promise<number> => Number(await tile.getAttribute('data-value'));
    expect(await completed()).toBeGreaterThanOrEqual(2);
    await page.locator('.filter summary').filter({ hasText: 'Pipeline' }).click();
    await page.getByRole('checkbox', { name: other.name, exact: true }).check();
    await expect.poll(completed, { timeout: 60_000 }).toBe(1);
    expect(new URL(page.url()).searchParams.getAll('filter.pipeline')).toEqual([other.name]);
    await page.context().close();
  });

  it('wants the token where the API does, and keeps it out of the address', async () => {
    const token = 'a-token-of-this-test-0123456789';
    const closed = await serveProcess({ ...app.environment, SLUICE_API_TOKEN: token });
    try {
      const stranger = new Visitor(browser, closed.url);
      const page = await opened(board(), {}, stranger);
      await page.getByLabel('Token').fill('“no-header-carries-these-quotes”');
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByText('That can be no token').waitFor();
      await page.getByLabel('Token').fill('not-the-token-0123456789');
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByText('That token is not the one').waitFor();
      await page.getByLabel('Token').fill(token);
      await page.getByRole('button', { name: 'Go on' }).click();
      expect((await tableOf(panelOf(page, 'Usage by state, ranked'))).size).toBe(51);
      expect(page.url()).not.toContain(token);
      expect(stranger.complaints().every((text) => text.includes('401'))).toBe(true);
      await page.context().close();
    } finally {
      await closed.stop();
    }
  });

  const views = (): string[] => [
    board(),
    `?dashboard=operations&filter.pipeline=${pipeline.name}`,
    `?view=runs&pipeline=${pipeline.name}`,
    `?view=run&pipeline=${pipeline.name}&hour=${hourKey(hour)}`,
    '?view=incidents&over=shown',
    `?view=quarantine&pipeline=${pipeline.name}`,
    '?view=consumers',
  ];

  it.each(['light', 'dark'] as const)(
    'has nothing in the way of whoever uses it otherwise (%s)',
    async (colorScheme) => {
      for (const view of views()) {
        const page = await opened(view, { colorScheme });
        await page.locator('.view h1').waitFor();
        if (view.includes('dashboard=')) await drawn(page);
        expect({ view, grave: await graveOf(page) }).toEqual({ view, grave: [] });
        if (view === board() && colorScheme === 'dark') await shot(page, 'dashboard-dark');
        if (view.includes('operations') && colorScheme === 'light') await shot(page, 'operations');
        await page.context().close();
      }
    },
  );

  it('fits a small telephone and a large screen', async () => {
    for (const viewport of [
      { width: 360, height: 740 },
      { width: 3840, height: 2160 },
    ]) {
      for (const view of views()) {
        const page = await opened(view, { viewport });
        await page.locator('.view h1').waitFor();
        if (view.includes('dashboard=')) await drawn(page);
        const width = await page.evaluate('document.documentElement.scrollWidth');
        expect(`${view} ${String(width)}`).toBe(`${view} ${viewport.width}`);
        if (view === board() && viewport.width === 360) await shot(page, 'dashboard-360');
        // Charts fill their panels there, too, larger than they are made.
        for (const chart of viewport.width > 360 ? await page.locator('.drawing:has(svg.marks)').all() : []) {
          const [room, drawing] = [await chart.boundingBox(), await chart.locator('svg.marks').boundingBox()];
          expect(Math.abs((drawing?.width ?? 0) - (room?.width ?? 0))).toBeLessThan(3);
          const [, , made] = ((await chart.locator('svg.marks').getAttribute('viewBox')) ?? '').split(' ').map(Number);
          expect((drawing?.width ?? 0) / (made ?? 1)).toBeGreaterThan(1.3);
        }
        for (const filter of viewport.width === 360 ? await page.locator('.filter').all() : []) {
          await filter.locator('summary').click();
          const options = filter.locator('.options');
          await expect.poll(() => options.textContent(), { timeout: 60_000 }).toMatch(/^(?!Loading)./);
          const sheet = await filter.locator('.sheet').boundingBox();
          expect(sheet?.x).toBeGreaterThanOrEqual(0);
          expect((sheet?.x ?? 0) + (sheet?.width ?? 0)).toBeLessThanOrEqual(360);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
          await page.keyboard.press('Escape');
          await filter.locator('.sheet').waitFor({ state: 'hidden' });
        }
        await page.context().close();
      }
    }
  });

  it('fills its rows on a tablet', async () => {
    const page = await opened(board(), { viewport: { width: 800, height: 1000 } });
    await page.locator('.panel').first().waitFor();
    const edges = (await page.evaluate(`[...document.querySelectorAll('.panel')].map((panel) => {
      const { top, right } = panel.getBoundingClientRect();
      return [top, right];
    })`)) as [number, number][];
    const most = Math.max(...edges.map(([, right]) => right));
    const rows = Map.groupBy(edges, ([top]) => Math.round(top));
    const short = [...rows.values()].filter((row) => Math.max(...row.map(([, right]) => right)) < most - 1);
    expect(short).toEqual([]);
    await page.context().close();
  });

  it('is used by keyboard alone', async () => {
    const page = await opened(board());
    await drawn(page);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    const focused: string[] = [];
    for (let press = 0; press < 60; press++) {
      await page.keyboard.press('Tab');
      focused.push(
        String(
          await page.evaluate(
            'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent',
          ),
        ),
      );
    }
    expect(focused).toEqual(expect.arrayContaining(['Refresh now', 'As a table: Usage by state, ranked']));
    await page.getByRole('button', { name: 'Dark colours' }).focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.documentElement.dataset.mode')).toBe('dark');
    await page.reload();
    expect(await page.evaluate('document.documentElement.dataset.mode')).toBe('dark');
    await page.context().close();
  });
});

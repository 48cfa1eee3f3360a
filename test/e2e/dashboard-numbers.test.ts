import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour, type LogicalHour } from '../../src/definition/hour.ts';
import { loadDefinition } from '../../src/definition/load.ts';
import { operationsIndex } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { TestApp } from '../helpers/app.ts';
import { noBrowser, startBrowser } from '../helpers/browser.ts';
import { drawn, graveOf, Visitor } from '../helpers/dashboard-page.ts';
import { documentsOf, ofBroadband, ofCounties, ofOperations, type Asked, type Doc } from '../helpers/direct-numbers.ts';
import { KEEP_VIEWS } from '../helpers/drawn-marks.ts';
import { holdPanels } from '../helpers/panel-numbers.ts';
import { serveProcess, type ServedProcess } from '../helpers/served-api.ts';
import { noStack } from '../helpers/stack.ts';

const home = join(import.meta.dirname, '..', '..');
const data = join(home, 'pipelines', 'data');

describe.skipIf(noStack || noBrowser !== undefined)('every panel of every dashboard, in a browser', () => {
  let app: TestApp;
  let api: ServedProcess;
  let browser: Browser;
  let visitor: Visitor;
  let broadband: Pipeline;
  let counties: Pipeline;
  /** Rejects a row, and finds nothing new an hour later. */
  let small: Pipeline;
  /** Rejects too many. */
  let strict: Pipeline;
  let before: LogicalHour;
  let hour: LogicalHour;

  beforeAll(async () => {
    app = await TestApp.start();
    hour = toLogicalHour(new Date());
    before = toLogicalHour(new Date(Date.parse(hour) - 3_600_000));
    broadband = await shipped('broadband', (name) => `${app.source}/${name}.csv`);
    const files = ['broadband_data_2019November.csv', 'broadband_data_2020October.csv'];
    counties = await shipped('counties', () => files.map((file) => `${app.source}/${file}`));
    for (const file of files) app.files.set(`/${file}`, { body: await readFile(join(data, file)) });
    small = app.define().pipeline;
    strict = app.define({ quality: { rejectedPercent: { block: 10 } } }).pipeline;
    for (const one of [small, strict]) app.serve(one, { body: 'id,kind,amount\n1,a,1.5\n2,b,none\n3,,2\n,c,3\n' });
    for (const one of [broadband, counties]) await app.client.schedules.apply(one);
    await Promise.all([
      broadbandRuns(),
      ran(counties, hour),
      ran(small, before).then(() => ran(small, hour)),
      // Blocked by its quality gate.
      ran(strict, hour).catch(() => {}),
    ]);
    [api, browser] = await Promise.all([serveProcess(app.environment), startBrowser()]);
    visitor = new Visitor(browser, api.url);
  });

  afterAll(async () => {
    await browser?.close();
    await api?.stop();
    for (const one of [broadband, counties]) if (one) await app.client.schedules.delete(one.name);
    await app?.stop();
  });

  afterEach(() => {
    const said = visitor.complaints();
    if (said.length > 0) throw new Error(`the browser complained: ${said.join('; ')}`);
  });

  async function shipped(file: string, from: (name: string) => string | string[]): Promise<Pipeline> {
    const pipeline = await loadDefinition(join(home, 'pipelines', `${file}.yaml`));
    const { name } = app.define().input;
    return {
      ...{ ...pipeline, name, quality: {} },
      schedule: { ...pipeline.schedule, paused: true } as Pipeline['schedule'],
      source: { ...pipeline.source, url: from(name) },
      publish: { ...pipeline.publish, topic: name },
      index: { ...pipeline.index, name },
    };
  }

  /** Two hours that have other rows each. */
  async function broadbandRuns(): Promise<void> {
    const [head = '', ...rows] = (await readFile(join(data, 'broadband_data_zipcode.csv'), 'utf8')).split('\r\n');
    for (const [at, of] of [before, hour].entries()) {
      const some = rows.filter((_, line) => line % (12 + at) === at);
      app.serve(broadband, { body: [head, ...some].join('\r\n') });
      await ran(broadband, of);
    }
  }

  async function ran(pipeline: Pipeline, of: LogicalHour): Promise<void> {
    const { workflowId } = await app.client.runs.launch({ pipeline, hour: of, useCurrent: true });
    await app.client.runs.wait(workflowId);
  }

  /** What a dashboard says and draws, held against the documents. @param then what else is looked at on that page */
  async function said(
    query: string,
    prefix: string,
    [index, asked]: readonly [string, Asked],
    expected: typeof ofBroadband,
    then: (page: Page) => Promise<void> = () => Promise.resolve(),
  ): Promise<Record<string, unknown>> {
    const page = await visitor.open(query, {}, KEEP_VIEWS);
    const panels = await drawn(page);
    const told = await holdPanels(page, panels, prefix, expected(await documentsOf(app.environment, index, asked)));
    await then(page);
    await page.context().close();
    return told;
  }

  /** Ids of panels that say the same twice. */
  const same = (one: Record<string, unknown>, other: Record<string, unknown>): string[] =>
    Object.keys(one).filter((id) => JSON.stringify(one[id]) === JSON.stringify(other[id]));

  it('says and draws what the documents of broadband say, and those of a state and an hour where these are chosen', async () => {
    const { name } = broadband;
    let chosen = '';
    const day = { field: 'hour', from: before, to: hour };
    const whole = await said(`?dashboard=data-${name}`, `${name}-`, [name, day], ofBroadband, async (page) => {
      await page.locator('.filter summary').filter({ hasText: 'State' }).click();
      for (const state of ['CA', 'TX']) await page.getByRole('checkbox', { name: state, exact: true }).check();
      await page.keyboard.press('Escape');
      await page.getByRole('combobox', { name: 'Time' }).selectOption('custom');
      await page.getByLabel('From (UTC)').fill(before.slice(0, 16));
      await page.getByLabel('To (UTC)').fill(`${before.slice(0, 13)}:59`);
      await page.getByRole('button', { name: 'Show' }).click();
      await page.waitForURL((url) => url.searchParams.has('filter.state') && url.searchParams.has('from'));
      chosen = new URL(page.url()).search;
    });
    const asked = { field: 'hour', from: before, to: before, terms: { state: ['CA', 'TX'] } };
    const part = await said(chosen, `${name}-`, [name, asked], ofBroadband);
    expect(same(whole, part)).toEqual([]);
  });

  it('does so for the counties, of both dates and of one, and axe finds nothing in the way there', async () => {
    const { name } = counties;
    const both = { field: 'date', from: '2019-11-01', to: '2020-10-31' };
    const whole = await said(`?dashboard=data-${name}`, `${name}-`, [name, both], ofCounties);
    // Where tables are short: those of the whole country would take axe a minute.
    const query = `?dashboard=data-${name}&from=2019-11-01&to=2020-01-31&filter.state=VT`;
    const asked = { ...both, to: '2020-01-31', terms: { state: ['VT'] } };
    const part = await said(query, `${name}-`, [name, asked], ofCounties, async (page) => {
      expect(await page.locator('.failed, .nothing').count()).toBe(0);
      expect(await graveOf(page)).toEqual([]);
    });
    // One run brought both dates, so these two are no other ones.
    expect(same(whole, part)).toEqual(['freshness', 'hours']);
  });

  it('does so for operations, of some pipelines, and of one for a while', async () => {
    const names = [broadband, counties, small, strict].map((one) => one.name);
    const ever = { field: 'at', from: '2020-01-01', to: '2100-01-01', terms: { pipeline: names } };
    const runs = async (): Promise<Doc[]> =>
      (await documentsOf(app.environment, operationsIndex, ever)).filter(({ kind }) => kind === 'run');
    await expect.poll(async () => (await runs()).length, { timeout: 60_000 }).toBe(6);
    const query = `?dashboard=operations${names.map((one) => `&filter.pipeline=${one}`).join('')}`;
    const whole = await said(query, 'operations-', [operationsIndex, ever], ofOperations);
    const [, from = ''] = (await runs())
      .flatMap(({ pipeline, at }) => (pipeline === broadband.name ? [String(at)] : []))
      .toSorted();
    const asked = { ...ever, from, terms: { pipeline: [broadband.name] } };
    const other = `?dashboard=operations&filter.pipeline=${broadband.name}&from=${from}&to=now`;
    const part = await said(other, 'operations-', [operationsIndex, asked], ofOperations);
    expect(same(whole, part)).toEqual(['runs-cancelled', 'broken-equations', 'newest-hour', 'anomalies']);
  });
});

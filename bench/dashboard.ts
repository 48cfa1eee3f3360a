import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { stringify } from 'yaml';
import { loadDefinition } from '../src/definition/load.ts';
import { down, runningStack, up } from '../stack/index.ts';
import { noBrowser, startBrowser } from '../test/helpers/browser.ts';
import { serveProcess } from '../test/helpers/served-api.ts';
import { median } from './common/measured.ts';
import { BenchIndex } from './dashboard/documents.ts';

// `npm run bench:dashboard -- [DOCUMENTS [TURNS]]`: the dashboard of the broadband pipeline in a browser that knows nothing of it yet, over an
// Elasticsearch with so many documents. On servers of its own, or on the stack that SLUICE_STACK names; its index is removed afterwards.

const [documents = 32_735, turns = 5] = process.argv.slice(2).map(Number);
const NAME = 'bench-dashboard';
/** Longer than the server keeps an answer for the next one who asks. */
const REST_MS = 6_000;

interface Look {
  /** Milliseconds since the address was asked for: the frame alone. */
  readonly firstPaint: number;
  readonly firstTile: number;
  readonly firstChart: number;
  /** All panels in sight. */
  readonly drawn: number;
  /** As they went over the wire, until everything in sight was drawn. */
  readonly bytes: number;
}

/** Notes when the first number stands in a tile, when the first chart is drawn, and when no panel in sight is busy any more. */
const WATCH = `
  const noted = (globalThis.noted = {});
  const note = (name) => requestAnimationFrame(() => (noted[name] ??= performance.now()));
  const timer = setInterval(() => {
    if (document.querySelector('.panel .big')) note('firstTile');
    if (document.querySelector('.panel .chart:not(.coming)')) note('firstChart');
    const seen = [...document.querySelectorAll('.panel')].filter((panel) => panel.getBoundingClientRect().top < innerHeight);
    if (seen.length === 0 || seen.some((panel) => panel.getAttribute('aria-busy') === 'true')) return;
    clearInterval(timer);
    note('drawn');
  }, 20);`;
/** What the page is to keep to, by documents: milliseconds until the first paint. */
const goal = documents <= 32_735 ? 1_500 : 3_000;

if (noBrowser !== undefined) throw new Error(noBrowser);
const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const given = process.env['SLUICE_STACK'];
const state = given ?? join(folder, 'stack');
try {
  if (given === undefined) await up({ state, freePorts: true, only: ['temporal', 'elasticsearch'] });
  const stack = await runningStack({ state });
  if (!stack) throw new Error(`no stack runs in ${state}`);
  await bench({ ...process.env, ...stack.environment });
} finally {
  if (given === undefined) await down({ state, remove: true });
  await rm(folder, { recursive: true, force: true });
}

async function bench(environment: NodeJS.ProcessEnv): Promise<void> {
  const shipped = await loadDefinition(join(import.meta.dirname, '..', 'pipelines', 'broadband.yaml'));
  const pipeline = { ...shipped, name: NAME, index: { ...shipped.index, name: NAME } };
  const definition = join(folder, 'definition.yaml');
  await writeFile(definition, stringify(pipeline));
  const index = new BenchIndex(environment['SLUICE_ELASTICSEARCH_URL'] ?? '', pipeline);
  try {
    await index.fill(documents);
    const api = await serveProcess(environment, [definition, '--no-log']);
    const browser = await startBrowser();
    try {
      const looks: Look[] = [];
      for (let turn = 0; turn < turns; turn++) looks.push(await look(browser, api.url));
      const of = (value: (look: Look) => number): string =>
        `${Math.round(median(looks.map(value)))} (at most ${Math.round(Math.max(...looks.map(value)))})`;
      console.log(
        `\n${documents.toLocaleString('en')} documents, ${turns} looks, each by a browser that has nothing kept`,
      );
      console.log(`goal for the first paint, ms    ${goal}`);
      console.log(`first paint (the frame), ms     ${of(({ firstPaint }) => firstPaint)}`);
      console.log(`first number in a tile, ms      ${of(({ firstTile }) => firstTile)}`);
      console.log(`first chart drawn, ms           ${of(({ firstChart }) => firstChart)}`);
      console.log(`all panels in sight drawn, ms   ${of(({ drawn }) => drawn)}`);
      console.log(`sent until then, KiB            ${of(({ bytes }) => bytes / 1024)}`);
    } finally {
      await browser.close();
      await api.stop();
    }
  } finally {
    await index.remove();
  }
}

async function look(browser: Browser, url: string): Promise<Look> {
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 } });
  try {
    const page = await context.newPage();
    const wire = await context.newCDPSession(page);
    let bytes = 0;
    wire.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    await wire.send('Network.enable');
    await page.addInitScript(WATCH);
    await page.goto(`${url}/dashboard?dashboard=data-${NAME}&from=now-7d`);
    let noted: Partial<Omit<Look, 'firstPaint' | 'bytes'>> = {};
    while (noted.drawn === undefined) {
      await page.waitForTimeout(50);
      noted = await page.evaluate('globalThis.noted');
    }
    const failed = await page.locator('.failed').allTextContents();
    if (failed.length > 0) throw new Error(failed.join('; '));
    const firstPaint = await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0].startTime`);
    const { firstTile, firstChart, drawn } = noted;
    if (firstTile === undefined || firstChart === undefined) throw new Error('no tile, or no chart, is in sight');
    return { firstPaint: Number(firstPaint), firstTile, firstChart, drawn, bytes };
  } finally {
    await context.close();
  }
}

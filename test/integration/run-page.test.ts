import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MockActivityEnvironment } from '@temporalio/testing';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createActivities } from '../../src/activities/index.ts';
import { makeRunPage } from '../../src/dashboards/run-page/make-run-page.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { writeReport } from '../../src/stages/accounting/report.ts';
import type { RunReport } from '../../src/stages/run-report.ts';
import { noBrowser, startBrowser } from '../helpers/browser.ts';
import { runSluice, type Outcome } from '../helpers/cli.ts';
import { IndexLab, nth } from '../helpers/index-lab.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const hour = nth(5);
/** What somebody may have written into a field, and what may not become anything else on a page. */
const hostile = '</svg><img src=x onerror=alert(1)><script>alert(1)</script>';

describe.skipIf(noStack)('a run and its panels as files', () => {
  let lab: IndexLab;
  let environment: Record<string, string | undefined>;
  let folder: string;
  let file: string;
  let pipeline: Pipeline;
  let report: RunReport;
  let browser: Browser | undefined;

  beforeAll(async () => {
    environment = { ...process.env, ...(await testStack()).environment, NO_COLOR: '1' };
    lab = new IndexLab(stageDeps(environment));
    folder = await mkdtemp(join(tmpdir(), 'sluice-run-page-'));
    if (noBrowser === undefined) browser = await startBrowser();
    const input: PipelineInput = {
      name: `h-${randomBytes(4).toString('hex')}`,
      source: { url: 'https://example.org/x.csv' },
      columns: {
        id: { name: 'id', required: true },
        state: { name: 'state' },
        amount: { name: 'amount', type: 'decimal' },
      },
      key: ['id'],
      dashboards: { state: 'state', measures: ['amount'] },
      alerts: { email: { to: [`${randomBytes(4).toString('hex')}@example.org`] } },
    };
    pipeline = pipelineSchema.parse(input);
    file = join(folder, 'definition.yaml');
    await writeFile(file, stringify(input));
    const states = ['CA', 'TX', hostile];
    const rows = Array.from({ length: 9 }, (_, at) => ({
      ...{ id: `r${at}`, state: states[at % 3] ?? 'CA', amount: `${at}.500000` },
    }));
    await lab.index(pipeline, hour, rows);
    await lab.index(pipeline, nth(6), [{ id: 'later', state: 'NY', amount: '1.000000' }]);
    await lab.count(streamOf(pipeline, 'main').alias);
    report = failed(pipeline);
    await writeReport(lab.deps, report, pipeline);
  });

  afterAll(async () => {
    await browser?.close();
    await lab?.deps.search.close();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const sluice = (...args: string[]): Promise<Outcome> => runSluice(args, environment);

  /** Opens a page from its file as a reader does, and says what is wrong with it. */
  async function opened(path: string, width: number) {
    if (!browser) throw new Error(noBrowser);
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    try {
      const wrong: string[] = [];
      page.on('console', (message) => wrong.push(message.text()));
      page.on('pageerror', (error) => wrong.push(error.message));
      page.on('request', (request) => {
        if (!request.url().startsWith('file:')) wrong.push(`asked for ${request.url()}`);
      });
      await page.goto(pathToFileURL(path).href);
      const found = await page.evaluate<{ wide: number; charts: number; foreign: number; text: string }>(`({
        wide: document.documentElement.scrollWidth - window.innerWidth,
        charts: document.querySelectorAll('figure svg').length,
        foreign: document.querySelectorAll('script, img, iframe, [onerror]').length,
        text: document.body.textContent,
      })`);
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      return { ...found, wrong, serious: serious.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`) };
    } finally {
      await page.close();
    }
  }

  const asPage = { wrong: [], serious: [], foreign: 0, wide: 0 };

  it('sluice report --html writes one file, with the panels of that hour alone', async () => {
    const path = join(folder, 'run.html');
    const given = ['report', hour.slice(0, 13), '--pipeline', file, '--run', report.runId, '--html'];
    const { code, out, err } = await sluice(...given, '--out', path);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/run\.html {2}[\d,]+ bytes\n$/);
    const text = await readFile(path, 'utf8');
    expect(text).toContain('>TX</text>');
    expect(text).not.toContain('>NY</text>');
    expect(text).not.toContain('<script');
    expect(await readdir(folder)).toEqual(['definition.yaml', 'run.html']);
    // By its other name it is the same command.
    const other = await sluice('run', ...given, '--out', '-');
    expect(other.out.replaceAll(/on [\d-]+ [\d:]+ UTC/g, '')).toBe(text.replaceAll(/on [\d-]+ [\d:]+ UTC/g, ''));
    const lost = await sluice(...given, '--out', join(folder, 'nowhere', 'run.html'));
    expect(lost).toMatchObject({ code: 1, out: '', err: expect.stringContaining('cannot be written') as string });
    const plain = await sluice('report', hour.slice(0, 13), '--pipeline', file, '--run', report.runId);
    expect(plain.out).toContain('failed');
    expect(await sluice(...given.slice(0, -1), '--out', path)).toMatchObject({
      code: 1,
      err: '--out is for --html: add that.\n',
    });
  });

  it.skipIf(noBrowser !== undefined)('opens in a browser, narrow and wide, without a fault', async () => {
    const path = join(folder, 'opened.html');
    await sluice('report', hour.slice(0, 13), '--pipeline', file, '--run', report.runId, '--html', '--out', path);
    for (const width of [360, 1200]) {
      const found = await opened(path, width);
      expect(found).toMatchObject(asPage);
      expect(found.charts).toBeGreaterThan(1);
      expect(found.text).toContain('landed 8 of 9');
      expect(found.text).toContain('≠ 8');
    }
  });

  it('comes with the mail about the run', async () => {
    const activities = createActivities(lab.deps);
    const activity = new MockActivityEnvironment();
    expect(await activity.run(activities.sendFailureAlert, { pipeline, report })).toEqual({ sent: true });
    const inbox = environment['SLUICE_INBOX_URL'] ?? '';
    const query = encodeURIComponent(`to:${pipeline.alerts.email?.to[0]}`);
    const json = async (path: string): Promise<unknown> => (await fetch(new URL(path, inbox))).json();
    const { messages } = (await json(`/api/v1/search?query=${query}`)) as { messages: { ID: string }[] };
    expect(messages).toHaveLength(1);
    const id = messages[0]?.ID ?? '';
    const mail = (await json(`/api/v1/message/${id}`)) as {
      Text: string;
      Attachments: { FileName: string; PartID: string; Size: number; ContentType: string }[];
    };
    const [attachment, ...others] = mail.Attachments;
    const name = attachmentOf(pipeline);
    expect(others).toEqual([]);
    expect(attachment).toMatchObject({ FileName: name, ContentType: 'text/html' });
    expect(attachment?.Size).toBeLessThan(1_000_000);
    expect(mail.Text).toContain(`Attached is ${name}`);
    const bytes = await fetch(new URL(`/api/v1/message/${id}/part/${attachment?.PartID}`, inbox));
    const path = join(folder, name);
    await writeFile(path, Buffer.from(await bytes.arrayBuffer()));
    const text = await readFile(path, 'utf8');
    expect(text).toContain('The row equation does not hold.');
    expect(text).toContain('>TX</text>');
  });

  it.skipIf(noBrowser !== undefined)('opens from the mail without a fault', async () => {
    expect(await opened(join(folder, attachmentOf(pipeline)), 360)).toMatchObject(asPage);
  });

  it('is made smaller by its largest panels, which it names', async () => {
    const input = { report, pipeline, search: lab.deps.search };
    const whole = await makeRunPage(input);
    const less = await makeRunPage({ ...input, most: Buffer.byteLength(whole) - 5_000 });
    const few = await makeRunPage({ ...input, most: 1_000 });
    const drawn = (page: string): number => page.match(/<svg/g)?.length ?? 0;
    expect(drawn(less)).toBe(drawn(whole) - 1);
    expect(less).toMatch(/Left out, as the page would be too large with them: [^,]+\./);
    expect([drawn(few), few.includes('of 9 records')]).toEqual([0, true]);
  });

  it('sluice dashboards render draws one panel or all, and never half a file', async () => {
    const time = ['--pipeline', file, '--from', hour, '--to', hour];
    const listed = await sluice('dashboards', 'render', '--list', '--json', ...time);
    const { panels } = JSON.parse(listed.out) as { panels: { id: string; title: string }[] };
    const wanted = `${pipeline.name}-amount-by-state`;
    expect(panels.map(({ id }) => id)).toContain(wanted);

    const one = join(folder, 'one.svg');
    expect(await sluice('dashboards', 'render', wanted, ...time, '--out', one)).toMatchObject({ code: 0, err: '' });
    const svg = await readFile(one, 'utf8');
    expect(svg).toMatch(/^<svg .*<\/svg>$/s);
    expect(svg).toContain('>TX</text>');
    expect(svg).not.toContain('<script');
    await sluice('dashboards', 'render', 'amount-by-state', ...time, '--filter', 'state=CA', '--out', one);
    expect(await readFile(one, 'utf8')).not.toContain('>TX</text>');

    const all = join(folder, 'all');
    const drawn = await sluice(
      'dashboards',
      'render',
      ...time,
      '--mode',
      'dark',
      '--format',
      'png',
      '--out',
      all,
      '--json',
    );
    expect(drawn).toMatchObject({ code: 0, err: '' });
    expect((await readdir(all)).toSorted()).toEqual(panels.map(({ id }) => `${id}.png`).toSorted());
    const png = await readFile(join(all, `${wanted}.png`));
    expect(png.subarray(1, 4).toString()).toBe('PNG');

    const ofRuns = await sluice('dashboards', 'render', '--operations', '--out', join(folder, 'runs'));
    expect(ofRuns).toMatchObject({ code: 0, err: '' });
    expect((await readdir(join(folder, 'runs'))).length).toBeGreaterThan(5);
    const both = await sluice('dashboards', 'render', '--operations', ...time, '--out', all);
    expect(both).toMatchObject({ code: 1, err: expect.stringMatching(/^Whose panels\?/) as string });

    const wrong: [string[], RegExp, string?][] = [
      [['amount-by-stat'], new RegExp(`^No panel is called "amount-by-stat"\\. Did you mean "${wanted}"\\?`)],
      [[wanted, '--filter', 'stat=CA'], /filtered by state\. Did you mean "state"\?/],
      [[wanted, wanted], /is one file, and 2 panels are several/],
      [[wanted], /none\.gif is no picture that can be made/, 'none.gif'],
    ];
    for (const [args, sentence, file = 'none.png'] of wrong) {
      const path = join(folder, file);
      const { code, err } = await sluice('dashboards', 'render', ...args, ...time, '--out', path);
      expect(err).toMatch(sentence);
      expect({ code, there: existsSync(path) }).toEqual({ code: 1, there: false });
    }
    environment = { ...environment, SLUICE_ELASTICSEARCH_URL: 'http://127.0.0.1:1' };
    const away = await sluice('dashboards', 'render', ...time, '--out', join(folder, 'away'));
    expect(away).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^Elasticsearch at 127\.0\.0\.1:1 failed/) as string,
    });
    expect(existsSync(join(folder, 'away'))).toBe(false);
  });
});

const attachmentOf = ({ name }: Pipeline): string => `${name}-${hour.slice(0, 13)}.html`;

function failed({ name }: Pipeline): RunReport {
  const rows = { read: 9, clean: 9, duplicates: 0, filtered: 0, rejected: 0, published: 9, landed: 8, indexed: 9 };
  const stages = ['import', 'clean', 'publish', 'land', 'index', 'reconcile'].map((stage, at) => ({
    ...{ stage, startedAt: new Date(Date.parse(hour) + at * 2_000).toISOString(), ms: 1_500, rows: 9 },
  }));
  return {
    ...{ pipeline: name, hour, workflowId: `pipeline/${name}/${hour}`, runId: `run-${name}`, outcome: 'failed' },
    ...{ startedAt: stages[0]?.startedAt ?? '', endedAt: new Date(Date.parse(hour) + 20_000).toISOString(), stages },
    clean: {
      engine: 'duckdb',
      quality: [{ gate: 'minRows', level: 'warn', sentence: `9 rows are few, ${hostile}` }],
      rejectedBy: { [`${hostile} required`]: 2 },
    },
    ...{ generations: { main: 1 }, batches: { main: 'abcdef0123456789' } },
    equations: [{ dataset: 'main', rows, holds: false, broken: 'landed 8 of 9' }],
    error: { code: 'RowsUnaccounted', stage: 'reconcile', message: 'The row equation does not hold.' },
  };
}

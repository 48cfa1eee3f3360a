import { setTimeout as wait } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import { alertPage } from '../../src/activities/alert-page.ts';
import { attended } from '../../src/activities/attended.ts';
import { OneAtATime } from '../../src/activities/one-at-a-time.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { pipelineSchema } from '../../src/definition/pipeline.ts';
import type { AlertPage } from '../../src/stages/alerting/mail-with-page.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import type { AlertInput } from '../../src/stages/run-report.ts';

const pipeline = pipelineSchema.parse({
  ...{ name: 'p', source: { url: 'https://example.org/x.csv' }, key: ['id'] },
  columns: { id: { name: 'id', required: true } },
});
const input: AlertInput = {
  pipeline,
  report: {
    ...{ pipeline: 'p', hour: '2026-11-24T03:00:00Z', workflowId: 'w', runId: 'r', trace: 'abc', stages: [] },
    error: { code: 'SourceNotFound', stage: 'import', message: 'There is no such file.' },
  },
};
const settings = readSettings({
  SLUICE_ELASTICSEARCH_URL: 'http://127.0.0.1:1',
  SLUICE_TRACE_URL: 'http://jaeger/trace/{traceId}',
});
const deps = { settings } as unknown as StageDeps;

const made = (attempt: number) =>
  new MockActivityEnvironment({ attempt }).run(() => attended((context) => alertPage(deps, input, context)));

describe('the page for a mail', () => {
  it('is made at the first try alone: the process may have died of it', async () => {
    const { filename, html } = (await made(1)) as AlertPage;
    expect(filename).toBe('p-2026-11-24T03.html');
    expect(html).toContain('There is no such file.');
    expect(html).toContain('<a href="http://jaeger/trace/abc"');
    await expect(made(2)).rejects.toThrow(
      'This is try 2, and the page is made at the first alone: "sluice report 2026-11-24T03 --html --pipeline p" does.',
    );
  });
});

describe('one at a time', () => {
  it('lets in one after the other, also where one fails', async () => {
    const pages = new OneAtATime(60_000, () => new Error('too long'));
    let [inside, most] = [0, 0];
    const work = async (at: number): Promise<number> => {
      most = Math.max(most, (inside += 1));
      await wait(5);
      inside -= 1;
      if (at === 1) throw new Error('no ink');
      return at;
    };
    const all = await Promise.allSettled([0, 1, 2, 3].map((at) => pages.run(() => work(at))));
    expect(all.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
      ...[0, 'Error: no ink'],
      ...[2, 3],
    ]);
    expect(most).toBe(1);
  });

  it('lets whoever has waited for too long go without, and those behind come in', async () => {
    const pages = new OneAtATime(20, () => new Error('too long'));
    const { promise: leave, resolve } = Promise.withResolvers<void>();
    const first = pages.run(() => leave);
    await expect(pages.run(async () => 'second')).rejects.toThrow('too long');
    resolve();
    await first;
    expect(await pages.run(async () => 'third')).toBe('third');
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import type { RunProgress, RunReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { steadyHour } from '../helpers/steady-hour.ts';
import { keysBelow, visibleHour } from '../helpers/bystander.ts';
import { noStack } from '../helpers/stack.ts';
import { temporalCommand } from '../helpers/temporal-command.ts';

const rows = ['1,a,1.5', '2,b,two', '3,a,3.5'];
const csv = ['id,kind,amount', ...rows, ''].join('\n');

describe.skipIf(noStack)('a run is steered by sluice and by temporal', () => {
  let app: TestApp;
  let hour: string;

  beforeAll(async () => {
    hour = await steadyHour();
    // The cleaning of the second run takes long enough for a word between it and what follows.
    app = await TestApp.start({ SLUICE_FAIL_POINT: 'clean:after-write#2=wait:12000' });
  });

  afterAll(async () => app?.stop());

  const temporal = (...args: string[]) => temporalCommand(app.environment, ...args);
  const sluice = async (input: PipelineInput, ...args: string[]) => {
    const { code, out } = await app.cli(['run', ...args, '--pipeline', input.name, '--json']);
    return { code, found: JSON.parse(out) as Record<string, unknown> };
  };
  const query = async (workflowId: string, type: string): Promise<unknown> => {
    const out = await temporal('workflow', 'query', '-w', workflowId, '--type', type, '--output', 'json');
    return (JSON.parse(out) as { queryResult: unknown[] }).queryResult[0];
  };
  const status = async (workflowId: string): Promise<string> =>
    (await app.client.temporal.workflow.getHandle(workflowId).describe()).status.name;
  const comesTo = async (workflowId: string, wanted: Partial<RunProgress>): Promise<void> => {
    await expect.poll(() => query(workflowId, 'progress'), { timeout: 60_000 }).toMatchObject(wanted);
  };

  /** Starts a run of a pipeline whose source answers once it is let. */
  async function start(serves = csv) {
    const { input, pipeline } = app.define({ columns: columns() });
    let answer = (): void => {};
    const asked = new Promise<void>((resolve) => (answer = resolve));
    app.serve(input, { body: '', handler: (_, response) => void asked.then(() => response.end(serves)) });
    const { workflowId } = await app.client.runs.launch({ pipeline, hour });
    await comesTo(workflowId, { current: 'import' });
    return { input, pipeline, workflowId, answer };
  }

  it('paused between two stages, looked at, and let go on', async () => {
    const { input, workflowId, answer } = await start();
    expect(await sluice(input, 'pause', hour)).toMatchObject({
      ...{ code: 0, found: { workflowId, mode: 'pausing', current: 'import' } },
    });
    answer();
    await comesTo(workflowId, { mode: 'paused' });
    expect(await query(workflowId, 'report')).toMatchObject({ source: { fileCount: 1 }, stages: [{}, {}] });
    expect(await query(workflowId, 'lastError')).toEqual({ lastError: null });
    const shown = await app.cli(['status', input.name]);
    expect(shown.out).toMatch(/^paused/);
    const again = await app.cli(['run', 'pause', hour, '--pipeline', input.name]);
    expect(again.out).toMatch(/ is paused, after import\n$/);
    const answered = await temporal(
      'workflow',
      'update',
      'execute',
      '-w',
      workflowId,
      '--name',
      'resume',
      '--output',
      'json',
    );
    expect(answered).toContain('running');
    const report = await app.client.runs.wait(workflowId);
    expect(report).toMatchObject({ outcome: 'completed', equations: [{ holds: true, rows: { read: 3, indexed: 2 } }] });
    expect(report.stages.find(({ stage }) => stage === 'index')?.rows).toBe(2);
  });

  it('cancelled between clean and publish: what it had made is gone, what was rejected is there, and the hour runs again', async () => {
    const { input, pipeline, workflowId, answer } = await start();
    answer();
    await comesTo(workflowId, { current: 'clean' });
    await temporal('workflow', 'signal', '-w', workflowId, '--name', 'pause');
    await comesTo(workflowId, { mode: 'paused' });
    const batches = (name: string) => async (): Promise<string[]> =>
      (await keysBelow(app.environment, keys.batchesOf(input.name, hour))).filter((key) => key.endsWith(`/${name}`));
    expect(await batches('clean.csv')()).toHaveLength(1);
    expect(await sluice(input, 'cancel', hour)).toMatchObject({ code: 0, found: { mode: 'cancelling' } });
    await expect(app.client.runs.wait(workflowId)).rejects.toMatchObject({ code: 'Cancelled' });
    expect(await status(workflowId)).toBe('CANCELLED');
    expect(await batches('clean.csv')()).toEqual([]);
    expect(await batches('rejects.ndjson')()).toHaveLength(1);
    expect(await keysBelow(app.environment, keys.quarantine(input.name, hour))).toHaveLength(1);
    expect((await keysBelow(app.environment, 'tmp/')).filter((key) => key.includes(input.name))).toEqual([]);

    // The temporal command makes null of an empty list.
    const report = await app.client.temporal.workflow.getHandle(workflowId).query<RunReport>('report');
    expect(report).toMatchObject({ outcome: 'cancelled', discarded: { tallies: [{ objects: 1 }] } });
    // What the local servers warned of meanwhile is in what is stored alone.
    const { servers: _, ...stored } = (await sluice(input, 'report', hour)).found;
    expect(stored).toEqual(report);
    const text = await app.cli(['run', 'report', hour, '--pipeline', input.name]);
    expect(text.out).toMatch(/^removed 1 × clean\.csv of which nothing had been published, \d+ bytes$/m);
    expect(await sluice(input, 'cancel', hour)).toMatchObject({ code: 1, found: { error: { code: 'NotRunning' } } });

    // What is gone is not gone on with, and says so; the hour itself is as it was before.
    const launched = await app.client.runs.launch({ pipeline, hour, startFrom: 'publish' });
    await expect(app.client.runs.wait(launched.workflowId)).rejects.toMatchObject({ code: 'StageOutdated' });
    const rerun = await app.client.runs.launch({ pipeline, hour });
    expect(rerun.outcome).toBe('started');
    const done = await app.client.runs.wait(rerun.workflowId);
    expect(done).toMatchObject({ outcome: 'completed', equations: [{ holds: true, rows: { read: 3, indexed: 2 } }] });
    expect(await batches('clean.csv')()).toHaveLength(1);
    expect((await visibleHour(app.environment, input.name, hour)).batch.rows).toBe(2);
  });

  it('cancelled by temporal alone, while the source does not answer', async () => {
    const { input, pipeline, workflowId, answer } = await start();
    await temporal('workflow', 'cancel', '-w', workflowId);
    await expect(app.client.runs.wait(workflowId)).rejects.toMatchObject({ code: 'Cancelled' });
    answer();
    expect(await status(workflowId)).toBe('CANCELLED');
    expect(await keysBelow(app.environment, keys.fetching(input.name))).toEqual([]);
    const { found } = await sluice(input, 'report', hour);
    expect(found).toMatchObject({ outcome: 'cancelled', error: { code: 'Cancelled', stage: 'import' } });
    const rerun = await app.client.runs.launch({ pipeline, hour });
    expect(await app.client.runs.wait(rerun.workflowId)).toMatchObject({ outcome: 'completed' });
  });
});

function columns(): PipelineInput['columns'] {
  return {
    id: { name: 'id', required: true },
    kind: { name: 'kind' },
    amount: { name: 'amount', type: 'decimal', precision: 12, scale: 3 },
  };
}

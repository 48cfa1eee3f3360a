import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { taskQueues } from '../../src/definition/names.ts';
import { consumeInput } from '../helpers/fake-reading.ts';
import { definition, hour } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

describe.skipIf(noTemporal)('a workflow that somebody starts by hand with a wrong input', () => {
  let lab: WorkflowLab;

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  const bare = { name: 'a', source: { url: 'https://example.org/a.csv' }, columns: {} };

  it.each([
    ['pipeline', [], /no input of a run: pipeline.name, .*, hour is missing or wrong; start "launch"/],
    ['pipeline', [null], /pipeline.name, .*, hour is missing or wrong/],
    ['pipeline', [{ pipeline: 'a', hour }], /a run: pipeline.name, pipeline.source/],
    ['pipeline', [{ pipeline: definition(), hour: '2026-11-24T03' }], /a run: hour is missing or wrong/],
    ['pipeline', [{ pipeline: definition(), hour: 'soon' }], /a run: hour is missing or wrong/],
    ['pipeline', [{ pipeline: bare, hour }], /a run: pipeline.duplicates, .*pipeline.aggregate is missing or wrong/],
    ['consumer', [], /no input of a consumer: consume.stream, .*; the next run starts one/],
    ['consumer', [{ consume: null }], /consume.stream, /],
    ['consumer', [{ consume: { ...consumeInput('s'), partitions: '3' } }], /a consumer: consume.partitions is missing/],
  ] as const)('%s %j fails at once and says what is wrong', async (workflow, args, message) => {
    const run = await lab.temporal.client.workflow.start(workflow, {
      workflowId: `${workflow}-by-hand`,
      taskQueue: taskQueues.light,
      workflowExecutionTimeout: '20s',
      args: [...args],
    });
    await expect(run.result()).rejects.toMatchObject({
      cause: { type: 'DefinitionInvalid', message: expect.stringMatching(message) as unknown },
    });
  });
});

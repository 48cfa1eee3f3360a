import { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tracedStarts } from '../../src/client/traced-starts.ts';
import { openTracer } from '../../src/connectors/tracing-export.ts';
import { readTracingSettings } from '../../src/connectors/tracing-settings.ts';
import { useTracer, type Tracer } from '../../src/connectors/tracing.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { TRACE_HEADER } from '../../src/definition/tracing.ts';
import type { launch as launchWorkflow } from '../../src/workflows/index.ts';
import type { LaunchResult } from '../../src/workflows/messages.ts';
import { definition, goodStages, hour } from '../helpers/fake-stages.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';
import { TraceCollector } from '../helpers/trace-collector.ts';

describe.skipIf(noTemporal)('the trace of a run', () => {
  let lab: WorkflowLab;
  let collector: TraceCollector;
  let tracer: Tracer;
  let started = 0;

  beforeAll(async () => {
    collector = await TraceCollector.start();
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
    const { settings } = readTracingSettings(process.env);
    if (!settings) throw new Error('traces are asked for');
    tracer = await openTracer(settings, { redacted: (text) => text, say: () => {}, version: '0' });
    useTracer(tracer);
    lab = await WorkflowLab.start();
    lab.tracer = tracer;
    for (const queue of Object.values(taskQueues)) await lab.without(queue, async () => {});
  });

  afterAll(async () => {
    useTracer(undefined);
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    await lab?.stop();
    await collector?.stop();
  });

  async function launch(pipeline: Pipeline, interceptors = [tracedStarts]): Promise<LaunchResult> {
    started += 1;
    const { connection, namespace } = lab.temporal;
    const client = new Client({
      connection,
      namespace: namespace ?? 'default',
      interceptors: { workflow: interceptors },
    });
    const launched = await client.workflow.execute<typeof launchWorkflow>('launch', {
      workflowId: `launch/traced-${started}`,
      taskQueue: taskQueues.light,
      args: [{ pipeline, hour, wait: true }],
      workflowExecutionTimeout: '60s',
    });
    await tracer.flush(5_000);
    return launched;
  }

  it('leads from the client over the launch, the run and its stages to each attempt', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    let tries = 0;
    const importSource = async (): Promise<unknown> => {
      tries += 1;
      if (tries === 1) throw new SluiceError('SourceUnavailable', 'The source is away.');
      return stages.importSource(undefined as never);
    };
    lab.stages = { ...stages, importSource };
    const { report } = await launch(pipeline);
    const ours = collector.spans.filter(({ trace }) => trace === report?.trace);
    const ways = ours.map((span) => collector.wayTo(span).join(' > '));
    const run = 'StartWorkflow:launch > RunWorkflow:launch > RunWorkflow:pipeline';
    expect(ways).toContain(`${run} > stage import > RunActivity:importSource`);
    expect(ways).toContain(`${run} > stage publish > RunActivity:publish`);
    expect(ways).toContain(`${run} > stage index > RunActivity:indexBatch`);
    expect(ways).toContain('StartWorkflow:launch > RunWorkflow:launch > RunActivity:acceptDefinition');
    // One beginning, and nothing that hangs in the air.
    expect(ours.filter(({ parent }) => parent === '').map(({ name }) => name)).toEqual(['StartWorkflow:launch']);
    expect(ways.filter((way) => !way.startsWith('StartWorkflow:launch'))).toEqual([]);
    const attempts = ours.filter(({ name }) => name === 'RunActivity:importSource');
    expect(attempts.map(({ failed, message }) => [failed, message])).toEqual([
      [true, 'The source is away.'],
      [false, ''],
    ]);
    expect(attempts[0]?.attributes).toMatchObject({
      'sluice.pipeline': pipeline.name,
      'sluice.hour': hour,
      'sluice.run': report?.runId,
      'sluice.stage': 'import',
      'error.type': 'SourceUnavailable',
    });
    expect(attempts[1]?.attributes).toMatchObject({ 'sluice.attempt': '2', 'sluice.rows.parsed': '3' });
    for (const { from, to } of ours) expect(to).toBeGreaterThanOrEqual(from);
  });

  it('says what failed a run, in its stage and in the run', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    const gone = async (): Promise<never> => {
      throw new SluiceError('SourceNotFound', 'The file is gone.');
    };
    lab.stages = { ...stages, importSource: gone };
    await expect(launch(pipeline)).rejects.toThrow('Workflow execution failed');
    await tracer.flush(5_000);
    const of = collector.spans.filter(({ attributes }) => attributes['sluice.pipeline'] === pipeline.name);
    const failed = of
      .filter((span) => span.failed)
      .map(({ name, message, attributes }) => [name, message, attributes['error.type']]);
    for (const name of ['RunActivity:importSource', 'stage import', 'RunWorkflow:pipeline'])
      expect(failed).toContainEqual([name, 'The file is gone.', 'SourceNotFound']);
  });

  it('begins with the launch where nobody handed on another, by the id that Temporal gave that', async () => {
    const pipeline = definition();
    lab.stages = goodStages(pipeline).stages;
    const { report } = await launch(pipeline, []);
    const [root] = collector.spans.filter(({ trace, parent }) => trace === report?.trace && parent === '');
    expect(root?.name).toBe('RunWorkflow:launch');
    expect(root?.attributes['sluice.run']).toHaveLength(36);
    expect(String(root?.attributes['sluice.run']).replaceAll('-', '')).toBe(report?.trace);
  });

  it('is one of its own where a header came that nobody can read, and the run goes on', async () => {
    const pipeline = definition();
    lab.stages = goodStages(pipeline).stages;
    const unreadable = {
      metadata: { encoding: new TextEncoder().encode('json/plain') },
      data: new TextEncoder().encode('{"traceparent'),
    };
    const { report } = await launch(pipeline, [
      { startWithDetails: (input, next) => next({ ...input, headers: { [TRACE_HEADER]: unreadable } }) },
    ]);
    expect(report?.outcome).toBe('completed');
    const [root] = collector.spans.filter(({ trace, parent }) => trace === report?.trace && parent === '');
    expect(root?.name).toBe('RunWorkflow:launch');
  });

  it('is the one that Temporal’s own interceptors for OpenTelemetry hand on', async () => {
    const pipeline = definition();
    lab.stages = goodStages(pipeline).stages;
    const traceparent = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
    const { report } = await launch(pipeline, [
      {
        startWithDetails: (input, next) =>
          next({ ...input, headers: { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent }) } }),
      },
    ]);
    expect(report?.trace).toBe('ab'.repeat(16));
    const launched = collector.spans.find(
      ({ trace, name }) => trace === report?.trace && name === 'RunWorkflow:launch',
    );
    expect(launched?.parent).toBe('cd'.repeat(8));
  });

  it('has each stage once, also where another worker goes on with the run', async () => {
    const pipeline = definition();
    const { stages } = goodStages(pipeline);
    const gate = Promise.withResolvers<void>();
    const inClean = Promise.withResolvers<void>();
    lab.stages = {
      ...stages,
      clean: async () => {
        inClean.resolve();
        await gate.promise;
        return stages.clean(undefined as never);
      },
    };
    const launched = launch(pipeline);
    await inClean.promise;
    // What is in memory of the run goes; the next worker makes it again from its history.
    await lab.without(taskQueues.light, async () => {});
    gate.resolve();
    const { report } = await launched;
    const names = collector.spans.filter(({ trace }) => trace === report?.trace).map(({ name }) => name);
    for (const name of ['stage import', 'stage clean', 'stage index', 'RunWorkflow:pipeline', 'RunWorkflow:launch'])
      expect([name, names.filter((one) => one === name).length]).toEqual([name, 1]);
  });

  it('is none where it was not kept where it began', async () => {
    const pipeline = definition();
    lab.stages = goodStages(pipeline).stages;
    const traceparent = `00-${'ef'.repeat(16)}-${'cd'.repeat(8)}-00`;
    const { report } = await launch(pipeline, [
      {
        startWithDetails: (input, next) =>
          next({ ...input, headers: { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent }) } }),
      },
    ]);
    expect(report?.outcome).toBe('completed');
    expect(report?.trace).toBeUndefined();
    expect(collector.spans.filter(({ trace }) => trace === 'ef'.repeat(16))).toEqual([]);
    expect(ids.pipeline(pipeline.name, hour)).toBe(report?.workflowId);
  });
});

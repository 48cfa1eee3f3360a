import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { RunReport } from '../../src/workflows/messages.ts';
import { TestApp } from '../helpers/app.ts';
import { noStack } from '../helpers/stack.ts';

const LIMIT = 2;

describe.skipIf(noStack)('several pipelines at once, with a limit of runs in flight', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start({ SLUICE_MAX_RUNS: String(LIMIT) });
  });

  afterAll(async () => {
    await app?.stop();
  });

  /** When a run had its slot, and when it was over. */
  function flightOf(report: RunReport): { from: string; to: string } {
    const slot = report.stages.find(({ stage }) => stage === 'slot');
    if (!slot) throw new Error(`${report.pipeline} took no slot`);
    return { from: new Date(Date.parse(slot.startedAt) + slot.ms).toISOString(), to: report.endedAt };
  }

  it('all come to their end, and no more than so many are past their slot at any moment', async () => {
    const hours = [2, 1].map((ago) => toLogicalHour(Date.now() - ago * 3_600_000));
    const imports = Promise.withResolvers<void>();
    const pipelines: Pipeline[] = [1, 2, 3].map(() => {
      const { pipeline } = app.define();
      app.files.set(`/${pipeline.name}.csv`, {
        body: '',
        // All reach their slot at about the same moment.
        handler: (_request, response) =>
          void imports.promise.then(() => response.end('id,kind,amount\n1,k,1\n2,k,2\n')),
      });
      return pipeline;
    });
    const launched = await Promise.all(
      hours.flatMap((hour) =>
        pipelines.map((pipeline) => app.client.runs.launch({ pipeline, hour, useCurrent: true })),
      ),
    );
    imports.resolve();
    const reports = await Promise.all(launched.map(({ workflowId }) => app.client.runs.result(workflowId)));
    for (const { outcome, equations, stages } of reports) {
      expect(outcome).toBe('completed');
      expect(equations[0]).toMatchObject({ holds: true, rows: { read: 2, indexed: 2 } });
      expect(stages.map(({ stage }) => stage).slice(0, 4)).toEqual(['prepare', 'import', 'slot', 'clean']);
    }
    const stored = await Promise.all(
      launched.map(async ({ hour }, at) => {
        const report = await app.client.runs.report(pipelines[at % 3]?.name ?? '', hour);
        return flightOf(report as RunReport);
      }),
    );
    for (const { from } of stored) {
      const inFlight = stored.filter((other) => other.from <= from && from < other.to);
      expect(inFlight.length).toBeLessThanOrEqual(LIMIT);
    }
    // They were not let through one after the other either.
    expect(
      stored.some(({ from }) => stored.filter((other) => other.from <= from && from < other.to).length === LIMIT),
    ).toBe(true);
  }, 300_000);
});

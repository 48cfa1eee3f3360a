import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { workflowBundle } from '../helpers/worker-bundle.ts';
import * as workflows from '../../src/workflows/index.ts';

const folder = join(import.meta.dirname, 'histories');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace('.json', ''));

async function historyOf(name: string): Promise<ReturnType<typeof historyFromJSON>> {
  return historyFromJSON(JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')));
}

describe('recorded histories', () => {
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    bundle = await workflowBundle();
  });

  it('are there for every workflow', () => {
    const recorded = new Set(names.map((name) => name.split('-')[0]));
    expect(recorded).toEqual(new Set(Object.keys(workflows)));
  });

  it.each(names)('%s replays with the code as it is', async (name) => {
    const history = await historyOf(name);
    // Otherwise it has none of its own, and an incident heeds nothing but what is about it.
    const { workflowId } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    const replayed = Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId ?? undefined);
    await expect(replayed).resolves.toBeUndefined();
  });

  it.each(names)('%s replays on a worker that tells traces', async (name) => {
    const history = await historyOf(name);
    const { workflowId } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
    const workflowBundle = { code: `globalThis.sluiceTraceRatio = 1;${bundle.code}` };
    const told: unknown[] = [];
    const sinks = { traces: { over: { fn: (...span: unknown[]) => void told.push(span), callDuringReplay: false } } };
    await Worker.runReplayHistory({ workflowBundle, sinks }, history, workflowId ?? undefined);
    expect(told).toEqual([]);
  });

  describe('of another order of steps', () => {
    let changed: Awaited<ReturnType<typeof bundleWorkflowCode>>;

    beforeAll(async () => {
      changed = await bundleWorkflowCode({
        logger: new DefaultLogger('ERROR'),
        workflowsPath: fileURLToPath(new URL('changed-order.ts', import.meta.url)),
      });
    });

    it.each(Object.keys(workflows))('do not replay: %s', async (workflow) => {
      const name = names.find((recorded) => recorded.startsWith(`${workflow}-`)) ?? `${workflow}-none`;
      await expect(Worker.runReplayHistory({ workflowBundle: changed }, await historyOf(name))).rejects.toThrow(
        DeterminismViolationError,
      );
    });
  });

  it('name no machine', async () => {
    for (const name of names) {
      const text = await readFile(join(folder, `${name}.json`), 'utf8');
      expect(text).not.toMatch(/"identity"|"stackTrace"|file:\/\/|\d@/);
    }
  });
});

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertingActivities } from '../../src/activities/alerting.ts';
import { classifyErrors } from '../../src/activities/error-interceptor.ts';
import { stageDepsOf } from '../../src/workers/stage-deps.ts';
import { definition } from '../helpers/fake-stages.ts';
import { HttpServers } from '../helpers/http-server.ts';
import { noticeOf, transition } from '../helpers/notices.ts';
import { noTemporal, program } from '../helpers/temporal.ts';

const web = new HttpServers();
afterEach(() => web.close());

describe.skipIf(noTemporal)('a delivery under Temporal', () => {
  let temporal: TestWorkflowEnvironment;
  beforeAll(async () => {
    temporal = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: program ?? '' } },
    });
  });
  afterAll(() => temporal.teardown());

  async function delivered(url: string): Promise<unknown> {
    const deps = stageDepsOf({ SLUICE_SECRET_SLACK: url });
    const worker = await Worker.create({
      connection: temporal.nativeConnection,
      taskQueue: randomUUID(),
      workflowsPath: join(import.meta.dirname, '..', 'helpers', 'delivering.ts'),
      activities: alertingActivities(deps),
      interceptors: { activity: [classifyErrors] },
    });
    const input = {
      pipeline: definition({ alerts: { slack: { url: '${secret:SLACK}' } } }),
      delivery: { id: 'n/slack', channel: 'slack', name: 'slack', transitions: ['t'] },
      notice: noticeOf(transition()),
    };
    return worker.runUntil(async () => {
      const started = { workflowId: randomUUID(), taskQueue: worker.options.taskQueue, args: [input] };
      const result: unknown = await temporal.client.workflow.execute('delivering', started);
      // An attempt that waits for an answer would hold the worker.
      web.close();
      return result;
    });
  }

  it('is tried again where it surely did not arrive', async () => {
    const { url, taken } = await web.open((response, n) => response.writeHead(n === 0 ? 503 : 200).end());
    expect(await delivered(url)).toEqual({ accepted: true });
    expect(taken).toHaveLength(2);
  });

  it('is not sent a second time where nobody heard how the first one ended', async () => {
    // Temporal gives the first attempt up while the other side is still thinking.
    const { url, taken } = await web.open(() => {});
    expect(await delivered(url)).toMatchObject({ accepted: 'unknown' });
    expect(taken).toHaveLength(1);
  });
});

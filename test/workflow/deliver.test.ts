import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { alertingActivities } from '../../src/activities/alerting.ts';
import { countedByNow } from '../../src/activities/counted-by-now.ts';
import { classifyErrors } from '../../src/activities/error-interceptor.ts';
import type { Store } from '../../src/connectors/object-store.ts';
import { keys } from '../../src/definition/names.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import { stageDepsOf } from '../../src/workers/stage-deps.ts';
import { definition, hour } from '../helpers/fake-stages.ts';
import { HttpServers } from '../helpers/http-server.ts';
import { MailServers } from '../helpers/mail-server.ts';
import { noticeOf, transition } from '../helpers/notices.ts';
import { noTemporal, program } from '../helpers/temporal.ts';

const web = new HttpServers();
const mails = new MailServers();
afterEach(() => {
  web.close();
  mails.close();
});

describe.skipIf(noTemporal)('a delivery under Temporal', () => {
  let temporal: TestWorkflowEnvironment;
  beforeAll(async () => {
    temporal = await TestWorkflowEnvironment.createLocal({
      server: { executable: { type: 'existing-path', path: program ?? '' } },
    });
  });
  afterAll(() => temporal.teardown());

  async function delivered(
    deps: StageDeps,
    alerts: PipelineInput['alerts'],
    channel: 'slack' | 'email',
    told = transition(),
    workflow = 'delivering',
    patience: '3s' | '30s' = channel === 'email' ? '30s' : '3s',
  ): Promise<unknown> {
    const worker = await Worker.create({
      connection: temporal.nativeConnection,
      taskQueue: randomUUID(),
      workflowsPath: join(import.meta.dirname, '..', 'helpers', 'delivering.ts'),
      activities: alertingActivities(deps),
      interceptors: { activity: [classifyErrors] },
    });
    const input = {
      pipeline: definition({ name: 'p', alerts }),
      delivery: { id: `n/${channel}`, channel, name: channel, transitions: ['t'] },
      notice: noticeOf(told),
    };
    return worker.runUntil(async () => {
      const started = {
        workflowId: randomUUID(),
        taskQueue: worker.options.taskQueue,
        args: [input, patience],
      };
      const result: unknown = await temporal.client.workflow.execute(workflow, started);
      // An attempt that waits for an answer would hold the worker.
      web.close();
      return result;
    });
  }

  const slack = (url: string, workflow?: string): Promise<unknown> =>
    delivered(
      stageDepsOf({ SLUICE_SECRET_SLACK: url }),
      { slack: { url: '${secret:SLACK}' } },
      'slack',
      undefined,
      workflow,
    );

  it('is tried again where it surely did not arrive', async () => {
    const { url, taken } = await web.open((response, n) => response.writeHead(n === 0 ? 503 : 200).end());
    expect(await slack(url)).toEqual({ accepted: true });
    expect(taken).toHaveLength(2);
  });

  it('is not sent a second time where nobody heard how the first one ended', async () => {
    // Temporal gives the first attempt up while the other side is still thinking.
    const { url, taken } = await web.open(() => {});
    expect(await slack(url)).toMatchObject({ accepted: 'unknown' });
    expect(taken).toHaveLength(1);
  });

  it('may have come where Temporal gave it up while it was sent, and has not where it was between two attempts', async () => {
    const silent = await web.open(() => {});
    expect(await slack(silent.url, 'deliveringOnce')).toEqual({ mayHaveCome: true });
    const closed = await web.open((response) => response.writeHead(503).end());
    expect(await slack(closed.url, 'deliveringOnce')).toEqual({ mayHaveCome: false });
  }, 60_000);

  it('says how often a problem has been seen by now, and nothing else that has changed since', async () => {
    const id = 'incident/p/run-failed/Counted';
    const { incident } = transition();
    const since = { occurrences: 3, hours: [hour, '2026-11-24T04:00:00Z'], lastSeenAt: '2026-11-24T04:09:00.000Z' };
    const byNow = { ...incident, ...since, id, state: 'acknowledged', sentence: 'It is broken otherwise.' };
    // Nobody works on it: its memo says how it stands.
    const open = { workflowId: id, taskQueue: randomUUID(), memo: { incident: byNow } };
    await temporal.client.workflow.start('incident', open);
    const opened = transition({ hours: [hour], workflowId: `pipeline/p/${hour}`, runId: 'r' });
    const told = { ...opened, incident: { ...opened.incident, id } };
    const { url, taken } = await web.open();
    const deps = stageDepsOf({ SLUICE_SECRET_SLACK: url, SLUICE_API_URL: 'http://127.0.0.1:3000' });
    const alerts = { slack: { url: '${secret:SLACK}' } };
    expect(await delivered(deps, alerts, 'slack', told, 'delivering', '30s')).toEqual({ accepted: true });
    const [{ body: text } = { body: '' }] = taken;
    expect(text).toMatch(/3 times, last 2026-11-24 04:09 UTC/);
    expect(text).toMatch(/2026-11-24T03, 2026-11-24T04/);
    expect(text).not.toMatch(/otherwise|Acknowledged/);
    // It leads to the run that it tells of.
    expect(text).toContain(`${new URLSearchParams({ hour }).toString()}&amp;run=r`);
    // One of the same problem that opened before, one of which Temporal knows nothing, and one that this message does not tell of.
    const another = { ...told, incident: { ...told.incident, openedAt: '2026-11-23T03:07:00Z' } };
    const others = noticeOf(another, transition({ id: 'u' }), { ...told, id: 'v' });
    const delivery = { transitions: ['t', 'u'] };
    expect(await countedByNow(temporal.client, { notice: others, delivery })).toEqual(others);
  });

  it('brings the page of the run that failed, made from its report', async () => {
    const { url, taken } = await mails.open();
    const report = {
      ...{ pipeline: 'p', hour, workflowId: 'w', runId: 'r', outcome: 'failed', startedAt: hour, endedAt: hour },
      ...{ stages: [{ stage: 'import', startedAt: hour, ms: 10 }], generations: {}, batches: {}, equations: [] },
      error: { code: 'SourceNotFound', stage: 'import', message: 'There is no such file.' },
    };
    const stored = (file: string): string => keys.attempt('p', hour, 'r', file);
    const objects = new Map<string, unknown>([
      [stored('run.json'), report],
      [stored('definition.json'), definition({ name: 'p' })],
    ]);
    let asked = 0;
    // The report is being stored while the mail is made.
    const findJson = async (key: string) =>
      key === stored('run.json') && (asked += 1) < 3 ? undefined : objects.get(key);
    const store = { findJson } as unknown as Store;
    const deps = stageDepsOf({ SLUICE_SMTP_URL: url, SLUICE_ELASTICSEARCH_URL: 'http://127.0.0.1:1' });
    const failed = transition({ hours: [hour], runId: 'r', workflowId: 'w' });
    const result = await delivered({ ...deps, store }, { email: { to: ['a@example.org'] } }, 'email', failed);
    expect(result).toEqual({ accepted: true });
    expect(taken).toHaveLength(1);
    expect(taken[0]).toMatch(/^Content-Disposition: attachment; filename=p-2026-11-24T03\.html\r$/m);
    expect(asked).toBe(3);
  });
});

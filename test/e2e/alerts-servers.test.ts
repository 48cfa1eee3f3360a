import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startWorker } from '../../src/client/cli/worker-process.ts';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { ids } from '../../src/definition/names.ts';
import type { Outbox } from '../../src/workflows/notifier-messages.ts';
import { down, up, type StackOptions } from '../../stack/index.ts';
import { StackProgress } from '../../stack/progress.ts';
import { TestApp } from '../helpers/app.ts';
import { mailsTo, type InboxMail } from '../helpers/inbox.ts';
import { SlackServer } from '../helpers/slack-server.ts';
import { noStack } from '../helpers/stack.ts';
import { untilStage } from '../helpers/until-stage.ts';

const HOUR_MS = 3_600_000;

/** Side by side: they wait for most of their time. A Kafka of its own, beside the stack's other servers. */
describe.skipIf(noStack).concurrent('who is told', () => {
  let app: TestApp;
  let slack: SlackServer;
  let kafka: StackOptions & { readonly state: string };

  beforeAll(async () => {
    const state = await mkdtemp(join(tmpdir(), 'sluice-kafka-'));
    kafka = { state, only: ['kafka'], freePorts: true, progress: new StackProgress(() => {}) };
    const { environment: own } = await up(kafka);
    slack = await SlackServer.open();
    app = await TestApp.start({
      SLUICE_KAFKA_BROKERS: own['SLUICE_KAFKA_BROKERS'] ?? '',
      SLUICE_ALERT_ALLOW: new URL(slack.url).host,
      SLUICE_SECRET_SLACK: slack.url,
    });
  });

  afterAll(async () => {
    await app?.stop();
    await slack?.close();
    await down({ ...kafka, remove: true });
    await rm(kafka.state, { recursive: true, force: true });
  });

  it('of a broker that is gone: one message that names the symptoms, and one that they are over', async ({
    expect,
  }) => {
    const address = `${randomBytes(4).toString('hex')}@example.org`;
    const { pipeline } = app.define({
      retries: { attempts: 2, initialInterval: '10ms', maximumInterval: '20ms' },
      alerts: { email: { to: [address] }, slack: { url: '${secret:SLACK}' } },
      publish: { partitions: 1, batchRows: 10, rowsPerSecond: 20 },
      // Near after 5 s, which preparing takes where nobody answers.
      deadlines: { stages: { prepare: '50s' }, warnAt: 0.1 },
    });
    const csv = (seed: number, rows = 5): string =>
      `id,kind,amount\n${Array.from({ length: rows }, (_, row) => `${seed}-${row},k,1`).join('\n')}\n`;
    const launch = async (hoursAgo: number, body: string): Promise<string> => {
      app.serve(pipeline, { body });
      const hour = toLogicalHour(Date.now() - hoursAgo * HOUR_MS);
      return (await app.client.runs.launch({ pipeline, hour, useCurrent: true })).workflowId;
    };
    const told = async (count: number): Promise<{ mails: InboxMail[]; posts: string[] }> => {
      await expect.poll(() => slack.taken.length).toBe(count);
      await expect.poll(async () => (await mailsTo(app.environment, address)).length).toBe(count);
      return { mails: await mailsTo(app.environment, address), posts: slack.taken.map(SlackServer.textOf) };
    };
    await app.client.runs.result(await launch(4, csv(4)));
    const publishing = await launch(3, csv(3, 2_000));
    await untilStage(app.client, publishing, 'publish');

    await down(kafka);
    const starting = await launch(2, csv(2));
    for (const workflowId of [publishing, starting])
      await expect(app.client.runs.result(workflowId)).rejects.toMatchObject({ code: 'KafkaUnavailable' });
    const gone = await told(1);
    expect(gone.mails[0]?.subject).toMatch(/^Sluice: e-\w+: 2 problems: /);
    for (const text of [gone.mails[0]?.text, gone.posts[0]]) {
      expect(text).toContain('a run failed (KafkaUnavailable)');
      expect(text).toContain('a run is near its deadline (prepare)');
      expect(text).toMatch(/Kafka at 127\.0\.0\.1:\d+ failed on .*ECONNREFUSED/);
    }
    // An hour later it is still away, and nobody is told again.
    await expect(app.client.runs.result(await launch(1, csv(1)))).rejects.toMatchObject({ code: 'KafkaUnavailable' });
    const id = ids.incident(pipeline.name, 'run-failed', 'KafkaUnavailable');
    await expect.poll(async () => (await app.client.incidents.get(id)).occurrences).toBe(3);

    await up(kafka);
    // By now its tries are a minute apart.
    await app.client.consumers.pause(pipeline.name);
    await app.client.consumers.resume(pipeline.name);
    expect(await app.client.runs.result(await launch(0, csv(0)))).toMatchObject({ outcome: 'completed' });
    const over = await told(2);
    expect(over.mails[1]?.subject).toMatch(/^Sluice: e-\w+: 2 over: /);
    expect(over.posts[1]).toMatch(/It is over after \d/);
    expect(slack.refused).toEqual([]);
  }, 600_000);

  it('by a worker that is killed once it has sent: one message, for nobody sends what may have come', async ({
    expect,
  }) => {
    const address = `${randomBytes(4).toString('hex')}@example.org`;
    const other = await TestApp.start({
      SLUICE_FAIL_POINT: 'completion:deliver=crash',
    });
    try {
      const { pipeline } = other.define({ alerts: { email: { to: [address] }, policy: { group: '200ms' } } });
      other.serve(pipeline, { status: 404, body: 'no' });
      await other.client.runs.launch({ pipeline });
      // By a signal, and so without a code.
      expect(await other.worker.ended).toBeNull();
      expect(await mailsTo(other.environment, address)).toHaveLength(1);
      other.worker = await startWorker(
        { ...other.environment, SLUICE_FAIL_POINT: '' },
        join(other.folder, 'second.log'),
      );
      const notifier = other.client.temporal.workflow.getHandle(ids.notifier(pipeline.name));
      await expect
        .poll(async () => (await notifier.query<Outbox>('outbox')).messages)
        .toMatchObject([
          { state: 'unknown', problem: expect.stringMatching(/whether it was taken is not known/) as unknown },
        ]);
      expect(await mailsTo(other.environment, address)).toHaveLength(1);
      const [{ state } = { state: '' }] = await other.client.incidents.list({ pipeline: pipeline.name });
      expect(state).toBe('open');
    } finally {
      await other.stop();
    }
  });
});

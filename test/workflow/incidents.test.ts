import { randomBytes } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { tellIncidents, tellingActivities, type PassedOn, type Told } from '../../src/activities/telling.ts';
import { showingOpen } from '../../src/activities/watching/show-open.ts';
import { alertsSchema } from '../../src/definition/alerts.ts';
import { planDeliveries, type Delivery } from '../../src/definition/deliveries.ts';
import type {
  AlertedPipeline,
  Clearing,
  Incident,
  Notice,
  Observation,
  TransitionKind,
} from '../../src/definition/incidents.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues } from '../../src/definition/names.ts';
import { unattended } from '../../src/stages/deps.ts';
import type { Outbox } from '../../src/workflows/notifier-messages.ts';
import { consumeInput } from '../helpers/fake-reading.ts';
import { Gate, untilStopped } from '../helpers/gate.ts';
import { noTemporal, WorkflowLab } from '../helpers/temporal.ts';

/** What is not there yet cannot be asked. */
async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitUntil(async () => Promise.resolve(what()).catch(() => false), { timeout: 60_000, interval: 50 });
}

interface Sent {
  readonly name: string;
  readonly notice: Notice;
  readonly kinds: readonly string[];
}

describe.skipIf(noTemporal)('incidents', () => {
  let lab: WorkflowLab;
  let sent: Sent[];
  let n = 0;
  let current = '';

  beforeAll(async () => {
    lab = await WorkflowLab.start();
  });

  afterAll(async () => {
    await lab?.stop();
  });

  /** What a channel does with a message, in place of taking it. */
  let channel: (delivery: Delivery) => Promise<{ accepted: true | 'unknown' }>;

  beforeEach(() => {
    sent = [];
    channel = async () => ({ accepted: true });
    const { passOn } = tellingActivities();
    lab.stages = {
      passOn: (given: PassedOn) => passOn(given),
      planDeliveries: async ({ pipeline, notice }: { pipeline: AlertedPipeline; notice: Notice }) =>
        planDeliveries(pipeline.alerts, notice, new Date().toISOString()),
      deliver: async ({ delivery, notice }: { delivery: Delivery; notice: Notice }) => {
        const answer = await channel(delivery);
        const told = notice.transitions.filter(({ id }) => delivery.transitions.includes(id));
        // Not those of the test before.
        if (notice.pipeline === current)
          sent.push({ name: delivery.name, notice, kinds: told.map(({ kind }) => kind) });
        return answer;
      },
    };
  });

  const pipelineOf = (alerts: object = {}): AlertedPipeline => ({
    name: (current = `w-${randomBytes(4).toString('hex')}`),
    alerts: alertsSchema.parse({ email: { to: ['a@example.org'] }, policy: { group: '300ms' }, ...alerts }),
  });
  const seen = ({ name }: AlertedPipeline, more: Partial<Observation> = {}): Observation => ({
    ...{ pipeline: name, rule: 'run-failed', subject: 'SourceNotFound', severity: 'critical', sentence: 'It failed.' },
    ...{ facts: [], occurrence: `o${(n += 1)}`, at: new Date().toISOString(), ...more },
  });
  const over = ({ name }: AlertedPipeline, more: Partial<Clearing> = {}): Clearing => ({
    ...{ pipeline: name, rule: 'run-failed', sentence: 'It is done.', at: new Date().toISOString(), ...more },
  });
  const tell = (
    pipeline: AlertedPipeline,
    { observations = [], clearings = [] }: { observations?: Observation[]; clearings?: Clearing[] },
  ): Promise<void> => tellIncidents(lab.temporal.client, { pipeline, observations, clearings });
  const handleOf = ({ name }: AlertedPipeline, subject = 'SourceNotFound') =>
    lab.temporal.client.workflow.getHandle(ids.incident(name, 'run-failed', subject));
  const outboxOf = ({ name }: AlertedPipeline): Promise<Outbox> =>
    lab.temporal.client.workflow.getHandle(ids.notifier(name)).query<Outbox>('outbox');
  const kinds = (): string[][] => sent.map((one) => [...one.kinds]);
  const settled = (pipeline: AlertedPipeline): Promise<void> =>
    until(async () => {
      const { held, messages } = await outboxOf(pipeline);
      return held.length === 0 && messages.every(({ state }) => state !== 'pending');
    });
  /** As {@link settled}, once so many transitions of the kind have come: before, an outbox is empty as well. */
  const heard = (pipeline: AlertedPipeline, kind: TransitionKind, times = 1): Promise<void> =>
    until(async () => {
      const { held, messages } = await outboxOf(pipeline);
      const come = new Set(
        messages.flatMap(({ transitions }) => transitions).filter((id) => id.split('/').includes(kind)),
      );
      return held.length === 0 && come.size >= times && messages.every(({ state }) => state !== 'pending');
    });

  it('tells once that a problem is there, however often it is seen, and once that it is over', async () => {
    const pipeline = pipelineOf();
    for (let times = 0; times < 11; times += 1) await tell(pipeline, { observations: [seen(pipeline)] });
    await until(async () => sent.length === 1);
    const open = await handleOf(pipeline).query<Incident>('incident');
    expect(open).toMatchObject({ state: 'open', occurrences: 11, severity: 'critical' });
    await tell(pipeline, { clearings: [over(pipeline)] });
    const ended = (await handleOf(pipeline).result()) as Incident;
    expect(ended).toMatchObject({ state: 'recovered', occurrences: 11 });
    await until(async () => sent.length === 2);
    expect(kinds()).toEqual([['opened'], ['recovered']]);
    expect(sent[1]?.notice.transitions[0]?.sentence).toBe('It is done.');
    // The next one is another incident.
    await tell(pipeline, { observations: [seen(pipeline)] });
    await until(async () => sent.length === 3);
    expect(kinds()[2]).toEqual(['opened']);
    expect((await outboxOf(pipeline)).open).toHaveLength(1);
  });

  it('has the dashboards show each change, and tells all the same where they do not answer', async () => {
    const shown: string[] = [];
    const { passOn } = tellingActivities(async ({ state, pipeline }) => {
      if (pipeline !== current) return;
      shown.push(state);
      throw new SluiceError('ElasticsearchUnavailable', 'It is away.');
    });
    lab.stages = { ...lab.stages, passOn: (given: PassedOn) => passOn(given) };
    const pipeline = pipelineOf();
    await tell(pipeline, { observations: [seen(pipeline)] });
    await until(async () => sent.length === 1);
    await tell(pipeline, { clearings: [over(pipeline)] });
    await handleOf(pipeline).result();
    await until(async () => sent.length === 2);
    expect(shown).toEqual(['open', 'recovered']);
  });

  it('is shown as it stands at the next look, also where nobody is told of what has changed', async () => {
    const pipeline = pipelineOf();
    const shown: string[] = [];
    const show = showingOpen(async (incidents) => {
      for (const { state, occurrences } of incidents.filter((one) => one.pipeline === pipeline.name))
        shown.push(`${state} ${occurrences}`);
    });
    const look = new MockActivityEnvironment({}, { client: lab.temporal.client });
    // The list is a moment behind.
    const shows = (what: string): Promise<void> =>
      until(async () => {
        await look.run(() => show(unattended));
        return shown.at(-1) === what;
      });
    await tell(pipeline, { observations: [seen(pipeline)] });
    await shows('open 1');
    await tell(pipeline, { observations: [seen(pipeline)] });
    await shows('open 2');
    await handleOf(pipeline).executeUpdate('acknowledge', { args: [{ by: 'eva' }] });
    await shows('acknowledged 2');
    expect(shown).toEqual(['open 1', 'open 2', 'acknowledged 2']);
  });

  it('tells in one message what comes within a window', async () => {
    const pipeline = pipelineOf({ policy: { group: '5s' } });
    const subjects = ['a', 'b/c', 'd', 'e', 'ü'];
    await Promise.all(subjects.map((subject) => tell(pipeline, { observations: [seen(pipeline, { subject })] })));
    await heard(pipeline, 'opened', 5);
    expect(kinds()).toEqual([Array.from({ length: 5 }, () => 'opened')]);
    await tell(pipeline, { clearings: [over(pipeline)] });
    await heard(pipeline, 'recovered', 5);
    expect(kinds()[1]).toEqual(Array.from({ length: 5 }, () => 'recovered'));
    expect(sent).toHaveLength(2);
  });

  it('reminds until somebody acknowledges it', async () => {
    const pipeline = pipelineOf({ policy: { group: '10ms', remindEvery: '500ms' } });
    await tell(pipeline, { observations: [seen(pipeline)] });
    await until(async () => sent.length >= 3);
    const answer = await handleOf(pipeline).executeUpdate<Incident, [object]>('acknowledge', {
      args: [{ by: 'eva', note: 'on it' }],
    });
    expect(answer).toMatchObject({ state: 'acknowledged', acknowledged: { by: 'eva', note: 'on it' } });
    // A reminder may be on its way to the notifier.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await settled(pipeline);
    const told = sent.length;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(sent).toHaveLength(told);
    expect(new Set(kinds().slice(1).flat())).toEqual(new Set(['reminder']));
    expect(new Set(sent.map(({ notice }) => notice.id)).size).toBe(told);
  });

  it('escalates, and tells whom it is escalated to', async () => {
    const alerts = { slack: { url: '${secret:S}' }, routes: [{ to: ['email'] }] };
    const policy = { group: '10ms', escalateAfter: '3s', escalateTo: ['slack'] };
    const pipeline = pipelineOf({ ...alerts, policy });
    await tell(pipeline, { observations: [seen(pipeline, { severity: 'warning' })] });
    await until(async () => sent.length === 2);
    expect(sent.map(({ name, kinds: told }) => [name, ...told])).toEqual([
      ['email', 'opened'],
      ['slack', 'escalated'],
    ]);
    expect(await handleOf(pipeline).query('incident')).toMatchObject({ severity: 'critical' });
  });

  it('tells nobody of one that is silenced, and says so', async () => {
    const pipeline = pipelineOf({ policy: { group: '10ms', remindEvery: '3s' } });
    await tell(pipeline, { observations: [seen(pipeline)] });
    const until24 = new Date(Date.now() + 86_400_000).toISOString();
    await handleOf(pipeline).signal('silence', { by: 'eva', until: until24 });
    await until(async () => (await handleOf(pipeline).query<Incident>('incident')).silencedUntil !== undefined);
    await heard(pipeline, 'opened');
    await handleOf(pipeline).executeUpdate('close', { args: [{ by: 'eva', reason: 'known' }] });
    expect(await handleOf(pipeline).result()).toMatchObject({ state: 'closed' });
    await heard(pipeline, 'closed');
    expect(kinds()).toEqual([['opened']]);
    expect((await outboxOf(pipeline)).messages.at(-1)).toMatchObject({ state: 'silenced' });
  });

  it('loses nothing that is seen while it ends, and opens the next one with it', async () => {
    const pipeline = pipelineOf({ policy: { group: '10ms' } });
    await tell(pipeline, { observations: [seen(pipeline)] });
    await until(async () => sent.length === 1);
    const gate = new Gate();
    const { passOn } = lab.stages;
    lab.stages = {
      ...lab.stages,
      passOn: async (given: PassedOn) => {
        if (given.transition.kind === 'recovered') await gate.pass();
        return passOn?.(given as never);
      },
    };
    await tell(pipeline, { clearings: [over(pipeline)] });
    await gate.reached;
    const again = seen(pipeline);
    await tell(pipeline, { observations: [again] });
    await tell(pipeline, { observations: [again] });
    gate.open();
    await until(async () => kinds().flat().length === 3);
    expect(kinds().flat()).toEqual(['opened', 'recovered', 'opened']);
    expect(await handleOf(pipeline).query('incident')).toMatchObject({ state: 'open', occurrences: 1 });
    // It is followed: what clears the rule comes to it.
    await tell(pipeline, { clearings: [over(pipeline)] });
    expect(await handleOf(pipeline).result()).toMatchObject({ state: 'recovered' });
    await until(() => kinds().flat().length === 4);
  });

  it('finds what was opened a moment ago by no worker', async () => {
    const pipeline = pipelineOf();
    await lab.without(taskQueues.watch, async () => {
      await tell(pipeline, { observations: [seen(pipeline)] });
      await tell(pipeline, { clearings: [over(pipeline)] });
    });
    expect(await handleOf(pipeline).result()).toMatchObject({ state: 'recovered' });
    await heard(pipeline, 'opened');
    await heard(pipeline, 'recovered');
    await until(() => kinds().flat().length === 2);
    expect(kinds().flat().toSorted()).toEqual(['opened', 'recovered']);
  });

  it('is cleared with its rule though somebody has ended the notifier by hand', async () => {
    const pipeline = pipelineOf();
    for (const subject of ['SourceNotFound', 'Other'])
      await tell(pipeline, { observations: [seen(pipeline, { subject })] });
    await until(() => kinds().flat().length === 2);
    await settled(pipeline);
    await lab.temporal.client.workflow.getHandle(ids.notifier(pipeline.name)).terminate('by hand');
    for (const subject of ['SourceNotFound', 'Other']) {
      await until(async () => {
        const query = `WorkflowId = "${handleOf(pipeline, subject).workflowId}" AND ExecutionStatus = "Running"`;
        return (await lab.temporal.client.workflow.count(query)).count === 1;
      });
    }
    await tell(pipeline, { clearings: [over(pipeline)] });
    for (const subject of ['SourceNotFound', 'Other'])
      expect(await handleOf(pipeline, subject).result()).toMatchObject({ state: 'recovered' });
    await until(() => kinds().flat().length === 4);
  });

  it('goes on where it was when its worker goes: nothing is told twice, and nothing is left out', async () => {
    const pipeline = pipelineOf({ policy: { group: '1s' } });
    await tell(pipeline, { observations: [seen(pipeline)] });
    await until(async () => (await outboxOf(pipeline)).held.length === 1);
    await lab.without(taskQueues.watch, () => tell(pipeline, { observations: [seen(pipeline, { subject: 'Other' })] }));
    await until(() => kinds().flat().length === 2);
    await settled(pipeline);
    expect(kinds().flat()).toEqual(['opened', 'opened']);
  });

  it('continues as new, and knows then what it has told', async () => {
    const pipeline = pipelineOf({ policy: { group: '10ms' } });
    const { workflow } = lab.temporal.client;
    const first = seen(pipeline);
    await workflow.signalWithStart('incident', {
      ...{ workflowId: handleOf(pipeline).workflowId, taskQueue: taskQueues.light },
      ...{ args: [{ pipeline, maxHistory: 20 }], signal: 'observed', signalArgs: [first] },
    });
    await workflow.signalWithStart('notifier', {
      ...{ workflowId: ids.notifier(pipeline.name), taskQueue: taskQueues.light },
      ...{ args: [{ pipeline, maxHistory: 20 }], signal: 'follow', signalArgs: [[]] },
    });
    const began = await Promise.all([
      handleOf(pipeline).describe(),
      workflow.getHandle(ids.notifier(pipeline.name)).describe(),
    ]);
    for (let times = 0; times < 12; times += 1) {
      await handleOf(pipeline).signal('observed', seen(pipeline));
      await until(
        async () =>
          (
            await handleOf(pipeline)
              .query<Incident>('incident')
              .catch(() => undefined)
          )?.occurrences ===
          times + 2,
      );
    }
    await handleOf(pipeline).signal('observed', first);
    await until(async () => sent.length === 1);
    for (let times = 0; times < 12; times += 1) {
      await workflow.getHandle(ids.notifier(pipeline.name)).signal('transition', sent[0]?.notice.transitions[0]);
      await settled(pipeline);
    }
    const now = await Promise.all([
      handleOf(pipeline).describe(),
      workflow.getHandle(ids.notifier(pipeline.name)).describe(),
    ]);
    now.forEach(({ runId }, which) => expect(runId).not.toBe(began[which]?.runId));
    // They began where they would have before there was a queue for it.
    expect(now.map(({ taskQueue }) => taskQueue)).toEqual([taskQueues.watch, taskQueues.watch]);
    await tell(pipeline, { clearings: [over(pipeline, { subject: 'SourceNotFound' })] });
    expect(await handleOf(pipeline).result()).toMatchObject({ occurrences: 13 });
    await until(async () => sent.length === 2);
    expect(kinds()).toEqual([['opened'], ['recovered']]);
  });

  describe('a message', () => {
    it('of two channels that fall back to the same one tells it of each change once', async () => {
      const pipeline = pipelineOf({
        ...{ slack: { url: '${secret:S}' }, webhook: { url: '${secret:W}', key: '${secret:K}' } },
        routes: [{ when: { rule: ['deadline-near'] }, to: ['webhook'] }, { to: ['email', 'webhook'] }],
        policy: { group: '3s' },
      });
      channel = async ({ name }) => {
        if (name !== 'slack') throw ApplicationFailure.nonRetryable('Gone.', 'MailUnavailable');
        return { accepted: true };
      };
      const late = { rule: 'deadline-near', subject: 'run' } as const;
      await tell(pipeline, { observations: [seen(pipeline), seen(pipeline, late)] });
      await heard(pipeline, 'opened', 2);
      expect(sent.map(({ name }) => name)).toEqual(sent.map(() => 'slack'));
      expect(kinds().flat()).toEqual(['opened', 'opened']);
    });

    const both = { slack: { url: '${secret:S}' }, routes: [{ to: ['email'] }], policy: { group: '10ms' } };

    it('goes to the other channel where the first one will not take it', async () => {
      const pipeline = pipelineOf(both);
      channel = async ({ name }) => {
        if (name === 'email') throw ApplicationFailure.nonRetryable('The mail server refuses it.', 'MailUnavailable');
        return { accepted: true };
      };
      await tell(pipeline, { observations: [seen(pipeline)] });
      await until(async () => sent.length === 1);
      await settled(pipeline);
      expect(sent.map(({ name }) => name)).toEqual(['slack']);
      expect((await outboxOf(pipeline)).messages).toMatchObject([
        { name: 'email', state: 'failed', problem: 'The mail server refuses it.' },
        { name: 'slack', state: 'sent' },
      ]);
    });

    it('of which nobody knows whether it was taken is not sent again, by nobody', async () => {
      const pipeline = pipelineOf(both);
      channel = async () => ({ accepted: 'unknown' });
      await tell(pipeline, { observations: [seen(pipeline)] });
      await until(async () => sent.length === 1);
      await settled(pipeline);
      expect((await outboxOf(pipeline)).messages).toMatchObject([{ name: 'email', state: 'unknown' }]);
    });

    it('that nobody takes stands in the outbox, and the next one is sent all the same', async () => {
      const pipeline = pipelineOf({ policy: { group: '10ms' } });
      channel = async () => {
        throw ApplicationFailure.nonRetryable('Gone.', 'MailUnavailable');
      };
      await tell(pipeline, { observations: [seen(pipeline)] });
      await until(async () => (await outboxOf(pipeline)).messages[0]?.state === 'failed');
      channel = async () => ({ accepted: true });
      await tell(pipeline, { clearings: [over(pipeline)] });
      await until(async () => sent.length === 1);
      expect(kinds()).toEqual([['recovered']]);
    });

    it('is made of none where the pipeline has no channel; its incidents are there all the same', async () => {
      const pipeline = { ...pipelineOf(), alerts: alertsSchema.parse({ policy: { group: '10ms' } }) };
      await tell(pipeline, { observations: [seen(pipeline)] });
      const told = async (): Promise<string[]> => (await outboxOf(pipeline)).messages.map(({ state }) => state);
      await until(async () => (await told()).some((state) => state !== 'pending'));
      expect(await told()).toEqual(['unrouted']);
      expect(await handleOf(pipeline).query('incident')).toMatchObject({ state: 'open' });
    });
  });

  it('of a consumer lasts from its halt until it has read for a while, however often it halts meanwhile', async () => {
    const pipeline = pipelineOf({ policy: { group: '10ms' } });
    const { name, alerts } = pipeline;
    let gone = true;
    lab.stages = {
      ...lab.stages,
      tellOf: (told: Told) => tellIncidents(lab.temporal.client, told),
      consume: async () => {
        if (gone) throw new SluiceError('LogTruncated', 'offset 7 is gone');
        await untilStopped();
      },
    };
    const consumer = await lab.temporal.client.workflow.start('consumer', {
      ...{ workflowId: ids.consumer(name, 0), taskQueue: taskQueues.light },
      args: [{ consume: consumeInput(name), alerts, checkedMs: 1_000 }],
    });
    const incident = lab.temporal.client.workflow.getHandle(ids.incident(name, 'consumer-halted', `${name}/0`));
    await until(async () => (await incident.query<Incident>('incident')).occurrences === 1);
    // Nothing was mended: it halts again, and nobody is told.
    await consumer.executeUpdate('resume');
    await until(async () => (await incident.query<Incident>('incident')).occurrences === 2);
    gone = false;
    await consumer.executeUpdate('resume');
    expect(await incident.result()).toMatchObject({
      ...{ state: 'recovered', severity: 'critical', occurrences: 2, sentence: 'offset 7 is gone' },
    });
    await until(() => kinds().flat().length === 2);
    expect(kinds().flat()).toEqual(['opened', 'recovered']);
    await consumer.executeUpdate('drain');
    await consumer.result();
  });

  it('leaves aside what is sent by hand and is none, and says why an update is refused', async () => {
    const pipeline = pipelineOf();
    await tell(pipeline, { observations: [seen(pipeline)] });
    const handle = handleOf(pipeline);
    for (const word of ['observed', 'cleared', 'acknowledge', 'silence', 'close']) {
      for (const given of [undefined, null, 7, 'text', {}, { by: '' }, { pipeline: 'other', rule: 'lag' }])
        await handle.signal(word, given);
    }
    const notifier = lab.temporal.client.workflow.getHandle(ids.notifier(pipeline.name));
    for (const word of ['transition', 'follow', 'clear']) await notifier.signal(word, { id: 7 });
    // Whom to tell is judged as well: the workflow would throw at each of its tasks.
    const bad = { policy: { group: 'soon', remindEvery: 7 }, routes: 'all' };
    await handle.signal('observed', seen(pipeline), bad);
    await notifier.signal('follow', [], bad);
    expect(await handle.query('incident')).toMatchObject({ state: 'open', occurrences: 2 });
    const refused = async (word: string, given: object): Promise<string> =>
      handle.executeUpdate(word, { args: [given] }).then(
        () => 'taken',
        (error: Error) => (error.cause as Error).message,
      );
    expect(await refused('silence', { by: 'eva' })).toMatch(/^silence needs "until", an end/);
    expect(await refused('acknowledge', {})).toMatch(/^acknowledge needs "by"/);
    expect(await refused('close', { by: 'eva', reason: ' ' })).toBe('"reason" must be a text that is not empty.');
    await until(() => sent.length === 1);
    await settled(pipeline);
    expect(kinds()).toEqual([['opened']]);
  });

  it('shows an incident in the list and in the Web UI without asking it', async () => {
    const pipeline = pipelineOf();
    await tell(pipeline, { observations: [seen(pipeline, { hour: '2026-11-24T03:00:00Z' })] });
    await until(async () => (await handleOf(pipeline).describe()).memo?.['incident'] !== undefined);
    const { memo, typedSearchAttributes } = await handleOf(pipeline).describe();
    expect(memo).toMatchObject({ incident: { state: 'open', hours: ['2026-11-24T03:00:00Z'] } });
    const found = Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
    expect(found).toMatchObject({ PipelineName: pipeline.name, PipelineStage: 'run-failed', PipelineOutcome: 'open' });
  });
});

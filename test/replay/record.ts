import { rm, mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { Judged } from '../../src/activities/index.ts';
import { tellIncidents, tellingActivities, type PassedOn } from '../../src/activities/telling.ts';
import { planDeliveries } from '../../src/definition/deliveries.ts';
import type { Clearing, Incident, Notice, Observation } from '../../src/definition/incidents.ts';
import type { Outbox } from '../../src/workflows/notifier-messages.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { ids, taskQueues, type StartStage } from '../../src/definition/names.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import type { CleanResult } from '../../src/definition/refs.ts';
import { committed, definition, goodStages, hour, lookedAt } from '../helpers/fake-stages.ts';
import { Gate } from '../helpers/gate.ts';
import { WorkflowLab } from '../helpers/temporal.ts';

// `npm run record`: drives every workflow along each of its ways on a real server, and keeps the histories. The replay test holds
// newer code to them: what a running workflow did yesterday, today's code must do again.

const folder = join(import.meta.dirname, 'histories');
const lab = await WorkflowLab.start();
const { client } = lab.temporal;

/** What a history says of the machine it was recorded on stays out of the repository. */
const machine = new Set(['identity', 'stackTrace', 'binaryChecksum', 'workerVersion']);

const process = `${pid}@${hostname()}`;

async function keep(name: string, workflowId: string, runId?: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const text = JSON.stringify(JSON.parse(historyToJSON(history)), (key, value: unknown) =>
    machine.has(key) ? undefined : typeof value === 'string' ? value.replaceAll(process, 'worker') : value,
  );
  await writeFile(join(folder, `${name}.json`), `${text}\n`);
  console.log(`${name}: ${history.events?.length ?? 0} events`);
}

const settled = async (handle: WorkflowHandle): Promise<void> => {
  await handle.result().catch(() => {});
};

function startPipeline(pipeline: Pipeline, startFrom?: StartStage): Promise<WorkflowHandle> {
  return client.workflow.start('pipeline', {
    workflowId: ids.pipeline(pipeline.name, hour),
    taskQueue: taskQueues.light,
    args: [{ pipeline, hour, force: startFrom !== undefined, refetch: false, useCurrent: false, startFrom }],
  });
}

const untilCancelled = async (): Promise<void> => {
  const beat = setInterval(() => Context.current().heartbeat(), 50);
  await Context.current().cancelled.finally(() => clearInterval(beat));
};

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it never came to that');
}

async function recordPipeline(
  name: string,
  input: Parameters<typeof definition>[0],
  change: (stages: ReturnType<typeof goodStages>['stages'], pipeline: Pipeline) => object,
  during: (handle: WorkflowHandle) => Promise<void> = async () => {},
  startFrom?: StartStage,
): Promise<void> {
  const pipeline = definition(input);
  const { stages } = goodStages(pipeline);
  lab.stages = { ...stages, ...change(stages, pipeline) };
  const handle = await startPipeline(pipeline, startFrom);
  await during(handle);
  await settled(handle);
  await keep(name, handle.workflowId);
}

/** What is watched from outside of runs: nothing to tell, something to tell, something that cannot be told; then it continues as new. */
async function recordWatchdog(): Promise<void> {
  let looks = 0;
  const { name, alerts } = definition();
  lab.stages = {
    look: async () => {
      looks += 1;
      const about = { pipeline: name, rule: 'worker-gone', at: hour, sentence: 'No worker.' } as const;
      const observation = { ...about, severity: 'critical', facts: [], occurrence: '1' } as const;
      const pipeline = { name, alerts };
      return {
        ...lookedAt(hour),
        ...{
          everyMs: 200,
          told: looks % 2 === 0 ? [{ pipeline, observations: [observation], clearings: [about] }] : [],
        },
      };
    },
    tellOf: async () => {
      if (looks === 4) throw ApplicationFailure.nonRetryable('Nobody listens.');
    },
  };
  const watching = await client.workflow.start('watchdog', {
    ...{ workflowId: ids.watchdog, taskQueue: taskQueues.watch, args: [{ maxHistory: 70 }] },
  });
  const { runId: first } = await watching.describe();
  await until(async () => looks > 1);
  await watching.signal('look');
  const newest = client.workflow.getHandle(watching.workflowId);
  await until(async () => (await newest.describe()).runId !== first);
  await newest.terminate();
  await keep('watchdog-continued', watching.workflowId, first);
}

/** What runs and consumers tell of, and what becomes of that. */
async function recordIncidents(): Promise<void> {
  await recordPipeline('pipeline-told-completed', {}, () => ({}));
  // Judged by those before it: one thing is odd, and another is over.
  const at = '2026-11-24T03:01:00.000Z';
  await recordPipeline('pipeline-judged', {}, (_stages, { name: pipeline }) => ({
    judgeRun: async (): Promise<Judged> => ({
      anomalies: [{ rule: 'rows', subject: 'read', severity: 'warning', sentence: '3 rows were read, usually 9.' }],
      observations: [
        {
          ...{ pipeline, rule: 'rows', subject: 'read', severity: 'warning', occurrence: hour, hour, at, facts: [] },
          sentence: '3 rows were read, usually 9.',
        },
      ],
      clearings: [{ pipeline, rule: 'missing', subject: 'usage', sentence: 'As usual again.', hour, at }],
      watched: { judged: 30, learning: 0, runs: 200 },
    }),
  }));
  await recordPipeline('pipeline-judged-by-nobody', {}, () => ({
    judgeRun: async () => {
      throw new SluiceError('StoreUnavailable', 'the object store is away');
    },
  }));
  await recordPipeline('pipeline-told-failed', {}, () => ({
    importSource: async () => {
      throw new SluiceError('SourceUnavailable', 'away');
    },
  }));
  let near = false;
  const late = { deadlines: { run: '1h', stages: { import: '20s' }, warnAt: 0.1 } };
  await recordPipeline('pipeline-told-deadline', late, ({ importSource }) => ({
    tellOf: async () => void (near = true),
    importSource: async () => {
      await until(async () => near);
      return importSource(undefined as never);
    },
  }));

  // Halts, reads again for long enough, halts again and is drained.
  let gone = true;
  let word = 0;
  lab.stages = {
    tellOf: async () => void (word += 1),
    consume: async () => {
      if (gone) throw new SluiceError('LogTruncated', 'offset 7 is gone');
      await untilCancelled();
    },
  };
  const { name } = definition();
  const telling = (stream: string, more: object) =>
    client.workflow.start('consumer', {
      workflowId: ids.consumer(stream, 0),
      taskQueue: taskQueues.light,
      args: [
        {
          consume: {
            ...{ stream, topic: stream, epoch: 'e1', life: 1, partitions: 1, shard: 0 },
            ...{ maxRecords: 10, maxBytes: 1_024, abandonAfterMs: 1_000 },
          },
          ...{ alerts: {}, ...more },
        },
      ],
    });
  const halting = await telling(name, { checkedMs: 500 });
  await until(async () => word === 1);
  gone = false;
  await halting.executeUpdate('resume');
  await until(async () => word === 2);
  gone = true;
  await halting.executeUpdate('pause');
  await halting.executeUpdate('resume');
  await until(async () => word === 3);
  await halting.executeUpdate('drain');
  await settled(halting);
  await keep('consumer-told', halting.workflowId);

  // Reads, and says so, for the one before it may have left without a word; halts, and reads with a full history while nobody can be told of it.
  let heard = 0;
  let away = false;
  lab.stages = {
    tellOf: async () => {
      if (away) throw new SluiceError('Unexpected', 'Temporal takes no word of it');
      heard += 1;
    },
    consume: async () => {
      if (gone) throw new SluiceError('LogTruncated', 'offset 7 is gone');
      await untilCancelled();
    },
  };
  gone = false;
  const besides = definition().name;
  const beside = await telling(besides, { checkedMs: 200, maxHistory: 60 });
  const before = (await beside.describe()).runId;
  const later = client.workflow.getHandle(beside.workflowId);
  await until(async () => heard === 1);
  gone = away = true;
  await later.executeUpdate('pause');
  await later.executeUpdate('resume');
  await until(async () => (await later.query<{ mode: string }>('state')).mode === 'halted');
  gone = false;
  await later.executeUpdate('resume');
  while ((await later.describe()).historyLength < 70) {
    await later.executeUpdate('pause');
    await later.executeUpdate('resume');
  }
  away = false;
  await until(async () => (await later.describe()).runId !== before);
  await keep('consumer-told-beside', beside.workflowId, before);
  await later.executeUpdate('drain');
  await settled(later);

  // Opened, seen again, reminded of, escalated, acknowledged, silenced and over; seen again meanwhile, and closed by hand.
  const pipeline = definition({
    alerts: {
      email: { to: ['a@example.org'] },
      policy: { group: '200ms', remindEvery: '300ms', escalateAfter: '1s' },
    },
  });
  const { passOn } = tellingActivities();
  const ending = new Gate();
  lab.stages = {
    passOn: async (given: PassedOn) => {
      if (given.transition.kind === 'recovered') await ending.pass();
      return passOn(given);
    },
    planDeliveries: async ({ pipeline: { alerts }, notice }: { pipeline: Pipeline; notice: Notice }) =>
      planDeliveries(alerts, notice, new Date().toISOString()),
    deliver: async () => ({ accepted: true }),
  };
  const seen = (occurrence: string): Observation => ({
    ...{ pipeline: pipeline.name, rule: 'run-failed', subject: 'SourceNotFound', severity: 'warning', occurrence },
    ...{ sentence: 'not there', facts: [{ name: 'Stage', value: 'import' }], at: new Date().toISOString(), hour },
  });
  const tell = (observations: readonly Observation[], clearings: readonly Clearing[] = []): Promise<void> =>
    tellIncidents(client, { pipeline, observations, clearings });
  await tell([seen('1')]);
  const problem = client.workflow.getHandle(ids.incident(pipeline.name, 'run-failed', 'SourceNotFound'));
  const began = (await problem.describe()).runId;
  await tell([seen('2')]);
  await until(async () => (await problem.query<Incident>('incident')).escalatedAt !== undefined);
  await problem.executeUpdate('acknowledge', { args: [{ by: 'eva' }] });
  await problem.signal('silence', { by: 'eva', until: new Date(Date.now() + 2_000).toISOString() });
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const over = { pipeline: pipeline.name, rule: 'run-failed', sentence: 'It is done.' } as const;
  await tell([], [{ ...over, at: new Date().toISOString() }]);
  await ending.reached;
  await tell([seen('3')]);
  ending.open();
  await until(async () => (await problem.describe()).runId !== began);
  await keep('incident-next', problem.workflowId, began);
  await until(async () => (await problem.query<Incident>('incident')).state === 'open');
  await problem.executeUpdate('close', { args: [{ by: 'eva', reason: 'known' }] });
  await settled(problem);
  await keep('incident-closed', problem.workflowId);
  const notifier = client.workflow.getHandle(ids.notifier(pipeline.name));
  await until(async () => {
    const { held, messages } = await notifier.query<Outbox>('outbox');
    return held.length === 0 && messages.every(({ state: came }) => came === 'sent');
  });
  await keep('notifier-sent', notifier.workflowId);
  await notifier.terminate();
}

try {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });

  await recordPipeline('pipeline-completed', { save: { localCopy: true } }, () => ({}));
  await recordPipeline('pipeline-unchanged', {}, ({ importSource }) => ({
    importSource: async () => ({
      ...((await importSource(undefined as never)) as object),
      sameAs: '2026-11-24T02:00:00Z',
    }),
  }));
  await recordPipeline('pipeline-failed', {}, () => ({
    importSource: async () => {
      throw new SluiceError('SourceNotFound', 'not there');
    },
  }));
  await recordPipeline('pipeline-blocked', {}, ({ clean }) => ({
    clean: async () => ({
      ...((await clean(undefined as never)) as object),
      quality: [{ gate: 'minRows', level: 'block', sentence: 'too few rows' }],
    }),
  }));
  await recordPipeline(
    'pipeline-cancelled',
    {},
    () => ({ publish: untilCancelled }),
    async (handle) => {
      await until(async () => (await handle.query<{ current?: string }>('progress')).current === 'publish');
      await handle.cancel();
    },
  );

  // By its update, and what it had made is tidied up.
  const current = async (handle: WorkflowHandle, stage: string): Promise<void> =>
    until(async () => (await handle.query<{ current?: string }>('progress')).current === stage);
  await recordPipeline(
    'pipeline-cancelled-by-update',
    {},
    () => ({ publish: untilCancelled }),
    async (handle) => {
      await current(handle, 'publish');
      await handle.executeUpdate('cancel');
    },
  );
  // Paused and resumed, by updates and by signals; cancelled where it is too late.
  const mode = async (handle: WorkflowHandle, wanted: string): Promise<void> =>
    until(async () => (await handle.query<{ mode?: string }>('progress')).mode === wanted);
  const gates = { clean: new Gate(), writeReport: new Gate() };
  await recordPipeline(
    'pipeline-paused',
    {},
    ({ clean, writeReport }) => ({
      clean: async () => gates.clean.pass().then(() => clean(undefined as never)),
      writeReport: async (report: never) => gates.writeReport.pass().then(() => writeReport(report)),
    }),
    async (handle) => {
      await gates.clean.reached;
      await handle.executeUpdate('pause');
      await handle.executeUpdate('resume');
      await handle.signal('pause');
      gates.clean.open();
      await mode(handle, 'paused');
      await handle.executeUpdate('resume');
      await gates.writeReport.reached;
      await handle.signal('cancel');
      await handle.cancel();
      gates.writeReport.open();
    },
  );

  let landed = false;
  let consumes = 0;
  const state = { mode: 'running', stream: 's', topic: 's', epoch: 'e1', life: 1 };
  await recordPipeline(
    'pipeline-waited',
    {},
    ({ findLanded }) => ({
      findLanded: async () => (landed ? findLanded(undefined as never) : undefined),
      consumerState: async () => state,
      consume: async () => {
        consumes += 1;
        await untilCancelled();
      },
    }),
    async (handle) => {
      await until(async () => consumes === 1);
      landed = true;
      await handle.signal('landed', { batch: 'b1' });
    },
  );

  // Two shards, each told of the definition before the first look.
  let looks = 0;
  await recordPipeline(
    'pipeline-shards',
    { land: { shards: 2 } },
    ({ findLanded }) => ({
      findLanded: async () => ((looks += 1) > 1 ? findLanded(undefined as never) : undefined),
      consumerState: async () => state,
      consume: untilCancelled,
    }),
    async (handle) => {
      await until(async () => looks === 1);
      await handle.signal('landed', { batch: 'b1' });
    },
  );

  let asked = 0;
  await recordPipeline('pipeline-turn', { key: ['id'], duplicates: { acrossRuns: true } }, () => ({
    findRunsAhead: async () => {
      asked += 1;
      return asked === 1 ? { count: 1, first: ['2026-11-24T02:00:00Z'] } : { count: 0, first: [] };
    },
    markStale: async () => ({ hours: ['2026-11-24T04:00:00Z'], count: 1, itself: false }),
  }));

  // Asks for its turn while Temporal does not list the runs.
  let asks = 0;
  await recordPipeline('pipeline-turn-unknown', { key: ['id'], duplicates: { acrossRuns: true } }, () => ({
    findRunsAhead: async () => {
      asks += 1;
      if (asks <= 4) throw new SluiceError('Unexpected', 'Temporal does not list the runs.');
      return { count: 0, first: [] };
    },
  }));

  // Two data sets: one cannot be published, and the other is stopped.
  const kinds = { name: 'kinds', groupBy: ['id'], measures: { n: { count: '*' as const } } };
  await recordPipeline('pipeline-data-sets', { aggregate: [kinds] }, ({ prepare, clean }) => ({
    prepare: async () => {
      const [main] = (await prepare(undefined as never)) as [{ stream: string }];
      return [main, { ...main, dataset: 'kinds', stream: `${main.stream}.kinds` }];
    },
    clean: async () => {
      const cleaned = (await clean(undefined as never)) as CleanResult;
      return {
        ...cleaned,
        batches: ['main', 'kinds'].flatMap((dataset) => cleaned.batches.map((batch) => ({ ...batch, dataset }))),
      };
    },
    publish: async ({ prepared }: { prepared: { dataset: string } }) => {
      if (prepared.dataset === 'kinds') throw new SluiceError('SourceNotFound', 'not there');
      await untilCancelled();
    },
  }));

  // Its consumer is paused for some looks.
  let seen = 0;
  await recordPipeline(
    'pipeline-landed-late',
    { deadlines: { run: '1h' } },
    ({ findLanded }) => ({
      findLanded: async () => ((seen += 1) > 2 ? findLanded(undefined as never) : undefined),
      consumerState: async () => ({ ...state, mode: 'paused' }),
      consume: untilCancelled,
    }),
    async (handle) => {
      for (const looked of [1, 2]) {
        await until(async () => seen === looked);
        await handle.signal('landed', { batch: 'b1' });
      }
    },
  );

  // An import that takes longer than most of what it may, and one that takes longer than all of it.
  let told = false;
  const alerted = { tellOf: async () => void (told = true) };
  const near = { deadlines: { run: '1h', stages: { import: '20s' }, warnAt: 0.1 } };
  await recordPipeline('pipeline-deadline-near', near, ({ importSource }) => ({
    ...alerted,
    importSource: async () => {
      await until(async () => told);
      return importSource(undefined as never);
    },
  }));
  const short = { deadlines: { run: '1h', stages: { import: '2s' }, warnAt: 0.5 } };
  await recordPipeline('pipeline-deadline-exceeded', short, () => ({ ...alerted, importSource: untilCancelled }));

  // Waits until the other run in flight is through, finds one slot taken by a run that was faster, and takes the next.
  const taken = await client.workflow.start('slot', { workflowId: ids.slot(0), taskQueue: taskQueues.light, args: [] });
  let full = true;
  await recordPipeline(
    'pipeline-slot',
    {},
    ({ importSource }) => ({
      importSource: async () => ({ ...((await importSource(undefined as never)) as object), takesSlot: true }),
      findSlots: async () => ({ limit: 2, free: full ? [] : [0, 1], ahead: full ? 1 : 0 }),
    }),
    async (handle) => {
      await until(async () => (await handle.query<{ waiting?: string }>('progress')).waiting !== undefined);
      full = false;
    },
  );
  const held = client.workflow.getHandle(ids.slot(1));
  await settled(held);
  await keep('slot-held', held.workflowId);

  // Lets its slot go while its consumer is paused, with the clock of its deadline, and takes one again.
  let paused = true;
  await recordPipeline(
    'pipeline-slot-again',
    { deadlines: { run: '1h' } },
    ({ importSource, findLanded }) => ({
      importSource: async () => ({ ...((await importSource(undefined as never)) as object), takesSlot: true }),
      findSlots: async () => ({ limit: 2, free: [1], ahead: 0 }),
      findLanded: async () => (paused ? undefined : findLanded(undefined as never)),
      consumerState: async () => ({ ...state, mode: 'paused' }),
      consume: untilCancelled,
    }),
    async (handle) => {
      await until(async () => (await handle.query<{ waiting?: string }>('progress')).waiting !== undefined);
      paused = false;
      await handle.signal('landed', { batch: 'b1' });
    },
  );
  await taken.cancel();
  await settled(taken);

  // An hour that replaces one, of a pipeline that takes no keys of earlier hours out any more.
  await recordPipeline('pipeline-replaced', {}, ({ commitHour }) => ({
    commitHour: async () => ({ ...((await commitHour(undefined as never)) as object), generation: 2 }),
    markStale: async () => ({ hours: ['2026-11-24T04:00:00Z'], count: 1, itself: false }),
  }));

  const across = { columns: { id: { name: 'id', required: true } }, key: ['id'], duplicates: { acrossRuns: true } };
  const nothing = async (): Promise<void> => {};
  await recordPipeline('pipeline-from-publish', across, () => ({}), nothing, 'publish');
  const foundStored = ({ findStored }: ReturnType<typeof goodStages>['stages'], pipeline: Pipeline): object => ({
    findStored: async () => ({
      ...((await findStored(undefined as never)) as object),
      committed: [committed(pipeline)],
    }),
  });
  await recordPipeline('pipeline-from-index', across, foundStored, nothing, 'index');

  const pipeline = definition();
  lab.stages = goodStages(pipeline).stages;
  const launch = (id: string): Promise<unknown> =>
    client.workflow.execute('launch', { workflowId: id, taskQueue: taskQueues.light, args: [{ pipeline, hour }] });
  await launch('launch-started');
  await keep('launch-started', 'launch-started');
  await settled(client.workflow.getHandle(ids.pipeline(pipeline.name, hour)));
  lab.stages = { ...lab.stages, findDone: async () => ({ pipeline: pipeline.name, hour }) };
  await launch('launch-joined');
  await keep('launch-joined', 'launch-joined');

  // Waits for the run that another launch has started, and looks at it now and then.
  const polled = definition();
  const ends = Promise.withResolvers<void>();
  let lookedAt = 0;
  const polledStages = goodStages(polled).stages;
  lab.stages = {
    ...polledStages,
    prepare: async () => {
      await ends.promise;
      return polledStages.prepare(undefined as never);
    },
    lookAtRun: async (input: never) => {
      lookedAt += 1;
      if (lookedAt === 2) ends.resolve();
      return polledStages.lookAtRun(input);
    },
  };
  const launchToWait = (id: string): Promise<WorkflowHandle> =>
    client.workflow.start('launch', {
      ...{ workflowId: id, taskQueue: taskQueues.light },
      args: [{ pipeline: polled, hour, wait: true }],
    });
  const runs = await launchToWait('launch-waits');
  await until(async () =>
    client.workflow
      .getHandle(ids.pipeline(polled.name, hour))
      .describe()
      .then(
        () => true,
        () => false,
      ),
  );
  const joins = await launchToWait('launch-polled');
  await settled(joins);
  await settled(runs);
  await keep('launch-polled', joins.workflowId);

  const kept = definition({ keep: { hours: '30d' } });
  lab.stages = goodStages(kept).stages;
  const workflowId = ids.maintenance(kept.name);
  await client.workflow.execute('maintenance', { workflowId, taskQueue: taskQueues.light, args: [{ pipeline: kept }] });
  await keep('maintenance-completed', workflowId);

  const indexed = definition({ aggregate: [{ name: 'kinds', groupBy: ['id'], measures: { n: { count: '*' } } }] });
  lab.stages = goodStages(indexed).stages;
  const reindexId = ids.reindex(indexed.name);
  await client.workflow.execute('reindex', {
    workflowId: reindexId,
    taskQueue: taskQueues.light,
    args: [{ pipeline: indexed }],
  });
  await keep('reindex-completed', reindexId);

  // Two at a time, paused and resumed, with an hour that fails; then one that continues as new, and one that is cancelled with its runs.
  const found = { missing: 6, failed: 0, stale: 0, running: 0, present: 0, removed: 0 };
  const hours = [0, 1, 2, 3, 4, 5].map((n) => `2026-11-24T0${n}`);
  const startBackfill = (filled: Pipeline, more: object): Promise<WorkflowHandle> =>
    client.workflow.start('backfill', {
      workflowId: ids.backfill(filled.name, hours[0] ?? '', hours[5] ?? ''),
      taskQueue: taskQueues.light,
      args: [{ pipeline: filled, from: hours[0], to: hours[5], parallel: 2, ...more }],
    });
  const fillable = (filled: Pipeline) => ({
    ...goodStages(filled).stages,
    planBackfill: async () => ({ found, stretches: [], hours, failed: [], warnings: [] }),
  });
  const finished = definition();
  const goOn = Promise.withResolvers<void>();
  lab.stages = {
    ...fillable(finished),
    prepare: async () => {
      await goOn.promise;
      return goodStages(finished).stages.prepare(undefined as never);
    },
    importSource: async ({ hour: at }: { hour: string }) => {
      if (at === '2026-11-24T01:00:00Z') throw new SluiceError('SourceNotFound', 'not there');
      return goodStages(finished).stages.importSource(undefined as never);
    },
  };
  const finishing = await startBackfill(finished, {});
  await until(async () => (await finishing.query<{ running: unknown[] }>('progress')).running.length === 2);
  await finishing.executeUpdate('pause');
  await finishing.executeUpdate('resume');
  goOn.resolve();
  await settled(finishing);
  await keep('backfill-completed', finishing.workflowId);

  // Hours whose launches have ids of their own.
  const own = definition();
  lab.stages = fillable(own);
  const owning = await startBackfill(own, {});
  await settled(owning);
  await keep('backfill-launch-ids', owning.workflowId);

  const continued = definition();
  lab.stages = fillable(continued);
  const continuing = await startBackfill(continued, { maxHistory: 30 });
  const began = (await continuing.describe()).runId;
  await settled(continuing);
  await keep('backfill-continued', continuing.workflowId, began);
  await keep(
    'backfill-carried',
    continuing.workflowId,
    (await client.workflow.getHandle(continuing.workflowId).describe()).runId,
  );

  const stopped = definition();
  lab.stages = { ...fillable(stopped), importSource: untilCancelled };
  const stopping = await startBackfill(stopped, {});
  await until(async () => (await stopping.query<{ running: unknown[] }>('progress')).running.length === 2);
  await stopping.executeUpdate('cancel', { args: [{ runs: 'cancel' }] });
  await settled(stopping);
  await keep('backfill-cancelled', stopping.workflowId);

  // Halts, gives up what is lost, is told of three shards and of one again, and leaves.
  const lossy = definition().name;
  let gone = true;
  lab.stages = {
    consume: async () => {
      if (gone) throw new SluiceError('LogTruncated', 'offset 7 is gone');
      await untilCancelled();
    },
    acceptLoss: async () => {
      gone = false;
      return { epoch: 'e1', partition: 0, first: '7', last: '8', reason: 'disk', acceptedAt: 1 };
    },
  };
  const lossyInput = {
    ...{ stream: lossy, topic: lossy, epoch: 'e1', life: 1, partitions: 1, shard: 0 },
    ...{ maxRecords: 10, maxBytes: 1_024, abandonAfterMs: 1_000 },
  };
  const halts = await client.workflow.start('consumer', {
    workflowId: ids.consumer(lossy, 0),
    taskQueue: taskQueues.light,
    args: [{ consume: lossyInput }],
  });
  await until(async () => (await halts.query<{ mode: string }>('state')).mode === 'halted');
  await halts.executeUpdate('acceptLoss', { args: [{ partition: 0, from: '7', to: '8', reason: 'disk' }] });
  await halts.signal('adopt', { ...lossyInput, shards: 3 });
  await halts.signal('adopt', lossyInput);
  await halts.signal('acceptLoss', { partition: 0, from: '9', to: '9', reason: 'while it reads: refused' });
  await halts.executeUpdate('drain');
  await settled(halts);
  await keep('consumer-loss', halts.workflowId);

  const stream = definition().name;
  let broken = false;
  lab.stages = {
    consume: async () => {
      if (broken) throw new SluiceError('LogTruncated', 'offset 7 is gone');
      await untilCancelled();
    },
  };
  const consume = {
    ...{ stream, topic: stream, epoch: 'e1', life: 1, partitions: 1, shard: 0 },
    ...{ maxRecords: 10, maxBytes: 1_024, abandonAfterMs: 1_000 },
  };
  const consumer = await client.workflow.start('consumer', {
    workflowId: ids.consumer(stream, 0),
    taskQueue: taskQueues.light,
    args: [{ consume, maxHistory: 60 }],
  });
  const first = (await consumer.describe()).runId;
  const newest = client.workflow.getHandle(consumer.workflowId);
  await newest.executeUpdate('pause');
  await newest.executeUpdate('resume');
  await newest.signal('adopt', { ...consume, epoch: 'e2', life: 2 });
  broken = true;
  await newest.executeUpdate('pause');
  await newest.executeUpdate('resume');
  await until(async () => (await newest.query<{ mode: string }>('state')).mode === 'halted');
  broken = false;
  await newest.executeUpdate('resume');
  for (let times = 0; (await newest.describe()).runId === first; times += 1) {
    await newest.executeUpdate(times % 2 === 0 ? 'pause' : 'resume');
  }
  await keep('consumer-continued', consumer.workflowId, first);
  await newest.executeUpdate('drain');
  await settled(newest);
  await keep('consumer-drained', consumer.workflowId, (await newest.describe()).runId);

  await recordIncidents();
  await recordWatchdog();
} finally {
  await lab.stop();
}

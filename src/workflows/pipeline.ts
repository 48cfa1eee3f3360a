import { allHandlersFinished, CancellationScope, condition, patched } from '@temporalio/workflow';
import type { CleanResult, RunReport } from '../activities/index.ts';
import { withEvolved } from '../definition/evolve.ts';
import { mainDataset } from '../definition/names.ts';
import type { HourRecord } from '../definition/refs.ts';
import { afterFailure } from './after-failure.ts';
import { awaitLanded, hearLanded, type Told } from './await-landed.ts';
import { awaitTurn } from './await-turn.ts';
import { cleanReport } from './clean-report.ts';
import { eachDataset } from './each-dataset.ts';
import { failure } from './failure.ts';
import { judgeRun } from './judging.ts';
import type { RunInput } from './messages.ts';
import { linkClean, linkHour, linkImport } from './memo-links.ts';
import { preparedReport } from './prepared-report.ts';
import { LAST_STAGE, RunControl, steerable } from './run-control.ts';
import { RunLog } from './run-log.ts';
import { Slot } from './slots.ts';
import { sourceReport } from './source-report.ts';
import { stageActivities } from './stage-activities.ts';
import { requireRunInput } from './started-by-hand.ts';
import { stagesBeforeCommit, stillStored, storedReferences } from './stored-references.ts';
import { tellOfSuccess } from './telling.ts';

/** One run of one hour. Fails with the code and sentence of the stage that failed; its report is stored either way. */
export async function pipeline(input: RunInput): Promise<RunReport> {
  requireRunInput(input);
  const control = new RunControl();
  const run = new RunLog(input, control);
  const told: Told = new Set();
  hearLanded(told, run);
  steerable(run, control);
  try {
    return await control.cancellable(async () => {
      const outcome = await run.deadlines.run(() => runStages(input, run, told));
      return run.stage(LAST_STAGE, () => control.toItsEnd(() => keepReport(input, run, outcome)));
    });
  } catch (error) {
    throw await CancellationScope.nonCancellable(() => afterFailure(input, run, control, error));
  } finally {
    await run.deadlines.told();
    run.close();
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

async function keepReport(input: RunInput, run: RunLog, outcome: Outcome): Promise<RunReport> {
  const { pipeline: definition } = input;
  // What follows is about the run, and no part of it.
  const endedAt = new Date().toISOString();
  const judged = patched('monitors') ? await judgeRun(input, run) : undefined;
  const report = run.report(outcome, undefined, endedAt);
  const { timing } = await stageActivities('light', definition.retries, 'report').writeReport(report, definition);
  if (patched('incidents')) await tellOfSuccess(input, report, run.deadlines.near, judged);
  return run.judged(report, timing);
}

type Outcome = 'completed' | 'unchanged';

/** The stages, in order. What each does is in its own folder of `src/stages`. */
async function runStages(input: RunInput, run: RunLog, told: Told): Promise<Outcome> {
  const { hour } = input;
  let { pipeline: definition } = input;
  // What follows a cancellation finds no stage at work any more. Runs that were on their way before it was so do not wait.
  const whenCancelled = patched('cancelled-stages-end') ? 'WAIT_CANCELLATION_COMPLETED' : 'TRY_CANCEL';
  const light = (what: string) => run.activities('light', what, whenCancelled);
  const compute = (what: string) => run.activities('compute', what, whenCancelled);

  const stored = await storedReferences(input, run);
  const beforeCommit = stagesBeforeCommit(stored, run);
  let prepared = await run.stage('prepare', () => light('topic, bucket, index').prepare({ pipeline: definition }));

  run.found(preparedReport(prepared));

  const imported =
    stored?.imported ??
    (await run.stage('import', () => run.counted(compute(hour).importSource(input), ({ parsed }) => parsed.rows.read)));
  const { record } = imported;
  run.found({ source: sourceReport(imported) });
  linkImport(input, imported);
  const identity = { hour, rawSha: record.raw.sha256, definitionSha: imported.definitionSha };

  const { sameAs } = imported;
  if (sameAs !== undefined && definition.source.onUnchanged === 'finish') {
    await run.stage('commit', async () => {
      for (const { dataset, stream } of prepared) {
        const made = await light(stream).commitHour({ stream, ...identity, content: { sameAs } });
        run.generation(dataset, made.generation);
      }
    });
    run.found({ sameAs });
    return 'unchanged';
  }

  // Runs that were on their way before there were turns go on without.
  const takesTurns = definition.duplicates.acrossRuns === true && patched('turns');
  if (takesTurns && !stored?.committed) {
    await run.stage('turn', async () => {
      await awaitTurn(input, run);
      await stillStored(input, run);
    });
  }

  const slot = new Slot(input, run);
  if (imported.takesSlot) await slot.take();

  const clean = () => run.counted(compute(hour).clean({ pipeline: definition, hour, imported }), rowsRead);
  const cleaned = stored?.cleaned ?? run.cleaned(await run.stage('clean', clean));
  run.found(cleanReport(cleaned));
  linkClean(cleaned);
  if (cleaned.evolved !== undefined) {
    definition = withEvolved(definition, cleaned.evolved);
    const before = prepared;
    prepared = await run.stage('evolve', () => light('index, schema').prepare({ pipeline: definition }));
    run.found(preparedReport([...before, ...prepared]));
  }
  const main = cleaned.batches[0];
  if (definition.save.localCopy && main) {
    await beforeCommit('save', () =>
      light('local copy').saveLocalCopy({ pipeline: definition, hour, clean: main.clean }),
    );
  }
  await beforeCommit('quality', async () => refuseBlocked(cleaned));

  const datasets = eachDataset(prepared, cleaned, run, stored?.committed);
  await beforeCommit('publish', () =>
    datasets.each(async (data) => {
      const { stream, batch } = data;
      const published = compute(`${stream.topic} ${batch.batchId}`);
      const { workflowId } = run.execution;
      const sent = published.publish({ pipeline: definition, hour, prepared: stream, batch, workflowId });
      data.published = await run.counted(sent, ({ rows }) => rows);
    }),
  );
  await beforeCommit('land', () =>
    datasets.each(async (data) => {
      const waited = awaitLanded(definition, data.stream, data.batch.batchId, { told, run, slot }, data.published);
      data.landed = await run.counted(waited, ({ rows }) => rows);
    }),
  );
  await slot.takeAgain();
  await run.stage('commit', () =>
    datasets.each(async (data) => {
      const { stream } = data.stream;
      const hourRecord: HourRecord = stored?.committed
        ? data.hourRecord
        : await light(stream).commitHour({
            stream,
            ...identity,
            content: { landed: data.landed },
            ...(cleaned.seen && data.stream.dataset === mainDataset ? { seen: cleaned.seen } : {}),
          });
      run.generation(data.stream.dataset, hourRecord.generation);
      data.hourRecord = hourRecord;
      if (data.stream.dataset !== mainDataset) return;
      linkHour(data);
      const { generation } = hourRecord;
      // Later hours may have compared their keys with this one, though its definition asks for that no more.
      const replaced = !takesTurns && generation > 1 && patched('stale-when-replaced');
      if (!takesTurns && !replaced) return;
      const madeStale = await light(stream).markStale({ pipeline: definition.name, hour, generation });
      if (madeStale.count > 0 || madeStale.itself) run.found({ madeStale });
    }),
  );
  await run.stage('index', () =>
    datasets.each(async (data) => {
      const { stream, hourRecord, landed } = data;
      const written = light(stream.index).indexBatch({ pipeline: definition, prepared: stream, hourRecord, landed });
      data.indexed = await run.counted(written, ({ indexed }) => indexed);
    }),
  );
  await run.stage('reconcile', async () => {
    const equations = await datasets.each(({ stream, hourRecord, batch, published, landed, indexed }) =>
      light(stream.stream).reconcile({ prepared: stream, hourRecord, batch, published, landed, indexed }),
    );
    run.equations(equations);
    const broken = equations.filter(({ holds }) => !holds);
    if (broken.length === 0) return;
    const which = broken.map((equation) => `${equation.dataset}: ${equation.broken ?? 'unknown hop'}`).join('; ');
    throw failure({
      code: 'RowsUnaccounted',
      message: `The row equation of ${definition.name} ${hour} does not hold: ${which}.`,
    });
  });
  return 'completed';
}

const rowsRead = ({ batches }: CleanResult): number => batches[0]?.rows.read ?? 0;

function refuseBlocked({ quality }: CleanResult): void {
  const blocked = quality.filter(({ level }) => level === 'block');
  if (blocked.length === 0) return;
  throw failure({ code: 'QualityBlocked', message: blocked.map(({ sentence }) => sentence).join(' ') });
}

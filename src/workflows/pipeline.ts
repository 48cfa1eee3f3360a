import { CancellationScope, log, patched, setHandler } from '@temporalio/workflow';
import type { CleanResult, RunReport } from '../activities/index.ts';
import { withEvolved } from '../definition/evolve.ts';
import { mainDataset } from '../definition/names.ts';
import type { HourRecord } from '../definition/refs.ts';
import { awaitLanded, type Told } from './await-landed.ts';
import { awaitTurn } from './await-turn.ts';
import { cleanReport } from './clean-report.ts';
import { eachDataset } from './each-dataset.ts';
import { failure, problemOf } from './failure.ts';
import { landedSignal, type RunInput } from './messages.ts';
import { preparedReport } from './prepared-report.ts';
import { RunLog } from './run-log.ts';
import { sourceReport } from './source-report.ts';
import { stageActivities } from './stage-activities.ts';
import { stagesBeforeCommit, stillStored, storedReferences } from './stored-references.ts';

/** One run of one hour. Fails with the code and sentence of the stage that failed; its report is stored either way. */
export async function pipeline(input: RunInput): Promise<RunReport> {
  const run = new RunLog(input);
  const told: Told = new Set();
  setHandler(landedSignal, ({ batch }) => void told.add(batch), { description: 'A batch of this run has landed.' });
  const { writeReport } = stageActivities('light', input.pipeline.retries, 'report');
  try {
    const outcome = await runStages(input, run, told);
    return await run.stage('report', async () => {
      const report = run.report(outcome);
      await writeReport(report, input.pipeline);
      return report;
    });
  } catch (error) {
    throw await CancellationScope.nonCancellable(() => failed(input, run, error));
  }
}

/** The stages, in order. What each does is in its own folder of `src/stages`. */
async function runStages(input: RunInput, run: RunLog, told: Told): Promise<'completed' | 'unchanged'> {
  const { hour } = input;
  let { pipeline: definition } = input;
  const { retries } = definition;
  const light = (summary: string) => stageActivities('light', retries, summary);
  const compute = (summary: string) => stageActivities('compute', retries, summary);

  const stored = await storedReferences(input, run);
  const beforeCommit = stagesBeforeCommit(stored, run);
  let prepared = await run.stage('prepare', () => light('topic, bucket, index').prepare({ pipeline: definition }));

  run.found(preparedReport(prepared));

  const imported = stored?.imported ?? (await run.stage('import', () => compute(hour).importSource(input)));
  const { record } = imported;
  run.found({ source: sourceReport(imported) });
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
      await stillStored(input);
    });
  }

  const cleaned =
    stored?.cleaned ?? (await run.stage('clean', () => compute(hour).clean({ pipeline: definition, hour, imported })));
  run.found(cleanReport(cleaned));
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
      data.published = await published.publish({
        pipeline: definition,
        hour,
        prepared: stream,
        batch,
        workflowId: run.workflowId,
      });
    }),
  );
  await beforeCommit('land', () =>
    datasets.each(async (data) => {
      data.landed = await awaitLanded(definition, data.stream, data.batch.batchId, told, run, data.published);
    }),
  );
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
      data.indexed = await light(stream.index).indexBatch({
        pipeline: definition,
        prepared: stream,
        hourRecord,
        landed,
      });
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

function refuseBlocked({ quality }: CleanResult): void {
  const blocked = quality.filter(({ level }) => level === 'block');
  if (blocked.length === 0) return;
  throw failure({ code: 'QualityBlocked', message: blocked.map(({ sentence }) => sentence).join(' ') });
}

/** Stores the report of a run that failed, and tells whom the definition names. Neither may hide what failed the run. */
async function failed({ pipeline: definition }: RunInput, run: RunLog, error: unknown): Promise<unknown> {
  const problem = problemOf(error);
  const cancelled = problem.code === 'Cancelled';
  const report = run.report(cancelled ? 'cancelled' : 'failed', problem);
  const { writeReport, sendFailureAlert } = stageActivities('light', definition.retries, 'after a failure');
  const attempts = await Promise.allSettled([
    writeReport(report, definition),
    ...(cancelled ? [] : [sendFailureAlert({ pipeline: definition, report })]),
  ]);
  for (const attempt of attempts) {
    if (attempt.status === 'rejected') log.warn('after a failure', { problem: problemOf(attempt.reason).message });
  }
  return cancelled ? error : failure(problem);
}

import type { Metrics } from '../stages/deps.ts';
import { hoursSinceEpoch } from '../definition/hour.ts';
import { mainDataset } from '../definition/names.ts';
import type { CleanResult, Equation, ImportResult, IndexResult, PublishResult } from '../definition/refs.ts';
import type { PublishInput } from '../stages/io.ts';
import type { RunReport } from '../stages/run-report.ts';

/** The newest hour of each pipeline that this process has told of: a backfill does not make data older. */
const newestDone = new Map<string, number>();

/** Tells of the rows and bytes in what an activity gave, by its name. An attempt whose result Temporal never got is told of twice. */
export function tellResult(
  metrics: Metrics,
  pipeline: string,
  { activity, input, result }: { readonly activity: string; readonly input: unknown; readonly result: unknown },
): void {
  const told = results[activity];
  told?.(metrics, pipeline, result, input);
}

type Tell = (metrics: Metrics, pipeline: string, result: unknown, input: unknown) => void;

const results: Readonly<Record<string, Tell>> = {
  importSource: (metrics, pipeline, result) => {
    const { record, parsed, replayed } = result as ImportResult;
    const whose = { pipeline, dataset: mainDataset, stage: 'import' };
    metrics.add('sluice_rows_total', parsed.rows.parsed, { ...whose, outcome: 'parsed' });
    metrics.add('sluice_rows_total', parsed.rows.rejected, { ...whose, outcome: 'rejected' });
    const fetched = (record.files ?? [record]).reduce((total, { raw }) => total + raw.bytes, 0);
    if (!replayed) metrics.add('sluice_bytes_total', fetched, whose);
  },
  clean: (metrics, pipeline, result) => {
    for (const { dataset, clean, rows } of (result as CleanResult).batches) {
      const whose = { pipeline, dataset, stage: 'clean' };
      const counts = {
        ...{ clean: rows.clean, duplicate: rows.duplicates, filtered: rows.filtered, rejected: rows.rejected },
      };
      for (const [outcome, count] of Object.entries(counts))
        metrics.add('sluice_rows_total', count, { ...whose, outcome });
      metrics.add('sluice_bytes_total', clean.bytes, whose);
    }
  },
  publish: (metrics, pipeline, result, input) => {
    const { rows, resumedAfter, committedBefore } = result as PublishResult;
    const { dataset } = (input as PublishInput).prepared;
    const sent = committedBefore ? 0 : rows - resumedAfter;
    metrics.add('sluice_rows_total', sent, { pipeline, dataset, stage: 'publish', outcome: 'published' });
  },
  indexBatch: (metrics, pipeline, result) => {
    const { dataset, indexed } = result as IndexResult;
    metrics.add('sluice_rows_total', indexed, { pipeline, dataset, stage: 'index', outcome: 'indexed' });
  },
  reconcile: (metrics, pipeline, result) => {
    const { dataset, holds } = result as Equation;
    metrics.add('sluice_equations_total', 1, { pipeline, dataset, outcome: holds ? 'holds' : 'broken' });
  },
  writeReport: (metrics, pipeline, _result, input) => tellRun(metrics, pipeline, input as RunReport),
};

function tellRun(metrics: Metrics, pipeline: string, report: RunReport): void {
  const { outcome, startedAt, endedAt, stages, error, hour } = report;
  metrics.add('sluice_runs_total', 1, { pipeline, outcome });
  const ms = Date.parse(endedAt) - Date.parse(startedAt);
  metrics.observe('sluice_run_duration_seconds', ms / 1_000, { pipeline, outcome });
  for (const { stage, ms: took } of stages)
    metrics.observe('sluice_stage_duration_seconds', took / 1_000, { pipeline, stage });
  if (error) metrics.add('sluice_run_failures_total', 1, { pipeline, stage: error.stage, code: error.code });
  if (outcome !== 'completed' && outcome !== 'unchanged') return;
  const newest = Math.max(hoursSinceEpoch(hour) * 3_600, newestDone.get(pipeline) ?? 0);
  newestDone.set(pipeline, newest);
  metrics.set('sluice_newest_done_hour_timestamp_seconds', newest, { pipeline });
}

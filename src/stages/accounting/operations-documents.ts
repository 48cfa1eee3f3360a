import type { OperationsField } from '../../definition/operations.ts';
import { hourKey } from '../../definition/hour.ts';
import { mainDataset } from '../../definition/names.ts';
import type { RowCounts } from '../../definition/refs.ts';
import type { StageTimes } from '../../definition/timing.ts';
import { sha256Hex } from '../hashing.ts';
import type { Anomaly, RunReport, StageTiming } from '../run-report.ts';

/** A document as it is indexed. The same report gives the same ids, so whoever writes it again writes over it. */
export interface OperationsDocument {
  readonly id: string;
  readonly body: Partial<Record<Exclude<OperationsField, 'lasted'>, string | number | boolean>> & {
    readonly lasted?: { readonly gte: string; readonly lte?: string };
  };
  /** Of what changes: an older one does not take the place of a newer one. */
  readonly version?: number;
}

/**
 * What is indexed of a run, made of its report. The run's own document comes last: where it stands, the others do.
 * @param lag records behind what had landed when the run was over; undefined where nobody could say
 */
export function operationsDocuments(report: RunReport, lag?: number): OperationsDocument[] {
  const { runId, pipeline, hour } = report;
  const whose = { pipeline, hour, runId, run: `${pipeline} ${hourKey(hour)}`, at: report.endedAt };
  const document = (kind: string, id: string, body: OperationsDocument['body']): OperationsDocument => ({
    id,
    body: { kind, ...whose, ...body },
  });
  return [
    ...report.stages.map((stage, at) =>
      document('stage', `${runId}/stage/${at + 1}`, { position: at + 1, ...stageBody(report, stage, at) }),
    ),
    ...Object.entries(report.clean?.rejectedBy ?? {}).map(([reason, rows]) =>
      document('rejection', `${runId}/rejection/${sha256Hex(reason).slice(0, 16)}`, { reason, rows }),
    ),
    ...datasetBodies(report).map((body) => document('dataset', `${runId}/dataset/${body.dataset}`, body)),
    ...(report.anomalies ?? []).map((anomaly, at) =>
      document('anomaly', `${runId}/anomaly/${at + 1}`, { position: at + 1, ...anomalyBody(anomaly) }),
    ),
    document('run', runId, runBody(report, lag)),
  ];
}

/**
 * The same of what lies where the report of a run should; undefined where that is none, or another's.
 * @param lag as {@link operationsDocuments}
 */
export function documentsFound(
  found: unknown,
  { pipeline, hour, runId }: Pick<RunReport, 'pipeline' | 'hour' | 'runId'>,
  lag?: number,
): OperationsDocument[] | undefined {
  try {
    const report = found as RunReport;
    const itsOwn = report.pipeline === pipeline && report.hour === hour && report.runId === runId;
    return itsOwn ? operationsDocuments(report, lag) : undefined;
  } catch {
    // Whatever is missing, or is something else.
    return undefined;
  }
}

function runBody(report: RunReport, lag: number | undefined): OperationsDocument['body'] {
  const { outcome, startedAt, endedAt, startFrom, error, workflowId } = report;
  const done = outcome === 'completed' || outcome === 'unchanged';
  const rows = datasetBodies(report).find(({ dataset }) => dataset === mainDataset)?.read;
  return {
    ...{ workflowId, outcome, startedAt, endedAt, ms: Date.parse(endedAt) - Date.parse(startedAt) },
    ...(startFrom === undefined ? {} : { startFrom }),
    ...(done ? { doneHour: report.hour } : {}),
    ...(rows === undefined ? {} : { rows }),
    ...(lag === undefined ? {} : { lag }),
    ...bottleneckBody(report),
    ...(error ? { errorCode: error.code, errorStage: error.stage, errorMessage: error.message } : {}),
    ...(report.anomalies === undefined ? {} : { anomalies: report.anomalies.length }),
    warnings: (report.warnings ?? []).length + (report.prepared?.warnings ?? []).length,
  };
}

function anomalyBody({ rule, subject, severity, sentence, muted, numbers = {} }: Anomaly): OperationsDocument['body'] {
  const { found, expected, deviations, runs } = numbers;
  return {
    ...{ rule, severity, sentence, muted: muted === true },
    ...(subject === undefined ? {} : { subject }),
    ...(found === undefined ? {} : { found }),
    ...(expected === undefined ? {} : { expected }),
    ...(deviations === undefined ? {} : { deviations }),
    ...(runs === undefined ? {} : { compared: runs }),
  };
}

function bottleneckBody({ timing }: RunReport): OperationsDocument['body'] {
  const { cause, stage, ms } = timing?.bottleneck ?? {};
  if (cause === undefined || stage === undefined || ms === undefined) return {};
  return { bottleneck: cause, ...(stage === '' ? {} : { bottleneckStage: stage }), bottleneckMs: Math.round(ms) };
}

function stageBody({ stages, error }: RunReport, timing: StageTiming, at: number): OperationsDocument['body'] {
  const { stage, startedAt, ms, rows, times } = timing;
  const failed = error?.stage === stage && at === stages.findLastIndex((one) => one.stage === stage);
  return {
    ...{ stage, startedAt, endedAt: new Date(Date.parse(startedAt) + ms).toISOString(), ms },
    ...(rows === undefined ? {} : { rows }),
    ...(times === undefined ? {} : partsOf(times)),
    ...(failed ? { errorCode: error.code } : {}),
  };
}

const partsOf = ({ queueMs, runMs, retryMs, waitMs }: StageTimes) => ({ queueMs, runMs, retryMs, waitMs });

/** The equations; of data sets that have none, for the run did not get so far, what cleaning counted. */
function datasetBodies({ equations, clean }: RunReport) {
  const reconciled = new Set(equations.map(({ dataset }) => dataset));
  const cleaned: readonly (readonly [string, { readonly rows: RowCounts }])[] = Object.entries(clean?.datasets ?? {});
  return [
    ...equations.map(({ dataset, rows, holds, broken }) => ({
      ...{ dataset, ...countsOf(rows) },
      ...{ published: rows.published, landed: rows.landed, indexed: rows.indexed, holds },
      ...(broken === undefined ? {} : { broken }),
    })),
    ...cleaned
      .filter(([dataset]) => !reconciled.has(dataset))
      .map(([dataset, { rows }]) => ({ dataset, ...countsOf(rows) })),
  ];
}

const countsOf = ({ read, clean, duplicates, filtered, rejected }: RowCounts): RowCounts => ({
  ...{ read, clean, duplicates, filtered, rejected },
});

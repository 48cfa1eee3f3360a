import { monitorRules, type Clearing, type Observation } from '../../definition/incidents.ts';
import { isMuted, monitorOf, monitorsSchema, type Monitors } from '../../definition/monitors.ts';
import { keys, mainDataset, streamName } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { CleanReport } from '../cleaning/clean-report.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { definitionSha } from '../hashing.ts';
import { lagByStream } from '../landing/consumer-lag.ts';
import type { Anomaly, RunReport } from '../run-report.ts';
import { historyBefore, isOvertaken, keepMeasures, oddBefore } from './history.ts';
import { problemOf } from './clearings.ts';
import { judge, type Judgement } from './judge.ts';
import { measuresOf, type HourMeasures } from './measures.ts';
import type { Verdict } from './verdict.ts';

export interface JudgeRunInput {
  readonly pipeline: Pipeline;
  /** As it stands: all stages but the one that writes it are through. */
  readonly report: Omit<RunReport, 'outcome' | 'endedAt'>;
}

/** What the monitors make of a run. */
export interface Judged extends Pick<RunReport, 'watched'> {
  readonly anomalies: readonly Anomaly[];
  readonly observations: readonly Observation[];
  readonly clearings: readonly Clearing[];
  /** Why nobody could judge. */
  readonly failed?: string;
}

/** More than so many are no longer read one by one. */
const TOLD = 50;

/**
 * Judges a run that has gone through by those before it, and keeps what later ones are judged by. Done again it comes to the same.
 * @throws SluiceError `StoreUnavailable`
 */
export async function judgeRun(
  deps: Pick<StageDeps, 'store' | 'log'>,
  { pipeline, report }: JudgeRunInput,
  context: StageContext,
): Promise<Judged> {
  // Runs from before there were monitors have a definition without them.
  const monitors: Monitors = (pipeline.monitors as Monitors | undefined) ?? monitorsSchema.parse({});
  if (!monitors.enabled) return unwatched(report);
  const [cleaned, lag, history, before, overtaken] = await Promise.all([
    cleanReportOf(deps, report),
    lagOf(deps, pipeline),
    historyBefore(deps, pipeline.name, report.hour, context),
    oddBefore(deps, pipeline.name, report.hour, report.runId),
    isOvertaken(deps, pipeline.name, report.hour),
  ]);
  const measured = measuresOf({
    ...{ report, shape: definitionSha(pipeline).slice(0, 16) },
    ...(cleaned ? { cleaned } : {}),
    ...(lag === undefined ? {} : { lag }),
  });
  const measures = before.length === 0 ? measured : { ...measured, before };
  const judgement = judge(monitors, history, measures);
  // Whoever waited for this may have given up.
  context.signal.throwIfAborted();
  await keepMeasures(deps, pipeline.name, { ...measures, ...whatWasOdd(judgement) });
  const found = judgedAs(monitors, judgement, report);
  return overtaken ? { ...found, observations: found.observations.filter(isNews(measures)) } : found;
}

/**
 * Where a later hour has been judged already, what is odd in this one is past: the runs to come need not look back so far, so nothing would end its incident, and
 * it may have been told before. What is odd in a late hour is then in its report only, and so is what was odd in an earlier run of the hour.
 */
function isNews({ late, before = [] }: HourMeasures): (seen: Observation) => boolean {
  const told = before.map(problemOf);
  return ({ rule, subject }) => late !== true && !told.some((one) => one?.rule === rule && one.subject === subject);
}

/** Nothing is watched, so nothing that was odd can be seen to be over. */
function unwatched(report: JudgeRunInput['report']): Judged {
  const { pipeline, hour } = report;
  const clearings = monitorRules.map((rule) => ({
    ...{ pipeline, rule, hour, at: lastMomentOf(report), sentence: 'monitors.enabled is false.' },
  }));
  return { anomalies: [], observations: [], clearings };
}

/** When the last stage ended. Not the clock's: an attempt that is made again says the same. */
function lastMomentOf({ startedAt, stages }: JudgeRunInput['report']): string {
  const ended = stages.map((stage) => Date.parse(stage.startedAt) + stage.ms);
  return new Date(Math.max(Date.parse(startedAt), ...ended)).toISOString();
}

/** What of a judgement is kept, for later runs not to learn from it. */
export function whatWasOdd({ verdicts, suspect }: Judgement): Pick<HourMeasures, 'odd' | 'suspect'> {
  return { odd: Object.assign({}, ...verdicts.map(({ odd }) => odd)) as HourMeasures['odd'], suspect };
}

async function cleanReportOf(
  { store }: Pick<StageDeps, 'store'>,
  { pipeline, hour, batches }: JudgeRunInput['report'],
): Promise<CleanReport | undefined> {
  const batch = batches[mainDataset];
  if (batch === undefined) return undefined;
  return store.findJson<CleanReport>(keys.batch(streamName(pipeline, mainDataset), hour, batch, 'report.json'));
}

async function lagOf(deps: Pick<StageDeps, 'store' | 'log'>, pipeline: Pipeline): Promise<number | undefined> {
  const records = await lagByStream(deps, pipeline).catch(() => undefined);
  return records && Object.values(records).reduce((sum, behind) => sum + behind, 0);
}

function judgedAs(monitors: Monitors, judgement: Judgement, report: JudgeRunInput['report']): Judged {
  const { judged, learning, runs, clearings } = judgement;
  const { pipeline, hour, workflowId, runId } = report;
  const at = lastMomentOf(report);
  const muted = ({ rule, subject }: Pick<Verdict, 'rule' | 'subject'>): boolean =>
    isMuted(monitorOf(monitors, rule, subject), Date.parse(at));
  const verdicts = judgement.verdicts
    .toSorted((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical'))
    .slice(0, TOLD);
  const silent = verdicts.filter(muted);
  return {
    anomalies: verdicts.map(({ rule, subject, severity, sentence, facts, numbers }) => ({
      ...{ rule, ...(subject === undefined ? {} : { subject }), severity, sentence, facts },
      ...(numbers === undefined ? {} : { numbers }),
      ...(muted({ rule, ...(subject === undefined ? {} : { subject }) }) ? { muted: true } : {}),
    })),
    observations: verdicts
      .filter((verdict) => !muted(verdict))
      .map(({ rule, subject, severity, sentence, facts }) => ({
        ...{ pipeline, rule, ...(subject === undefined ? {} : { subject }), severity, sentence, facts },
        // The hour, whichever run of it saw it.
        ...{ occurrence: hour, at, hour, workflowId, runId },
      })),
    clearings: [
      ...clearings,
      // What was muted while it lasts is over as far as anybody is told.
      ...silent.map(({ rule, subject }) => ({
        ...{ rule, ...(subject === undefined ? {} : { subject }) },
        sentence: `monitors.${rule} is muted.`,
      })),
    ].map((clearing) => ({ pipeline, ...clearing, at, hour })),
    watched: { judged, learning, runs },
  };
}

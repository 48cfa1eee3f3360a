import { z } from 'zod';
import type { SparkJob, SparkStage, SparkWork } from '../../definition/spark-work.ts';

/** So many jobs, and so many stages, are told one by one. */
const TOLD = 20;

/** `2026-11-26T03:00:00.123GMT` */
const moment = z
  .string()
  .optional()
  .transform((text) => Date.parse((text ?? '').replace(/GMT$/, 'Z')));
const count = z.number().catch(0);

// Source: org.apache.spark.status.api.v1.{JobData,StageData} of Spark 4.1, which https://spark.apache.org/docs/latest/monitoring.html names.
const applications = z.array(z.object({ id: z.string() }));
const jobs = z.array(
  z.object({
    jobTags: z.array(z.string()).catch([]),
    ...{ submissionTime: moment, completionTime: moment },
    stageIds: z.array(z.number()).catch([]),
    ...{ numTasks: count, numSkippedTasks: count },
  }),
);
const stages = z.array(
  z.object({
    ...{ stageId: z.number(), submissionTime: moment, completionTime: moment },
    ...{ numTasks: count, numFailedTasks: count, executorRunTime: count, inputBytes: count },
    ...{ shuffleReadBytes: count, shuffleWriteBytes: count, diskBytesSpilled: count },
  }),
);

/**
 * What Spark did in a session, from the interface of its own web page (`/api/v1`). Jobs of other sessions are left out: each is tagged with its own.
 * @param steps what each operation of the session was for, by its id
 * @returns undefined where it knows no job of the session
 * @throws whatever keeps it from us
 */
export async function sparkWork(
  ui: string,
  session: string,
  steps: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<SparkWork | undefined> {
  const [application] = applications.parse(await ask(ui, 'applications', signal));
  if (!application) return undefined;
  const of = `applications/${encodeURIComponent(application.id)}`;
  const [allJobs, allStages] = await Promise.all([ask(ui, `${of}/jobs`, signal), ask(ui, `${of}/stages`, signal)]);
  const own = jobs.parse(allJobs).flatMap((job) => {
    const tag = job.jobTags.find((one) => one.includes(`_Session_${session}_`));
    return tag === undefined ? [] : [{ ...job, step: steps.get(tag.split('_Operation_')[1] ?? '') ?? 'other' }];
  });
  if (own.length === 0) return undefined;
  const stepOfStage = new Map(own.flatMap(({ stageIds, step }) => stageIds.map((id) => [id, step] as const)));
  // One that was not needed, as its rows were there already, has no times.
  const ran = stages
    .parse(allStages)
    .filter(({ stageId, submissionTime }) => stepOfStage.has(stageId) && !Number.isNaN(submissionTime));
  const jobTimes = own.map(({ step, stageIds, numTasks, numSkippedTasks, ...times }): SparkJob => ({
    ...{ step, ms: took(times), stages: stageIds.length, tasks: numTasks - numSkippedTasks },
  }));
  const stageTimes = ran.map((stage): SparkStage => ({
    ...{ step: stepOfStage.get(stage.stageId) ?? 'other', stage: stage.stageId, ms: took(stage) },
    ...{ tasks: stage.numTasks, failedTasks: stage.numFailedTasks, runMs: stage.executorRunTime },
    ...{ readBytes: stage.inputBytes, shuffleReadBytes: stage.shuffleReadBytes },
    ...{ shuffleWriteBytes: stage.shuffleWriteBytes, spillBytes: stage.diskBytesSpilled },
  }));
  const sum = (of: (stage: SparkStage) => number): number => stageTimes.reduce((all, stage) => all + of(stage), 0);
  return {
    ...{ jobs: longest(jobTimes), stages: longest(stageTimes) },
    all: {
      ...{ jobs: jobTimes.length, stages: stageTimes.length, tasks: sum(({ tasks }) => tasks) },
      shuffleBytes: sum(({ shuffleWriteBytes }) => shuffleWriteBytes),
      spillBytes: sum(({ spillBytes }) => spillBytes),
    },
  };
}

async function ask(ui: string, path: string, signal: AbortSignal): Promise<unknown> {
  const answer = await fetch(`${ui.replace(/\/+$/, '')}/api/v1/${path}`, { signal, redirect: 'error' });
  if (!answer.ok) throw new Error(`Spark's interface answers ${answer.status} for ${path}`);
  return answer.json();
}

/** Of what is not over yet, nothing. */
function took({ submissionTime, completionTime }: { submissionTime: number; completionTime: number }): number {
  const ms = completionTime - submissionTime;
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}

const longest = <T extends { readonly ms: number }>(all: readonly T[]): T[] =>
  all.toSorted((a, b) => b.ms - a.ms).slice(0, TOLD);

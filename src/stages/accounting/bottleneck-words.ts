import { rateText, sizeText, spanText } from '../../definition/amounts.ts';
import type { Cause, RunTiming, ServerUse, StageTimes, WaitedOn } from '../../definition/timing.ts';
import type { RunReport, StageTiming } from '../run-report.ts';
import { BETWEEN } from './time-spread.ts';

type Run = Pick<RunReport, 'stages' | 'clean'>;
type Servers = RunTiming['servers'];

/** What it does, and with what. */
const phrases: Readonly<Record<Cause, readonly [verb: string, on: string]>> = {
  source: ['waited', 'on the source'],
  broker: ['waited', 'on the broker'],
  store: ['waited', 'on the object store'],
  search: ['waited', 'on Elasticsearch'],
  spark: ['waited', 'on Spark'],
  consumer: ['waited', 'on the consumer'],
  processor: ['spent', 'on the worker’s own processor'],
  queue: ['waited', 'for a free place on a worker'],
  retries: ['lost', 'to failed attempts'],
  wait: ['waited', 'on purpose'],
  limit: ['waited', 'for publish.rowsPerSecond'],
  temporal: ['waited', 'on Temporal, between its steps'],
  other: ['spent', 'on what no server was asked for, as its own files'],
  untold: ['took', 'without saying for what'],
};

/** `publish waited 71 % of the run on the broker` @param others stages that had a good part of it, too */
export function shareSentence(
  cause: Cause,
  { stage, others = [] }: { readonly stage: string; readonly others?: readonly string[] },
  share: number,
  run: Run,
): string {
  const [verb, on] = phrases[cause];
  const whose = others.length > 0 || stage === BETWEEN ? 'the run' : stage;
  const where =
    others.length > 0 ? `, most of it in ${[stage, others[0]].map((one) => one || 'between').join(' and ')}` : '';
  const why = cause === 'retries' ? codesOf(run, stage) : cause === 'wait' ? waitedFor(run, stage) : '';
  const of = whose === 'the run' ? `${shareText(share)} of its time` : `${shareText(share)} of the run`;
  return `${whose} ${verb} ${of} ${on}${why}${where}`;
}

/** `publish waited 12.3 s longer on the broker` */
export function longerSentence(cause: Cause, stage: string, ms: number): string {
  const [verb, on] = phrases[cause];
  return `${stage === BETWEEN ? 'the run' : stage} ${verb} ${spanText(ms)} longer ${on}`;
}

/** `71 %`; what is more than nothing is never `0 %`. */
export const shareText = (share: number): string =>
  share > 0 && share < 0.01 ? 'less than 1 %' : `${Math.round(share * 100)} %`;

const timesOf = ({ stages }: Run, name: string): StageTimes[] =>
  stages.flatMap(({ stage, times }: StageTiming) => (stage === name && times ? [times] : []));

function codesOf(run: Run, stage: string): string {
  const failed = timesOf(run, stage).flatMap((times) => Object.entries(times.failed));
  return failed.length === 0 ? '' : ` (${failed.map(([code, times]) => `${times} × ${code}`).join(', ')})`;
}

function waitedFor(run: Run, stage: string): string {
  const [times] = timesOf(run, stage);
  if (times === undefined) return '';
  if ((times.heldMs ?? 0) > times.waitMs) return ', as somebody had paused it';
  return times.waitedFor === undefined ? '' : ` (${times.waitedFor})`;
}

/** Which of the servers a cause is about. */
const serverOf = (cause: Cause): WaitedOn | undefined =>
  cause === 'processor'
    ? 'engine'
    : (['source', 'broker', 'store', 'search', 'spark', 'limit'] as const).find((one) => one === cause);

const sumOf = (uses: readonly ServerUse[], of: (use: ServerUse) => number): number =>
  uses.reduce((sum, use) => sum + of(use), 0);

/** Figures that a bottleneck rests on. @param usualMs what the stage took in the runs before, their median */
export function evidenceOf(
  cause: Cause,
  stage: string,
  run: Run,
  usualMs: number | undefined,
  servers: Servers,
): string[] {
  const took = run.stages.reduce((sum, one) => sum + (one.stage === stage ? one.ms : 0), 0);
  const times = timesOf(run, stage);
  const server = serverOf(cause);
  const uses = times.flatMap(({ on }) => (server === undefined ? [] : (on[server] ?? [])));
  return [
    ...(stage === BETWEEN
      ? []
      : [
          `${stage} took ${spanText(took)}${usualMs === undefined ? '' : `, and ${spanText(usualMs)} in the runs before (median)`}`,
        ]),
    ...(cause === 'processor' ? processorEvidence(stage, times) : useEvidence(uses)),
    ...(cause === 'retries' ? [`failed attempts of ${stage}:${codesOf(run, stage) || ' none said why'}`] : []),
    ...(cause === 'queue'
      ? [`${stage} waited ${spanText(times.reduce((sum, one) => sum + one.queueMs, 0))} for a place`]
      : []),
    ...((server === undefined ? undefined : servers?.[server]) ?? []),
  ];
}

function useEvidence(uses: readonly ServerUse[]): string[] {
  if (uses.length === 0) return [];
  const [ms, bytes, requests] = [
    sumOf(uses, (use) => use.ms),
    sumOf(uses, (use) => use.bytes),
    sumOf(uses, (use) => use.requests),
  ];
  const longest = Math.max(...uses.map(({ longestMs }) => longestMs));
  const throttled = sumOf(uses, (use) => use.throttledMs ?? 0);
  const moved = bytes > 0 && ms > 0 ? `, ${sizeText(bytes)} at ${rateText(bytes, ms)}` : '';
  return [
    `${requests} ${requests === 1 ? 'request' : 'requests'}, the longest ${spanText(longest)}${moved}`,
    ...(throttled > 0 ? [`the broker asked to hold back for ${spanText(throttled)}: a quota`] : []),
  ];
}

function processorEvidence(stage: string, times: readonly StageTimes[]): string[] {
  const [cpu, ran] = [times.reduce((sum, one) => sum + one.cpuMs, 0), times.reduce((sum, one) => sum + one.runMs, 0)];
  return ran === 0
    ? []
    : [`the worker used ${spanText(cpu)} of processor time in the ${spanText(ran)} that ${stage} ran`];
}

/** Whether the worker was busy for much longer than it had a processor. */
function othersHave(times: readonly StageTimes[]): boolean {
  const [busy, cpu] = [times.reduce((sum, one) => sum + one.busyMs, 0), times.reduce((sum, one) => sum + one.cpuMs, 0)];
  return cpu > 0 && cpu * 2 < busy;
}

/** One thing to do about it. */
export function advice(cause: Cause, stage: string, run: Run, servers: Servers): string {
  const uses = timesOf(run, stage).flatMap(({ on }) => Object.entries(on) as [WaitedOn, ServerUse][]);
  const of = (server: WaitedOn): ServerUse[] => uses.flatMap(([one, use]) => (one === server ? [use] : []));
  switch (cause) {
    case 'source':
      return Math.max(0, ...of('source').map(({ longestMs }) => longestMs)) * 2 > sumOf(of('source'), ({ ms }) => ms)
        ? 'The source was long silent: fetch it some minutes later (schedule), or ask whoever publishes it.'
        : 'The file came slowly: ask for a compressed one, or take it from a place that is nearer.';
    case 'broker':
      return sumOf(of('broker'), (use) => use.throttledMs ?? 0) > 0
        ? 'Raise the broker’s quota for the client "sluice".'
        : stage === 'publish'
          ? 'Raise publish.batchRows, so that there are fewer sends; else look at the disks and the network of the brokers.'
          : 'Look at the load, the disks and the network of the brokers.';
    case 'store':
      return 'Look at the disks and the network of the object store; a worker beside it waits less for each request.';
    case 'search':
      return (servers?.search ?? []).some((sentence) => sentence.includes('refused'))
        ? 'Elasticsearch has more to write than it can: fewer runs side by side (SLUICE_MAX_RUNS), or more nodes.'
        : 'Give Elasticsearch more memory or faster disks, or index fewer columns.';
    case 'spark':
      return 'Give Spark more executors, or clean with engine: duckdb where the file fits one machine.';
    case 'consumer':
      return 'Raise land.shards, so that several consumers share the topic; "sluice consumer status" says how far each is.';
    case 'processor':
      if (othersHave(timesOf(run, stage)))
        return 'Others use the processors of the worker’s machine: move them or the worker to another.';
      return stage === 'clean' && run.clean?.engine === 'danfojs'
        ? 'Clean with engine: duckdb; danfojs is slower at any size.'
        : `Give the worker more processors; "sluice run --profile ${stage || 'clean'}" says what it computes.`;
    case 'queue':
      return 'Start another worker, or give this one more places (SLUICE_WORKER_QUEUES).';
    case 'retries':
      return 'Find out why the attempts failed: "sluice logs" tells of each.';
    case 'wait':
      return 'Nothing is slow: the run waited for what it was told to wait for. "sluice status" says what holds others.';
    case 'limit':
      return 'Raise publish.rowsPerSecond, if the topic’s readers can bear it.';
    case 'temporal':
      return 'In runs of seconds this is normal; in longer ones look at Temporal’s database, and at the places of the queue "light".';
    case 'other':
    case 'untold':
      return `"sluice run --profile ${stage || 'clean'}" says what it does.`;
  }
}

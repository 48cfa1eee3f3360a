import { ApplicationFailure } from '@temporalio/common';
import { ActivityFailure } from '@temporalio/workflow';
import { NO_ANSWER, TIMING, type AttemptTiming, type ServerUse, type StageTimes } from '../definition/timing.ts';
import { ActiveClock } from './active-clock.ts';
import { wasCancelled } from './failure.ts';

/** An activity that is over, by the workflow's own clock. */
export interface EndedActivity {
  readonly from: number;
  readonly to: number;
  /** The code of what failed it for good. */
  readonly failed?: string;
  /** Absent where its worker did not tell: an older one, one that was lost, or a result that can hold none. */
  readonly timing?: AttemptTiming;
}

type Sums = Pick<StageTimes, 'queueMs' | 'runMs' | 'retryMs' | 'busyMs' | 'cpuMs' | 'failed' | 'on'>;

const nothing: Sums = { queueMs: 0, runMs: 0, retryMs: 0, busyMs: 0, cpuMs: 0, failed: {}, on: {} };

/** Where the time of one stage goes, from its activities and from what it waits for. */
export class StageWatch {
  readonly #lanes = new Map<string, EndedActivity[]>();
  readonly #waiting = new ActiveClock();
  #waitedFor: string | undefined;
  #consumerStoreMs = 0;

  constructor() {
    this.#waiting.hold(true);
  }

  /** An activity is over. @param lane what it worked on: data sets go side by side, what is done for one of them in turn */
  ended(lane: string, activity: EndedActivity): void {
    const known = this.#lanes.get(lane);
    if (known) known.push(activity);
    else this.#lanes.set(lane, [activity]);
  }

  /** What the stage waits for on purpose now, if it does. */
  waits(what: string | undefined): void {
    this.#waiting.hold(what === undefined);
    this.#waitedFor = what ?? this.#waitedFor;
  }

  /** A consumer that the stage waits for waited for the object store; of several side by side the longest counts. */
  consumerWaited(storeMs: number): void {
    this.#consumerStoreMs = Math.max(this.#consumerStoreMs, storeMs);
  }

  /** @param ms what the stage took @param heldMs how long a person's pause held it before @returns undefined where nothing is known */
  times(ms: number, heldMs: number): StageTimes | undefined {
    const last = (activities: readonly EndedActivity[]): number => Math.max(...activities.map(({ to }) => to));
    const lanes = [...this.#lanes].toSorted(([, a], [, b]) => last(b) - last(a));
    const [longest] = lanes;
    const told = longest?.[1].some(({ timing, failed }) => timing !== undefined || failed !== undefined) ?? false;
    const waited = this.#waiting.ms;
    const profile = lanes.flatMap(([, activities]) => activities.flatMap(({ timing }) => timing?.profile ?? []))[0];
    if (!told && waited === 0 && heldMs === 0) return undefined;
    const sums = (longest?.[1] ?? []).map(sumsOf).reduce(together, nothing);
    const runMs = Math.min(sums.runMs, ms);
    const retryMs = Math.min(sums.retryMs, ms - runMs);
    const queueMs = Math.min(sums.queueMs, ms - runMs - retryMs);
    const waitMs = Math.min(waited, ms - runMs - retryMs - queueMs);
    return {
      ...sums,
      ...{ queueMs, runMs, retryMs, waitMs },
      ...(profile === undefined ? {} : { profile }),
      ...(waitMs > 0 && this.#waitedFor !== undefined ? { waitedFor: this.#waitedFor } : {}),
      ...(this.#consumerStoreMs > 0 ? { consumerStoreMs: this.#consumerStoreMs } : {}),
      ...(heldMs > 0 ? { heldMs } : {}),
      ...(longest && lanes.length > 1 ? { longest: longest[0].split(' ')[0] ?? '', sideBySide: lanes.length } : {}),
    };
  }
}

/** The worker's clock says how long it ran; how long that could have been, Temporal's. */
function sumsOf({ from, to, failed, timing }: EndedActivity): Sums {
  const whole = to - from;
  const last = failed === undefined ? {} : { [failed]: 1 };
  if (timing === undefined) return failed === undefined ? nothing : { ...nothing, retryMs: whole, failed: last };
  const runMs = Math.min(timing.runMs, whole);
  const retryMs = Math.min(timing.retryMs, whole - runMs);
  const queueMs = Math.min(timing.queueMs, whole - runMs - retryMs);
  if (failed !== undefined) {
    return { ...nothing, queueMs, retryMs: retryMs + runMs, failed: counted(timing.failed, last) };
  }
  const { busyMs, cpuMs, on } = timing;
  return { ...{ busyMs, cpuMs, on, queueMs, runMs, retryMs }, failed: timing.failed };
}

function together(a: Sums, b: Sums): Sums {
  const servers = new Set([...Object.keys(a.on), ...Object.keys(b.on)]) as Set<keyof Sums['on']>;
  return {
    queueMs: a.queueMs + b.queueMs,
    runMs: a.runMs + b.runMs,
    retryMs: a.retryMs + b.retryMs,
    busyMs: a.busyMs + b.busyMs,
    cpuMs: a.cpuMs + b.cpuMs,
    failed: counted(a.failed, b.failed),
    on: Object.fromEntries([...servers].map((server) => [server, both(a.on[server], b.on[server])])),
  };
}

function counted(a: Sums['failed'], b: Sums['failed']): Sums['failed'] {
  const codes = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return Object.fromEntries(codes.map((code) => [code, (a[code] ?? 0) + (b[code] ?? 0)]));
}

function both(a: ServerUse | undefined, b: ServerUse | undefined): ServerUse | undefined {
  if (!a || !b) return a ?? b;
  const throttledMs = (a.throttledMs ?? 0) + (b.throttledMs ?? 0);
  return {
    ms: a.ms + b.ms,
    requests: a.requests + b.requests,
    longestMs: Math.max(a.longestMs, b.longestMs),
    bytes: a.bytes + b.bytes,
    ...(throttledMs > 0 ? { throttledMs } : {}),
  };
}

/** Takes the timing out of an activity's result, which is then as the activity made it. */
export function timingTold(result: unknown): Pick<EndedActivity, 'timing'> {
  const carrier: unknown = Array.isArray(result) ? result[0] : result;
  if (typeof carrier !== 'object' || carrier === null || !(TIMING in carrier)) return {};
  const timing = carrier[TIMING] as AttemptTiming;
  delete (carrier as Record<string, unknown>)[TIMING];
  return { timing };
}

/** What a failed activity tells of its last attempt, and of what failed it: nothing did where it was told to stop. */
export function failureTold(error: unknown): Pick<EndedActivity, 'failed' | 'timing'> {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  const failure = cause instanceof ApplicationFailure ? cause : undefined;
  if (!failure && wasCancelled(error)) return {};
  const told = failure?.details?.[1] as Record<string, unknown> | undefined;
  const timing = told?.[TIMING] as AttemptTiming | undefined;
  return { failed: failure?.type ?? NO_ANSWER, ...(timing ? { timing } : {}) };
}

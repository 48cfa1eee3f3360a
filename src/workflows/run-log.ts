import {
  type ActivityCancellationType,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Alerted, CleanResult, DiscardInput, RunReport, StageTiming } from '../activities/index.ts';
import { streamName } from '../definition/names.ts';
import type { CleanBatch } from '../definition/refs.ts';
import { retriesOf } from '../definition/retries.ts';
import { attributes } from './attributes.ts';
import { Deadlines } from './deadlines.ts';
import { problemOf, type Problem } from './failure.ts';
import {
  lastErrorQuery,
  progressQuery,
  reportQuery,
  type LastError,
  type ReportSoFar,
  type RunInput,
  type RunProgress,
} from './messages.ts';
import type { RunControl } from './run-control.ts';
import { runDetails } from './run-details.ts';
import { stageActivities, type StageQueue } from './stage-activities.ts';
import { StageWatch, type EndedActivity } from './stage-times.ts';
import { keptTrace, tracedStage } from './trace-headers.ts';

type Findings = Partial<
  Pick<
    RunReport,
    'prepared' | 'schemas' | 'source' | 'clean' | 'sameAs' | 'madeStale' | 'discarded' | 'anomalies' | 'watched'
  >
>;

/** What a run knows of itself: its stages with their times, what they found, and the report made of it. */
export class RunLog {
  readonly #input: RunInput;
  readonly #control: RunControl;
  readonly deadlines: Deadlines;
  readonly #stages: StageTiming[] = [];
  readonly #startedAt = new Date().toISOString();
  #current: string | undefined;
  #watch = new StageWatch();
  #rows: number | undefined;
  #failed: string | undefined;
  #lastError: LastError | undefined;
  readonly #waits = new Map<string, string>();
  readonly #warnings: string[] = [];
  #over = false;
  #closed = false;
  #findings: Findings = {};
  #generations: Record<string, number> = {};
  #batches: Record<string, string> = {};
  #made: readonly CleanBatch[] = [];
  #equations: RunReport['equations'] = [];
  #final: RunReport | undefined;

  constructor(input: RunInput, control: RunControl) {
    this.#input = input;
    this.#control = control;
    this.deadlines = new Deadlines(input, this);
    setHandler(progressQuery, () => this.progress(), {
      description: 'How far the run is: its stages with times and rows, what it is at, whether it is paused or waits.',
    });
    setHandler(reportQuery, () => (this.#closed && this.#final) || this.soFar(), {
      description: 'The report as it stands; the whole one once the run is over.',
    });
    setHandler(lastErrorQuery, () => ({ lastError: this.#lastError ?? null }), {
      description: 'What last failed a stage. Attempts that are followed by another show among the pending activities.',
    });
    upsertSearchAttributes([
      { key: attributes.pipeline, value: input.pipeline.name },
      { key: attributes.hour, value: new Date(input.hour) },
    ]);
  }

  /** Runs one stage: timed, shown in the Web UI, and named in the report if it fails. A run that was paused holds in front of it. */
  async stage<T>(name: string, work: () => Promise<T>): Promise<T> {
    const cameAt = Date.now();
    if (this.#control.holds) await this.#control.released();
    this.#waits.clear();
    const startedAt = Date.now();
    const watch = (this.#watch = new StageWatch());
    this.#current = name;
    this.#rows = undefined;
    upsertSearchAttributes([{ key: attributes.stage, value: name }]);
    this.show();
    try {
      return await this.deadlines.stage(name, () => tracedStage(name, work));
    } catch (error) {
      this.#failed ??= name;
      if (!isCancellation(error)) this.#lastError = { ...problemOf(error), stage: name, at: new Date().toISOString() };
      throw error;
    } finally {
      const ms = Date.now() - startedAt;
      const rows = this.#rows === undefined ? {} : { rows: this.#rows };
      const times = watch.times(ms, startedAt - cameAt);
      this.#stages.push({
        ...{ stage: name, startedAt: new Date(startedAt).toISOString(), ms, ...rows },
        ...(times ? { times } : {}),
      });
      this.#current = undefined;
      this.#waits.clear();
      this.show();
    }
  }

  /** Adds what a stage took in or gave out to the rows of the one that is on its way. */
  async counted<T>(work: Promise<T>, rowsOf: (result: T) => number): Promise<T> {
    const result = await work;
    this.#rows = (this.#rows ?? 0) + rowsOf(result);
    return result;
  }

  /**
   * The activities of the stage that the run is in, with its retries.
   * @param what what they work on: stands beside the stage's name in the Web UI
   * @param cancellation as {@link stageActivities} has it
   */
  activities(...[queue, what, cancellation]: [StageQueue, string, ActivityCancellationType?]) {
    const stage = this.#current ?? 'start';
    const retries = retriesOf(this.#input.pipeline.retries, stage);
    const watch = this.#watch;
    const ended = (activity: EndedActivity): void => watch.ended(what, activity);
    const profile = this.#input.profile === stage ? stage : undefined;
    return stageActivities(queue, retries, `${stage}: ${what}`, cancellation, { ended, profile });
  }

  found(findings: Findings): void {
    this.#findings = { ...this.#findings, ...findings };
  }

  /** What its own cleaning came to. */
  cleaned(made: CleanResult): CleanResult {
    this.#made = made.batches;
    return made;
  }

  /** What a cancellation leaves to be tidied up. */
  leftBehind(): Pick<DiscardInput, 'runId' | 'made' | 'cleaningCut'> {
    const { name } = this.#input.pipeline;
    return {
      runId: this.execution.runId,
      made: this.#made.map(({ dataset, batchId, clean }) => ({
        ...{ stream: streamName(name, dataset), batchId, sha256: clean.sha256 },
      })),
      cleaningCut: this.#failed === 'clean',
    };
  }

  batch(dataset: string, batchId: string): void {
    this.#batches[dataset] = batchId;
  }

  generation(dataset: string, generation: number): void {
    this.#generations[dataset] = generation;
  }

  equations(equations: RunReport['equations']): void {
    this.#equations = equations;
    this.show();
  }

  /**
   * Shows what the run waits for on purpose, or that it does no more. Meanwhile no deadline comes nearer.
   * @param whose of several data sets on their way side by side, which one waits
   */
  waitsFor(what: string | undefined, whose = ''): void {
    if (what === undefined) this.#waits.delete(whose);
    else this.#waits.set(whose, what);
    this.show();
  }

  /** A consumer waited for the object store while the run waited for it. */
  consumerWaited(storeMs: number): void {
    if (this.#current === 'land') this.#watch.consumerWaited(storeMs);
  }

  warn(sentence: string): void {
    this.#warnings.push(sentence);
    this.show();
  }

  get #waiting(): string | undefined {
    return this.#waits.size > 0 ? [...this.#waits.values()].join('; ') : undefined;
  }

  /** Whose run it is, for sentences. */
  get name(): string {
    return `${this.#input.pipeline.name} ${this.#input.hour}`;
  }

  /** This run, as Temporal names it. */
  get execution(): { readonly workflowId: string; readonly runId: string } {
    const { workflowId, runId } = workflowInfo();
    return { workflowId, runId };
  }

  /** The stage that is on its way. */
  get current(): string | undefined {
    return this.#current;
  }

  /** No stage follows any more. */
  get over(): boolean {
    return this.#over;
  }

  /** No stage follows any more: what is left is to tidy up, and to tell of it. */
  end(): void {
    this.#over = true;
  }

  /** Nothing follows any more. */
  close(): void {
    this.#over = true;
    this.#closed = true;
    this.show();
  }

  progress(): RunProgress {
    return {
      pipeline: this.#input.pipeline.name,
      hour: this.#input.hour,
      ...(this.#closed ? {} : { mode: this.#control.mode(this.#current) }),
      stages: this.#stages.map(({ times: _times, ...stage }) => stage),
      ...(this.#current === undefined ? {} : { current: this.#current }),
      ...(this.#waiting === undefined ? {} : { waiting: this.#waiting }),
      ...(this.#lastError ? { lastError: this.#lastError } : {}),
    };
  }

  /** What an alert tells of a run that is on its way. */
  alerted(problem: Problem): Alerted {
    const { name: pipeline } = this.#input.pipeline;
    const error = { ...problem, stage: this.#current ?? this.#stages.at(-1)?.stage ?? 'start' };
    return { pipeline, hour: this.#input.hour, ...this.execution, stages: [...this.#stages], error };
  }

  /** The report of this attempt, now that it is over. */
  report(outcome: RunReport['outcome'], problem?: Problem, endedAt = new Date().toISOString()): RunReport {
    const main = this.#equations.find(({ dataset }) => dataset === 'main');
    upsertSearchAttributes([
      { key: attributes.outcome, value: outcome },
      ...(main ? [{ key: attributes.rows, value: main.rows.indexed }] : []),
    ]);
    const error = problem && { ...problem, stage: this.#failed ?? this.#stages.at(-1)?.stage ?? 'start' };
    this.#final = {
      ...this.soFar(),
      ...{ outcome, endedAt },
      ...(error ? { error } : {}),
    };
    return this.#final;
  }

  /** The report with what the activity that stored it made of its times; older ones make nothing of them. */
  judged(report: RunReport, timing: RunReport['timing']): RunReport {
    this.#final = timing ? { ...report, timing } : report;
    return this.#final;
  }

  /** The report as it stands. */
  soFar(): Omit<RunReport, 'outcome' | 'endedAt' | 'error'> & ReportSoFar {
    return {
      pipeline: this.#input.pipeline.name,
      hour: this.#input.hour,
      ...this.execution,
      ...keptTrace(),
      startedAt: this.#startedAt,
      ...(this.#input.startFrom === undefined ? {} : { startFrom: this.#input.startFrom }),
      stages: [...this.#stages],
      ...this.#findings,
      generations: this.#generations,
      batches: this.#batches,
      equations: this.#equations,
      ...(this.#warnings.length > 0 ? { warnings: this.#warnings } : {}),
    };
  }

  /** Brings what the Web UI shows up to what is known, and the clock of the deadlines. */
  show(): void {
    const shown = this.progress();
    this.#watch.waits(shown.waiting);
    this.deadlines.clock.hold(shown.waiting !== undefined || shown.mode === 'paused');
    setCurrentDetails(
      runDetails({
        ...shown,
        ...this.#findings,
        failed: this.#failed,
        equations: this.#equations,
        warnings: this.#warnings,
      }),
    );
  }
}

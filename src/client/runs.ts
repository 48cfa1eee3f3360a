import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Store } from '../connectors/object-store.ts';
import { SluiceError } from '../definition/errors.ts';
import type { LogicalHour } from '../definition/hour.ts';
import { ids } from '../definition/names.ts';
import { storedReport, storedReports } from '../inspecting/run-reports.ts';
import type { LaunchInput, LaunchResult, ReportSoFar, RunProgress, RunReport } from '../workflows/messages.ts';
import { launchHour, type LaunchOptions } from './launching.ts';
import { askRun } from './ask-run.ts';
import { pendingActivities, pendingOf } from './pending-activities.ts';
import type { PendingActivity, RunEvent } from './run-events.ts';
import { compareRuns } from './comparing.ts';
import type { RunDiff } from './run-diff.ts';
import { listRuns, summaryOf, type RunFilter, type RunSummary } from './run-list.ts';
import { storyOf, type StoryEntry } from './run-story.ts';
import { resultOf } from './result-of.ts';
import { standingOf, watchRun, type Settled } from './run-watch.ts';
import { failureOf } from './failure-of.ts';
import { grpcCode, NOT_FOUND } from './grpc-code.ts';

export type { ReportSoFar } from '../workflows/messages.ts';

export interface WaitOptions {
  /** Told what happens meanwhile. */
  readonly onProgress?: (event: RunEvent) => void;
  /** Gives the waiting up; the run goes on. */
  readonly signal?: AbortSignal;
}

/** One run of an hour: as Temporal has it, as its report has it, or both. Times in ISO 8601, UTC. */
export interface RunAttempt {
  readonly runId: string;
  /** `running`, or what it came to; `terminated` and `timed_out` runs have no report. */
  readonly outcome: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** Rows of the main data set that are indexed. */
  readonly rows?: number;
  readonly error?: RunReport['error'];
}

/** One run of an hour; the newest where `runId` is left out. */
export interface RunOfHour {
  readonly hour: LogicalHour;
  readonly runId?: string;
}

export interface RunStory {
  readonly story: readonly StoryEntry[];
  /** What its activities are at, and how the attempt before failed. */
  readonly pending: readonly PendingActivity[];
  readonly running: boolean;
}

/** Runs of hours: started, followed, steered, looked at. */
export class Runs {
  readonly #client: Client;
  readonly #store: () => Store;

  /** @param store opens the object store, where reports are; called only for what needs it */
  constructor(client: Client, store: () => Store) {
    this.#client = client;
    this.#store = store;
  }

  /**
   * Starts a run of an hour, or joins the one there is.
   * @throws SluiceError the launch's own, such as `DefinitionInvalid`; `KeyReused` where the key is another launch's
   */
  launch(input: LaunchInput, options: LaunchOptions = {}): Promise<LaunchResult> {
    return launchHour(this.#client, input, options);
  }

  /**
   * Waits for a run to end.
   * @throws SluiceError with the run's own code and sentence where it failed; `Cancelled` where `signal` aborted or the run was cancelled;
   * `NotRunning` where there is no such run; `StackUnavailable` where Temporal lets nobody look any more. While it is only away, this waits on
   */
  async wait(workflowId: string, { onProgress, signal }: WaitOptions = {}): Promise<RunReport> {
    const came: Settled[] = [];
    for await (const event of watchRun(this.#client, workflowId, (settled) => came.push(settled), signal))
      onProgress?.(event);
    const [settled] = came;
    if (!settled) throw new SluiceError('Cancelled', `Nobody waits for ${workflowId} any more; it goes on.`);
    if ('report' in settled) return settled.report;
    throw failureOf(settled.error);
  }

  /** What happens in a run, from now to its end; the first events say what has happened so far. @throws SluiceError `NotRunning` */
  events(workflowId: string, { signal }: Pick<WaitOptions, 'signal'> = {}): AsyncGenerator<RunEvent> {
    return watchRun(this.#client, workflowId, () => {}, signal);
  }

  /** How far a run is, with what last failed a stage or an attempt at one; undefined where it is not there, or no worker answers for it. */
  progress(workflowId: string): Promise<RunProgress | undefined> {
    return standingOf(this.#client, workflowId);
  }

  /** What the activities of a run say of themselves now: `publish` → `sent 12,000 of 32,735`. */
  async notes(workflowId: string): Promise<Readonly<Record<string, string>>> {
    const pending = await pendingActivities(this.#client, workflowId);
    const notes = pending.map(({ activity, attempt, note, failure }) => {
      const failed = attempt > 1 ? `attempt ${attempt}, after: ${failure?.message ?? 'no answer'}` : '';
      return [activity, [note, failed].filter(Boolean).join(', ')];
    });
    return Object.fromEntries(notes) as Record<string, string>;
  }

  /** Waits for a run to end, without a word meanwhile. @throws SluiceError with the run's own code and sentence where it failed */
  async result(workflowId: string): Promise<RunReport> {
    try {
      return await resultOf<RunReport>(this.#client, { workflowId });
    } catch (error) {
      throw failureOf(error);
    }
  }

  /**
   * Lets the stage that is on its way end, and begins no other until {@link resume}.
   * @throws SluiceError `NotRunning`, `NoWorker`; `ControlRefused` where it is being cancelled, or at its last stage
   */
  pause(workflowId: string): Promise<RunProgress> {
    return askRun(this.#client, workflowId, (run) => run.executeUpdate('pause'));
  }

  /** @throws SluiceError `NotRunning`, `NoWorker`; `ControlRefused` where it is being cancelled */
  resume(workflowId: string): Promise<RunProgress> {
    return askRun(this.#client, workflowId, (run) => run.executeUpdate('resume'));
  }

  /**
   * Asks a run to stop. It tidies up what it alone had made; what it had begun stays invisible, and its hour may be run again.
   * @throws SluiceError `NotRunning`, `NoWorker`; `ControlRefused` where it is at its last stage
   */
  cancel(workflowId: string): Promise<RunProgress> {
    return askRun(this.#client, workflowId, (run) => run.executeUpdate('cancel'));
  }

  /** Runs by what they say of themselves, the newest first. */
  list(filter: RunFilter = {}): Promise<RunSummary[]> {
    return listRuns(this.#client, filter);
  }

  /** The newest run of an hour as Temporal has it; undefined where it knows none (any more). */
  async find(pipeline: string, hour: LogicalHour): Promise<RunSummary | undefined> {
    try {
      return summaryOf(await this.#client.workflow.getHandle(ids.pipeline(pipeline, hour)).describe());
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  /**
   * What a run of an hour came to: of the newest one where `runId` is left out, how far it is where it runs yet. Asked of Temporal while
   * it runs, and of the object store, which keeps it for as long as the hour, from then on.
   * @throws SluiceError `HourUnknown` where there is no report; `NoWorker` where it runs and no worker answers
   */
  async report(pipeline: string, hour: LogicalHour, { runId }: { runId?: string } = {}): Promise<ReportSoFar> {
    const newest = await this.find(pipeline, hour);
    const wanted = runId ?? newest?.runId;
    if (wanted === undefined) {
      const [report] = await storedReports(this.#store(), pipeline, hour);
      if (report) return report;
      throw new SluiceError('HourUnknown', `The hour ${hour} of ${pipeline} has not been run.`);
    }
    const stored = await storedReport(this.#store(), pipeline, hour, wanted);
    if (stored) return stored;
    if (newest?.runId === wanted && newest.status === 'running')
      return askRun(this.#client, newest.workflowId, (run) => run.query<ReportSoFar>('report'));
    const how = newest?.runId === wanted ? `it is ${newest.status}` : `"attempts" names those that there are`;
    throw new SluiceError('HourUnknown', `Run ${wanted} of ${pipeline} ${hour} has left no report: ${how}.`);
  }

  /**
   * What is otherwise in `other` than in `one`; of a single run, what is otherwise in it than in the one before it: of the same hour,
   * or, where it is the first of its hour, in the newest earlier hour that is done. A run is the newest of its hour where `runId` is left out.
   * @throws SluiceError `HourUnknown` where there is no such run, or none before it
   */
  async diff(pipeline: string, one: RunOfHour, other?: RunOfHour): Promise<RunDiff> {
    const [report, second] = await Promise.all(
      [one, ...(other ? [other] : [])].map(({ hour, ...run }) => this.report(pipeline, hour, run)),
    );
    return compareRuns(this.#store(), report as ReportSoFar, second);
  }

  /**
   * What happened in a run, by Temporal's history of it, and what its activities are at.
   * @throws SluiceError `HourUnknown` where Temporal has no such history, or none any more
   */
  async story(pipeline: string, hour: LogicalHour, { runId }: { runId?: string } = {}): Promise<RunStory> {
    const handle = this.#client.workflow.getHandle(ids.pipeline(pipeline, hour), runId);
    try {
      const [description, history] = await Promise.all([handle.describe(), handle.fetchHistory()]);
      const { raw, status } = description;
      const pending = pendingOf(raw.pendingActivities ?? []);
      return { story: storyOf(history), pending, running: status.name === 'RUNNING' };
    } catch (error) {
      // The SDK gives a history's error as it comes.
      if (!(error instanceof WorkflowNotFoundError) && grpcCode(error) !== NOT_FOUND) throw error;
      throw new SluiceError('HourUnknown', `Temporal has no history of ${runId ?? 'a run'} of ${pipeline} ${hour}.`);
    }
  }

  /** Every run of an hour that Temporal or the object store knows of, the newest first. */
  async attempts(pipeline: string, hour: LogicalHour): Promise<RunAttempt[]> {
    const [reports, listed] = await Promise.all([
      storedReports(this.#store(), pipeline, hour),
      this.list({ pipeline, from: hour, to: hour, limit: 1_000 }),
    ]);
    const found = new Map<string, RunAttempt>();
    for (const { runId, outcome, status, startedAt, closedAt } of listed)
      found.set(runId, { runId, outcome: outcome ?? status, startedAt, ...(closedAt ? { endedAt: closedAt } : {}) });
    for (const { runId, outcome, startedAt, endedAt, equations, error } of reports) {
      const rows = equations.find(({ dataset }) => dataset === 'main')?.rows.indexed;
      const counted = rows === undefined ? {} : { rows };
      found.set(runId, { runId, outcome, startedAt, endedAt, ...counted, ...(error ? { error } : {}) });
    }
    return [...found.values()].toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
  }
}

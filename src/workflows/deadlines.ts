import { CancellationScope, isCancellation, log, patched } from '@temporalio/workflow';
import type { Alerted } from '../activities/index.ts';
import { durationMs } from '../definition/duration.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import { ActiveClock } from './active-clock.ts';
import { failure, problemOf, type Problem } from './failure.ts';
import type { RunInput } from './messages.ts';
import { stageActivities } from './stage-activities.ts';
import { tellOfDeadline } from './telling.ts';

/** What a deadline says of a run, and of whom the alert is to tell. */
export interface Watched {
  /** What the run is in the middle of. */
  alerted(problem: Problem): Alerted;
  /** Shows a sentence, and keeps it for the report. */
  warn(sentence: string): void;
}

/**
 * Ends what takes longer than the definition allows, and tells before it does. Without deadlines there is no timer and no command.
 * Time in which a run waits on purpose does not count.
 */
export class Deadlines {
  readonly clock = new ActiveClock();
  readonly #input: RunInput;
  readonly #run: Watched;
  readonly #alerts: Promise<void>[] = [];

  constructor(input: RunInput, run: Watched) {
    this.#input = input;
    this.#run = run;
  }

  /** The whole of a run. @throws `DeadlineExceeded` */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#within(this.#limits?.run, 'the run', 'run', work);
  }

  /** One stage of it. @throws `DeadlineExceeded` */
  stage<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const limit = this.#limits?.stages?.[stage as keyof NonNullable<Pipeline['deadlines']['stages']>];
    return this.#within(limit, stage, `stages.${stage}`, work);
  }

  /** Whether one of them was near. */
  get near(): boolean {
    return this.#alerts.length > 0;
  }

  /** Until what is to be told has been told, or cannot be. */
  async told(): Promise<void> {
    await Promise.all(this.#alerts);
  }

  /** Histories from before there were deadlines have none. */
  get #limits(): Pipeline['deadlines'] | undefined {
    return (this.#input.pipeline as Partial<Pipeline>).deadlines;
  }

  async #within<T>(limit: string | undefined, what: string, member: string, work: () => Promise<T>): Promise<T> {
    if (limit === undefined) return work();
    const limitMs = durationMs(limit);
    const from = this.clock.ms;
    const watched = new CancellationScope();
    const watch = new CancellationScope();
    let over = false;
    const watching = watch
      .run(async () => {
        await this.clock.reach(from + Math.ceil(limitMs * (this.#limits?.warnAt ?? 1)), `warns of deadlines.${member}`);
        // After an outage of all workers both may be over: then the failure says so.
        if (this.clock.ms < from + limitMs) this.#tell(limit, what, member);
        await this.clock.reach(from + limitMs, `deadlines.${member}`);
        over = true;
        watched.cancel();
      })
      // Handled here and now: a run that is cancelled ends the watch before its stage.
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
    try {
      return await watched.run(work);
    } catch (error) {
      // A stage may answer with a failure of its own, as when its worker is gone.
      if (!over) throw error;
      const { pipeline, hour } = this.#input;
      const message =
        `${capital(what)} of ${pipeline.name} ${hour} took longer than ${limit} and was stopped: look in the report what ` +
        `took so long, then run the hour again, or raise deadlines.${member}.`;
      throw failure({ code: 'DeadlineExceeded', message });
    } finally {
      watch.cancel();
      await watching;
    }
  }

  /** Each deadline is an incident of its own, which lasts until a run comes near none. */
  #tell(limit: string, what: string, member: string): void {
    const { pipeline, hour } = this.#input;
    const part = Math.round(pipeline.deadlines.warnAt * 100);
    const message =
      `${capital(what)} of ${pipeline.name} ${hour} has taken ${part}% of the ${limit} that deadlines.${member} allows, ` +
      `and is stopped at its end.`;
    this.#run.warn(message);
    log.warn(message);
    const report = this.#run.alerted({ code: 'DeadlineNear', message });
    // Whether it can be told or not, the run goes on; and a run that is stopped meanwhile tells it all the same.
    const alert = CancellationScope.nonCancellable(async () => {
      if (patched('incidents')) return tellOfDeadline(this.#input, report, member === 'run' ? 'run' : what);
      const { sendFailureAlert } = stageActivities('light', pipeline.retries, `deadline near: ${what}`);
      const subject = member === 'run' ? 'DeadlineNear' : `DeadlineNear-${what}`;
      await sendFailureAlert({ pipeline, report, subject });
    }).then(
      () => {},
      (error: unknown) => log.warn('nobody was told of a deadline', { problem: problemOf(error).message }),
    );
    this.#alerts.push(alert);
  }
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

import { CancellationScope, CancelledFailure, condition, log, patched, setHandler } from '@temporalio/workflow';
import { failure, type Problem } from './failure.ts';
import {
  cancelRunSignal,
  cancelRunUpdate,
  pauseRunUpdate,
  pauseSignal,
  resumeRunUpdate,
  resumeSignal,
  type RunProgress,
} from './messages.ts';
import type { RunLog } from './run-log.ts';

type Word = 'pause' | 'resume' | 'cancel';

/** The stage that writes the report: what a run was for is done by then. */
export const LAST_STAGE = 'report';

/** What a run was told from outside: to hold between stages, to go on, to stop. */
export class RunControl {
  readonly #root = CancellationScope.current();
  readonly #scope = new CancellationScope();
  #paused = false;

  /** Whether a stage that would begin now is to wait for {@link released}. */
  get holds(): boolean {
    return this.#paused;
  }

  /** Whether the run was told to stop, by its update or signal or by Temporal's own cancellation. */
  get cancelling(): boolean {
    return this.#scope.consideredCancelled;
  }

  /** @param current the stage that is on its way */
  mode(current: string | undefined): NonNullable<RunProgress['mode']> {
    if (this.cancelling) return 'cancelling';
    if (!this.#paused) return 'running';
    return current === undefined ? 'paused' : 'pausing';
  }

  /** Waits until nobody wants the run to hold. @throws CancelledFailure */
  released(): Promise<void> {
    return condition(() => !this.#paused);
  }

  tell(word: Word): void {
    if (word === 'cancel') this.#scope.cancel();
    else this.#paused = word === 'pause';
  }

  /** Runs what a cancellation stops, whoever asks for it. */
  cancellable<T>(work: () => Promise<T>): Promise<T> {
    return this.#scope.run(work);
  }

  /** Runs what a cancellation comes too late for. One that came before it wins. */
  async toItsEnd<T>(work: () => Promise<T>): Promise<T> {
    if (this.cancelling) throw new CancelledFailure('The run was cancelled.');
    const shielded = new CancellationScope({ cancellable: false });
    // Runs from before it was so are cancelled even here.
    this.#scope.cancelRequested.catch(() => {
      if (!patched('report-to-its-end')) shielded.cancel();
    });
    return shielded.run(work);
  }

  /**
   * Makes Temporal take the run for a cancelled one. To a workflow that nobody asked it to cancel, an update is no such request, it would
   * be a failed one.
   * @param request asks Temporal to cancel this run
   */
  async endCancelled(request: () => Promise<unknown>): Promise<void> {
    if (!this.#root.consideredCancelled) await request();
  }
}

const words = {
  pause: {
    ...{ update: pauseRunUpdate, signal: pauseSignal },
    description: 'Let the stage that is on its way end, and begin no other until resume.',
  },
  resume: { ...{ update: resumeRunUpdate, signal: resumeSignal }, description: 'Go on; takes back a pause.' },
  cancel: {
    ...{ update: cancelRunUpdate, signal: cancelRunSignal },
    description: 'Stop the run, and remove what it alone had made. The hour may be run again.',
  },
} as const;

/** Lets a run be paused, resumed and cancelled: by updates, which answer with where it stands or refuse, and by signals. */
export function steerable(run: RunLog, control: RunControl): void {
  const follow = (word: Word): RunProgress => {
    control.tell(word);
    run.show();
    return run.progress();
  };
  for (const word of ['pause', 'resume', 'cancel'] as const) {
    const { update, signal, description } = words[word];
    setHandler(update, () => follow(word), {
      description: `${description} Answers with where the run stands.`,
      validator: () => {
        const refused = refusal(word, run, control);
        if (refused) throw failure(refused);
      },
    });
    const heed = (): void => {
      // Nobody listened to them in runs from before.
      if (!patched('steered-by-signals')) return;
      const refused = refusal(word, run, control);
      if (refused) log.warn(`${word}: ${refused.message}`);
      else follow(word);
    };
    setHandler(signal, heed, { description });
  }
}

/** Why a word is refused, if it is. One that says again what was said before is not: its answer may have been lost. */
function refusal(word: Word, run: RunLog, control: RunControl): Problem | undefined {
  const why = (): string | undefined => {
    if (control.cancelling) return word === 'cancel' ? undefined : 'is being cancelled';
    if (run.over) return 'is over but for its report';
    if (word !== 'resume' && run.current === LAST_STAGE)
      return `is at its last stage: there is nothing left to ${word}`;
    return undefined;
  };
  const sentence = why();
  return sentence === undefined
    ? undefined
    : { code: 'ControlRefused', message: `The run of ${run.name} ${sentence}.` };
}

import type { RunProgress, RunReport, StageProgress } from '../workflows/messages.ts';

/** What happens in a run, as `events` and `wait` tell it, in order. */
export type RunEvent = { readonly at: string; readonly stage?: string } & (
  | { readonly type: 'stage-begun'; readonly stage: string }
  /** `rowsPerSecond` where the stage counts rows and took any time. */
  | {
      readonly type: 'stage-done';
      readonly stage: string;
      readonly ms: number;
      readonly rows?: number;
      readonly rowsPerSecond?: number;
    }
  | { readonly type: 'stage-failed'; readonly stage: string; readonly ms: number }
  /** What the activities of the stage say of themselves, each time that it has changed: `sent 12,000 of 32,735`. */
  | { readonly type: 'note'; readonly notes: readonly string[] }
  /** Why the run stands still. `undefined` once it goes on. */
  | { readonly type: 'waiting'; readonly what: string | undefined }
  /** An attempt failed and is followed by another. `attempt` is the one that failed, 1 and up. */
  | {
      readonly type: 'attempt-failed';
      readonly activity: string;
      readonly attempt: number;
      readonly message: string;
      readonly code?: string;
    }
  | { readonly type: 'pausing' | 'paused' | 'resumed' | 'cancelling' }
  | {
      readonly type: 'ended';
      readonly outcome: RunReport['outcome'];
      readonly error?: { readonly code: string; readonly message: string };
    }
);

/** An activity that is on its way, or waits for its next attempt. */
export interface PendingActivity {
  readonly activity: string;
  /** The attempt that runs or is awaited, 1 and up. */
  readonly attempt: number;
  readonly note?: string;
  /** Of the attempt before; `at` in ISO 8601, UTC. */
  readonly failure?: { readonly message: string; readonly code?: string; readonly at?: string };
  /** The attempt that runs has given a sign of life. */
  readonly recovered?: boolean;
}

/** How a run looks at one moment. */
export interface RunSnapshot {
  /** Absent where no worker answers. */
  readonly progress?: RunProgress;
  readonly pending: readonly PendingActivity[];
  /** Temporal itself does not answer, so that nothing is known of this moment. */
  readonly away?: boolean;
}

/** So many looks without an answer and there is no worker; a single one may have been slow. */
const LOOKS_WITHOUT_WORKER = 2;

/** Makes events of one look at a run after the other. Knows nothing of Temporal. */
export class RunEventLog {
  #told = 0;
  #current: string | undefined;
  #mode: RunProgress['mode'] = 'running';
  #waiting: string | undefined;
  #notes = '';
  #unanswered = 0;
  readonly #failed = new Set<string>();

  /** What is new since the last look. */
  take({ progress, pending, away = false }: RunSnapshot, at: string): RunEvent[] {
    if (away) return this.#waitsFor('Temporal', at);
    this.#unanswered = progress ? 0 : this.#unanswered + 1;
    return [
      ...(progress ? this.#stages(progress, at) : []),
      ...this.#attempts(pending, at),
      ...(progress ? this.#modes(progress, at) : []),
      ...this.#waits(progress, at),
      ...this.#says(pending, at),
    ];
  }

  /** The last events: stages that no look has seen, and how it ended. */
  end(
    stages: readonly StageProgress[],
    { outcome, error }: Pick<RunReport, 'outcome'> & Pick<Extract<RunEvent, { type: 'ended' }>, 'error'>,
    at: string,
  ): RunEvent[] {
    const last = stages.length - 1;
    const wentWell = outcome === 'completed' || outcome === 'unchanged';
    const events = stages
      .slice(this.#told)
      .flatMap((stage, n) => this.#stage(stage, wentWell || this.#told + n < last || stage.stage === 'report'));
    this.#told = stages.length;
    return [...events, { type: 'ended', at, outcome, ...(error ? { error } : {}) }];
  }

  #stages(progress: RunProgress, at: string): RunEvent[] {
    const { stages, current, mode } = progress;
    // A stage that nothing follows has failed, or the run is over: how it went is told by its end.
    const certain = current !== undefined || mode === 'paused' ? stages.length : stages.length - 1;
    const events = stages.slice(this.#told, Math.max(this.#told, certain)).flatMap((stage) => this.#stage(stage, true));
    this.#told = Math.max(this.#told, certain);
    if (current !== undefined && current !== this.#current) {
      events.push({ type: 'stage-begun', at: beginOf(stages) ?? at, stage: current });
      this.#notes = '';
      this.#current = current;
    }
    return events;
  }

  #stage({ stage, startedAt, ms, rows }: StageProgress, went: boolean): RunEvent[] {
    const at = new Date(Date.parse(startedAt) + ms).toISOString();
    const begun: RunEvent[] = stage === this.#current ? [] : [{ type: 'stage-begun', at: startedAt, stage }];
    if (stage === this.#current) this.#current = undefined;
    if (!went) return [...begun, { type: 'stage-failed', at, stage, ms }];
    const rate = rows !== undefined && ms > 0 ? { rowsPerSecond: Math.round((rows * 1000) / ms) } : {};
    return [...begun, { type: 'stage-done', at, stage, ms, ...(rows === undefined ? {} : { rows }), ...rate }];
  }

  #attempts(pending: readonly PendingActivity[], at: string): RunEvent[] {
    return pending.flatMap(({ activity, attempt, failure }): RunEvent[] => {
      const which = `${activity} ${attempt}`;
      if (attempt < 2 || this.#failed.has(which)) return [];
      this.#failed.add(which);
      const { message = 'no answer', code } = failure ?? {};
      return [
        {
          ...{ type: 'attempt-failed', at, activity, attempt: attempt - 1, message },
          ...(this.#current === undefined ? {} : { stage: this.#current }),
          ...(code === undefined ? {} : { code }),
        },
      ];
    });
  }

  #modes({ mode }: RunProgress, at: string): RunEvent[] {
    // A run that is over has none.
    if (mode === undefined || mode === this.#mode) return [];
    this.#mode = mode;
    return [{ type: mode === 'running' ? 'resumed' : mode, at }];
  }

  #waits(progress: RunProgress | undefined, at: string): RunEvent[] {
    // That a run is paused is told by its mode.
    const why = progress?.mode === 'paused' ? undefined : progress?.waiting;
    const what = why ?? (this.#unanswered >= LOOKS_WITHOUT_WORKER ? 'a worker' : undefined);
    return !progress && what === undefined ? [] : this.#waitsFor(what, at);
  }

  #waitsFor(what: string | undefined, at: string): RunEvent[] {
    if (what === this.#waiting) return [];
    this.#waiting = what;
    return [{ type: 'waiting', at, what, ...(this.#current === undefined ? {} : { stage: this.#current }) }];
  }

  #says(pending: readonly PendingActivity[], at: string): RunEvent[] {
    const notes = pending.flatMap(({ note = '' }) => (note === '' ? [] : [note]));
    const said = notes.join('\n');
    if (said === this.#notes) return [];
    this.#notes = said;
    return [{ type: 'note', at, notes, ...(this.#current === undefined ? {} : { stage: this.#current }) }];
  }
}

/** When the stage began that follows these: they follow each other without a gap, unless the run was paused. */
function beginOf(stages: readonly StageProgress[]): string | undefined {
  const last = stages.at(-1);
  return last && new Date(Date.parse(last.startedAt) + last.ms).toISOString();
}

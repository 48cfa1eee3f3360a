import type { BackfillPlan } from '../activities/index.ts';
import { hourKey, toLogicalHour, type LogicalHour } from '../definition/hour.ts';
import { mainDataset } from '../definition/names.ts';
import type {
  BackfillCarried,
  BackfillCounts,
  BackfillFailure,
  BackfillProgress,
  BackfillReport,
} from './backfill-messages.ts';
import type { BackfillSettings } from './backfill-settings.ts';
import type { Problem } from './failure.ts';
import type { LaunchResult } from './messages.ts';

const NAMED = 100;
const NO_HOURS = { missing: 0, failed: 0, stale: 0, running: 0, present: 0, removed: 0 };

/** What a backfill knows: which hours wait, which run, what became of the others, how fast it goes. Knows nothing of Temporal. */
export class BackfillState {
  readonly #settings: BackfillSettings;
  readonly #startedAt: string;
  readonly #running = new Set<LogicalHour>();
  #mode: BackfillProgress['mode'] = 'planning';
  #paused: boolean;
  #found: BackfillPlan['found'] = NO_HOURS;
  #warnings: readonly string[] = [];
  #hours = 0;
  #queue: readonly string[] = [];
  #next = 0;
  #counts: { -readonly [Name in keyof BackfillCounts]: number } = {
    done: 0,
    joined: 0,
    failed: 0,
    cancelled: 0,
    rows: 0,
  };
  #failures: BackfillFailure[] = [];
  /** Time spent at work before `#since`, which is when the work that is on its way began. */
  #workedMs = 0;
  #since: number | undefined;
  readonly #isFull: () => boolean;

  /** @param isFull whether it is to go on in another execution, and starts no more in this one */
  constructor(settings: BackfillSettings, now: number, carried?: BackfillCarried, isFull: () => boolean = () => false) {
    this.#settings = settings;
    this.#isFull = isFull;
    this.#startedAt = carried?.startedAt ?? new Date(now).toISOString();
    this.#paused = carried?.paused === true;
    if (!carried) return;
    this.#found = carried.found;
    this.#warnings = carried.warnings;
    this.#hours = carried.hours;
    this.#queue = carried.queue;
    this.#counts = { ...carried.counts };
    this.#failures = [...carried.failures];
    this.#workedMs = carried.workedMs;
    this.#mode = this.#paused ? 'paused' : 'running';
  }

  planned({ found, warnings, hours }: BackfillPlan): void {
    this.#found = found;
    this.#warnings = warnings;
    this.#queue = hours;
    this.#hours = hours.length;
    if (this.#mode === 'planning') this.#mode = this.#paused ? 'paused' : 'running';
  }

  pause(): void {
    this.#paused = true;
    if (this.#mode === 'running') this.#mode = 'paused';
  }

  resume(): void {
    this.#paused = false;
    if (this.#mode === 'paused') this.#mode = 'running';
  }

  cancel(): void {
    this.#mode = 'cancelling';
  }

  get mode(): BackfillProgress['mode'] {
    return this.#mode;
  }

  /** Nothing more is started, whatever is told it. */
  get ending(): boolean {
    return this.#mode === 'stopping' || this.#mode === 'cancelling' || this.#mode === 'over';
  }

  get mayStart(): boolean {
    return this.#mode === 'running' && this.#left > 0 && this.#running.size < this.#settings.parallel;
  }

  /** Nothing runs, and nothing is to be started any more. */
  get through(): boolean {
    return this.idle && (this.ending || this.#left === 0);
  }

  get full(): boolean {
    return this.#isFull();
  }

  get idle(): boolean {
    return this.#running.size === 0;
  }

  get #left(): number {
    return this.#queue.length - this.#next;
  }

  /** Takes the next hour from the queue. */
  begin(now: number): LogicalHour {
    const hour = toLogicalHour(this.#queue[this.#next] ?? '');
    this.#next += 1;
    if (this.idle) this.#since = now;
    this.#running.add(hour);
    return hour;
  }

  /** An hour is over. `launched.report` is the run's, or what the hour had come to before. */
  ended(hour: LogicalHour, came: LaunchResult | Problem, now: number): void {
    this.#running.delete(hour);
    if (this.idle && this.#since !== undefined) {
      this.#workedMs += now - this.#since;
      this.#since = undefined;
    }
    if ('outcome' in came) {
      this.#counts[came.outcome === 'joined' ? 'joined' : 'done'] += 1;
      const main = came.report?.equations?.find(({ dataset }) => dataset === mainDataset);
      if (came.outcome === 'started') this.#counts.rows += main?.rows.indexed ?? 0;
      return;
    }
    const { code, message } = came;
    if (code === 'Cancelled') this.#counts.cancelled += 1;
    else this.#counts.failed += 1;
    if (this.#failures.length < NAMED) this.#failures.push({ hour, code, message });
    const { stopAfter } = this.#settings;
    if (stopAfter !== undefined && this.#counts.failed >= stopAfter && !this.ending) this.#mode = 'stopping';
  }

  /** @param now milliseconds since 1970 */
  progress(now: number): BackfillProgress {
    const { from, to, order, parallel } = this.#settings;
    const { done, joined, failed, cancelled } = this.#counts;
    const ended = done + joined + failed + cancelled;
    const workedMs = this.#workedMs + (this.#since === undefined ? 0 : now - this.#since);
    const left = this.#left + this.#running.size;
    const waits = this.full && !this.idle && !this.ending && this.#left > 0;
    const known = ended > 0 && workedMs > 0;
    const goesOn = known && left > 0 && this.#mode === 'running';
    return {
      ...{ pipeline: this.#settings.name, from, to, mode: this.#mode, order, parallel },
      ...{ found: this.#found, warnings: this.#warnings, hours: this.#hours, ...this.#counts, left },
      running: [...this.#running],
      ...(waits ? { waiting: waitingSentence(this.#running) } : {}),
      startedAt: this.#startedAt,
      ...(known ? { perHour: Math.round((ended / workedMs) * 3_600_000) } : {}),
      ...(goesOn ? { estimatedEnd: new Date(now + (workedMs / ended) * left).toISOString() } : {}),
      failures: this.#failures,
    };
  }

  report(now: number, plan?: BackfillPlan): BackfillReport {
    const outcome = plan ? 'planned' : this.#outcome();
    this.#mode = 'over';
    const { mode, running, waiting, estimatedEnd, ...counts } = this.progress(now);
    void [mode, running, waiting, estimatedEnd];
    return { ...counts, outcome, endedAt: new Date(now).toISOString(), ...(plan ? { plan } : {}) };
  }

  #outcome(): BackfillReport['outcome'] {
    if (this.#mode === 'cancelling') return 'cancelled';
    if (this.#mode === 'stopping') return 'stopped';
    return this.#counts.failed + this.#counts.cancelled > 0 ? 'failed' : 'completed';
  }

  /** For the execution that goes on behind this one; only where nothing runs. */
  carried(): BackfillCarried {
    return {
      ...{ found: this.#found, warnings: this.#warnings, hours: this.#hours },
      queue: this.#queue.slice(this.#next),
      ...{ counts: this.#counts, failures: this.#failures, startedAt: this.#startedAt },
      ...{ workedMs: this.#workedMs, paused: this.#paused },
    };
  }

  /** What the Web UI shows, as Markdown. */
  details(now: number): string {
    const { mode, hours, done, joined, failed, cancelled, left, running, rows, perHour, estimatedEnd, waiting } =
      this.progress(now);
    const speed = perHour === undefined ? '' : `, ${perHour} hours an hour`;
    return [
      `**${mode}**${speed}${estimatedEnd === undefined ? '' : `, through at about ${estimatedEnd.slice(0, 16)}Z`}`,
      '',
      '| Hours | Done | Joined | Failed | Cancelled | Left | Rows |',
      '|---|---|---|---|---|---|---|',
      `| ${[hours, done, joined, failed, cancelled, left, rows].join(' | ')} |`,
      ...(running.length === 0 ? [] : ['', `Running: ${running.map(hourKey).join(', ')}`]),
      ...(waiting === undefined ? [] : ['', waiting]),
      ...this.#warnings.map((warning) => `\n${warning}`),
      ...(this.#failures.length === 0 ? [] : ['', '| Failed | Why |', '|---|---|']),
      ...this.#failures.slice(-10).map(({ hour, code, message }) => `| ${hourKey(hour)} | ${code}: ${message} |`),
    ].join('\n');
  }
}

function waitingSentence(running: ReadonlySet<LogicalHour>): string {
  const [first = '', ...more] = [...running].toSorted();
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return `Waits for the end of ${hourKey(first)}${others} before it starts more: its history is long enough, and it goes on in a new one.`;
}

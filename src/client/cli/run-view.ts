import type { RunEvent } from '../run-events.ts';
import { count, seconds, styled } from './screen.ts';

const WIDTH = 10;
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** A run in lines: what it has been through lasts, what it is at is written over. Knows nothing of terminals. */
export class RunView {
  readonly #marks: boolean;
  #stage: { readonly name: string; readonly since: number } | undefined;
  #waiting: string | undefined;
  #mode: string | undefined;
  #notes: readonly string[] = [];

  /** @param marks begin lines with a sign for how it went, as on a terminal */
  constructor(marks: boolean) {
    this.#marks = marks;
  }

  /** @returns the lines to be kept */
  take(event: RunEvent): string[] {
    switch (event.type) {
      case 'stage-begun':
        this.#stage = { name: event.stage, since: Date.parse(event.at) };
        this.#notes = [];
        return [];
      case 'stage-done':
        this.#stage = undefined;
        return [this.#line('✓', event.stage, seconds(event.ms), rowsOf(event))];
      case 'stage-failed':
        this.#stage = undefined;
        return [this.#line('✗', event.stage, seconds(event.ms), this.#mode === 'cancelling' ? 'stopped' : 'failed')];
      case 'note':
        this.#notes = event.notes;
        return [];
      case 'waiting':
        this.#waiting = event.what;
        return event.what === undefined ? [] : [this.#line('…', event.stage ?? '', '', `waits for ${event.what}`)];
      case 'attempt-failed': {
        const why = event.code === undefined ? event.message : `${event.code}: ${event.message}`;
        return [this.#line('!', event.stage ?? event.activity, '', `attempt ${event.attempt} failed: ${why}`)];
      }
      case 'ended':
        this.#stage = undefined;
        return [];
      default:
        this.#mode = event.type === 'resumed' ? undefined : event.type;
        return [this.#line(event.type === 'resumed' ? '▸' : '‖', this.#stage?.name ?? '', '', modes[event.type])];
    }
  }

  /** What happens now, in a line, and one more for each further thing that is going on. */
  live(now: number): string[] {
    if (!this.#stage) return this.#mode === undefined ? [] : [`‖ ${this.#mode}`];
    const { name, since } = this.#stage;
    const [first = '', ...others] = this.#waiting === undefined ? this.#notes : [`waits for ${this.#waiting}`];
    const sign = spinner[Math.floor(now / 100) % spinner.length] ?? '';
    const elapsed = seconds(Math.max(0, now - since));
    return [
      `${sign} ${name.padEnd(WIDTH)} ${elapsed.padStart(9)}  ${first}`,
      ...others.map((note) => `${' '.repeat(WIDTH + 14)}${note}`),
    ];
  }

  /** The stage that runs and what it says, for a line now and then where nothing can be written over. */
  now(): string | undefined {
    if (!this.#stage) return undefined;
    const what = this.#notes.length === 0 ? 'running' : `running: ${this.#notes.join('; ')}`;
    return this.#line(' ', this.#stage.name, '', what);
  }

  #line(mark: keyof typeof colours, stage: string, time: string, rest: string): string {
    const sign = this.#marks ? (colours[mark] === undefined ? mark : styled(colours[mark], mark)) : ' ';
    return `${sign} ${stage.padEnd(WIDTH)} ${time.padStart(9)}  ${rest}`.trimEnd();
  }
}

const colours = {
  '✓': 'green',
  '✗': 'red',
  '!': 'yellow',
  '…': 'yellow',
  '‖': 'yellow',
  '▸': 'green',
  ' ': undefined,
} as const;

const modes = {
  pausing: 'pauses once this stage is through',
  paused: 'paused; "sluice run resume" lets it go on',
  resumed: 'goes on',
  cancelling: 'is cancelled; tidies up',
} as const;

function rowsOf({ rows, rowsPerSecond }: { rows?: number; rowsPerSecond?: number }): string {
  if (rows === undefined) return '';
  return `${count(rows)} rows${rowsPerSecond === undefined ? '' : `, ${count(rowsPerSecond)}/s`}`;
}

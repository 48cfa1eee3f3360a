import { messageOf } from './api.ts';
import { element, say } from './dom.ts';
import { events, type RunEvent } from './events.ts';
import { duration, number } from './format.ts';
import type { Run } from './runs.ts';
import { turnover } from './turnover.ts';
import { hourKey, hourWords, link, state } from './words.ts';

/** A browser has six connections to a server, and the rest of the page needs some. */
const FOLLOWED = 3;

/** Runs on their way, each followed by its events while the page is looked at: stages appear as they begin and end. */
export class LiveRuns {
  readonly element = element('section', { class: 'live', 'aria-label': 'Runs on their way', hidden: true });
  readonly #shown = new Map<string, LiveRun>();
  readonly #signal: AbortSignal;
  readonly #ended: () => void;

  constructor(signal: AbortSignal, ended: () => void) {
    this.#signal = signal;
    this.#ended = ended;
    // A tab in the back holds no connection: browsers share them among all tabs of a server.
    document.addEventListener('visibilitychange', () => this.#turn(), { signal });
    signal.addEventListener('abort', () => {
      for (const live of this.#shown.values()) live.end();
    });
  }

  /** @param anew whether others are wanted than before */
  show(running: readonly Run[], anew = false): void {
    if (this.#signal.aborted) return;
    const shown = [...this.#shown].map(([id, { isOver, isLost }]) => ({ id, isOver, isLost }));
    const byId = new Map(running.map((run) => [run.runId, run]));
    const { go, come } = turnover(shown, [...byId.keys()], FOLLOWED, anew);
    for (const id of go) {
      this.#shown.get(id)?.end();
      this.#shown.get(id)?.element.remove();
      this.#shown.delete(id);
    }
    for (const id of come) {
      const run = byId.get(id);
      if (!run) continue;
      const live = new LiveRun(run, this.#ended);
      this.#shown.set(id, live);
      this.element.prepend(live.element);
    }
    this.#turn();
    this.element.hidden = this.#shown.size === 0;
  }

  #turn(): void {
    for (const live of this.#shown.values()) {
      if (document.hidden) live.end();
      else live.begin();
    }
  }
}

class LiveRun {
  readonly element: HTMLElement;
  isOver = false;
  /** Its events broke off, and say nothing of how it went. */
  isLost = false;
  #stream: AbortController | undefined;
  readonly #run: Run;
  readonly #ended: () => void;
  readonly #stages = element('ol', { class: 'stages' });
  readonly #now = element('p', { class: 'note' });
  readonly #bar = element('progress', { hidden: true, 'aria-label': 'Progress of the stage' });
  readonly #state = element('span', {}, state('running'));
  readonly #rows = new Map<string, HTMLElement>();

  constructor(run: Run, ended: () => void) {
    this.#run = run;
    this.#ended = ended;
    const { pipeline, hour, runId } = run;
    const title = link({ view: 'run', pipeline, hour: hourKey(hour), run: runId }, `${pipeline}, ${hourWords(hour)}`);
    this.element = element(
      'article',
      { class: 'live-run', 'data-run': runId },
      element('h2', {}, title, ' ', this.#state),
      this.#stages,
      this.#now,
      this.#bar,
    );
  }

  /** Follows it, from its beginning, unless it is followed or there is no more to follow. */
  begin(): void {
    if (this.#stream || this.isOver || this.isLost) return;
    this.#stream = new AbortController();
    void this.#follow(this.#stream.signal);
  }

  /** Follows it no more, until it begins again. */
  end(): void {
    this.#stream?.abort();
    this.#stream = undefined;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { pipeline, hour } = this.#run;
    try {
      for await (const event of events(`/runs/${pipeline}/${hourKey(hour)}/events`, signal)) this.#tell(event);
    } catch (error) {
      if (!signal.aborted) this.#now.textContent = messageOf(error);
    }
    if (this.isOver) this.#ended();
    else if (!signal.aborted) this.isLost = true;
  }

  #tell(event: RunEvent): void {
    const { type, stage = '', ms = 0, rows, notes = [], what, message = '', outcome, error } = event;
    switch (type) {
      case 'stage-begun':
        this.#stage(stage, 'running', '…');
        this.#note([]);
        break;
      case 'stage-done': {
        const count = rows === undefined ? '' : `${number(rows)} rows, `;
        this.#stage(stage, 'completed', `${count}${duration(ms)}`);
        break;
      }
      case 'stage-failed':
        this.#stage(stage, 'failed', duration(ms));
        break;
      case 'note':
        this.#note(notes);
        break;
      case 'waiting':
        this.#note(what === undefined ? [] : [`Waits for ${what}.`]);
        break;
      case 'attempt-failed':
        this.#note([`Tried again: ${message}`]);
        break;
      case 'ended':
        this.isOver = true;
        this.#note(error ? [error.message] : []);
        this.#turn(outcome ?? 'ended');
        say(`The run of ${this.#run.pipeline}, ${hourWords(this.#run.hour)}: ${outcome ?? 'ended'}.`);
        break;
      default:
        this.#turn(type === 'resumed' ? 'running' : type);
    }
  }

  #turn(word: string): void {
    this.#state.replaceChildren(state(word));
  }

  #stage(name: string, word: string, said: string): void {
    const row = this.#rows.get(name) ?? element('li');
    row.replaceChildren(state(word).firstElementChild ?? '', element('b', {}, name), element('span', {}, said));
    row.className = word;
    row.dataset['stage'] = name;
    this.#rows.set(name, row);
    if (!row.isConnected) this.#stages.append(row);
  }

  /** `sent 12,000 of 32,735` is a bar, too. */
  #note(notes: readonly string[]): void {
    this.#now.textContent = notes.join(' · ');
    const [, done, all] = /([\d,]+) of ([\d,]+)/.exec(notes.join(' ')) ?? [];
    this.#bar.hidden = done === undefined || all === undefined;
    if (done === undefined || all === undefined) return;
    this.#bar.max = Number(all.replaceAll(',', ''));
    this.#bar.value = Number(done.replaceAll(',', ''));
  }
}

import type { Spec } from 'vega';
import { get, messageOf } from './api.ts';
import { drawChart, type Chart } from './chart.ts';
import { button, element, failed } from './dom.ts';
import { counted, metric } from './format.ts';
import { Loading } from './loading.ts';
import { tableOf, type Table } from './table.ts';
import type { Turns } from './turns.ts';

/** A panel as the list of dashboards has it. */
export interface PanelEntry {
  readonly id: string;
  readonly kind: 'chart' | 'metric';
  readonly title: string;
  readonly question: string;
  readonly size: { readonly w: number; readonly h: number };
  readonly format?: string;
}

type Answer =
  | { readonly kind: 'chart'; readonly spec: Spec; readonly table: Table }
  | { readonly kind: 'metric'; readonly value: number | null; readonly documents: number };

/** A panel on the page: loaded in its turn, which comes sooner the nearer it is to what is seen, and again when what is asked for has changed. */
export class PanelFrame {
  readonly element: HTMLElement;
  readonly #panel: PanelEntry;
  readonly #turns: Turns;
  readonly #body: HTMLElement;
  readonly #tools: HTMLElement;
  /** What went wrong with a picture. */
  readonly #told = element('p', { class: 'error', role: 'alert' });
  readonly #life = new AbortController();
  readonly #loading = new Loading(this.#life.signal, (path, signal) => this.#load(path, signal));
  #path = '';
  #loaded = '';
  #near = false;
  #asTable = false;
  #chart: Chart | undefined;

  /** @param turns of all charts of the page; a tile costs little, and waits for nobody */
  constructor(panel: PanelEntry, turns: Turns) {
    this.#panel = panel;
    this.#turns = turns;
    const title = `title-${panel.id}`;
    this.#body = element('div', { class: 'panel-body' }, element('div', { class: 'skeleton', 'aria-hidden': 'true' }));
    this.#tools = element('div', { class: 'panel-tools' });
    this.element = element(
      'section',
      { class: `panel ${panel.kind}`, 'aria-labelledby': title, 'aria-busy': 'true', 'data-panel': panel.id },
      element('h2', { id: title }, panel.title),
      element('p', { class: 'question' }, panel.question),
      this.#body,
      this.#tools,
      this.#told,
    );
    this.element.style.setProperty('--w', String(panel.size.w));
    this.element.style.setProperty('--h', String(panel.size.h));
  }

  /** @param path of the request from now on. @param anew also where it is the same as before: at once where it is near, and else once it is */
  ask(path: string, anew = false): void {
    const isOther = path !== this.#path;
    this.#path = path;
    if (anew) this.#loaded = '';
    if (isOther || this.#near) this.#begin();
  }

  /** Whether it is, or soon will be, in sight. */
  near(is: boolean): void {
    this.#near = is;
    if (is) this.#begin();
  }

  /** Nothing is loaded any more, whoever asks. */
  end(): void {
    this.#life.abort();
    this.#chart?.end();
    this.#chart = undefined;
  }

  #again(): void {
    this.#loaded = '';
    this.#begin();
  }

  #begin(): void {
    if (this.#path === this.#loaded) return;
    this.#loaded = this.#path;
    void this.#loading.again(this.#path);
  }

  #load(path: string, signal: AbortSignal): Promise<void> {
    // From now on: what stands there still is of what was asked before.
    this.element.setAttribute('aria-busy', 'true');
    if (this.#panel.kind === 'metric') return this.#fetch(path, signal);
    return this.#turns.take(
      () => this.#distance(),
      signal,
      () => this.#fetch(path, signal),
    );
  }

  /** Pixels from what is seen. */
  #distance(): number {
    const { top, bottom } = this.element.getBoundingClientRect();
    return Math.max(0, top - innerHeight, -bottom);
  }

  async #fetch(path: string, signal: AbortSignal): Promise<void> {
    try {
      const answer = await get<Answer>(path, signal);
      if (!signal.aborted) await this.#show(answer, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#clear();
      this.#body.append(failed(messageOf(error), () => this.#again()));
    }
    if (!signal.aborted) this.element.setAttribute('aria-busy', 'false');
  }

  async #show(answer: Answer, signal: AbortSignal): Promise<void> {
    if (answer.kind === 'metric') return this.#showMetric(answer);
    const { spec, table } = answer;
    if (table.columns.length > 0 && table.rows.length === 0) {
      this.#clear();
      this.#body.append(element('p', { class: 'nothing' }, 'Nothing in this time, with these filters.'));
      return;
    }
    const { title, question } = this.#panel;
    const label = `${title}. ${question} “As a table” has its ${counted(table.rows.length, 'row')}.`;
    // The label says what it shows, and the table what it holds: its parts have nothing to add.
    const drawing = element('div', { class: 'drawing', 'aria-hidden': 'true' });
    const room = element('div', { class: 'chart', role: 'img', 'aria-label': label }, drawing);
    // Beside the old one until it is drawn, so that nothing jumps.
    room.classList.add('coming');
    this.#body.append(room);
    let chart: Chart;
    try {
      chart = await drawChart(spec, drawing, () => getComputedStyle(this.element).backgroundColor);
    } catch (error) {
      room.remove();
      throw error;
    }
    if (signal.aborted) {
      chart.end();
      room.remove();
      return;
    }
    this.#chart?.end();
    this.#chart = chart;
    room.classList.remove('coming');
    const before = this.#body.querySelector('.scroll');
    const { scrollTop: top = 0, scrollLeft: left = 0 } = before ?? {};
    const isFocused = before !== null && before === document.activeElement;
    this.#body.replaceChildren(room);
    this.#offer(room, table, chart);
    // Who reads the table goes on where they were.
    const after = this.#body.querySelector<HTMLElement>('.scroll');
    if (isFocused) after?.focus({ preventScroll: true });
    after?.scrollTo(left, top);
  }

  #showMetric({ value, documents }: Extract<Answer, { kind: 'metric' }>): void {
    this.#clear();
    const { format } = this.#panel;
    const text = value === null ? 'none yet' : metric(value, format);
    this.#body.append(
      element('p', { class: value === null ? 'big none' : 'big', 'data-value': value ?? undefined }, text),
      // A count is all that there is, and an age is that of one.
      value === documents || format === 'ago'
        ? ''
        : element('p', { class: 'of' }, `of ${counted(documents, 'record')}`),
    );
  }

  #offer(room: HTMLElement, table: Table, chart: Chart): void {
    const { title, id } = this.#panel;
    let words: HTMLElement | undefined;
    const turn = (): void => {
      // Made once it is wanted: a map of counties has thousands of rows.
      if (this.#asTable && !words) this.#body.append((words = tableOf(table, title)));
      if (words) words.hidden = !this.#asTable;
      room.hidden = this.#asTable;
      toggle.setAttribute('aria-pressed', String(this.#asTable));
    };
    const toggle = button(
      'As a table',
      () => {
        this.#asTable = !this.#asTable;
        turn();
      },
      { 'aria-label': `As a table: ${title}` },
    );
    turn();
    const download = (kind: 'svg' | 'png'): HTMLButtonElement =>
      button(kind.toUpperCase(), () => void this.#save(chart, kind, `${id}.${kind}`), {
        'aria-label': `Download as ${kind.toUpperCase()}: ${title}`,
      });
    const focused = [...this.#tools.children].indexOf(document.activeElement as Element);
    this.#tools.replaceChildren(toggle, download('svg'), download('png'));
    if (focused >= 0) (this.#tools.children[focused] as HTMLElement).focus();
  }

  #clear(): void {
    this.#chart?.end();
    this.#chart = undefined;
    this.#body.replaceChildren();
    this.#tools.replaceChildren();
  }

  async #save(chart: Chart, kind: 'svg' | 'png', name: string): Promise<void> {
    this.#told.textContent = '';
    try {
      const href = URL.createObjectURL(await chart.picture(kind));
      element('a', { href, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(href), 10_000);
    } catch (error) {
      this.#told.textContent = messageOf(error);
    }
  }
}

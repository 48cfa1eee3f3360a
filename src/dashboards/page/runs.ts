import type { Address } from './address.ts';
import { age, timeAgo } from './ages.ts';
import { get, messageOf } from './api.ts';
import { choice, element, failed } from './dom.ts';
import { duration, number } from './format.ts';
import { LiveRuns } from './live-runs.ts';
import { Loading } from './loading.ts';
import { regularly, type Room } from './room.ts';
import { hourKey, hourWords, link, state } from './words.ts';

/** A run as `GET /runs` lists it. */
export interface Run {
  readonly workflowId: string;
  readonly runId: string;
  readonly pipeline: string;
  readonly hour: string;
  readonly status: string;
  readonly outcome?: string;
  readonly stage?: string;
  readonly rows?: number;
  readonly startedAt: string;
  readonly closedAt?: string;
}

type RunsAddress = Extract<Address, { view: 'runs' }>;

const SECONDS = 5;
const LIMIT = 50;
const outcomes = ['running', 'completed', 'unchanged', 'failed', 'cancelled'];

/** The newest runs; those on their way with what happens in them. */
export async function runs(room: Room, address: RunsAddress): Promise<void> {
  let now = address;
  const loading = new Loading(room.signal, load);
  const live = new LiveRuns(room.signal, () => void loading.anew(pathOf(now)));
  /** What the table shows, as text; and of which runs. */
  let drawn = '';
  let drawnOf = now;
  const rows = element('tbody');
  const trouble = element('div');
  const more = element('p', { class: 'note' });
  const names = element('datalist', { id: 'pipelines' });
  const input = element('input', {
    ...{ list: 'pipelines', value: now.pipeline ?? '', placeholder: 'all', autocomplete: 'off' },
    onchange: () => change({ pipeline: input.value.trim() || undefined }),
  });
  const controls = element(
    'form',
    { class: 'controls', 'aria-label': 'Which runs', onsubmit: (event) => event.preventDefault() },
    element('label', { class: 'field' }, element('span', {}, 'Pipeline'), input),
    choice('Outcome', [['', 'all'], ...outcomes.map((word) => [word, word] as const)], now.outcome ?? '', (outcome) =>
      change({ outcome: outcome || undefined }),
    ),
    names,
  );

  function change({ ...changes }: { pipeline?: string | undefined; outcome?: string | undefined }): void {
    const merged = { pipeline: now.pipeline, outcome: now.outcome, ...changes };
    now = {
      view: 'runs',
      ...(merged.pipeline === undefined ? {} : { pipeline: merged.pipeline }),
      ...(merged.outcome === undefined ? {} : { outcome: merged.outcome }),
    };
    room.remember(now);
    void loading.again(pathOf(now));
  }

  async function load(path: string, signal: AbortSignal): Promise<void> {
    try {
      const found = await get<{ runs: Run[] }>(path, signal);
      if (signal.aborted) return;
      trouble.replaceChildren();
      live.show(
        found.runs.filter(({ status }) => status === 'running'),
        drawnOf !== now,
      );
      drawnOf = now;
      draw(found.runs);
    } catch (error) {
      if (!signal.aborted) trouble.replaceChildren(failed(messageOf(error), () => void loading.again(pathOf(now))));
    }
  }

  /** What has not changed is left alone, and with it what its reader has marked, and where they stand. */
  function draw(found: readonly Run[]): void {
    const text = JSON.stringify([now, found]);
    if (text === drawn) return age(rows);
    drawn = text;
    const { activeElement: focused } = document;
    const run = rows.contains(focused) ? focused?.closest('tr')?.dataset['run'] : undefined;
    rows.replaceChildren(...(found.length === 0 ? [none(now)] : found.slice(0, LIMIT).map(rowOf)));
    if (run !== undefined) rows.querySelector<HTMLElement>(`[data-run="${CSS.escape(run)}"] a`)?.focus();
    more.textContent =
      found.length > LIMIT
        ? `These are the newest ${LIMIT}; there are more, which “sluice status --limit 1000” has.`
        : '';
    names.replaceChildren(
      ...[...new Set(found.map(({ pipeline }) => pipeline))].map((value) => element('option', { value })),
    );
  }

  const titles = ['Pipeline', 'Hour (UTC)', 'Outcome', 'Stage', 'Rows', 'Began', 'Took'];
  const head = element('tr', {}, ...titles.map((title) => element('th', { scope: 'col' }, title)));
  const caption = element('caption', { class: 'unseen' }, 'The newest runs');
  room.element.replaceChildren(
    element('h1', { tabindex: -1 }, 'Runs'),
    controls,
    live.element,
    trouble,
    element('table', { class: 'stacks' }, caption, element('thead', {}, head), rows),
    more,
  );
  await loading.again(pathOf(now));
  regularly(SECONDS, room.signal, () => void loading.again(pathOf(now)));
}

/** One more than are shown, to know whether there are. */
function pathOf({ pipeline, outcome }: RunsAddress): string {
  const query = new URLSearchParams({ limit: String(LIMIT + 1) });
  if (pipeline !== undefined) query.set('pipeline', pipeline);
  if (outcome !== undefined) query.set('outcome', outcome);
  return `/runs?${query.toString()}`;
}

function rowOf(run: Run): HTMLElement {
  const { pipeline, hour, runId, startedAt, closedAt, stage, rows, status, outcome } = run;
  const began = Date.parse(startedAt);
  const cells: [string, Node | string][] = [
    ['Pipeline', link({ view: 'run', pipeline, hour: hourKey(hour), run: runId }, pipeline)],
    ['Hour', hourWords(hour)],
    ['Outcome', state(outcome ?? status)],
    ['Stage', stage ?? '–'],
    ['Rows', rows === undefined ? '–' : number(rows)],
    ['Began', timeAgo(startedAt)],
    ['Took', closedAt === undefined ? '…' : duration(Date.parse(closedAt) - began)],
  ];
  return element(
    'tr',
    { 'data-run': runId },
    ...cells.map(([title, value]) => element('td', { 'data-title': title }, value)),
  );
}

function none({ pipeline, outcome }: RunsAddress): HTMLElement {
  const whose = pipeline === undefined ? '' : ` of “${pipeline}”`;
  const sentence =
    outcome === undefined
      ? `No run yet${whose}. “sluice run” starts one, or a schedule does.`
      : `No run${whose} with the outcome “${outcome}”.`;
  return element('tr', {}, element('td', { colspan: 7, class: 'nothing' }, sentence));
}

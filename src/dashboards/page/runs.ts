import type { Address } from './address.ts';
import { get, messageOf } from './api.ts';
import { choice, element, failed } from './dom.ts';
import { ago, duration, number } from './format.ts';
import { LiveRuns } from './live-runs.ts';
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

const SECONDS = 5;
const LIMIT = 50;
const outcomes = ['running', 'completed', 'unchanged', 'failed', 'cancelled'];

/** The newest runs; those on their way with what happens in them. */
export async function runs(room: Room, address: Extract<Address, { view: 'runs' }>): Promise<void> {
  let now = address;
  const live = new LiveRuns(room.signal, () => void load());
  const rows = element('tbody');
  const trouble = element('div');
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
    void load();
  }

  async function load(): Promise<void> {
    try {
      const query = new URLSearchParams({ limit: String(LIMIT) });
      if (now.pipeline !== undefined) query.set('pipeline', now.pipeline);
      if (now.outcome !== undefined) query.set('outcome', now.outcome);
      const asked = now;
      const found = await get<{ runs: Run[] }>(`/runs?${query.toString()}`, room.signal);
      if (asked !== now) return;
      trouble.replaceChildren();
      live.show(found.runs.filter(({ status }) => status === 'running'));
      rows.replaceChildren(...(found.runs.length === 0 ? [none()] : found.runs.map(rowOf)));
      names.replaceChildren(
        ...[...new Set(found.runs.map(({ pipeline }) => pipeline))].map((value) => element('option', { value })),
      );
    } catch (error) {
      if (!room.signal.aborted) trouble.replaceChildren(failed(messageOf(error), () => void load()));
    }
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
  );
  await load();
  regularly(SECONDS, room.signal, () => void load());
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
    ['Began', element('time', { datetime: startedAt, title: startedAt }, ago(began))],
    ['Took', closedAt === undefined ? '…' : duration(Date.parse(closedAt) - began)],
  ];
  return element('tr', {}, ...cells.map(([title, value]) => element('td', { 'data-title': title }, value)));
}

const none = (): HTMLElement =>
  element(
    'tr',
    {},
    element('td', { colspan: 7, class: 'nothing' }, 'No run yet. “sluice run” starts one, or a schedule does.'),
  );

import { panelQuery, refreshes, type BoardAddress, type Range } from './address.ts';
import { get } from './api.ts';
import { button, choice, element, say } from './dom.ts';
import { filter } from './filter.ts';
import { currentMode, onMode } from './mode.ts';
import { PanelFrame, type PanelEntry } from './panel-frame.ts';
import { regularly, type Room } from './room.ts';
import { timeRange } from './time-range.ts';
import { setTitle } from './title.ts';
import { Turns } from './turns.ts';
import { link } from './words.ts';

interface DashboardEntry {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** What it shows at first; the last 24 hours where left out. */
  readonly range?: Range;
  readonly filters: readonly { readonly field: string; readonly title: string }[];
  readonly panels: readonly PanelEntry[];
}

/** So near to what is seen a panel is loaded again with the others. */
const NEAR = '400px';
/** Charts on their way: more of them would only take the server and the browser from each other. */
const CHARTS_AT_ONCE = 3;
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone: 'UTC' });

/** A dashboard: its controls, and its panels in a grid. */
export async function board(room: Room, address: BoardAddress): Promise<void> {
  const dashboards = await get<DashboardEntry[]>('/dashboards', room.signal);
  const { dashboard: wanted } = address;
  const shown = wanted === undefined ? dashboards[0] : dashboards.find(({ id }) => id === wanted);
  if (!shown) {
    const others = dashboards.map(({ id, title }) =>
      element('li', {}, link({ view: 'board', dashboard: id, refresh: 0, filters: {} }, title)),
    );
    const sentence =
      wanted === undefined
        ? 'There is no dashboard yet: apply a schedule (“sluice schedule apply”), and its pipeline has one.'
        : `There is no dashboard “${wanted}”${others.length === 0 ? '.' : '; there is:'}`;
    const list = element('ul', { class: 'names' }, ...others);
    room.element.replaceChildren(heading('Dashboards'), element('p', { class: 'nothing' }, sentence), list);
    return;
  }
  setTitle(shown.title);
  const turns = new Turns(CHARTS_AT_ONCE);
  const frames = shown.panels.map((panel) => new PanelFrame(panel, turns));
  room.signal.addEventListener('abort', () => frames.forEach((frame) => frame.end()));
  const updated = element('p', { class: 'updated' });
  let now: BoardAddress = { ...address, dashboard: shown.id };
  let timer = new AbortController();

  const load = (anew: boolean): void => {
    const query = panelQuery(now, currentMode());
    for (const [at, frame] of frames.entries()) {
      frame.ask(`${pathOf(shown.id)}/panels/${encodeURIComponent(shown.panels[at]?.id ?? '')}?${query}`, anew);
    }
    updated.textContent = `Asked at ${clock.format(new Date())} UTC.`;
  };
  const turn = (address: BoardAddress): void => {
    if (room.signal.aborted) return;
    now = address;
    room.remember(now);
    load(false);
  };
  const change = (changes: Partial<BoardAddress>): void => turn({ ...now, ...changes });
  const every = (seconds: number): void => {
    timer.abort();
    timer = new AbortController();
    if (seconds > 0) regularly(seconds, AbortSignal.any([timer.signal, room.signal]), () => load(true));
  };
  const filters = shown.filters.map((entry) =>
    filter(
      `${pathOf(shown.id)}/filters/${encodeURIComponent(entry.field)}`,
      ...([entry, now.filters[entry.field] ?? [], room.signal] as const),
      (values) => {
        const { [entry.field]: _before, ...others } = now.filters;
        change({ filters: values.length === 0 ? others : { ...others, [entry.field]: values } });
      },
    ),
  );
  const controls = element(
    'form',
    { class: 'controls', 'aria-label': 'What is shown', onsubmit: (event) => event.preventDefault() },
    dashboards.length > 1 ? chooser(room, dashboards, shown.id, () => now) : undefined,
    timeRange(rangeOf(now, shown), shown.range, (range) => {
      const { from: _from, to: _to, ...others } = now;
      turn({ ...others, ...range });
    }),
    ...filters,
    choice(
      'Refresh',
      refreshes.map((seconds) => [String(seconds), words(seconds)]),
      String(now.refresh),
      (value) => {
        change({ refresh: Number(value) as BoardAddress['refresh'] });
        every(now.refresh);
      },
    ),
    button('Refresh now', () => {
      load(true);
      say('Panels are being loaded again.');
    }),
  );
  const grid = element('div', { class: 'grid' }, ...frames.map((frame) => frame.element));
  room.element.replaceChildren(
    heading(shown.title),
    element('p', { class: 'lead' }, shown.description),
    controls,
    grid,
    updated,
  );
  onMode(() => load(false), room.signal);
  load(false);
  every(now.refresh);
  watch(frames, room.signal);
}

const heading = (text: string): HTMLElement => element('h1', { tabindex: -1 }, text);

const rangeOf = ({ from, to }: BoardAddress, { range }: DashboardEntry): Range => ({
  from: from ?? range?.from ?? 'now-24h',
  to: to ?? range?.to ?? 'now',
});

const pathOf = (id: string): string => `/dashboards/${encodeURIComponent(id)}`;

const words = (seconds: number): string =>
  seconds === 0 ? 'off' : seconds < 60 ? `every ${seconds} s` : `every ${seconds / 60} min`;

function chooser(
  room: Room,
  dashboards: readonly DashboardEntry[],
  shown: string,
  now: () => BoardAddress,
): HTMLElement {
  return choice(
    'Dashboard',
    dashboards.map(({ id, title }) => [id, title]),
    shown,
    (dashboard) => {
      // Other fields, other filters; the time stays.
      room.go({ ...now(), dashboard, filters: {} });
    },
    'dashboard',
  );
}

function watch(frames: readonly PanelFrame[], signal: AbortSignal): void {
  const byElement = new Map(frames.map((frame) => [frame.element as Element, frame]));
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) byElement.get(target)?.near(isIntersecting);
    },
    { rootMargin: NEAR },
  );
  for (const { element } of frames) observer.observe(element);
  signal.addEventListener('abort', () => observer.disconnect());
}

import type { Pipeline } from '../../definition/pipeline.ts';
import type { Dashboard, Panel } from '../panel.ts';
import { subjectOf, type Subject } from '../subject.ts';
import { byState } from './data/by-state.ts';
import { bands, topValues } from './data/categories.ts';
import { distributions } from './data/distribution.ts';
import { errorRange } from './data/error-range.ts';
import { countyMap, stateMap } from './data/maps.ts';
import { points } from './data/points.ts';
import { tiles } from './data/tiles.ts';
import { recordsOverTime, trends } from './data/trend.ts';
import { ownPanel } from './own.ts';
import { words } from './words.ts';

export { operationsDashboard } from './operations/dashboard.ts';

type Made = Panel | readonly Panel[] | undefined;

/** In the order in which they stand on the page; one that a definition has no fields for is left out. */
const made = (subject: Subject): Panel[] => {
  const county = countyMap(subject);
  const state = stateMap(subject);
  return [
    ...inRows(4, tiles(subject)),
    ...beside(county ?? state, byState(subject)),
    ...inRows(3, distributions(subject), bands(subject)),
    ...inRows(2, trends(subject), recordsOverTime(subject), topValues(subject)),
    ...inRows(2, county && state, points(subject), errorRange(subject)),
  ];
};

/** Panels in rows of so many at most, each row filled. */
function inRows(most: number, ...groups: readonly Made[]): Panel[] {
  const panels = groups.flatMap((group) => group ?? []);
  const rows = Math.ceil(panels.length / most);
  const full = Math.ceil(panels.length / Math.max(1, rows));
  return panels.map((panel, at) => {
    const inRow = Math.min(full, panels.length - Math.floor(at / full) * full);
    return { ...panel, size: { ...panel.size, w: Math.floor(COLUMNS / inRow) } };
  });
}

/** A map with its ranking to the right of it. */
function beside(map: Panel | undefined, ranking: Panel | undefined): Panel[] {
  if (map === undefined || ranking === undefined) return inRows(1, map, ranking);
  const { w, h } = ranking.size;
  return [{ ...map, size: { w: COLUMNS - w, h } }, ranking];
}

const COLUMNS = 48;

/** In mode `latest` all is of the newest hour, and that may be a while ago where the source has not changed. */
const ALL_TIME = { from: '1970-01-01', to: 'now' };

/** The dashboard of a pipeline’s main data set. */
export function dataDashboard(pipeline: Pipeline): Dashboard {
  const subject = subjectOf(pipeline);
  const { title, index, timeField, state, categories, fields } = subject;
  const { range = subject.mode === 'latest' && subject.timeIsHour ? ALL_TIME : undefined, panels: own = [] } =
    pipeline.dashboards;
  const texts = categories.filter((name) => fields.get(name) === 'string');
  return {
    id: `data-${pipeline.name}`,
    ...{ title, index, timeField },
    description: pipeline.description ?? `What ${pipeline.name} has brought.`,
    ...(range === undefined ? {} : { range }),
    filters: [...new Set([...(state === undefined ? [] : [state]), ...texts])].map((field) => ({
      field,
      title: words(field),
    })),
    panels: withOwn(
      apart(made(subject)),
      own.map((panel) => ownPanel(subject, panel)),
    ),
  };
}

/** Columns may have names that make one id of two panels: what comes later is numbered. */
function apart(panels: readonly Panel[]): Panel[] {
  const taken = new Set<string>();
  return panels.map((panel) => {
    let { id } = panel;
    for (let n = 2; taken.has(id); n += 1) id = `${panel.id}-${n}`;
    taken.add(id);
    return { ...panel, id };
  });
}

/** Panels written by hand stand behind the others, or in the place of the one whose id they have. */
function withOwn(generated: readonly Panel[], own: readonly Panel[]): Panel[] {
  const byId = new Map(own.map((panel) => [panel.id, panel]));
  const ids = new Set(generated.map(({ id }) => id));
  return [...generated.map((panel) => byId.get(panel.id) ?? panel), ...own.filter(({ id }) => !ids.has(id))];
}

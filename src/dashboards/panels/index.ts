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

/** In the order in which they stand on the page; one that a definition has no fields for is left out. */
const dataPanels: readonly ((subject: Subject) => Panel | readonly Panel[] | undefined)[] = [
  tiles,
  countyMap,
  byState,
  distributions,
  bands,
  trends,
  recordsOverTime,
  topValues,
  stateMap,
  points,
  errorRange,
];

/** The dashboard of a pipeline’s main data set. */
export function dataDashboard(pipeline: Pipeline): Dashboard {
  const subject = subjectOf(pipeline);
  const { title, index, timeField, state, categories, fields } = subject;
  const { range, panels: own = [] } = pipeline.dashboards;
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
      dataPanels.flatMap((make) => make(subject) ?? []),
      own.map((panel) => ownPanel(subject, panel)),
    ),
  };
}

/** Panels written by hand stand behind the others, or in the place of the one whose id they have. */
function withOwn(made: readonly Panel[], own: readonly Panel[]): Panel[] {
  const byId = new Map(own.map((panel) => [panel.id, panel]));
  const ids = new Set(made.map(({ id }) => id));
  return [...made.map((panel) => byId.get(panel.id) ?? panel), ...own.filter(({ id }) => !ids.has(id))];
}

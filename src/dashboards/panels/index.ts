import type { Pipeline } from '../../definition/pipeline.ts';
import type { Dashboard, Panel } from '../panel.ts';
import { subjectOf, type Subject } from '../subject.ts';
import { byState } from './data/by-state.ts';

/** In the order in which they stand on the page; one that a definition has no fields for is left out. */
const dataPanels: readonly ((subject: Subject) => Panel | undefined)[] = [byState];

/** The dashboard of a pipeline’s main data set. */
export function dataDashboard(pipeline: Pipeline): Dashboard {
  const subject = subjectOf(pipeline);
  const { title, index, timeField, state } = subject;
  return {
    id: `data-${pipeline.name}`,
    ...{ title, index, timeField },
    description: pipeline.description ?? `What ${pipeline.name} has brought.`,
    filters: state === undefined ? [] : [{ field: state, title: 'State' }],
    panels: dataPanels.map((make) => make(subject)).filter((panel) => panel !== undefined),
  };
}

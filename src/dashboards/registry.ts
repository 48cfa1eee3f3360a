import type { Pipeline } from '../definition/pipeline.ts';
import type { Dashboard } from './panel.ts';
import { dataDashboard, operationsDashboard } from './panels/index.ts';

/** Every dashboard there is: one for each of these pipelines, and that of all runs. What is not among them cannot be asked for. */
export function dashboardsOf(pipelines: readonly Pipeline[]): Dashboard[] {
  return [...pipelines.map(dataDashboard), operationsDashboard()];
}

import type { Pipeline } from '../definition/pipeline.ts';
import { dashboardOf } from './drawable.ts';
import type { Dashboard } from './panel.ts';
import { operationsDashboard } from './panels/index.ts';

/**
 * Every dashboard there is: one for each of these pipelines, and that of all runs. What is not among them cannot be asked for.
 * @param leftOut is told of one that cannot be made, and the others are there all the same
 * @throws SluiceError `DashboardInvalid` where one cannot be made, and nobody is to be told
 */
export function dashboardsOf(
  pipelines: readonly Pipeline[],
  leftOut?: (pipeline: string, error: unknown) => void,
): Dashboard[] {
  const made = pipelines.flatMap((pipeline): Dashboard[] => {
    try {
      return [dashboardOf(pipeline)];
    } catch (error) {
      if (leftOut === undefined) throw error;
      leftOut(pipeline.name, error);
      return [];
    }
  });
  return [...made, operationsDashboard()];
}

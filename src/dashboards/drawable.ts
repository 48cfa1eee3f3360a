import { parse } from 'vega';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { LAST_DAY } from '../definition/moment.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { Finding } from '../definition/problem.ts';
import { compileChart } from './compile.ts';
import type { Dashboard } from './panel.ts';
import { dataDashboard } from './panels/index.ts';
import { requestsOf, withAnswers } from './requests.ts';
import { named } from './table.ts';

/**
 * What is wrong with the panels that a definition holds and its schema does not say: they are compiled, with no rows in them.
 * @throws SluiceError `DashboardInvalid` where there is no such dashboard at all
 */
export function undrawableIn(pipeline: Pipeline): Finding[] {
  const { panels: own = [] } = pipeline.dashboards;
  if (own.length === 0) return [];
  const { panels } = dashboardOf(pipeline);
  return own.flatMap(({ id }, at): Finding[] => {
    const panel = panels.find((one) => one.id === `${pipeline.name}-${id}`);
    if (panel?.kind !== 'chart') return [];
    try {
      const requests = requestsOf(panel.spec, { ...LAST_DAY, filters: {} });
      const { spec } = named(withAnswers(panel.spec, requests, []));
      parse(compileChart(spec, { mode: 'light' }), undefined, { ast: true });
      return [];
    } catch (error) {
      return [{ path: ['dashboards', 'panels', at, 'spec'], message: `cannot be drawn: ${sentence(error)}` }];
    }
  });
}

/** @throws SluiceError `DashboardInvalid` where one of the panels that a definition holds cannot be drawn */
export function requireDrawable(pipeline: Pipeline): void {
  const all = undrawableIn(pipeline).map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (all.length > 0) throw new SluiceError('DashboardInvalid', `The definition is not valid: ${all.join('; ')}.`);
}

/** A pipeline’s dashboard. @throws SluiceError `DashboardInvalid` where a panel of its definition cannot be made */
export function dashboardOf(pipeline: Pipeline): Dashboard {
  try {
    return dataDashboard(pipeline);
  } catch (error) {
    const message = `The dashboard of ${pipeline.name} cannot be made: ${sentence(error)}. Look at dashboards.panels of its definition.`;
    throw new SluiceError('DashboardInvalid', message, { cause: error });
  }
}

/** Work of Vega on a panel. @throws SluiceError `DashboardInvalid` with what Vega says, where it fails */
export function drawing<T>(panel: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw undrawable(panel, error);
  }
}

/** What Vega says of a panel, as an error that who wrote the panel can do something about. */
export const undrawable = (panel: string, error: unknown): SluiceError =>
  new SluiceError('DashboardInvalid', `The panel ${panel} cannot be drawn: ${sentence(error)}. Mend its spec.`, {
    cause: error,
  });

const sentence = (error: unknown): string => sentenceOf(error).replaceAll(/\s+/g, ' ').slice(0, 300).replace(/\.$/, '');

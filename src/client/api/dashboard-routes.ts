import { z } from 'zod';
import type { Dashboard } from '../../dashboards/panel.ts';
import { compressAnswer } from './compressed.ts';
import type { Api, ApiContext } from './context.ts';
import {
  contextOf,
  dashboardPath,
  dashboardSummary,
  fieldPath,
  fieldValues,
  panelAnswer,
  panelPath,
  panelQuery,
} from './dashboard-schemas.ts';
import { answers } from './problem.ts';

const tags = ['dashboards'];

/** What the built-in page shows: dashboards, the values that they can be filtered by, and what their panels say. */
export function dashboardRoutes(api: Api, { dashboards }: ApiContext): void {
  api.get(
    '/dashboards',
    {
      schema: {
        ...{ operationId: 'listDashboards', tags, summary: 'The dashboards, and the panels that each has' },
        response: answers(z.array(dashboardSummary)),
      },
    },
    async () => (await dashboards.list()).map(summaryOf),
  );
  api.get(
    '/dashboards/:dashboard',
    {
      schema: {
        ...{ operationId: 'getDashboard', tags, summary: 'A dashboard, and its panels', params: dashboardPath },
        response: answers(dashboardSummary),
      },
    },
    async ({ params }) => summaryOf(await dashboards.dashboard(params.dashboard)),
  );
  api.get(
    '/dashboards/:dashboard/filters/:field',
    {
      schema: {
        ...{ operationId: 'listFilterValues', tags, summary: 'The values that a field has, at most 500' },
        ...{ params: fieldPath, response: answers(fieldValues) },
      },
    },
    async ({ params }) => dashboards.values(await dashboards.dashboard(params.dashboard), params.field),
  );
  api.get(
    '/dashboards/:dashboard/panels/:panel',
    {
      onSend: compressAnswer,
      schema: {
        ...{ operationId: 'getPanel', tags, summary: 'What a panel says: a chart with its data, or a number' },
        description:
          'Beside `from`, `to` and `mode` it takes `filter.<field>`, once for each value that is let in, of the fields that the dashboard can be filtered by.',
        ...{ params: panelPath, querystring: panelQuery },
        response: answers(panelAnswer),
      },
    },
    async ({ params, query }) => {
      const dashboard = await dashboards.dashboard(params.dashboard);
      const panel = dashboards.panel(dashboard, params.panel);
      return dashboards.answer(panel, contextOf(dashboard, query), query.mode);
    },
  );
}

const summaryOf = ({
  id,
  title,
  description,
  range,
  filters,
  panels,
}: Dashboard): z.output<typeof dashboardSummary> => ({
  ...{ id, title, description, filters: [...filters] },
  ...(range === undefined ? {} : { range }),
  panels: panels.map((panel) => ({
    ...{ id: panel.id, kind: panel.kind, title: panel.title, question: panel.question, size: panel.size },
    ...(panel.kind === 'metric' ? { format: panel.format } : {}),
  })),
});

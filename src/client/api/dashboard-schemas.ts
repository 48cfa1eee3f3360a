import { z } from 'zod';
import { LONGEST_VALUE, type FieldValues } from '../../dashboards/answering.ts';
import type { Dashboard } from '../../dashboards/panel.ts';
import type { PanelContext } from '../../dashboards/requests.ts';
import { isForwards, LAST_DAY, MOMENT_FORMS, momentPattern } from '../../definition/moment.ts';
import { RequestError } from './problem.ts';
import { printable, schemaOf } from './schemas.ts';

const id = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,249}$/, 'is no id: lower case letters, digits and "-"')
  .meta({ examples: ['data-broadband'] });
export const dashboardPath = z.object({ dashboard: id });
export const panelPath = dashboardPath.extend({ panel: id });
export const fieldPath = dashboardPath.extend({ field: z.string().regex(/^[A-Za-z_][\w.]{0,99}$/, 'is no field') });

const time = z
  .string()
  .regex(momentPattern, `is no time: write it like ${MOMENT_FORMS}`)
  .meta({ examples: ['now-24h', '2026-11-24', '2026-11-24T03:00:00Z'] });

const MOST_VALUES = 60;
const VALUE = `is no text of 1 to ${LONGEST_VALUE} characters`;
const value = z.string().min(1, VALUE).max(LONGEST_VALUE, VALUE);

/** Beside these, `filter.<field>` as often as there are values. */
export const panelQuery = z
  .object({
    from: time.optional().describe('The beginning of what is looked at; the dashboard’s own where left out.'),
    to: time.optional().describe('Its end; likewise.'),
    mode: z.enum(['light', 'dark']).default('light').describe('What a chart is drawn on.'),
  })
  .catchall(z.union([value, z.array(value).max(MOST_VALUES)], `is there more than ${MOST_VALUES} times, or ${VALUE}`));

export const fieldValues = schemaOf<FieldValues>()(
  z
    .object({
      values: z
        .array(z.string())
        .describe(`Sorted; without empty ones, and those of more than ${LONGEST_VALUE} characters.`),
      more: z.literal(true).exactOptional().describe('There are more of them than are told.'),
    })
    .meta({ id: 'FieldValues' }),
);

const size = z.object({ w: z.int(), h: z.int() });

export const dashboardSummary = z
  .object({
    id: z.string(),
    title: z.string(),
    description: z.string(),
    range: z
      .object({ from: z.string(), to: z.string() })
      .exactOptional()
      .describe('What it shows at first; the last 24 hours where left out.'),
    filters: z.array(z.object({ field: z.string(), title: z.string() })),
    panels: z.array(
      z.object({
        id: z.string(),
        kind: z.enum(['chart', 'metric']),
        title: z.string(),
        question: z.string(),
        size: size.describe('Of 48 columns, and rows of 20 pixels.'),
        format: z.enum(['number', 'percent', 'ago', 'duration']).exactOptional().describe('Of a metric’s number.'),
      }),
    ),
  })
  .meta({ id: 'Dashboard' });

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const chartAnswer = z
  .object({
    kind: z.literal('chart'),
    spec: z.record(z.string(), z.unknown()).describe('Vega, with its data; as large as what it is shown in.'),
    table: z
      .object({
        columns: z.array(z.object({ title: z.string(), numeric: z.boolean() })),
        rows: z.array(z.array(cell)),
      })
      .describe('The same in words and numbers.'),
  })
  .meta({ id: 'Chart' });

const metricAnswer = z
  .object({
    kind: z.literal('metric'),
    value: z.number().nullable().describe('Null where there is nothing to count. A date is in milliseconds.'),
    documents: z.number().describe('Over so many.'),
  })
  .meta({ id: 'Metric' });

export const panelAnswer = z.discriminatedUnion('kind', [chartAnswer, metricAnswer]);
export type PanelAnswer = z.output<typeof panelAnswer>;

/**
 * What a reader looks at, by the query of a request.
 * @throws RequestError 400 where a parameter is none, a field cannot be filtered by, or the time ends before it begins
 */
export function contextOf(dashboard: Dashboard, query: z.output<typeof panelQuery>): PanelContext {
  const { range = LAST_DAY } = dashboard;
  const { from = range.from, to = range.to, mode: _mode, ...others } = query;
  const known = dashboard.filters.map(({ field }) => field);
  const filters: Record<string, readonly string[]> = {};
  for (const [name, given] of Object.entries(others)) {
    const [, field] = /^filter\.(.+)$/s.exec(name) ?? [];
    if (field === undefined || !known.includes(field)) {
      const there = ['from', 'to', 'mode', ...known.map((one) => `filter.${one}`)].join(', ');
      throw refused(`${dashboard.id} has no parameter "${printable(name)}": it has ${there}.`);
    }
    filters[field] = [...new Set([given].flat())].toSorted();
  }
  if (!isForwards({ from, to }, Date.now()))
    throw refused(`The time that is asked for ends before it begins: from is ${from}, and to is ${to}.`);
  return { from, to, filters };
}

const refused = (sentence: string): RequestError => new RequestError(400, 'RequestInvalid', sentence);

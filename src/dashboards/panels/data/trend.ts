import type { ChartPanel, Json } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { palette } from '../../theme.ts';
import { chart, search } from '../chart.ts';
import { lookOf, RECORDS_AXIS } from '../numbers.ts';
import { lower, words } from '../words.ts';

/** Each measure's mean along the time axis. */
export function trends(subject: Subject): ChartPanel[] {
  const { measures } = subject;
  if (!hasTrend(subject)) return [];
  const when = timeName(subject);
  return measures.map((measure) => {
    const { value, axis, isFraction } = lookOf(subject, measure);
    return chart(subject, {
      id: `${measure}-trend`,
      title: `${words(measure)} over time`,
      question: `Does ${lower(measure)} rise or fall? Mean of the records of each ${isDay(subject) ? 'day' : 'hour'}.`,
      needs: [measure],
      size: { w: 24, h: 14 },
      spec: {
        data: overTime(subject, { mean: { avg: { field: measure } } }),
        transform: [
          { calculate: 'datum.mean.value', as: 'mean_value' },
          { filter: 'isValid(datum.mean_value)' },
          ...timeTexts(subject),
          ...stretches(subject),
        ],
        mark: { type: 'line', color: palette.main, point: { size: 30, color: palette.main } },
        encoding: {
          x: timeAxis(subject),
          y: {
            ...{ field: 'mean_value', type: 'quantitative', title: `Mean ${lower(measure)}`, scale: { zero: false } },
            // Means of hours are close to each other, and often the same.
            axis: isFraction ? { format: value, tickMinStep: 0.001, tickCount: 5 } : { format: axis, tickCount: 5 },
          },
          detail: { field: 'stretch', type: 'nominal' },
          tooltip: [
            { field: 'time_text', type: 'nominal', title: when },
            { field: 'mean_value', type: 'quantitative', title: `Mean ${lower(measure)}`, format: value },
            { field: 'doc_count', type: 'quantitative', title: 'Records', format: ',' },
          ],
        },
      },
    });
  });
}

/** Records that each hour brought, where the index keeps the hours apart. */
export function recordsOverTime(subject: Subject): ChartPanel | undefined {
  if (!subject.timeIsHour || !hasTrend(subject)) return undefined;
  return chart(subject, {
    id: 'hours-records',
    title: 'Records of each hour',
    question:
      subject.step === undefined
        ? 'Which hours brought records, and how many? An hour whose file was as before has none of its own.'
        : 'Did every hour bring its records? An hour without a bar has none.',
    needs: [],
    size: { w: 24, h: 14 },
    spec: {
      data: overTime(subject, {}),
      transform: [...timeTexts(subject), { calculate: `datum.key + ${subject.step ?? HOUR}`, as: 'until' }],
      mark: { type: 'bar', orient: 'vertical', color: palette.main, binSpacing: 1 },
      encoding: {
        x: timeAxis(subject),
        x2: { field: 'until' },
        y: { field: 'doc_count', type: 'quantitative', title: 'Records', axis: RECORDS_AXIS },
        tooltip: [
          { field: 'time_text', type: 'nominal', title: timeName(subject) },
          { field: 'doc_count', type: 'quantitative', title: 'Records', format: ',' },
        ],
      },
    },
  });
}

const HOUR = 3_600_000;
/** Vega’s own labels have hours as 01 PM. */
const HOUR_LABEL =
  "utchours(datum.value) === 0 && utcminutes(datum.value) === 0 ? utcFormat(datum.value, '%-d %b') : utcFormat(datum.value, '%H:%M')";
const DAY_LABEL = "utcdate(datum.value) === 1 ? utcFormat(datum.value, '%b %Y') : utcFormat(datum.value, '%-d %b %Y')";

/** An index in mode `latest` has each record once, so there the logical hour is the newest one, and no axis. */
const hasTrend = ({ mode, timeIsHour }: Subject): boolean => mode === 'history' || !timeIsHour;

const isDay = ({ fields, timeField }: Subject): boolean => fields.get(timeField) === 'date';

const timeName = (subject: Subject): string => (isDay(subject) ? 'Day' : 'Hour (UTC)');

/** Buckets without a record are left out: an hour that was not is no hour with nothing. */
function overTime(subject: Subject, aggs: { readonly [key: string]: Json }): { readonly [key: string]: Json } {
  const interval = isDay(subject) ? { calendar_interval: '1d' } : { fixed_interval: '1h' };
  return search(subject, 'buckets', {
    date_histogram: { field: subject.timeField, ...interval, min_doc_count: 1 },
    ...(Object.keys(aggs).length === 0 ? {} : { aggs }),
  });
}

const timeTexts = (subject: Subject): Json[] => [
  { calculate: `utcFormat(datum.key, '${isDay(subject) ? '%-d %b %Y' : '%-d %b %Y %H:%M'}')`, as: 'time_text' },
];

/** A line is broken where hours are missing; `stretch` numbers its pieces. Days of data have no rhythm that is known. */
function stretches({ timeIsHour, step }: Subject): Json[] {
  if (!timeIsHour || step === undefined) return [{ calculate: '0', as: 'stretch' }];
  const sort = [{ field: 'key' }];
  return [
    { window: [{ op: 'lag', field: 'key', as: 'before' }], sort, frame: [null, 0] },
    { calculate: `isValid(datum.before) && datum.key - datum.before > ${step} ? 1 : 0`, as: 'gap' },
    { window: [{ op: 'sum', field: 'gap', as: 'stretch' }], sort, frame: [null, 0] },
  ];
}

function timeAxis(subject: Subject): { readonly [key: string]: Json } {
  return {
    ...{ field: 'key', type: 'temporal', title: isDay(subject) ? null : 'UTC', scale: { type: 'utc' } },
    axis: {
      grid: false,
      tickCount: isDay(subject) ? 12 : 6,
      labelOverlap: true,
      labelExpr: isDay(subject) ? DAY_LABEL : HOUR_LABEL,
    },
  };
}

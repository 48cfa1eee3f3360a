import type { ChartPanel, Json } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { palette } from '../../theme.ts';
import { chart } from '../chart.ts';
import { eachBucket, RECORDS, RECORDS_AXIS, recordsAnHour, searchAnHour } from '../numbers.ts';
import { lower, words } from '../words.ts';

const TOP = 15;

/** Categories that are bands of a number, in the bands' own order. */
export const bands = (subject: Subject): ChartPanel[] =>
  subject.categories.flatMap((category) => {
    const labels = subject.bands.get(category);
    return labels === undefined ? [] : [byBand(subject, category, labels)];
  });

/** The other categories' most frequent values. */
export const topValues = (subject: Subject): ChartPanel[] =>
  subject.categories.filter((category) => !subject.bands.has(category)).map((category) => top(subject, category));

function byBand(subject: Subject, band: string, labels: readonly string[]): ChartPanel {
  return chart(subject, {
    id: `by-${band}`,
    title: `Records by ${lower(band)}`,
    question: `How many records are in each ${lower(band)}? Records of one hour, on average over the hours in range.`,
    needs: [band, 'hour'],
    size: { w: 16, h: 16 },
    // More than the labels: an older definition may have had others.
    spec: bars(subject, band, labels.length + TOP, [...labels]),
  });
}

function top(subject: Subject, category: string): ChartPanel {
  return chart(subject, {
    id: `top-${category}`,
    title: `Most frequent: ${lower(category)}`,
    question: `Which ${TOP} values of ${lower(category)} have the most records? Records of one hour, on average over the hours in range.`,
    needs: [category, 'hour'],
    size: { w: 24, h: 14 },
    spec: bars(subject, category, TOP, '-x'),
  });
}

function bars(subject: Subject, field: string, size: number, sort: Json): { readonly [key: string]: Json } {
  // As high as so many bars, each of which has its name.
  const rows = Array.isArray(sort) ? sort.length : size;
  const letters = { labelFontSize: { expr: `max(6, min(11, height / ${rows + 2}))` } };
  const missing = subject.fields.get(field) === 'string' ? { missing: '(none)' } : {};
  return {
    data: searchAnHour(subject, { terms: { field, size, ...missing } }),
    transform: [
      ...eachBucket('key_as_string'),
      // Numbers, truth values and dates have their text beside the key.
      { calculate: 'isValid(datum.key_as_string) ? datum.key_as_string : toString(datum.key)', as: 'label' },
      ...recordsAnHour,
    ],
    mark: { type: 'bar', color: palette.main },
    encoding: {
      y: {
        ...{ field: 'label', type: 'nominal', sort, title: null },
        axis: { labelLimit: 140, labelOverlap: true, ticks: false, ...letters },
      },
      x: {
        ...{ field: 'records', type: 'quantitative', title: 'Records an hour' },
        axis: RECORDS_AXIS,
      },
      tooltip: [
        { field: 'label', type: 'nominal', title: words(field) },
        { field: 'records', type: 'quantitative', title: 'Records an hour', format: RECORDS },
      ],
    },
  };
}

import type { ChartPanel, Json } from '../../panel.ts';
import { palette } from '../../theme.ts';
import { kind, labelled, newest, operationsChart } from './panel.ts';

const ROWS = 10;
const counts = ['read', 'clean', 'duplicates', 'filtered', 'rejected', 'published', 'landed', 'indexed'] as const;
/** What their columns are headed with, on a narrow screen too. */
const heads = ['read', 'clean', 'dupl.', 'filtered', 'rejected', 'publ.', 'landed', 'indexed', 'holds'];

/** Largest size of letters, in pixels. */
const LETTERS = 11;
/** As large as a column has room for so many characters, on a phone as on a wall. */
const fitting = (characters: string): Json => ({
  expr: `max(5, min(${LETTERS}, width / ${heads.length} / (0.62 * ${characters})))`,
});

/** Whether what stands in a column is what the one before has. */
const wrong =
  "datum.head === 'holds' ? !datum._source.holds : " +
  "datum.head === 'read' ? datum.read !== datum.clean + datum.duplicates + datum.filtered + datum.rejected : " +
  "datum.head === 'publ.' ? datum.published !== datum.clean : " +
  "datum.head === 'landed' ? datum.landed !== datum.published : " +
  "datum.head === 'indexed' ? datum.indexed !== datum.landed : false";

const across: Json = {
  field: 'head',
  type: 'nominal',
  sort: heads,
  title: null,
  scale: { domain: heads },
  axis: { orient: 'top', labelAngle: 0, labelFontSize: fitting('7'), labelOverlap: false, ticks: false, domain: false },
};

/** The row equation of the newest runs as a table: a line that names the run, its numbers below it, red where they do not agree. */
export function equations(): ChartPanel {
  const shown = ['pipeline', 'hour', 'runId', 'dataset', 'holds', 'broken', ...counts] as const;
  const cells: Json[] = [
    { fold: [...counts, 'verdict'], as: ['count', 'cell'] },
    {
      calculate: `${JSON.stringify(heads)}[indexof(${JSON.stringify([...counts, 'verdict'])}, datum.count)]`,
      as: 'head',
    },
    { calculate: wrong, as: 'wrong' },
    { calculate: "isNumber(datum.cell) ? format(datum.cell, ',') : datum.cell", as: 'text' },
    { calculate: 'length(datum.text)', as: 'characters' },
    { joinaggregate: [{ op: 'max', field: 'characters', as: 'longest' }] },
  ];
  return operationsChart({
    id: 'equations',
    title: 'Row equation of the newest runs',
    question: 'Is every row that was read accounted for, and in the index?',
    needs: ['kind', ...shown],
    size: { w: 48, h: 24 },
    spec: {
      data: newest(ROWS, [kind('dataset'), { exists: { field: 'holds' } }], shown),
      transform: [
        ...labelled,
        ...counts.map((field) => ({ calculate: `datum._source.${field}`, as: field })),
        { calculate: "datum._source.holds ? 'yes' : 'NO'", as: 'verdict' },
        {
          calculate: "datum._source.dataset === 'main' ? datum.label : datum.label + ' · ' + datum._source.dataset",
          as: 'line',
        },
        {
          calculate: "isValid(datum._source.broken) ? datum.line + ': ' + datum._source.broken : datum.line",
          as: 'said',
        },
      ],
      encoding: {
        y: {
          field: 'line',
          type: 'nominal',
          sort: { field: 'end', op: 'max', order: 'descending' },
          axis: null,
        },
      },
      layer: [
        {
          mark: {
            type: 'text',
            align: 'left',
            dy: -8,
            fontSize: fitting('7'),
            fontWeight: 'bold',
            limit: { expr: 'width' },
          },
          encoding: {
            x: { value: 4 },
            text: { field: 'said', type: 'nominal' },
            tooltip: [
              { field: 'label', type: 'nominal', title: 'run' },
              { field: '_source.dataset', type: 'nominal', title: 'data set' },
              ...counts.map((field) => ({ field, type: 'quantitative', title: field, format: ',' })),
              { field: 'verdict', type: 'nominal', title: 'holds' },
              { field: '_source.broken', type: 'nominal', title: 'what does not hold' },
            ],
          },
        },
        {
          transform: [...cells, { filter: 'datum.wrong' }],
          mark: { type: 'rect', color: palette.bad, cornerRadius: 2, height: 16, yOffset: 9 },
          encoding: { x: across },
        },
        {
          transform: cells,
          mark: { type: 'text', dy: 9, fontSize: fitting('max(7, datum.longest)') },
          encoding: {
            x: across,
            text: { field: 'text', type: 'nominal' },
            color: { condition: { test: 'datum.wrong', value: '#ffffff' } },
          },
        },
      ],
    },
  });
}

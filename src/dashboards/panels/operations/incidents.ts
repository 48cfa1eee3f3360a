import type { ChartPanel, Json } from '../../panel.ts';
import { palette } from '../../theme.ts';
import { kind, lasting, legend, operationsChart, timeAcross } from './panel.ts';

/** Elasticsearch gives no more below an aggregation. */
const INCIDENTS = 100;

const color: Json = {
  field: '_source.severity',
  type: 'nominal',
  title: null,
  scale: { domain: ['critical', 'warning'], range: [palette.bad, palette.accent] },
  legend: legend('top'),
};
const rules: Json = {
  field: '_source.rule',
  type: 'nominal',
  title: null,
  axis: { labelLimit: 150, grid: true, ticks: false, domain: false },
};

/** Incidents along the time, by rule, each for as long as it lasted: also those that had opened before the time that is shown. */
export function incidents(): ChartPanel {
  const shown = ['pipeline', 'rule', 'subject', 'severity', 'startedAt', 'endedAt', 'ms', 'seen', 'sentence'] as const;
  return operationsChart({
    id: 'incidents',
    title: 'What went wrong, and for how long',
    question: 'Which incidents were open, when, of which rule, and how long did each last?',
    needs: ['kind', 'lasted', ...shown],
    size: { w: 48, h: 14 },
    spec: {
      data: lasting(INCIDENTS, [kind('incident')], shown),
      transform: [
        { flatten: ['newest.hits.hits'], as: ['hit'] },
        { calculate: 'datum.hit._source', as: '_source' },
        { calculate: 'time(datum._source.startedAt)', as: 'begin' },
        // Of what had begun before, the part that is in the range; as long as the chart goes on, the rest would press it into a corner.
        { calculate: 'isValid(datum.to) ? max(datum.begin, datum.to) : datum.begin', as: 'end' },
        { calculate: 'isValid(datum._source.endedAt) ? time(datum._source.endedAt) : now()', as: 'until' },
        { calculate: "utcFormat(datum.begin, '%Y-%m-%d %H:%M:%S UTC')", as: 'opened' },
        {
          calculate: "isValid(datum._source.endedAt) ? utcFormat(datum.until, '%Y-%m-%d %H:%M:%S UTC') : 'still open'",
          as: 'ended',
        },
        {
          calculate:
            "!isValid(datum._source.ms) ? null : datum._source.ms < 3600000 ? format(datum._source.ms / 60000, '.1f') + ' min' : " +
            "datum._source.ms < 172800000 ? format(datum._source.ms / 3600000, '.1f') + ' h' : format(datum._source.ms / 86400000, '.1f') + ' d'",
          as: 'lasted',
        },
      ],
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 8, opacity: 0.6 },
          encoding: {
            x: timeAcross,
            x2: { field: 'until' },
            tooltip: [
              { field: '_source.pipeline', type: 'nominal', title: 'pipeline' },
              { field: '_source.rule', type: 'nominal', title: 'rule' },
              { field: '_source.subject', type: 'nominal', title: 'of' },
              { field: '_source.severity', type: 'nominal', title: 'severity' },
              { field: 'opened', type: 'nominal', title: 'opened' },
              { field: 'ended', type: 'nominal', title: 'ended' },
              { field: 'lasted', type: 'nominal', title: 'lasted' },
              { field: '_source.seen', type: 'quantitative', title: 'seen', format: ',' },
              { field: '_source.sentence', type: 'nominal', title: 'what was found' },
            ],
          },
        },
        // One that was over at once is there, too.
        {
          mark: { type: 'point', shape: 'diamond', filled: true, size: 90, opacity: 0.9 },
          encoding: { x: timeAcross },
        },
      ],
      encoding: { y: rules, color },
    },
  });
}

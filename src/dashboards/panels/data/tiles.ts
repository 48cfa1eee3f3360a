import type { Panel } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { chart, search, tile } from '../chart.ts';
import { lookOf } from '../numbers.ts';
import { lower } from '../words.ts';

const size = { w: 12, h: 6 };

/** The numbers on top: records, freshness, hours, mean of the main measure. */
export function tiles(subject: Subject): Panel[] {
  const [measure] = subject.measures;
  return [
    subject.mode === 'latest' ? recordsThere(subject) : recordsOfNewestHour(subject),
    tile(subject, {
      id: 'freshness',
      title: 'Newest hour',
      question: 'How old is the newest data?',
      needs: ['hour'],
      size,
      metric: { operation: 'max', field: 'hour' },
      format: 'ago',
    }),
    tile(subject, {
      id: 'hours',
      title: 'Hours in range',
      question: 'How many hours are the records of?',
      needs: ['hour'],
      size,
      metric: { operation: 'unique_count', field: 'hour' },
      format: 'number',
    }),
    ...(measure === undefined
      ? []
      : [
          tile(subject, {
            id: `${measure}-mean`,
            title: `Mean ${lower(measure)}`,
            question: `How high is ${lower(measure)} on average? Over all records of all hours in range.`,
            needs: [measure],
            size,
            metric: { operation: 'average', field: measure },
            format: lookOf(subject, measure).isFraction ? 'percent' : 'number',
          }),
        ]),
  ];
}

function recordsThere(subject: Subject): Panel {
  return tile(subject, {
    id: 'records',
    title: 'Records',
    question: 'How many records does the newest hour have?',
    needs: [],
    size,
    metric: { operation: 'count' },
    format: 'number',
  });
}

/** No tile of Lens: it has no count of the newest hour alone, and all hours in range repeat the same records. */
function recordsOfNewestHour(subject: Subject): Panel {
  return chart(subject, {
    id: 'records',
    title: 'Records of the newest hour',
    question: 'How many records does the newest hour in range have?',
    needs: ['hour'],
    size,
    spec: {
      data: search(subject, 'buckets', { terms: { field: 'hour', size: 1, order: { _key: 'desc' } } }),
      transform: [
        { calculate: "format(datum.doc_count, ',')", as: 'records' },
        { calculate: "utcFormat(datum.key, '%-d %b %Y %H:%M') + ' UTC'", as: 'hour' },
      ],
      encoding: {
        tooltip: [
          { field: 'records', type: 'nominal', title: 'Records' },
          { field: 'hour', type: 'nominal', title: 'Hour' },
        ],
      },
      layer: [
        {
          mark: { type: 'text', fontSize: 32, fontWeight: 600, dy: -8 },
          encoding: { text: { field: 'records', type: 'nominal' } },
        },
        { mark: { type: 'text', fontSize: 12, dy: 20 }, encoding: { text: { field: 'hour', type: 'nominal' } } },
      ],
    },
  });
}

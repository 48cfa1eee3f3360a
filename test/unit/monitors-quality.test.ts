import { describe, expect, it } from 'vitest';
import { problemKinds, type Problem } from '../../bench/anomalies/problems.ts';
import { scoreHistory, tally } from '../../bench/anomalies/score.ts';

const DAY = 24;
const problem = (kind: Problem['kind'], day: number, long: number, size: number, subject?: string): Problem => {
  const from = Math.round(day * DAY);
  return { kind, from, to: from + long, size, ...(subject === undefined ? {} : { subject }) };
};

/** One of each kind, a little larger than those of `npm run bench:anomalies`: nine days teach less than three weeks. */
const problems = [
  problem('rows', 9, 4, 0.4),
  problem('rejected', 9.4, 4, 0.1),
  problem('missing', 9.8, 4, 0.3, 'usage'),
  problem('distinct', 10.2, 4, 0.3),
  problem('distribution', 10.6, 4, 1, 'usage'),
  problem('mix', 11, 4, 0.5, 'plan'),
  problem('categories', 11.4, 4, 0.1, 'state'),
  problem('lag', 11.8, 4, 20_000),
  problem('schema', 12.2, 3, 1, 'went'),
  problem('duration', 12.6, 4, 5, 'clean'),
  problem('freshness', 13, 12, 1),
  problem('unchanged', 14, 14, 1),
];

describe('the monitors, on a made-up history of two weeks', () => {
  it('name a problem of each kind, and nothing else', () => {
    expect(new Set(problems.map(({ kind }) => kind))).toEqual(new Set(problemKinds));
    const { kinds, falseAlerts } = tally([scoreHistory(1, 15 * DAY, problems)]);
    expect(kinds.filter(({ found }) => found === 0)).toEqual([]);
    expect(falseAlerts).toEqual([]);
  });

  it('are silent where nothing is wrong', () => {
    expect(scoreHistory(2, 12 * DAY).alerts).toEqual([]);
  });
});

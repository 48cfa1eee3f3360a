import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contextOf, panelQuery } from '../../src/client/api/dashboard-schemas.ts';
import { dataDashboard, operationsDashboard } from '../../src/dashboards/panels/index.ts';
import { queryOf } from '../../src/dashboards/requests.ts';
import { loadDefinition } from '../../src/definition/load.ts';
import { explicitMoment, instantOf, isAlwaysForwards, isForwards, momentPattern } from '../../src/definition/moment.ts';

const now = Date.parse('2026-11-26T12:34:56.789Z');
const at = (moment: string, end: 'from' | 'to'): string => new Date(instantOf(moment, end, now)).toISOString();
const pipelines = join(import.meta.dirname, '..', '..', 'pipelines');

describe('a moment', () => {
  it.each([
    ['now', '2026-11-26T12:34:56.789Z', '2026-11-26T12:34:56.789Z'],
    ['now-30s', '2026-11-26T12:34:26.789Z', '2026-11-26T12:34:26.789Z'],
    ['now-24h', '2026-11-25T12:34:56.789Z', '2026-11-25T12:34:56.789Z'],
    ['now/d', '2026-11-26T00:00:00.000Z', '2026-11-26T23:59:59.999Z'],
    ['now-7d/d', '2026-11-19T00:00:00.000Z', '2026-11-19T23:59:59.999Z'],
    ['now/w', '2026-11-23T00:00:00.000Z', '2026-11-29T23:59:59.999Z'],
    ['now-9M/M', '2026-02-01T00:00:00.000Z', '2026-02-28T23:59:59.999Z'],
    ['now-2y', '2024-11-26T12:34:56.789Z', '2024-11-26T12:34:56.789Z'],
    ['now-1M-5d', '2026-10-21T12:34:56.789Z', '2026-10-21T12:34:56.789Z'],
    ['now/y', '2026-01-01T00:00:00.000Z', '2026-12-31T23:59:59.999Z'],
    ['2020-10-31', '2020-10-31T00:00:00.000Z', '2020-10-31T23:59:59.999Z'],
    ['2020-02-29', '2020-02-29T00:00:00.000Z', '2020-02-29T23:59:59.999Z'],
    ['2026-11-24T03', '2026-11-24T03:00:00.000Z', '2026-11-24T03:59:59.999Z'],
    ['2026-11-24T03:15Z', '2026-11-24T03:15:00.000Z', '2026-11-24T03:15:59.999Z'],
    ['2026-11-24T03:00:00+02:00', '2026-11-24T01:00:00.000Z', '2026-11-24T01:00:00.999Z'],
    ['2026-11-24T03:00:00.5Z', '2026-11-24T03:00:00.500Z', '2026-11-24T03:00:00.500Z'],
    ['2026-11-24T03:00:00.123456789Z', '2026-11-24T03:00:00.123Z', '2026-11-24T03:00:00.123Z'],
  ])('%s begins and ends', (moment, from, to) => {
    expect([at(moment, 'from'), at(moment, 'to')]).toEqual([from, to]);
  });

  it.each(['', 'yesterday', 'now-', 'now-1q', 'now/q', '2026', '2026-13-45', '2026-02-30', '2025-02-29', '2100-02-29'])(
    'is no %j',
    (text) => {
      expect([momentPattern.test(text), instantOf(text, 'to', now)]).toEqual([false, Number.NaN]);
    },
  );

  it.each(['2026-11-24T99', '2026-11-24T24:00', '2026-11-24T03:60Z', '2026-11-24 03', 'now-1h-1h-1h', ' now'])(
    'is no %j either',
    (text) => expect(momentPattern.test(text)).toBe(false),
  );

  it('of a month that has no such day is its last day', () => {
    expect(new Date(instantOf('now-1M', 'from', Date.parse('2026-03-31T01:00:00Z'))).toISOString()).toBe(
      '2026-02-28T01:00:00.000Z',
    );
  });

  it('makes a range that goes forwards, of one day too', () => {
    expect(isForwards({ from: '2020-10-31', to: '2020-10-31' }, now)).toBe(true);
    expect(isForwards({ from: 'now', to: 'now-9y' }, now)).toBe(false);
    expect(isAlwaysForwards({ from: 'now/d', to: 'now/d' })).toBe(true);
    expect(isAlwaysForwards({ from: 'now-1h', to: 'now-9y' })).toBe(false);
    expect(isAlwaysForwards({ from: '2026-01-01', to: 'now' })).toBe(undefined);
  });
});

describe('the time that is asked for', () => {
  const dashboards = readdirSync(pipelines)
    .filter((name) => name.endsWith('.yaml'))
    .map(async (name) => dataDashboard(await loadDefinition(join(pipelines, name))));

  it('may be that of every dashboard that is shipped, as the page sends it back', async () => {
    const all = [...(await Promise.all(dashboards)), operationsDashboard()];
    expect(all.length).toBeGreaterThan(2);
    for (const dashboard of all) {
      const query = panelQuery.parse({ ...dashboard.range });
      const { from, to } = contextOf(dashboard, query);
      expect({ from, to }).toEqual(dashboard.range ?? { from: 'now-24h', to: 'now' });
    }
  });

  it('is asked with the day that it ends on', () => {
    const { bool } = queryOf('date', { from: '2019-11-01', to: '2020-10-31', filters: {} }) as {
      bool: { filter: unknown[] };
    };
    expect(bool.filter[0]).toMatchObject({
      range: { date: { gte: '2019-11-01T00:00:00.000Z', lte: '2020-10-31T23:59:59.999Z' } },
    });
    expect(explicitMoment('now-7d/d', 'from')).toBe('now-7d/d');
    // Of a run's own page, which looks at all of time.
    expect(explicitMoment('0001-01-01', 'from')).toBe('0001-01-01T00:00:00.000Z');
  });

  it('is refused where there is no such day, or where it ends before it begins', () => {
    expect(panelQuery.safeParse({ from: '2026-13-45' }).success).toBe(false);
    const query = panelQuery.parse({ from: 'now', to: 'now-9y' });
    expect(() => contextOf(operationsDashboard(), query)).toThrow('ends before it begins');
  });
});

import { describe, expect, it } from 'vitest';
import { incidentRules } from '../../src/definition/incidents.ts';
import { panelQuery, readAddress, writeAddress, type Address } from '../../src/dashboards/page/address.ts';
import { ago, duration, metric, number } from '../../src/dashboards/page/format.ts';
import { ruleWords } from '../../src/dashboards/page/rule-words.ts';

describe('words of the page', () => {
  it.each(incidentRules)('has some for the rule %s', (rule) => {
    expect(ruleWords(rule)).not.toBe(rule);
  });
});

describe('an address of the page', () => {
  const addresses: Address[] = [
    { view: 'board', refresh: 0, filters: {} },
    {
      view: 'board',
      dashboard: 'data-broadband',
      ...{ from: '2026-11-24T03:00:00Z', to: 'now', refresh: 60 },
      filters: { state: ['CA', 'A & B=ü'], 'usage.band': ['low'] },
    },
    { view: 'runs' },
    { view: 'runs', pipeline: 'broadband', outcome: 'failed' },
    { view: 'run', pipeline: 'broadband', hour: '2026-11-24T03', run: 'abc' },
    { view: 'incidents' },
    { view: 'incidents', pipeline: 'broadband', over: 'shown' },
    { view: 'quarantine', pipeline: 'broadband', hour: '2026-11-24T03', offset: 50 },
    { view: 'consumers' },
  ];

  it.each(addresses)('is read as it was written: $view', (address) => {
    const text = writeAddress(address);
    expect(text).toMatch(/^\/dashboard/);
    expect(readAddress(new URL(text, 'http://localhost').search)).toEqual(address);
  });

  it('is as usual where it says nothing, or nothing that there is', () => {
    expect(readAddress('?view=nowhere&refresh=7')).toEqual({ view: 'board', refresh: 0, filters: {} });
    expect(readAddress('?view=run&pipeline=broadband')).toEqual({ view: 'runs' });
    expect(readAddress('?view=quarantine&offset=-3')).toEqual({ view: 'quarantine', offset: 0 });
    expect(readAddress('?view=quarantine&offset=x')).toEqual({ view: 'quarantine', offset: 0 });
  });

  it('has any field that is named in it', () => {
    const address = readAddress('?filter.constructor=x&filter.__proto__=y');
    expect(writeAddress(address)).toBe('/dashboard?filter.constructor=x&filter.__proto__=y');
    expect(readAddress('')).toEqual({ view: 'board', refresh: 0, filters: {} });
  });

  it('leaves the time to the dashboard where it says none', () => {
    expect(panelQuery({ view: 'board', refresh: 0, filters: {} }, 'light')).toBe('mode=light');
  });

  it('asks a panel for its time and every value of its filters', () => {
    const [, board] = addresses;
    if (board?.view !== 'board') throw new Error('it is no board');
    const query = new URLSearchParams(panelQuery(board, 'dark'));
    expect([...query]).toEqual([
      ['mode', 'dark'],
      ['from', '2026-11-24T03:00:00Z'],
      ['to', 'now'],
      ['filter.state', 'CA'],
      ['filter.state', 'A & B=ü'],
      ['filter.usage.band', 'low'],
    ]);
  });
});

describe('numbers for people', () => {
  it('have thousands, or four digits', () => {
    expect([32_735, 0.368672, 348.07389, 12_345.6, -0.00012345].map(number)).toEqual([
      '32,735',
      '0.3687',
      '348.1',
      '12,346',
      '-0.0001235',
    ]);
  });

  it('are read as their panel says', () => {
    expect(metric(0.368672, 'percent')).toBe('36.9%');
    expect(metric(83_000, 'duration')).toBe('1 min 23 s');
    expect(metric(7, undefined)).toBe('7');
  });

  it('say how long a time is past', () => {
    const now = Date.parse('2026-11-26T15:00:00Z');
    const minutes = (count: number): string => ago(now - count * 60_000, now);
    expect([0, 12, 100, 60 * 30, 60 * 24 * 90].map(minutes)).toEqual([
      'now',
      '12 minutes ago',
      '2 hours ago',
      'yesterday',
      '3 months ago',
    ]);
  });

  it('say how long something took', () => {
    expect([0, 999, 1_500, 59_960, 60_000, 3_600_000, 5_400_000].map(duration)).toEqual([
      '0 ms',
      '999 ms',
      '1.5 s',
      '1 min',
      '1 min',
      '1 h',
      '1 h 30 min',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import type { Scene } from 'vega';
import { compileChart } from '../../src/dashboards/compile.ts';
import { headlessView } from '../../src/dashboards/headless-view.ts';
import type { ChartPanel, Json } from '../../src/dashboards/panel.ts';
import { operationsDashboard } from '../../src/dashboards/panels/index.ts';
import { requestsOf, withAnswers } from '../../src/dashboards/requests.ts';
import { named, tableOf, type PanelTable } from '../../src/dashboards/table.ts';

interface Item {
  readonly role?: string;
  readonly text?: string | string[];
  readonly bounds?: { readonly y1: number; readonly y2: number };
  readonly items?: readonly Item[];
}

const BEGINS = Date.parse('2026-11-20T00:00:00Z');

/** A chart over these documents, with what its table is made from. */
function chartOf(id: string, documents: readonly Json[]): ReturnType<typeof named> {
  const panel = operationsDashboard().panels.find((one) => one.id === `operations-${id}`) as ChartPanel;
  const requests = requestsOf(panel.spec, { from: 'now-7d', to: 'now', filters: {} });
  const hits = documents.map((source) => ({ _source: source }));
  const began = { buckets: [{ key: 'before', to: BEGINS, newest: { hits: { hits } } }] };
  return named(withAnswers(panel.spec, requests, [{ hits: { hits }, aggregations: { fitting: { began } } }]));
}

/** What it says in words and numbers. */
async function told(id: string, documents: readonly Json[]): Promise<PanelTable['rows']> {
  const { spec, told: from } = chartOf(id, documents);
  if (!from) throw new Error(`${id} says nothing`);
  return (await tableOf(compileChart(spec, { mode: 'light', width: 600, height: 400 }), from)).rows;
}

/** Texts of a role in a chart over these documents, with where they stand in their axis. */
async function texts(id: string, role: string, documents: readonly Json[]): Promise<Item[]> {
  const { spec } = chartOf(id, documents);
  // As large as on a telephone.
  const view = headlessView(compileChart(spec, { mode: 'light', width: 300, height: 260 }));
  await view.runAsync();
  const found: Item[] = [];
  const walk = (mark: Item): void => {
    if (mark.role === role) found.push(...(mark.items ?? []));
    else for (const item of mark.items ?? []) for (const inner of item.items ?? []) walk(inner);
  };
  walk((view.scenegraph() as unknown as { root: Scene & Item }).root);
  view.finalize();
  return found;
}

const run = (at: number, more: { readonly [key: string]: Json }): Json => ({
  ...{ pipeline: 'e-4590f610', hour: `2026-11-24T0${at}:00:00Z`, runId: `r${at}`, at: `2026-11-24T0${at}:01:00Z` },
  ...more,
});
const ten = Array.from({ length: 10 }, (_, at) => at);

describe('panels of runs', () => {
  it('incidents are there for as long as they lasted, those that are open until now, and one that was over at once', async () => {
    const at = '2026-11-24T03:00:00.000Z';
    const documents = [
      { ...{ pipeline: 'p', rule: 'run-failed', severity: 'critical', seen: 2 }, startedAt: at },
      { ...{ pipeline: 'p', rule: 'rows', severity: 'warning', seen: 1 }, startedAt: at, endedAt: at, ms: 0 },
    ];
    const rows = await told('incidents', documents);
    expect(rows.map((row) => row.slice(4, 8))).toEqual([
      ['2026-11-24 03:00:00 UTC', 'still open', null, 2],
      ['2026-11-24 03:00:00 UTC', '2026-11-24 03:00:00 UTC', '0.0 min', 1],
    ]);
    expect((await texts('incidents', 'mark', documents)).length).toBe(4);
  });

  it('incidents that had opened before the range are drawn from its beginning, and say when they opened', async () => {
    const old = {
      ...{ pipeline: 'p', rule: 'lag', severity: 'warning', seen: 9 },
      startedAt: '2026-10-01T00:00:00.000Z',
    };
    expect((await told('incidents', [old]))[0]?.[4]).toBe('2026-10-01 00:00:00 UTC');
    const dates = (await texts('incidents', 'axis-label', [old])).map(({ text }) => [text].flat().join(' '));
    expect(dates.filter((text) => / 1[01]-\d\d$/.test(text)).length).toBeGreaterThan(0);
    expect(dates.filter((text) => / 10-\d\d$/.test(text))).toEqual([]);
    const panel = operationsDashboard().panels.find(({ id }) => id === 'operations-incidents') as ChartPanel;
    const [request] = requestsOf(panel.spec, { from: '2026-11-20T00:00:00Z', to: 'now', filters: {} });
    expect(JSON.stringify(request?.body)).toContain('"from":"2026-11-20T00:00:00.000Z"');
    expect(JSON.stringify(request?.body)).not.toContain('%timefilter%');
  });

  it('what was odd stands by run, with those that have no numbers', async () => {
    const odd = { rule: 'schema', severity: 'warning', position: 1, sentence: 'Other columns.', muted: true };
    const rows = await told('anomalies', [
      run(1, odd),
      run(2, { ...odd, rule: 'rows', subject: 'read', deviations: 12.34, muted: false }),
    ]);
    expect(rows.map((row) => row.slice(1))).toEqual([
      ['schema', null, 'warning (muted)', null, 'Other columns.'],
      ['rows', 'read', 'warning', '12.3 usual deviations', 'Other columns.'],
    ]);
  });

  it('the lag has an axis where all has landed', async () => {
    const labels = await texts(
      'lag',
      'axis-label',
      ten.map((at) => run(at, { lag: 0 })),
    );
    const said = labels.map(({ text }) => String(text));
    expect(said).toEqual(expect.arrayContaining(['0', '1']));
    expect(said.filter((text) => text.includes('NaN'))).toEqual([]);
  });

  it('many pipelines leave the lag room for its chart', async () => {
    const many = Array.from({ length: 40 }, (_, at) => run(at % 10, { lag: at, pipeline: `p-${at}` }));
    expect((await texts('lag', 'legend-label', many)).length).toBeLessThanOrEqual(8);
  });

  it.each(['rows-per-run', 'durations', 'anomalies'])(
    '%s names ten runs so that no name stands on another',
    async (id) => {
      const counts = { clean: 9, duplicates: 0, filtered: 0, rejected: 1, published: 9, landed: 9, indexed: 9 };
      const documents = ten.map((at) => run(at, { ...counts, stage: 'clean', rule: 'rows', position: 1, ms: 1_000 }));
      const labels = (await texts(id, 'axis-label', documents)).filter(({ text }) => Array.isArray(text));
      const places = labels
        .map(({ bounds }) => [bounds?.y1 ?? 0, bounds?.y2 ?? 0] as const)
        .toSorted(([a], [b]) => a - b);
      expect(places).toHaveLength(10);
      const onAnother = places.filter(([top], at) => at > 0 && top < (places[at - 1]?.[1] ?? 0) - 1);
      expect(onAnother).toEqual([]);
    },
  );
});

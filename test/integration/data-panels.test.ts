import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDefinition } from '../../src/definition/load.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { answerChart, answerMetric } from '../../src/dashboards/answering.ts';
import { compileChart } from '../../src/dashboards/compile.ts';
import type { ChartPanel, JsonObject, Panel } from '../../src/dashboards/panel.ts';
import { dataDashboard } from '../../src/dashboards/panels/index.ts';
import { requestsOf, type PanelContext } from '../../src/dashboards/requests.ts';
import { marksOf, shippedRows, viewOf } from '../helpers/dashboard-lab.ts';
import { IndexLab, type LabRow } from '../helpers/index-lab.ts';
import { stageDeps } from '../helpers/servers.ts';
import { noStack, testStack } from '../helpers/stack.ts';

const hours = ['2026-11-24T01:00:00Z', '2026-11-24T02:00:00Z'] as const;
const context: PanelContext = { from: '2026-11-24T00:00:00Z', to: '2026-11-24T23:00:00Z', filters: {} };

type Row = Readonly<Record<string, unknown>>;

describe.skipIf(noStack)('data panels on a real Elasticsearch', () => {
  let lab: IndexLab;
  const run = randomBytes(4).toString('hex');
  /** By hour; the second hour has fewer rows, so that a count over both is told from one of an hour. */
  let rows: readonly (readonly LabRow[])[];
  let broadband: Pipeline;
  let latest: Pipeline;
  let counties: Pipeline;

  const shipped = async (name: string, mode: Pipeline['index']['mode'] = 'history'): Promise<Pipeline> => {
    const pipeline = await loadDefinition(join(import.meta.dirname, '..', '..', 'pipelines', `${name}.yaml`));
    const own = `p-${mode.slice(0, 1)}-${run}-${name}`;
    return { ...pipeline, name: own, index: { ...pipeline.index, name: own, mode } };
  };

  beforeAll(async () => {
    const { environment } = await testStack();
    const deps = stageDeps(environment, `data-panels-${run}`);
    await deps.store.ensureBucket();
    lab = new IndexLab(deps);
    [broadband, latest, counties] = await Promise.all([
      shipped('broadband'),
      shipped('broadband', 'latest'),
      shipped('counties'),
    ]);
    const all = hours.map((hour) => shippedRows(broadband, 'broadband_data_zipcode.csv', hour));
    rows = all.map((of, at) => of.filter((_, index) => index % 10 === 0).slice(at * 500));
    for (const pipeline of [broadband, latest]) {
      for (const [at, hour] of hours.entries()) await lab.index(pipeline, hour, rows[at] ?? []);
    }
    const dated = [
      ...shippedRows(counties, 'broadband_data_2019November.csv', hours[0], { date: '2019-11-01' }),
      ...shippedRows(counties, 'broadband_data_2020October.csv', hours[0], { date: '2020-10-01' }),
    ];
    await lab.index(counties, hours[0], dated);
    await lab.deps.search.client.indices.refresh({ index: `p-*-${run}-*` });
  });

  afterAll(async () => {
    await lab.deps.search.client.indices.delete({
      index: [broadband, latest, counties].map(({ name }) => `${name}-000001`),
    });
    await lab.deps.search.close();
  });

  const find = (pipeline: Pipeline, id: string): Panel => {
    const panel = dataDashboard(pipeline).panels.find((each) => each.id === `${pipeline.name}-${id}`);
    if (!panel) throw new Error(`no panel ${id}`);
    return panel;
  };

  /** The rows that `format.property` leads to, in the answer to a chart’s first search. */
  async function answered(pipeline: Pipeline, id: string, where: PanelContext = context): Promise<Row[]> {
    const panel = find(pipeline, id) as ChartPanel;
    const [request] = requestsOf(panel.spec, where);
    let found: unknown = await lab.deps.search.client.search({
      index: request?.index ?? '',
      ...(request?.body as object),
    });
    const at = JSON.stringify(panel.spec).match(/"property":"([^"]+)"/)?.[1] ?? '';
    for (const key of at.split('.')) found = (found as Record<string, unknown>)[key];
    return found as Row[];
  }

  /** What is behind the marks of a drawn chart, from its data sets that have the field. */
  async function drawn(pipeline: Pipeline, id: string, field: string): Promise<Row[]> {
    const spec = await answerChart(lab.deps.search, find(pipeline, id) as ChartPanel, context);
    const compiled = compileChart(spec, { mode: 'light', width: 600, height: 400 });
    const view = await viewOf(compiled);
    const sets = (compiled.data ?? []).map(({ name }) => view.data(name) as Row[]);
    return sets.findLast((each) => each.some((row) => row[field] !== undefined)) ?? [];
  }

  const mean = (of: readonly number[]): number => of.reduce((sum, value) => sum + value, 0) / of.length;
  const groups = (of: readonly LabRow[], by: string): Record<string, LabRow[]> =>
    Object.groupBy(of, (row) => row[by] ?? '(none)') as Record<string, LabRow[]>;
  const usages = (of: readonly LabRow[] = []): number[] => of.map((row) => Number(row['usage']));
  const newest = (): readonly LabRow[] => rows[1] ?? [];

  it('each finds rows, and draws marks for them, in both modes and for counties', async () => {
    const asked: [Pipeline, PanelContext][] = [
      [broadband, context],
      [latest, context],
      [counties, { ...context, ...counties.dashboards.range }],
    ];
    for (const [pipeline, when] of asked) {
      for (const panel of dataDashboard(pipeline).panels.filter((each): each is ChartPanel => each.kind === 'chart')) {
        const id = panel.id.slice(pipeline.name.length + 1);
        const found = await answered(pipeline, id, when);
        expect({ id, found: found.length > 0 }).toEqual({ id, found: true });
        const spec = await answerChart(lab.deps.search, panel, when);
        const view = await viewOf(compileChart(spec, { mode: 'light', width: 600, height: 400 }));
        expect(marksOf(view)).toBeGreaterThan(0);
      }
    }
  });

  it('maps say the mean of each county and state over all hours', async () => {
    const all = rows.flat();
    for (const [id, field] of [
      ['usage-by-county-map', 'county_id'],
      ['usage-by-state-map', 'state'],
      ['usage-by-state', 'state'],
    ] as const) {
      const wanted = Object.entries(groups(all, field)).map(([key, of]) => [
        key,
        `${of.length}: ${mean(usages(of)).toFixed(9)}`,
      ]);
      const found = await answered(broadband, id);
      const got = found.map((row) => {
        const { key, doc_count: count, mean: of } = row as { key: string; doc_count: number; mean: { value: number } };
        return [key, `${count}: ${of.value.toFixed(9)}`] as const;
      });
      expect(Object.fromEntries(got)).toEqual(Object.fromEntries(wanted));
    }
  });

  it('a county that is drawn has its own mean, name and state', async () => {
    const drawnCounties = await drawn(broadband, 'usage-by-county-map', 'place');
    const of = groups(rows.flat(), 'county_id');
    expect(drawnCounties.length).toBe(Object.keys(of).filter((id) => id !== '').length);
    const losAngeles = drawnCounties.find(({ id }) => id === '06037');
    expect(losAngeles).toMatchObject({ place: 'Los Angeles, California', doc_count: of['06037']?.length });
    expect(losAngeles?.['mean_value']).toBeCloseTo(mean(usages(of['06037'])), 9);
  });

  it('a distribution counts the records of one hour, all of them, the upper bound with the last bin', async () => {
    const bins = await drawn(broadband, 'usage-distribution', 'span');
    // Both hours together, over two hours.
    const wanted = new Map<number, number>();
    for (const usage of usages(rows.flat())) {
      const bin = Math.min(Math.floor(usage / 0.05 + 1e-9), 19);
      wanted.set(bin, (wanted.get(bin) ?? 0) + 0.5);
    }
    expect(new Map(bins.map(({ bin, records }) => [bin, records]))).toEqual(wanted);
    expect(bins.map(({ span }) => span)).toContain('95% to 100%');
    expect(bins.reduce((sum, { share }) => sum + Number(share), 0)).toBeCloseTo(1, 9);
  });

  it('bands and top values count the records of one hour, bands in their order', async () => {
    const found = await drawn(broadband, 'by-usage-band', 'label');
    const wanted = Object.entries(groups(rows.flat(), 'usage_band')).map(([label, of]) => [label, of.length / 2]);
    expect(Object.fromEntries(found.map(({ label, records }) => [label, records]))).toEqual(Object.fromEntries(wanted));
    const spec = (find(broadband, 'by-usage-band') as ChartPanel).spec as { encoding: { y: { sort: string[] } } };
    expect(spec.encoding.y.sort).toEqual(['very-low', 'low', 'medium', 'high', 'very-high']);
    const top = await drawn(broadband, 'top-state', 'label');
    const counts = Object.values(groups(rows.flat(), 'state')).map((of) => of.length / 2);
    expect(top.map(({ records }) => records)).toEqual(counts.toSorted((a, b) => b - a).slice(0, 15));
  });

  it('a trend has the mean of each hour, and no zero for the hours between', async () => {
    const found = await drawn(broadband, 'simulated-mbps-trend', 'time_text');
    expect(found.map(({ time_text }) => time_text)).toEqual(['24 Nov 2026 01:00', '24 Nov 2026 02:00']);
    for (const [at, of] of rows.entries()) {
      expect(found[at]?.['mean_value']).toBeCloseTo(mean(of.map((row) => Number(row['simulated_mbps']))), 6);
    }
  });

  it('counties have a trend from November 2019 to October 2020, of the counties that have a value', async () => {
    const found = await answered(counties, 'usage-trend', { ...context, ...counties.dashboards.range });
    const files = ['broadband_data_2019November.csv', 'broadband_data_2020October.csv'];
    const wanted = files.map((file) =>
      mean(usages(shippedRows(counties, file, hours[0]).filter(({ usage }) => usage !== null))),
    );
    expect(found.map(({ key }) => new Date(Number(key)).toISOString().slice(0, 10))).toEqual([
      '2019-11-01',
      '2020-10-01',
    ]);
    const got = found.map((row) => (row as { mean: { value: number } }).mean.value);
    expect(got[0]).toBeCloseTo(wanted[0] ?? 0, 9);
    expect(got[1]).toBeCloseTo(wanted[1] ?? 0, 9);
  });

  it('places hold every record of an hour, at where it is', async () => {
    const found = await drawn(broadband, 'places', 'longitude');
    const placed = rows.flat().filter(({ latitude }) => latitude !== null);
    expect(found.reduce((sum, row) => sum + Number(row['doc_count']), 0)).toBe(placed.length);
    expect(found.length).toBeLessThan(10_000);
    const centre = found.reduce((sum, row) => sum + Number(row['longitude']) * Number(row['doc_count']), 0);
    expect(centre / placed.length).toBeCloseTo(mean(placed.map((row) => Number(row['longitude']))), 2);
  });

  it('the error range is the mean and the deviation of each bin', async () => {
    const found = await answered(broadband, 'error-95-against-usage');
    const bin = rows.flat().filter((row) => Math.floor(Number(row['usage']) / 0.05 + 1e-9) === 4);
    const got = found.find(({ key }) => Math.abs(Number(key) - 0.2) < 1e-9) as { error: JsonObject } | undefined;
    const errors = bin.map((row) => Number(row['error_95']));
    expect(got?.error).toMatchObject({ count: errors.length });
    expect(got?.error['avg']).toBeCloseTo(mean(errors), 9);
  });

  it('tiles tell one hour from all: records, freshness, hours, mean', async () => {
    const tiles = await Promise.all(
      ['freshness', 'hours', 'usage-mean'].map((id) =>
        answerMetric(lab.deps.search, find(broadband, id) as Extract<Panel, { kind: 'metric' }>, context),
      ),
    );
    expect(tiles[0]?.value).toBe(Date.parse(hours[1]));
    expect(tiles[1]?.value).toBe(2);
    expect(tiles[2]?.value).toBeCloseTo(mean(usages(rows.flat())), 9);
    expect(tiles.map(({ documents }) => documents)).toEqual(tiles.map(() => rows.flat().length));
    const [count] = await answered(broadband, 'records');
    expect(count).toMatchObject({ key: Date.parse(hours[1]), doc_count: newest().length });
  });

  it('mode latest counts what the newest hour has, and not what is gone', async () => {
    const records = find(latest, 'records') as Extract<Panel, { kind: 'metric' }>;
    expect(await answerMetric(lab.deps.search, records, context)).toEqual({
      value: newest().length,
      documents: newest().length,
    });
    const bins = await drawn(latest, 'usage-distribution', 'span');
    expect(bins.reduce((sum, { records: some }) => sum + Number(some), 0)).toBeCloseTo(newest().length, 6);
  });

  it('a filter by state leaves the others out', async () => {
    const texas = { ...context, filters: { state: ['TX'] } };
    const found = await answered(broadband, 'usage-by-state', texas);
    expect(found.map(({ key }) => key)).toEqual(['TX']);
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { panelPath } from '../../src/client/api/dashboard-schemas.ts';
import { loadDefinition } from '../../src/definition/load.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import { streamOf } from '../../src/definition/streams.ts';
import { compileChart } from '../../src/dashboards/compile.ts';
import type { ChartPanel, Json, JsonObject, Panel } from '../../src/dashboards/panel.ts';
import { dataDashboard } from '../../src/dashboards/panels/index.ts';
import { requestsOf, withAnswers } from '../../src/dashboards/requests.ts';
import { named, tableOf, type Told } from '../../src/dashboards/table.ts';
import { noRowsColor } from '../../src/dashboards/theme.ts';
import { shapes, states } from '../../src/dashboards/us.ts';
import { wantedIndex } from '../../src/stages/indexing/mapping.ts';
import { marksOf, viewOf } from '../helpers/dashboard-lab.ts';
import { fakeAnswer } from '../helpers/fake-answer.ts';

const home = join(import.meta.dirname, '..', '..');
const context = { from: 'now-24h', to: 'now', filters: {} };

const bare = (more: Partial<PipelineInput> = {}): Pipeline =>
  pipelineSchema.parse({
    name: 'bare',
    source: { url: 'https://example.org/x.csv' },
    columns: { A: { name: 'code' }, B: { name: 'amount', type: 'integer' }, C: { name: 'price', type: 'decimal' } },
    key: ['code'],
    ...more,
  });

const shipped = {
  broadband: await loadDefinition(join(home, 'pipelines/broadband.yaml')),
  counties: await loadDefinition(join(home, 'pipelines/counties.yaml')),
};
const definitions: Readonly<Record<string, Pipeline>> = {
  ...shipped,
  'broadband, latest': { ...shipped.broadband, index: { ...shipped.broadband.index, mode: 'latest' } },
  'counties, latest': { ...shipped.counties, index: { ...shipped.counties.index, mode: 'latest' } },
  bare: bare(),
  'of texts alone': bare({ columns: { A: { name: 'code' }, B: { name: 'kind' } } }),
  'of places elsewhere': bare({
    columns: { A: { name: 'code' }, B: { name: 'lat', type: 'decimal' }, C: { name: 'lon', type: 'decimal' } },
    dashboards: { location: { latitude: 'lat', longitude: 'lon' } },
  }),
};

const isChart = (panel: Panel): panel is ChartPanel => panel.kind === 'chart';
const titleOf = ({ title }: Panel): string => title;
const filled = ({ spec }: ChartPanel, rows: number): JsonObject => {
  const requests = requestsOf(spec, context);
  const answers = requests.map(({ body }) => fakeAnswer(body, rows));
  return withAnswers(spec, requests, answers);
};

describe.each(Object.entries(definitions))('the dashboard of %s', (_, pipeline) => {
  const { panels } = dataDashboard(pipeline);

  it('has ids of their own, and titles and questions that are sentences for people', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { id, title, question, size } of panels) {
      expect(id).toMatch(/^[a-z][a-z0-9-]+$/);
      expect(title).toMatch(/^[A-Z][^_{}]+$/);
      expect(question).toMatch(/^[A-Z][^_{}]+[?.]$/);
      expect(size.w).toBeGreaterThan(0);
      expect(size.w).toBeLessThanOrEqual(48);
    }
  });

  it('has its panels in rows that are full', () => {
    let at = 0;
    for (const { size } of panels) {
      at = (at + size.w) % 48;
      expect(at === 0 || at + 4 <= 48).toBe(true);
    }
    expect(at).toBe(0);
  });

  it('needs fields that the index has, of the same type', () => {
    const { properties } = wantedIndex(streamOf(pipeline, 'main'), pipeline).mappings;
    for (const { id, needs } of panels) {
      const types = Object.fromEntries(Object.keys(needs).map((field) => [field, properties[field]?.type]));
      expect({ id, needs: types }).toEqual({ id, needs });
    }
  });

  it.each(panels.filter(isChart).map((panel) => [panel.id, panel] as const))(
    '%s asks for aggregations of named fields and an explicit size, and no query',
    (__, panel) => {
      const requests = requestsOf(panel.spec, context);
      expect(requests.length).toBeGreaterThan(0);
      for (const { index, body } of requests) {
        expect(index).toBe(panel.index);
        expect(Object.keys(body).toSorted()).toEqual(['aggs', 'query', 'size', 'track_total_hits']);
        expect(body['size']).toBe(0);
        const fields = valuesOf(body['aggs'] ?? null, ['field']) as string[];
        expect(Object.keys(panel.needs)).toEqual(expect.arrayContaining(fields));
        for (const sized of valuesOf(body['aggs'] ?? null, ['terms', 'geotile_grid'])) {
          expect(sized).toMatchObject({ size: expect.any(Number) as number });
        }
      }
    },
  );

  it.each(panels.filter(isChart).map((panel) => [panel.id, panel] as const))(
    '%s compiles and draws a mark for rows, and also where there are none',
    async (__, panel) => {
      const drawn = marksOf(await viewOf(compileChart(filled(panel, 3), { mode: 'dark', width: 400, height: 300 })));
      expect(drawn).toBeGreaterThan(0);
      const empty = await viewOf(compileChart(filled(panel, 0), { mode: 'light', width: 400, height: 300 }));
      expect(marksOf(empty)).toBeLessThanOrEqual(drawn);
    },
  );
});

describe('panels of a definition', () => {
  const titles = (pipeline: Pipeline): string[] => dataDashboard(pipeline).panels.map(titleOf);

  it('are those that its fields allow', () => {
    expect(titles(shipped.broadband)).toEqual([
      'Records of the newest hour',
      'Newest hour',
      'Hours in range',
      'Mean usage',
      'Usage by county',
      'Usage by state, ranked',
      'Distribution of usage',
      'Distribution of simulated mbps',
      'Records by usage band',
      'Usage over time',
      'Simulated mbps over time',
      'Records of each hour',
      'Most frequent: state',
      'Usage by state',
      'Usage by place',
      'Error 95 against usage',
    ]);
    expect(titles(definitions['of texts alone'] ?? bare())).toEqual([
      'Records of the newest hour',
      'Newest hour',
      'Hours in range',
      'Records of each hour',
      'Most frequent: kind',
    ]);
  });

  it('have no trend of the hour in mode latest, where there is one hour only, but one of a date of the data', () => {
    expect(titles(definitions['broadband, latest'] ?? bare())).not.toContain('Usage over time');
    expect(titles(definitions['counties, latest'] ?? bare())).toContain('Usage over time');
  });

  it('have ids of their own, whatever columns are called', () => {
    const names = ['records', 'hours', 'top', 'top_x', 'a'];
    const columns = Object.fromEntries(names.map((name) => [name, { name, type: 'decimal' as const }]));
    const texts = Object.fromEntries(['mean', 'x_trend', 'c'].map((name) => [name, { name }]));
    const { panels } = dataDashboard(
      bare({
        columns: { ...columns, ...texts },
        key: [],
        dashboards: { measures: names, categories: Object.keys(texts) },
      }),
    );
    expect(panels.length).toBeGreaterThan(15);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it('have ids that the API takes, however long the names are', () => {
    const [long, other] = ['a'.repeat(63), 'b'.repeat(63)];
    const pipeline = bare({
      name: 'p'.repeat(40),
      columns: {
        A: { name: long, type: 'decimal', range: { min: 0, max: 1 } },
        B: { name: other, type: 'decimal' },
      },
      key: [],
      dashboards: { measures: [long], error: { of: long, range: other } },
    });
    const { id: dashboard, panels } = dataDashboard(pipeline);
    expect(Math.max(...panels.map(({ id }) => id.length))).toBeGreaterThan(150);
    for (const { id: panel } of panels) expect(panelPath.parse({ dashboard, panel })).toEqual({ dashboard, panel });
  });

  it('count the records of an hour over all hours in range, though no bucket is in each of them', async () => {
    const panel = dataDashboard(shipped.broadband).panels.find(({ id }) => id === 'broadband-by-usage-band');
    const { spec } = panel as ChartPanel;
    const buckets = [
      { key: 'low', doc_count: 5 },
      { key: 'high', doc_count: 15 },
    ];
    const answer = { aggregations: { rows: { buckets: [{ hours: { value: 10 }, each: { buckets } }] } } };
    const { spec: answered, told } = named(withAnswers(spec, requestsOf(spec, context), [answer]));
    const { rows } = await tableOf(compileChart(answered, { mode: 'light' }), told as Told);
    expect(rows).toEqual([
      ['low', 0.5],
      ['high', 1.5],
    ]);
  });

  it('show in mode latest all of time by the hour, as a source may have been the same for days', () => {
    const rangeOf = (name: string) => dataDashboard(definitions[name] ?? bare()).range;
    expect([rangeOf('broadband, latest'), rangeOf('broadband')]).toEqual([
      { from: '1970-01-01', to: 'now' },
      undefined,
    ]);
    expect(rangeOf('counties, latest')).toEqual(shipped.counties.dashboards.range);
  });

  it('ask in mode latest for what is there alone', () => {
    const { panels } = dataDashboard(definitions['broadband, latest'] ?? bare());
    const metrics = panels.filter((panel) => panel.kind === 'metric').map(({ where }) => where);
    expect(metrics).toEqual(metrics.map(() => ({ field: 'present', is: 'true' })));
    const asked = panels
      .filter(isChart)
      .flatMap(({ spec }) => requestsOf(spec, context).map(({ body }) => body['aggs']));
    const there = { present: { filter: { term: { present: true } }, aggs: expect.any(Object) as object } };
    expect(asked).toEqual(asked.map(() => there));
  });

  it.each(['county', 'state'])('show what has no records in grey on the map by %s', async (by) => {
    const map = dataDashboard(shipped.counties)
      .panels.filter(isChart)
      .find(({ id }) => id.endsWith(`by-${by}-map`));
    const spec = compileChart(filled(map as ChartPanel, 3), { mode: 'light', width: 600, height: 400 });
    const fills = (await (await viewOf(spec)).toSVG()).match(/<path[^>]* fill="[^"]+"/g) ?? [];
    expect(fills.filter((fill) => fill.includes(noRowsColor)).length).toBeGreaterThan(50);
    expect(fills.filter((fill) => fill.includes('geoshape'))).toHaveLength(3);
  });
});

describe('shapes', () => {
  it('have every state of the table under its FIPS code', () => {
    const { objects } = shapes('us-states') as unknown as { objects: { states: { geometries: { id: string }[] } } };
    const ids = objects.states.geometries.map(({ id }) => id);
    expect(Object.values(states).map(([id]) => id)).toEqual(expect.arrayContaining(ids));
    expect(ids).toHaveLength(Object.keys(states).length);
  });
});

function valuesOf(value: Json, keys: readonly string[]): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    ...(keys.includes(key) ? [item as Json] : []),
    ...valuesOf(item as Json, keys),
  ]);
}

import { describe, expect, it } from 'vitest';
import { parseDefinition } from '../../src/definition/parse.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { compileChart } from '../../src/dashboards/compile.ts';
import type { ChartPanel } from '../../src/dashboards/panel.ts';
import { dataDashboard } from '../../src/dashboards/panels/index.ts';
import { requestsOf, withAnswers } from '../../src/dashboards/requests.ts';
import { marksOf, viewOf } from '../helpers/dashboard-lab.ts';
import { fakeAnswer } from '../helpers/fake-answer.ts';

const head = `
name: shops
source: { url: https://example.org/x.csv }
columns:
  SHOP: { name: shop, required: true }
  STATE: { name: state, pattern: '[A-Z]{2}' }
  PRICE: { name: price, type: decimal, range: { min: 0, max: 500 } }
key: [shop]
`;
const search =
  '{ url: { body: { aggs: { shops: { terms: { field: shop, size: 5 } } } } }, format: { property: aggregations.shops.buckets } }';
const withSpec = (spec: string, id = 'mine'): string =>
  `${head}dashboards:\n  measures: [price]\n  panels:\n    - { id: ${id}, title: Mine, question: Which?, spec: ${spec} }\n`;
const chartOf = (data: string): string => `{ data: ${data}, mark: bar, encoding: { y: { field: key } } }`;
const good = chartOf(search);

function read(text: string): Pipeline {
  const parsed = parseDefinition(text);
  if ('pipeline' in parsed) return parsed.pipeline;
  throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
}

const chartsOf = (text: string): ChartPanel[] =>
  dataDashboard(read(text)).panels.filter((panel): panel is ChartPanel => panel.kind === 'chart');

const context = { from: 'now-24h', to: 'now', filters: {} };

describe('a panel written by hand', () => {
  it('stands behind the others, with what its writer left out', () => {
    const panel = chartsOf(withSpec(good)).at(-1);
    expect(panel).toMatchObject({
      ...{ id: 'shops-mine', title: 'Mine', question: 'Which?', size: { w: 24, h: 16 }, index: 'sluice-shops' },
      needs: { hour: 'date', shop: 'keyword' },
      spec: {
        $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
        data: { url: { '%context%': true, '%timefield%': 'hour', index: 'sluice-shops', body: { size: 0 } } },
      },
    });
  });

  it('takes the place of the generated one whose id it has', () => {
    const made = chartsOf(withSpec(good)).map(({ id }) => id);
    const replaced = chartsOf(withSpec(good, 'price-trend'));
    expect(replaced.map(({ id }) => id)).toEqual(made.filter((id) => id !== 'shops-mine'));
    expect(replaced.find(({ id }) => id === 'shops-price-trend')?.title).toBe('Mine');
  });

  it('is drawn, and on a map with the shapes that it names', async () => {
    const map = `{ projection: { type: albersUsa }, layer: [
      { data: { name: us-states, format: { type: topojson, feature: states } }, mark: geoshape },
      { data: ${search}, mark: circle, encoding: { longitude: { datum: -98 }, latitude: { datum: 39 } } } ] }`;
    const panel = chartsOf(withSpec(map)).at(-1);
    expect(Object.keys(panel?.spec['datasets'] ?? {})).toEqual(['us-states']);
    const requests = requestsOf(panel?.spec ?? {}, context);
    const spec = withAnswers(
      panel?.spec ?? {},
      requests,
      requests.map(({ body }) => fakeAnswer(body, 2)),
    );
    const view = await viewOf(compileChart(spec, { mode: 'light', width: 400, height: 300 }));
    expect(marksOf(view)).toBeGreaterThan(50);
  });

  const body = (more: string): string =>
    chartOf(`{ url: { body: { ${more} } }, format: { property: aggregations.a.buckets } }`);
  it.each([
    ['an id with capitals', withSpec(good, 'Mine'), 'panels.0.id: must be lower case letters'],
    ['an address', withSpec(chartOf('{ url: "https://example.org/x.csv" }')), 'data.url: must be a search'],
    [
      'an image from elsewhere',
      withSpec(`{ data: ${search}, mark: image, encoding: { url: { value: "https://x" } } }`),
      'encoding.url: must be a search',
    ],
    [
      'a link',
      withSpec(`{ data: ${search}, mark: bar, encoding: { href: { value: "https://x" } } }`),
      'encoding.href: leads elsewhere',
    ],
    [
      'another index',
      withSpec(chartOf('{ url: { index: secrets, body: {} }, format: { property: hits.hits } }')),
      'data.url.index: must be the pipeline’s own, sluice-shops',
    ],
    [
      'another time field',
      withSpec(chartOf('{ url: { "%timefield%": day, body: {} }, format: { property: hits.hits } }')),
      'must be hour',
    ],
    [
      'a word that is none',
      withSpec(chartOf('{ url: { bdy: {} }, format: { property: hits.hits } }')),
      'data.url.bdy: is no part of a search. Did you mean "body"?',
    ],
    ['a query', withSpec(body('query: { match_all: {} }')), 'body.query: must be left out'],
    [
      'a script',
      withSpec(body('aggs: { a: { terms: { script: { source: "1" }, size: 5 } } }')),
      'terms.script: is refused',
    ],
    ['a pipeline script', withSpec(body('aggs: { a: { bucket_script: {} } }')), 'a.bucket_script: is refused'],
    [
      'a hidden query',
      withSpec(body('aggs: { a: { filter: { wrapper: { query: e30= } } } }')),
      'filter.wrapper: is refused',
    ],
    [
      'terms of another index',
      withSpec(body('aggs: { a: { filter: { terms: { shop: { index: other, id: "1", path: x } } } } }')),
      'shop.index: is refused',
    ],
    [
      'a field that is none',
      withSpec(body('aggs: { a: { terms: { field: shp, size: 5 } } }')),
      '"shp" is no field of the index. Did you mean "shop"?',
    ],
    [
      'runtime fields',
      withSpec(body('runtime_mappings: {}')),
      'body.runtime_mappings: is nothing that a panel may ask',
    ],
    ['no search at all', withSpec('{ data: { values: [1] }, mark: bar }'), 'spec: asks nothing of the index'],
    ['rows nowhere', withSpec(chartOf('{ url: { body: { aggs: {} } } }')), 'spec.data: needs format.property'],
    [
      'its own colours',
      withSpec(`{ config: {}, data: ${search}, mark: bar }`),
      'spec.config: is set where the panel is shown',
    ],
    [
      'another language',
      withSpec(`{ $schema: "https://vega.github.io/schema/vega/v5.json", data: ${search}, mark: bar }`),
      '$schema: must be that of Vega-Lite 5',
    ],
    [
      'its own shapes',
      withSpec(`{ datasets: { x: [] }, data: ${search}, mark: bar }`),
      'spec.datasets: is filled by Sluice',
    ],
    [
      'too much',
      withSpec(`{ description: ${'x'.repeat(100_001)}, data: ${search}, mark: bar }`),
      'longer than a hundred thousand characters',
    ],
    [
      'an id twice',
      `${withSpec(good)}    - { id: mine, title: T, question: Q?, spec: ${good} }\n`,
      'panels.1.id: "mine" is the id of a panel above',
    ],
    ['a range that is none', `${head}dashboards: { range: { from: yesterday } }`, 'range.from: must be like now'],
    ['a day that is none', `${head}dashboards: { range: { from: 2026-13-45 } }`, 'range.from: must be like now'],
    ['a range backwards', `${head}dashboards: { range: { from: now, to: now-9y } }`, 'range: must end after it begins'],
    ['a measure twice', `${head}dashboards: { measures: [price, price] }`, 'measures: names a column twice'],
    ['a category twice', `${head}dashboards: { categories: [state, state] }`, 'categories: names a column twice'],
  ])('is refused with %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

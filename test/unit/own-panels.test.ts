import { describe, expect, it } from 'vitest';
import { sentenceOf } from '../../src/definition/errors.ts';
import { parseDefinition } from '../../src/definition/parse.ts';
import type { Pipeline } from '../../src/definition/pipeline.ts';
import { compileChart } from '../../src/dashboards/compile.ts';
import type { ChartPanel } from '../../src/dashboards/panel.ts';
import { requireDrawable, undrawableIn } from '../../src/dashboards/drawable.ts';
import { dataDashboard } from '../../src/dashboards/panels/index.ts';
import { dashboardsOf } from '../../src/dashboards/registry.ts';
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
  const beside = (more: string): string => chartOf(search.replace('{ url', `{ ${more}, url`));
  const layered = (data: string): string => `{ layer: [{ data: ${data}, mark: bar }, { data: ${search}, mark: bar }] }`;
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
    ['rows beside its search', withSpec(beside('values: [1]')), 'spec.data: has values beside its url'],
    ['other data beside its search', withSpec(beside('source: x')), 'spec.data: has source beside its url'],
    [
      'a mark that is none',
      withSpec(`{ data: ${search}, mark: { type: barr } }`),
      'no mark of Vega-Lite. Did you mean "bar"?',
    ],
    ['rows without end', withSpec(layered('{ sequence: { start: 0, stop: 1.0e10 } }')), 'data.sequence: is refused'],
    ['lines without end', withSpec(layered('{ graticule: { step: [0.01, 0.01] } }')), 'data.graticule: is refused'],
    [
      'an expression without end',
      withSpec(`{ params: [{ name: p, expr: "sequence (1e9)" }], data: ${search}, mark: bar }`),
      'params.0.expr: calls sequence()',
    ],
    [
      'the same in codes',
      withSpec(`{ data: ${search}, transform: [{ calculate: 'seq\\u0075ence(1e9)', as: x }], mark: bar }`),
      'transform.0.calculate: calls sequence()',
    ],
    [
      'rows that are made up',
      withSpec(
        `{ data: ${search}, transform: [{ impute: key, key: k, keyvals: { start: 0, stop: 1.0e9 } }], mark: bar }`,
      ),
      'keyvals.stop: is refused',
    ],
    [
      'steps without end',
      withSpec(`{ data: ${search}, transform: [{ density: key, steps: 1.0e9 }] }`),
      '1,000 at most',
    ],
    ['what a reader leaves out', withSpec(body('aggs: { a: { global: {} } }')), 'a.global: is refused'],
    [
      'a size above all',
      withSpec(body('aggs: { a: { terms: { field: shop, size: 65535 } } }')),
      'size: must be a number',
    ],
    [
      'a size as a text',
      withSpec(body('aggs: { a: { terms: { field: shop, size: "9" } } }')),
      'size: must be a number',
    ],
    ['a size of documents', withSpec(body('size: 100000')), 'body.size: must be a number'],
    [
      'sizes that multiply',
      withSpec(
        body('aggs: { a: { terms: { field: shop, size: 200 }, aggs: { b: { terms: { field: state, size: 51 } } } } }'),
      ),
      'aggs.a.aggs.b: asks for 10,200 buckets',
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

  it.each([
    [
      'half an expression',
      `{ data: ${search}, transform: [{ calculate: 'datum.a +', as: x }], mark: bar, encoding: { y: { field: x } } }`,
      'Unexpected end of input',
    ],
    ['a parameter of half an expression', `{ params: [{ name: p, expr: '1 +' }], data: ${search}, mark: bar }`, '1 +'],
  ])('with %s is refused once it is compiled, where it stands', (_, spec, said) => {
    const text = withSpec(spec);
    const parsed = parseDefinition(text, undrawableIn);
    expect(parsed).toMatchObject({
      problems: [{ path: 'dashboards.panels.0.spec', message: expect.stringContaining(said) as string }],
    });
    expect(() => requireDrawable(read(text))).toThrow(expect.objectContaining({ code: 'DashboardInvalid' }) as Error);
  });

  it('that can be drawn is no problem', () => {
    expect(parseDefinition(withSpec(good), undrawableIn)).toHaveProperty('pipeline');
  });
});

describe('a dashboard that cannot be made', () => {
  const sound = read(withSpec(good));
  // As it would be in a schedule of before it was refused.
  const panels = sound.dashboards.panels?.map((panel) => ({
    ...panel,
    spec: { ...panel.spec, data: { url: { body: {} }, values: [1] } },
  }));
  const broken: Pipeline = { ...sound, name: 'broken', dashboards: { ...sound.dashboards, panels } };

  it('is left out, and the others are there', () => {
    const left: string[] = [];
    const ids = dashboardsOf([broken, sound], (name, error) => left.push(`${name}: ${sentenceOf(error)}`)).map(
      ({ id }) => id,
    );
    expect(ids).toEqual(['data-shops', 'operations']);
    expect(left).toEqual([expect.stringMatching(/^broken: The dashboard of broken cannot be made: .*beside its url/)]);
  });

  it('is an error in a sentence to who asks for it alone', () => {
    expect(() => dashboardsOf([broken])).toThrow(expect.objectContaining({ code: 'DashboardInvalid' }) as Error);
  });
});

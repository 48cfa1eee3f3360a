import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDefinition } from '../../src/definition/load.ts';
import { sentenceOfFinding } from '../../src/dashboards/kibana/finding.ts';
import { fieldsOfBody } from '../../src/dashboards/kibana/asked-fields.ts';
import { layOut } from '../../src/dashboards/kibana/layout.ts';
import { kibanaObjects } from '../../src/dashboards/kibana/objects.ts';
import { ndjson, type SavedObject } from '../../src/dashboards/kibana/saved-object.ts';
import { IMPORT_BYTES, validateNdjson, validateObjects } from '../../src/dashboards/kibana/validate.ts';
import { areRows } from '../../src/dashboards/kibana/validate-answers.ts';
import { requestsOf } from '../../src/dashboards/requests.ts';
import type { Dashboard } from '../../src/dashboards/panel.ts';
import { inkOf, palette } from '../../src/dashboards/theme.ts';
import { dashboardsOf } from '../../src/dashboards/registry.ts';
import {
  definitions,
  inSpec,
  sampleDashboard,
  sampleObjects,
  within,
  type Loose,
} from '../helpers/kibana-dashboards.ts';

const sample: readonly SavedObject[] = sampleObjects();

describe('saved objects', () => {
  it.each(['broadband', 'counties'])('of %s are sound, and the same each time', async (name) => {
    const build = async (): Promise<SavedObject[]> =>
      kibanaObjects(dashboardsOf([await loadDefinition(join(definitions, `${name}.yaml`))]));
    const objects = await build();
    expect(validateObjects(objects).findings.map(sentenceOfFinding)).toEqual([]);
    expect(ndjson(await build())).toBe(ndjson(objects));
    expect(validateNdjson(ndjson(objects)).objects).toHaveLength(objects.length);
  });

  it.each(['broadband', 'counties'])(
    'of %s search for no field that their panels do not say they need',
    async (name) => {
      const dashboards = dashboardsOf([await loadDefinition(join(definitions, `${name}.yaml`))]);
      const context = { from: 'now-24h', to: 'now', filters: {} };
      const charts = dashboards.flatMap(({ panels }) => panels.filter((panel) => panel.kind === 'chart'));
      const missing = charts.flatMap(({ id, spec, needs }) =>
        requestsOf(spec, context)
          .flatMap(({ body }) => fieldsOfBody(body, 'body'))
          .filter(({ field, types }) => !(types?.includes(needs[field] ?? '') ?? field in needs))
          .map(({ where, field }) => `${id}: ${where} ${field}`),
      );
      expect(missing).toEqual([]);
      expect(charts.length).toBeGreaterThan(5);
    },
  );

  it('are a data view, a chart, tiles of Lens and a dashboard, in the order in which they refer to each other', () => {
    expect(sample.map(({ type, id }) => `${type} ${id}`)).toEqual([
      'index-pattern sluice-view.sluice-sample.observed_at',
      'lens sluice-sample.records',
      'visualization sluice-sample.by-state',
      'lens sluice-sample.usage',
      'lens sluice-sample.newest',
      'lens sluice-sample.states',
      'dashboard sluice-sample',
    ]);
    expect(validateObjects(sample).findings).toEqual([]);
    const { attributes } = sample[3] as Loose;
    const column = attributes.state.datasourceStates.formBased.layers.layer.columns.value;
    expect(column).toMatchObject({
      operationType: 'average',
      sourceField: 'usage',
      filter: { query: String.raw`state: "C\"A\\"`, language: 'kuery' },
      params: { format: { id: 'percent' } },
    });
  });

  it('show at first the time that a dashboard names, or else the last day', () => {
    const shown = (dashboard: Dashboard): unknown => kibanaObjects([dashboard]).at(-1)?.attributes;
    expect(shown(sampleDashboard())).toMatchObject({ timeRestore: true, timeFrom: 'now-24h', timeTo: 'now' });
    const range = { from: '2019-11-01', to: '2020-10-31' };
    expect(shown({ ...sampleDashboard(), range })).toMatchObject({
      timeFrom: '2019-11-01T00:00:00.000Z',
      timeTo: '2020-10-31T23:59:59.999Z',
    });
  });

  it('hold a spec as text in text, as Kibana’s editor shows it', () => {
    const chart = sampleDashboard().panels[1];
    const { visState } = (sample[2] as Loose).attributes;
    const { spec } = JSON.parse(visState).params;
    expect(JSON.parse(spec)).toEqual((chart as Loose).spec);
    expect(spec).toContain('\n  "$schema"');
  });

  it('have colours of their own, and leave those of text and lines to Kibana, which is light or dark', () => {
    const { visState } = (sample[2] as Loose).attributes;
    const { config } = JSON.parse(JSON.parse(visState).params.spec);
    expect(config).toMatchObject({ mark: { color: palette.main }, range: { category: palette.categories } });
    const inks = [inkOf('light'), inkOf('dark')].flatMap(({ text, quiet, line }) => [text, quiet, line]);
    expect(inks.filter((ink) => JSON.stringify(config).includes(ink))).toEqual([]);
    // Kibana fills in these where they are not there.
    const filled = [config.axis, config.legend ?? {}, config.title].flatMap((one) => Object.keys(one));
    expect(filled.filter((key) => /color/i.test(key))).toEqual([]);
    expect(config).not.toHaveProperty('style');
    // It fills in nothing for text in a chart: it is read on white, and on what Kibana 8 and 9 have for a dark ground.
    for (const paper of ['#ffffff', inkOf('dark').paper, '#1d1e24', '#0b1628', '#07101f']) {
      expect(contrast(config.text.color, paper)).toBeGreaterThan(4);
    }
  });

  it('keep map shapes on one line, and the spec the same', () => {
    const dashboard = sampleDashboard();
    const datasets = { 'us-states': { type: 'Topology', arcs: [[[1, 2]]], note: '$& and $1' } };
    const panels = dashboard.panels.map((panel) =>
      panel.kind === 'chart' ? { ...panel, spec: { ...panel.spec, datasets } } : panel,
    );
    const [, , chart] = kibanaObjects([{ ...dashboard, panels }]);
    const { spec } = JSON.parse((chart as Loose).attributes.visState).params;
    expect(JSON.parse(spec).datasets).toEqual(datasets);
    expect(spec).toMatch(/\n {2}"datasets": \{.*\}\n\}$/);
  });
});

/** Of two colours, as WCAG reckons it. */
function contrast(one: string, other: string): number {
  const light = (color: string): number => {
    const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255);
    const [r = 0, g = 0, b = 0] = parts.map((part) =>
      part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark = 0, bright = 0] = [light(one), light(other)].toSorted((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

describe('the grid', () => {
  it('is filled from left to right, each panel as far up as it fits', () => {
    const sizes = [
      { w: 16, h: 10 },
      { w: 16, h: 4 },
      { w: 16, h: 4 },
      { w: 32, h: 6 },
      { w: 48, h: 3 },
    ];
    expect(layOut(sizes).map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [16, 0],
      [32, 0],
      [16, 4],
      [0, 10],
    ]);
    expect(() => layOut([{ w: 49, h: 1 }])).toThrow('a panel cannot be 49 columns by 1 rows');
  });
});

describe('the validator', () => {
  const chart = (objects: Loose[]): Loose => objects.find(({ type }) => type === 'visualization');
  const tile = (objects: Loose[]): Loose => objects.find(({ type }) => type === 'lens');
  const board = (objects: Loose[]): Loose => objects.find(({ type }) => type === 'dashboard');
  const view = (objects: Loose[]): Loose => objects.find(({ type }) => type === 'index-pattern');
  const column = (objects: Loose[]): Loose =>
    tile(objects).attributes.state.datasourceStates.formBased.layers.layer.columns.value;
  /** Changes the panels of the dashboard. */
  const panels =
    (change: (panels: Loose) => void) =>
    (objects: Loose[]): void => {
      const { attributes } = board(objects);
      attributes.panelsJSON = within(attributes.panelsJSON, change);
    };
  const V = 'visualization sluice-sample.by-state';
  const S = `${V}, attributes.visState.params.spec`;
  const D = 'dashboard sluice-sample';
  const L = 'lens sluice-sample.records';

  const lookUp = (name: string): Loose => ({
    lookup: 'key',
    from: { data: { name }, key: 'key', fields: ['other'] },
  });

  /** What is done to objects that are sound, and what is to be said of it. */
  const mutations: Readonly<Record<string, readonly [(objects: Loose[]) => void, ...string[]]>> = {
    'an object without an id': [
      (o) => delete chart(o).id,
      'line 3: has no id, so each import would make another object',
    ],
    'an id that links cannot hold': [(o) => (view(o).id = 'a b'), 'index-pattern a b, id: may have letters'],
    'a type that nobody knows': [(o) => (tile(o).type = 'canvas'), 'line 2, type: "canvas" is no type of saved object'],
    'the same id twice': [
      (o) => o.push(structuredClone(tile(o))),
      `${L}, id: is that of another object of the file, which one import would write over: give one of the two panels another id (dashboards.panels[].id), or rename the column`,
    ],
    'a type version of a later Kibana': [
      (o) => (board(o).typeMigrationVersion = '99.1.0'),
      `${D}, typeMigrationVersion: is not the version in which a dashboard is written here, and a Kibana that does not know it refuses it: write 8.7.0.`,
    ],
    'another core version': [
      (o) => (tile(o).coreMigrationVersion = '1.0.0'),
      `${L}, coreMigrationVersion: is not what`,
    ],
    'an object that nobody may edit': [(o) => (tile(o).managed = true), `${L}, managed: is not false`],
    'what Kibana adds itself': [
      (o) => (tile(o).updated_at = 'x'),
      `${L}, updated_at: is nothing that Kibana knows in a lens`,
    ],
    'an attribute that no dashboard has': [
      (o) => (board(o).attributes.color = 'red'),
      `${D}, attributes.color: is nothing that Kibana knows in a dashboard there: remove it.`,
    ],
    'a missing title': [
      (o) => delete board(o).attributes.title,
      `${D}, attributes.title: is missing: it has to be a string.`,
    ],
    'an empty title': [(o) => (board(o).attributes.title = ''), `${D}, attributes.title: is empty: fill it in.`],
    'a time range that is to be restored and is not there': [
      (o) => delete board(o).attributes.timeTo,
      `${D}, attributes.timeRestore: is true, and timeFrom or timeTo is missing`,
    ],
    'panels that are no JSON': [
      (o) => (board(o).attributes.panelsJSON = '[{'),
      `${D}, attributes.panelsJSON: is no JSON`,
    ],
    'options that are an object and no string': [
      (o) => (board(o).attributes.optionsJSON = {}),
      `${D}, attributes.optionsJSON: has to be a string.`,
    ],
    'a field format that is no JSON': [
      (o) => (view(o).attributes.fieldFormatMap = '{a:1}'),
      'index-pattern sluice-view.sluice-sample.observed_at, attributes.fieldFormatMap: is no JSON',
    ],
    'a spec that was encoded once only': [
      (o) => (chart(o).attributes.visState = within(chart(o).attributes.visState, ({ params }) => (params.spec = {}))),
      `${S}: has to be a string.`,
    ],
    'a spec that is cut': [
      (o) =>
        (chart(o).attributes.visState = within(
          chart(o).attributes.visState,
          ({ params }) => (params.spec = params.spec.slice(0, 90)),
        )),
      `${S}: is no JSON`,
    ],
    'a panel without its reference': [
      (o) => board(o).references.splice(0, 1),
      `${D}, references: has no "records:panel_records", which panel "records" asks for: add it.`,
      `${L}: stands on no dashboard of the file`,
    ],
    'a reference that nothing names': [
      (o) => board(o).references.push({ name: 'x:panel_x', type: 'lens', id: tile(o).id }),
      `${D}, references: has "x:panel_x", which nothing in it names: remove it.`,
    ],
    'a reference twice': [
      (o) => board(o).references.push({ ...board(o).references[0] }),
      `${D}, references: has "records:panel_records" 2 times: leave one.`,
    ],
    'a reference to another type': [
      (o) => Object.assign(board(o).references[0], { type: 'visualization', id: chart(o).id }),
      `${D}, references: has "records:panel_records" as visualization, and panel "records" wants lens.`,
      `${L}: stands on no dashboard of the file`,
    ],
    'a target that is not in the file': [
      (o) => o.splice(o.indexOf(view(o)), 1),
      `${L}, references: leads to index-pattern sluice-view.sluice-sample.observed_at by "indexpattern-datasource-layer-layer", which is not in the file`,
    ],
    'a control without its data view': [
      (o) => board(o).references.pop(),
      `${D}, references: has no "controlGroup_filter-state:optionsListDataView", which control "filter-state" asks for`,
    ],
    'a control under another id': [
      (o) => {
        const group = board(o).attributes.controlGroupInput;
        group.panelsJSON = within(group.panelsJSON, (all) => (all['filter-state'].explicitInput.id = 'other'));
      },
      `${D}, attributes.controlGroupInput.panelsJSON.filter-state.explicitInput.id: is "other"`,
    ],
    'a search source that names a data view without a reference': [
      (o) => {
        const meta = chart(o).attributes.kibanaSavedObjectMeta;
        meta.searchSourceJSON = within(meta.searchSourceJSON, (source) => (source.indexRefName = 'view'));
      },
      `${V}, references: has no "view", which searchSourceJSON asks for`,
    ],
    'a place under another name': [
      panels((all) => (all[0].gridData.i = '7')),
      `${D}, attributes.panelsJSON[0].gridData.i: is "7" and panelIndex "records": Kibana wants them to be the same.`,
    ],
    'a panel that reaches out of the grid': [
      panels((all) => Object.assign(all[1].gridData, { x: 40, y: 90 })),
      `${D}, attributes.panelsJSON[1].gridData: reaches out of the 48 columns: it begins at 40 and is 16 wide.`,
    ],
    'a panel without a height': [
      panels((all) => (all[2].gridData.h = 0)),
      `${D}, attributes.panelsJSON[2].gridData: is 8 by 0`,
    ],
    'half a column': [
      panels((all) => (all[2].gridData.w = 7.5)),
      `${D}, attributes.panelsJSON[2].gridData.w: has to be`,
    ],
    'a panel on top of another': [
      panels((all) => Object.assign(all[1].gridData, { x: 4, y: 3 })),
      `${D}, attributes.panelsJSON[1].gridData: lies on top of panel "records": give them places of their own.`,
    ],
    'a panel by value': [
      panels((all) => delete all[0].panelRefName),
      `${D}, attributes.panelsJSON[0].panelRefName: is missing`,
    ],
    'a count of a field': [
      (o) => (column(o).sourceField = 'usage'),
      `${L}, attributes.state.datasourceStates.formBased.layers.layer.columns.value.sourceField: is ___records___ for a count`,
    ],
    'an operation that Lens has not': [(o) => (column(o).operationType = 'avg'), 'has to be "count" or "average" or'],
    'a tile of a column that is not there': [
      (o) => (tile(o).attributes.state.visualization.metricAccessor = 'x'),
      `${L}, attributes.state.visualization.metricAccessor: "x" is no column of its layer`,
    ],
    'Vega-Lite 6': [
      inSpec((s) => (s.$schema = 'https://vega.github.io/schema/vega-lite/v6.json')),
      `${S}.$schema: is "https://vega.github.io/schema/vega-lite/v6.json": write https://vega.github.io/schema/vega-lite/v5.json`,
    ],
    'no version at all': [inSpec((s) => delete s.$schema), `${S}.$schema: is missing: write`],
    'no colours of its own': [
      inSpec((s) => delete s.config),
      `${S}.config: is missing, and Kibana puts its own colours`,
    ],
    'a width in pixels': [
      inSpec((s) => (s.width = 600)),
      `${S}.width: is a number, and Kibana fits a chart to its panel`,
    ],
    'data from the web': [
      inSpec((s) => (s.data = { url: 'https://example.org/x.json' })),
      `${S}.data.url: is the address "https://example.org/x.json", and Kibana fetches none`,
    ],
    'values beside a request': [
      inSpec((s) => (s.data.values = [])),
      `${S}.data.values: stands beside url, and Kibana takes one of them: remove it.`,
    ],
    'a query beside the context': [
      inSpec((s) => (s.data.url.body.query = { match_all: {} })),
      `${S}.data.url.body.query: stands beside %context%, which becomes the query`,
    ],
    'a request without the context': [
      inSpec((s) => delete s.data.url['%context%']),
      `${S}.data.url.%context%: is not true, so that filters of the dashboard would not count`,
    ],
    'a request without a time field': [
      inSpec((s) => delete s.data.url['%timefield%']),
      `${S}.data.url.%timefield%: is missing`,
    ],
    'a request of another kind': [
      inSpec((s) => (s.data.url['%type%'] = 'esql')),
      `${S}.data.url.%type%: is no part of a search`,
    ],
    'a mark that Kibana alone replaces': [
      inSpec((s) => (s.data.url.body.aggs.states.terms.min_doc_count = '%autointerval%')),
      'has %autointerval%, which the page does not know: write it out',
    ],
    'terms without a size': [
      inSpec((s) => delete s.data.url.body.aggs.states.terms.size),
      `${S}.data.url.body.aggs.states.terms: has no size, and Elasticsearch gives ten`,
    ],
    'an answer of which nothing is taken': [
      inSpec((s) => delete s.data.format),
      `${S}.data.format.property: is missing`,
    ],
    'a function of Kibana': [
      inSpec((s) => (s.params = [{ name: 'p', expr: 'kibanaAddFilter({})' }])),
      `${S}.params[0].expr: calls kibanaAddFilter, which is there in Kibana alone`,
    ],
    'map mode': [
      inSpec((s) => (s.config.kibana = { type: 'map' })),
      `${S}.config.kibana: asks for what Kibana alone has, such as its map mode`,
    ],
    'a mark that does not exist': [
      inSpec((s) => (s.mark = 'barr')),
      `${S}.mark: does not fit the schema of Vega-Lite, it has to be one of arc, area, bar`,
    ],
    'a channel that does not exist': [
      inSpec((s) => (s.encoding.colour = { value: 'red' })),
      `${S}.encoding: does not fit the schema of Vega-Lite, it must not have "colour".`,
    ],
    'a channel that Vega-Lite 6 alone has': [
      inSpec((s) => (s.encoding.time = { field: 'key', type: 'nominal' })),
      `${S}.encoding: does not fit the schema of Vega-Lite, it must not have "time".`,
    ],
    'data that nobody has': [
      inSpec((s) => (s.transform = [lookUp('us-countis')])),
      `${S}.transform[0].from.data.name: "us-countis" is no data of the spec: name what it has, or us-states or us-counties with the shapes in datasets.`,
    ],
    'shapes that are not in the spec': [
      inSpec((s) => Object.assign(s, { transform: [lookUp('us-states')], datasets: { other: [] } })),
      `${S}.transform[0].from.data.name: "us-states" is no data of the spec: name what it has (other), or us-states`,
    ],
    'a type that every object has': [
      (o) => (tile(o).type = 'constructor'),
      'line 2, type: "constructor" is no type of saved object',
    ],
    'a formula that cannot be read': [
      inSpec((s) => (s.transform = [{ calculate: 'datum.a +', as: 'b' }])),
      `${S}: does not compile: `,
    ],
    'a function that nobody has': [
      inSpec((s) => (s.transform = [{ calculate: 'explode(datum.a)', as: 'b' }])),
      `${S}: does not compile: Unrecognized function: explode`,
    ],
    'a file without objects': [(o) => o.splice(0), 'the file: holds no saved object'],
    'a file that is too large': [(o) => (view(o).attributes.name = 'x'.repeat(IMPORT_BYTES)), 'the file: has 26'],
  };

  it('is tried in as many ways as the documentation says', () => {
    expect(Object.keys(mutations).length).toBeGreaterThan(50);
  });

  it.each(Object.entries(mutations))('finds %s', (_, [breakIt, ...said]) => {
    const broken = structuredClone(sample) as Loose[];
    breakIt(broken);
    const sentences = validateObjects(broken).findings.map(sentenceOfFinding);
    for (const sentence of said) expect(sentences).toEqual(expect.arrayContaining([expect.stringContaining(sentence)]));
    // A mistake is said once, where it is; an object that is gone at each that leads to it.
    expect(
      sentences.filter(
        (sentence) => !said.some((one) => sentence.includes(one)) && !/which is not in the file/.test(sentence),
      ),
    ).toEqual([]);
  });

  it('takes data that a spec has by name', () => {
    const named = structuredClone(sample) as Loose[];
    inSpec((s) => {
      s.data.name = 'states';
      s.datasets = { mine: [{ key: 'CA', other: 1 }] };
      s.transform = [lookUp('states'), lookUp('mine')];
    })(named);
    expect(validateObjects(named).findings.map(sentenceOfFinding)).toEqual([]);
  });

  it('looks up fields of sorting and of what comes back, too', () => {
    const asked = (body: Loose): string[] =>
      fieldsOfBody(body, 'body').map(({ where, field, by }) => `${where} ${field} ${by}`);
    expect(asked({ sort: ['_score', 'a', { b: 'desc' }, { c: { order: 'asc' } }, { _doc: 'asc' }] })).toEqual([
      'body.sort[1] a sort',
      'body.sort[2].b b sort',
      'body.sort[3].c c sort',
    ]);
    expect(asked({ sort: 'a', _source: ['b', 'c*'], fields: ['d', { field: 'e' }] })).toEqual([
      'body.sort a sort',
      'body._source[0] b _source',
      'body.fields[0] d fields',
      'body.fields[1].field e fields',
    ]);
    expect(asked({ _source: { includes: ['a'], excludes: 'b' } })).toEqual([
      'body._source.includes[0] a _source',
      'body._source.excludes b _source',
    ]);
    expect(asked({ _source: false, aggs: { sort: { top_hits: { sort: [{ a: 'asc' }], _source: 'b' } } } })).toEqual([
      'body.aggs.sort.top_hits.sort[0].a a sort',
      'body.aggs.sort.top_hits._source b _source',
    ]);
    // Its names are those of aggregations.
    expect(asked({ aggs: { a: { bucket_sort: { sort: [{ mean: 'asc' }] } } } })).toEqual([]);
  });

  it.each<[string, Loose, boolean]>([
    ['buckets', [], true],
    ['buckets', { CA: { doc_count: 1 }, TX: { doc_count: 0 } }, true],
    ['buckets', {}, true],
    ['hits', [{ _source: {} }], true],
    ['values', { '50.0': 1, '99.0': null }, true],
    ['mean', { value: 3 }, true],
    ['kinds', { doc_count_error_upper_bound: 0, sum_other_doc_count: 0, buckets: [] }, false],
    ['buckets', { sum_other_doc_count: 0, buckets: [] }, false],
    ['filtered', { doc_count: 1, rows: { buckets: [] } }, false],
    ['hits', { total: { value: 1 }, hits: [] }, false],
    ['rows', {}, false],
    ['rows', null, false],
    ['rows', 7, false],
    ['rows', undefined, false],
  ])('looks for rows, and what is below %s is %j: %s', (key, value, rows) => {
    expect(areRows(value, key)).toBe(rows);
  });

  it('says which line is no JSON, and takes an export of Kibana with its summary', () => {
    const text = ndjson(sample);
    expect(validateNdjson(`${text}{"exportedCount":7,"missingRefCount":0}\n`).findings).toEqual([]);
    const [first] = validateNdjson(text.replace('\n', '\n{"id":\n')).findings;
    expect(first && sentenceOfFinding(first)).toMatch(/^line 2: is no JSON \(.*\): write one object a line\.$/);
  });
});

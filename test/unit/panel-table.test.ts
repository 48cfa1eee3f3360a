import { describe, expect, it } from 'vitest';
import { compileChart } from '../../src/dashboards/compile.ts';
import type { Json, JsonObject } from '../../src/dashboards/panel.ts';
import { withShapesFrom } from '../../src/dashboards/shapes.ts';
import { named, tableOf, type PanelTable } from '../../src/dashboards/table.ts';

async function table(spec: JsonObject): Promise<PanelTable> {
  const { spec: whole, told } = named(spec);
  if (told === undefined) throw new Error('nothing in it shows a field');
  return tableOf(compileChart(whole, { mode: 'light' }), told);
}

const buckets = [
  { key: 'CA', key_as_string: 'x', doc_count: 3, mean: { value: 0.25 } },
  { key: 'NY', key_as_string: 'y', doc_count: 1, mean: { value: null } },
];
const bars = {
  data: { values: buckets },
  mark: 'bar',
  encoding: {
    y: { field: 'key', type: 'nominal' },
    x: { field: 'mean.value', type: 'quantitative', title: 'mean' },
  },
};
const tooltip: Json = [
  { field: 'key', type: 'nominal', title: 'state' },
  { field: 'mean.value', type: 'quantitative', title: 'mean', format: '.1f' },
  { field: 'doc_count', type: 'quantitative' },
];

describe('the table of a chart', () => {
  it('says what its tooltips say, in whole numbers, and what is below a path', async () => {
    expect(await table({ ...bars, encoding: { ...bars.encoding, tooltip } })).toEqual({
      columns: [
        { title: 'state', numeric: false },
        { title: 'mean', numeric: true },
        { title: 'doc_count', numeric: true },
      ],
      // What has no mean has no bar.
      rows: [['CA', 0.25, 3]],
    });
  });

  it('says what is drawn where there is no tooltip, and leaves out what has no number', async () => {
    expect(await table(bars)).toEqual({
      columns: [
        { title: 'key', numeric: false },
        { title: 'mean', numeric: true },
      ],
      rows: [['CA', 0.25]],
    });
  });

  it('is that of the layer that has a tooltip, with what the layers share, wherever it stands', async () => {
    const rule = { mark: 'rule', encoding: { x: { field: 'doc_count', type: 'quantitative' } } };
    const layered = {
      data: { values: buckets },
      encoding: { y: { field: 'key', type: 'nominal' } },
      layer: [rule, { mark: 'bar', encoding: { tooltip } }],
    };
    expect((await table(layered)).rows).toEqual([
      ['CA', 0.25, 3],
      ['NY', null, 1],
    ]);
    expect((await table({ vconcat: [{ data: { values: buckets }, ...rule }, layered] })).columns[0]?.title).toBe(
      'state',
    );
  });

  it('says times in a form that sorts, and what transforms make of the rows', async () => {
    const { rows } = await table({
      data: { values: [{ key: Date.UTC(2026, 10, 24, 3), stages: [{ ms: 5 }, { ms: 7 }] }] },
      transform: [{ flatten: ['stages'] }, { calculate: 'datum.stages.ms * 2', as: 'twice' }],
      mark: 'line',
      encoding: {
        x: { field: 'key', type: 'temporal' },
        y: { field: 'twice', type: 'quantitative' },
        color: { field: 'key', type: 'nominal' },
      },
    });
    expect(rows).toEqual([
      ['2026-11-24T03:00:00.000Z', 10],
      ['2026-11-24T03:00:00.000Z', 14],
    ]);
  });

  it('of a map has a row for each place with data, and the shapes come from elsewhere', async () => {
    const shape = (id: string, name: string) => ({ type: 'Polygon', arcs: [[0]], id, properties: { name } });
    const topology = {
      type: 'Topology',
      arcs: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 0],
        ],
      ],
      objects: {
        states: { type: 'GeometryCollection', geometries: [shape('06', 'California'), shape('48', 'Texas')] },
      },
    };
    const spec = {
      datasets: { 'us-states': topology },
      projection: { type: 'albersUsa' },
      data: { name: 'us-states', format: { type: 'topojson', feature: 'states' } },
      transform: [
        { lookup: 'id', from: { data: { values: [{ key: '06', n: 7 }] }, key: 'key', fields: ['n'] } },
        { calculate: 'datum.properties.name', as: 'place' },
      ],
      mark: 'geoshape',
      encoding: {
        color: { field: 'n', type: 'quantitative' },
        tooltip: [
          { field: 'place', type: 'nominal' },
          { field: 'n', type: 'quantitative' },
        ],
      },
    };
    expect((await table(spec as unknown as JsonObject)).rows).toEqual([['California', 7]]);
    const sent = withShapesFrom(compileChart(spec as unknown as JsonObject, { mode: 'light' }), {
      'us-states': 'shapes',
    });
    expect(JSON.stringify(sent)).not.toContain('Topology');
    expect(sent.data?.find(({ name }) => name === 'us-states')).toMatchObject({
      url: 'shapes',
      format: { type: 'topojson', feature: 'states' },
    });
  });

  it('of points has where they are', async () => {
    const { rows } = await table({
      data: { values: [{ at: { lon: -100, lat: 40 }, n: 2 }] },
      projection: { type: 'albersUsa' },
      mark: 'circle',
      encoding: {
        longitude: { field: 'at.lon', type: 'quantitative' },
        latitude: { field: 'at.lat', type: 'quantitative' },
        size: { field: 'n', type: 'quantitative' },
      },
    });
    expect(rows).toEqual([[-100, 40, 2]]);
  });
});

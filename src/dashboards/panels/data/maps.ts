import type { ChartPanel, Json, JsonObject } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { noRowsColor, palette } from '../../theme.ts';
import { shapeSets, stateRows } from '../../us.ts';
import { chart } from '../chart.ts';
import { lookOf } from '../numbers.ts';
import { lower, words } from '../words.ts';
import { meanByCounty, meanByState } from './mean-by.ts';

/** The main measure by county, on a map. */
export function countyMap(subject: Subject): ChartPanel | undefined {
  const [measure] = subject.measures;
  if (subject.county === undefined || measure === undefined) return undefined;
  return chart(subject, {
    id: `${measure}-by-county-map`,
    title: `${words(measure)} by county`,
    question: `Where is ${lower(measure)} high, and where low? Mean of each county over all hours in range; grey: no records.`,
    needs: [subject.county, measure],
    size: { w: 32, h: 32 },
    spec: {
      datasets: shapeSets('us-counties', 'us-states'),
      projection: usProjection,
      layer: [
        land,
        {
          data: { name: 'us-counties', format: { type: 'topojson', feature: 'counties' } },
          transform: [
            { calculate: 'slice(datum.id, 0, 2)', as: 'state_id' },
            {
              lookup: 'id',
              from: {
                data: meanByCounty(subject, subject.county, measure),
                key: 'key',
                fields: ['mean', 'doc_count'],
              },
            },
            { lookup: 'state_id', from: { data: { values: [...stateRows] }, key: 'id', fields: ['name'] } },
            { calculate: "datum.properties.name + ', ' + datum.name", as: 'place' },
            ...shaded,
          ],
          mark: { type: 'geoshape', stroke: null },
          encoding: shade(subject, measure, 'County'),
        },
        { ...land, mark: { ...land.mark, fill: null } },
      ],
    },
  });
}

/** The main measure by state, on a map. */
export function stateMap(subject: Subject): ChartPanel | undefined {
  const [measure] = subject.measures;
  if (subject.state === undefined || measure === undefined) return undefined;
  return chart(subject, {
    id: `${measure}-by-state-map`,
    title: `${words(measure)} by state`,
    question: `How do the states differ in ${lower(measure)}? Mean of each state over all hours in range; grey: no records.`,
    needs: [subject.state, measure],
    size: { w: 24, h: 22 },
    spec: {
      datasets: shapeSets('us-states'),
      projection: usProjection,
      layer: [
        land,
        {
          data: land.data,
          transform: [
            // Shapes have FIPS codes, the data letters.
            { lookup: 'id', from: { data: { values: [...stateRows] }, key: 'id', fields: ['letters', 'name'] } },
            {
              lookup: 'letters',
              from: { data: meanByState(subject, subject.state, measure), key: 'key', fields: ['mean', 'doc_count'] },
            },
            { calculate: 'datum.name || datum.properties.name', as: 'place' },
            ...shaded,
          ],
          mark: { type: 'geoshape', stroke: palette.border, strokeWidth: 0.7 },
          encoding: shade(subject, measure, 'State'),
        },
      ],
    },
  });
}

/** Only shapes with a mean: what Vega-Lite shows for those without differs from version to version. The land below them is grey. */
const shaded: readonly Json[] = [
  { filter: 'isValid(datum.mean)' },
  { calculate: 'datum.mean.value', as: 'mean_value' },
  { filter: 'isValid(datum.mean_value)' },
];

function shade(subject: Subject, measure: string, place: string): JsonObject {
  const { value, axis } = lookOf(subject, measure);
  return {
    color: {
      ...{ field: 'mean_value', type: 'quantitative', scale: { range: [...palette.scale] } },
      title: `Mean ${lower(measure)}`,
      legend: legend(axis),
    },
    tooltip: [
      { field: 'place', type: 'nominal', title: place },
      { field: 'mean_value', type: 'quantitative', title: `Mean ${lower(measure)}`, format: value },
      { field: 'doc_count', type: 'quantitative', title: 'Records in range', format: ',' },
    ],
  };
}

/** The states, in the colour of what has no records. */
export const land = {
  data: { name: 'us-states', format: { type: 'topojson', feature: 'states' } },
  mark: { type: 'geoshape', fill: noRowsColor, stroke: palette.border, strokeWidth: 0.7, tooltip: null },
};

/** The states with Alaska and Hawaii below; other places are left out. */
export const usProjection = { type: 'albersUsa' };

/** Below the map, so that a narrow one keeps its width. */
export const legend = (format: string): JsonObject => ({
  ...{ format, orient: 'bottom', direction: 'horizontal' },
  ...{ gradientLength: 240, gradientThickness: 12, titleLimit: 320 },
});

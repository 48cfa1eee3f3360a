import type { ChartPanel, Json } from '../../panel.ts';
import type { Subject } from '../../subject.ts';
import { palette } from '../../theme.ts';
import { shapeSets } from '../../us.ts';
import { chart } from '../chart.ts';
import { eachBucket, lookOf, RECORDS, recordsAnHour, searchAnHour } from '../numbers.ts';
import { lower, words } from '../words.ts';
import { land, legend, usProjection } from './maps.ts';

/** Marks at most; Kibana and browsers become slow above. */
const MOST = 10_000;
/** Tiles of 0.7 degrees: some two thousand of them cover the United States. */
const PRECISION = { us: 9, world: 7 };

/** Where the records are: one mark for all that are close to each other. */
export function points(subject: Subject): ChartPanel | undefined {
  if (!subject.hasLocation) return undefined;
  const [measure] = subject.measures;
  const mean = measure === undefined ? {} : { mean: { avg: { field: measure } } };
  const marks = {
    data: searchAnHour(subject, {
      geotile_grid: { field: 'location', precision: subject.inUS ? PRECISION.us : PRECISION.world, size: MOST },
      aggs: { centre: { geo_centroid: { field: 'location' } }, ...mean },
    }),
    transform: [
      ...eachBucket('centre', ...(measure === undefined ? [] : ['mean'])),
      { calculate: 'datum.centre.location.lon', as: 'longitude' },
      { calculate: 'datum.centre.location.lat', as: 'latitude' },
      ...(measure === undefined ? [] : [{ calculate: 'datum.mean.value', as: 'mean_value' }]),
      ...recordsAnHour,
    ],
    mark: { type: 'circle', opacity: 0.85, ...(measure === undefined ? { color: palette.main } : {}) },
    encoding: {
      longitude: { field: 'longitude', type: 'quantitative' },
      latitude: { field: 'latitude', type: 'quantitative' },
      size: {
        ...{ field: 'records', type: 'quantitative', scale: { range: [4, 140] } },
        legend: {
          title: 'Records an hour',
          // On a narrow screen there is no room for two beside each other.
          orient: 'top',
          direction: 'horizontal',
          format: ',~r',
          tickCount: 3,
          symbolFillColor: palette.main,
        },
      },
      ...(measure === undefined ? {} : colored(subject, measure)),
      tooltip: [
        { field: 'records', type: 'quantitative', title: 'Records an hour', format: RECORDS },
        ...(measure === undefined
          ? []
          : [
              {
                ...{ field: 'mean_value', type: 'quantitative', title: `Mean ${lower(measure)}` },
                format: lookOf(subject, measure).value,
              },
            ]),
        { field: 'latitude', type: 'quantitative', title: 'Latitude', format: '.2f' },
        { field: 'longitude', type: 'quantitative', title: 'Longitude', format: '.2f' },
      ],
    },
  };
  return chart(subject, {
    id: 'places',
    title: measure === undefined ? 'Where the records are' : `${words(measure)} by place`,
    question:
      measure === undefined
        ? 'Where are the records? A circle stands for all that are close to each other.'
        : `Where are the records, and how high is ${lower(measure)} there? A circle stands for all that are close to each other; mean over all hours in range.`,
    needs: ['location', 'hour', ...(measure === undefined ? [] : [measure])],
    size: { w: 24, h: 22 },
    spec: subject.inUS ? onUS(marks) : { projection: { type: 'mercator' }, ...marks },
  });
}

function onUS(marks: { readonly [key: string]: Json }): { readonly [key: string]: Json } {
  return {
    datasets: shapeSets('us-states'),
    projection: usProjection,
    layer: [{ ...land, mark: { ...land.mark, fill: palette.land } }, marks],
  };
}

function colored(subject: Subject, measure: string): { readonly [key: string]: Json } {
  return {
    color: {
      ...{ field: 'mean_value', type: 'quantitative', scale: { range: [...palette.scale] } },
      title: `Mean ${lower(measure)}`,
      legend: legend(lookOf(subject, measure).axis),
    },
  };
}

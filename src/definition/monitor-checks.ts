import type { ColumnType } from './columns.ts';
import { didYouMean } from './did-you-mean.ts';
import { monitorRules } from './incidents.ts';
import type { MonitorSettings } from './monitors.ts';
import { mainDataset } from './names.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { streamOf } from './streams.ts';

const takes: Readonly<Record<string, readonly ColumnType[]>> = {
  distribution: ['integer', 'decimal', 'string', 'boolean'],
  categories: ['string', 'boolean'],
  freshness: ['date', 'timestamp'],
};

/** What the schema cannot see of the monitors: columns that are none, or hold nothing of the kind, and bounds that leave no room. */
export function monitorChecks(pipeline: Pipeline): Finding[] {
  const clean = streamOf({ ...pipeline, aggregate: [] }, mainDataset).clean;
  const types = new Map(clean.map(({ name, type }) => [name, type]));
  return monitorRules.flatMap((rule): Finding[] => {
    const section = pipeline.monitors[rule];
    const path = ['monitors', rule];
    const columns: Readonly<Record<string, MonitorSettings>> = ('columns' in section && section.columns) || {};
    return [
      ...bounds(path, section),
      ...Object.entries(columns).flatMap(([name, settings]): Finding[] => {
        const at = [...path, 'columns', name];
        const type = types.get(name);
        if (type === undefined) {
          return [
            { path: at, atKey: true, message: `"${name}" is no clean column.${didYouMean(name, [...types.keys()])}` },
          ];
        }
        const wanted = takes[rule];
        if (wanted && !wanted.includes(type)) {
          return [
            { path: at, atKey: true, message: `${rule} needs a ${wanted.join(', ')}, but "${name}" is a ${type}` },
          ];
        }
        return bounds(at, settings);
      }),
    ];
  });
}

function bounds(path: readonly string[], { min, max }: MonitorSettings): Finding[] {
  if (min === undefined || typeof max !== 'number' || min <= max) return [];
  return [{ path: [...path, 'min'], message: `${min} is above max (${max}): everything would be odd` }];
}

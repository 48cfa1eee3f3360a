import type { OutputColumn, Column } from './columns.ts';
import type { GeneratedField } from './generated.ts';
import { mainDataset, streamName } from './names.ts';
import type { Pipeline } from './pipeline.ts';

/**
 * One data set as it goes through topic, landing and index: `main`, or an aggregate.
 * Everything after cleaning works on streams, so an aggregate takes the very same way as the rows.
 */
export interface Stream {
  readonly pipeline: string;
  readonly dataset: string;
  /** {@link streamName}: part of keys, consumer ids and groups. */
  readonly name: string;
  readonly topic: string;
  readonly alias: string;
  readonly key: readonly string[];
  /** Columns of clean.csv, in order. */
  readonly clean: readonly OutputColumn[];
  /** Fields that publish adds, in order. */
  readonly generated: Readonly<Record<string, GeneratedField>>;
  readonly seed: string;
  /** Columns of a published record: clean ones, then generated ones. */
  readonly output: readonly OutputColumn[];
}

/** Every data set of a pipeline, `main` first. */
export function streamsOf(pipeline: Pipeline): Stream[] {
  return [mainDataset, ...pipeline.aggregate.map((aggregate) => aggregate.name)].map((dataset) =>
    streamOf(pipeline, dataset),
  );
}

/** The stream of one data set. @throws RangeError where the pipeline has none of that name */
export function streamOf(pipeline: Pipeline, dataset: string): Stream {
  const name = streamName(pipeline.name, dataset);
  const suffix = dataset === mainDataset ? '' : `.${dataset}`;
  const base = {
    pipeline: pipeline.name,
    dataset,
    name,
    topic: (pipeline.publish.topic ?? pipeline.name) + suffix,
    alias: (pipeline.index.name ?? `sluice-${pipeline.name}`) + suffix,
    seed: pipeline.generate.seed,
  };
  const main = mainColumns(pipeline);
  if (dataset === mainDataset) {
    const generated = pipeline.generate.fields;
    return { ...base, key: pipeline.key, clean: main, generated, output: [...main, ...generatedColumns(generated)] };
  }
  const aggregate = pipeline.aggregate.find((candidate) => candidate.name === dataset);
  if (!aggregate) throw new RangeError(`pipeline ${pipeline.name} has no data set "${dataset}"`);
  const byName = new Map(main.map((column) => [column.name, column]));
  const typeOf = (column: string): OutputColumn => byName.get(column) ?? { name: column, type: 'string' };
  const measures = Object.entries(aggregate.measures).map(([measure, rule]): OutputColumn => {
    if ('count' in rule) return { name: measure, type: 'integer' };
    if ('distinct' in rule) return { name: measure, type: 'integer' };
    if ('mean' in rule) return { name: measure, type: 'decimal', precision: 38, scale: 9 };
    if ('median' in rule) {
      // The mean of two values in the middle has one digit more.
      return {
        name: measure,
        type: 'decimal',
        precision: 38,
        scale: Math.min((typeOf(rule.median).scale ?? 0) + 1, 37),
      };
    }
    const of = typeOf('sum' in rule ? rule.sum : 'min' in rule ? rule.min : 'max' in rule ? rule.max : rule.quantile);
    return { ...of, name: measure, ...('sum' in rule && of.type === 'decimal' ? { precision: 38 } : {}) };
  });
  const clean = [...aggregate.groupBy.map(typeOf), ...measures];
  // Without its hour an aggregate has no time axis, so every one gets it.
  const generated: Record<string, GeneratedField> = { observed_at: { kind: 'logicalHour' } };
  return { ...base, key: aggregate.groupBy, clean, generated, output: [...clean, ...generatedColumns(generated)] };
}

/** What holds the texts that are no values of a column, under `contract.types: evolve`. */
export const variantName = (column: string): string => `${column}_text`;

/** Clean columns of the main data set: those of the file, their variants, the derived ones. */
function mainColumns({ columns, contract, derive }: Pipeline): OutputColumn[] {
  const own = Object.values(columns);
  const variants = contract.types === 'evolve' ? own.filter(({ type }) => type !== 'string') : [];
  return [
    ...own.map(outputColumn),
    ...variants.map(({ name }): OutputColumn => ({ name: variantName(name), type: 'string' })),
    ...Object.entries(derive ?? {}).map(([name, column]) => outputColumn({ ...column, name })),
  ];
}

function outputColumn(column: Pick<Column, 'name' | 'type' | 'precision' | 'scale'>): OutputColumn {
  const { name, type } = column;
  return type === 'decimal' ? { name, type, precision: column.precision, scale: column.scale } : { name, type };
}

function generatedColumns(fields: Readonly<Record<string, GeneratedField>>): OutputColumn[] {
  return Object.entries(fields).map(([name, field]): OutputColumn => {
    switch (field.kind) {
      case 'logicalHour':
        return { name, type: 'timestamp' };
      case 'band':
        return { name, type: 'string' };
      case 'zipLocation':
        return field.part === 'source' ? { name, type: 'string' } : { name, type: 'decimal', precision: 9, scale: 6 };
      case 'simulated':
        return { name, type: 'decimal', precision: 18, scale: field.scale };
    }
  });
}

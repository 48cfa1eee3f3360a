import type { Pipeline } from './pipeline.ts';
import { plainName } from './plain-name.ts';
import type { EvolvedColumn } from './refs.ts';
import { reservedIn } from './reserved.ts';
import { variantName } from './streams.ts';

/** Clean names for columns that the definition does not name, under `contract.columns: evolve`. None is taken twice. */
export function evolvedColumns(pipeline: Pipeline, unknown: readonly string[]): EvolvedColumn[] {
  if (pipeline.contract.columns !== 'evolve') return [];
  const own = Object.values(pipeline.columns).map(({ name }) => name);
  const taken = new Set<string>([
    ...reservedIn(pipeline.index.mode),
    ...own,
    ...own.map(variantName),
    ...Object.keys(pipeline.derive ?? {}),
    ...Object.keys(pipeline.generate.fields),
  ]);
  return unknown.map((source) => {
    const plain = plainName(source, 50);
    const base = /^[a-z]/.test(plain) ? plain : `column_${plain}`.replace(/_$/, '');
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    return { source, name };
  });
}

/** The definition with these columns as texts behind its own. */
export function withEvolved(pipeline: Pipeline, evolved: readonly EvolvedColumn[] | undefined): Pipeline {
  if (!evolved || evolved.length === 0) return pipeline;
  const added = evolved.map(({ source, name }) => {
    const column = {
      name,
      type: 'string',
      precision: 18,
      scale: 6,
      trim: true,
      onMissing: 'null',
      required: false,
    } as const;
    // With a blank that is not looked at: a name like 2020 would come first in an object.
    return [`${source} `, column] as const;
  });
  return { ...pipeline, columns: { ...pipeline.columns, ...Object.fromEntries(added) } };
}

import { canonicalJson } from '../../definition/canonical-json.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { sha256Hex } from '../hashing.ts';

/** Digests of the parts of a definition that shape what cleaning makes of a file, by what people call them. */
export type Shape = Readonly<Record<string, string>>;

const digest = (value: unknown): string => sha256Hex(canonicalJson(value ?? null)).slice(0, 16);

/** Of a definition as people wrote it, without evolved columns. What retries, alerts, schedules or topics are like shapes no row. */
export function shapeOf(pipeline: Pipeline): Shape {
  const { columns, key, duplicates, filter, derive, aggregate, contract, generate, land, source } = pipeline;
  return {
    // The order of columns is that of clean.csv.
    columns: digest(Object.entries(columns)),
    key: digest(key),
    duplicates: digest(duplicates),
    filter: digest(filter),
    derive: digest(Object.entries(derive ?? {})),
    aggregate: digest(aggregate.map(({ measures, ...rest }) => [rest, Object.entries(measures)])),
    contract: digest(contract),
    generate: digest([generate, Object.keys(generate.fields)]),
    'land.format': digest(land.format),
    'land.date': digest(land.date),
    'land.type': digest(land.type),
    'source.format': digest(source.format),
    'source.answer': digest(source.answer),
    'source.nameColumn': digest(source.nameColumn),
  };
}

/** What is otherwise now, in the order of the definition. */
export function changedSince(before: Shape, now: Shape): string[] {
  return Object.keys(now).filter((part) => now[part] !== before[part]);
}

/** Digest of the gates. */
export function gatesOf({ quality }: Pipeline): string {
  return digest(quality);
}

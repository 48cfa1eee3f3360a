import { createHash } from 'node:crypto';
import { canonicalJson } from '../definition/canonical-json.ts';
import type { OutputColumn } from '../definition/columns.ts';
import { generatorVersion } from '../definition/generated.ts';
import type { LogicalHour } from '../definition/hour.ts';
import type { Pipeline } from '../definition/pipeline.ts';
import type { Stream } from '../definition/streams.ts';

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Version of the columns of a stream as published and landed, with how they are landed. First 12 hex. */
export function schemaVersion(output: readonly OutputColumn[], land: Pipeline['land']): string {
  const { format, date, type } = land;
  return sha256Hex(canonicalJson({ output, land: { format, date, type } })).slice(0, 12);
}

/** Digest of what shapes the rows of an hour. A change of schedule, retries or alerts is no change of the data. */
export function definitionSha(pipeline: Pipeline): string {
  const { columns, key, duplicates, filter, aggregate, generate, land, source } = pipeline;
  const { format, date, type } = land;
  return sha256Hex(
    canonicalJson({
      columns,
      key,
      duplicates,
      filter,
      aggregate,
      generate,
      land: { format, date, type },
      dialect: { format: source.format, answer: source.answer, nameColumn: source.nameColumn },
      generatorVersion,
    }),
  );
}

/** Same content, same hour, same code → same batch, however often it is tried. First 16 hex. */
export function batchIdOf(stream: Stream, hour: LogicalHour, cleanSha256: string, schema: string): string {
  const { pipeline, dataset, generated, seed, clean, key } = stream;
  return sha256Hex(
    canonicalJson([pipeline, dataset, hour, cleanSha256, { generated, seed }, clean, key, generatorVersion, schema]),
  ).slice(0, 16);
}

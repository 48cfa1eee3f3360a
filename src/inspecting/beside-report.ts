import type { Store } from '../connectors/object-store.ts';
import type { Json } from '../definition/canonical-json.ts';
import type { OutputColumn } from '../definition/columns.ts';
import { SluiceError } from '../definition/errors.ts';
import { hourKey, type LogicalHour } from '../definition/hour.ts';
import { keys, streamName } from '../definition/names.ts';
import type { RunReport } from '../stages/run-report.ts';
import type { StoredSchema } from '../stages/landing/schema.ts';
import { findReport } from './stored-report.ts';

type Which = Pick<RunReport, 'pipeline' | 'hour' | 'runId'>;

/**
 * The definition that shaped a run; undefined where none was stored: older versions did not, and a run does it at its end.
 * @throws SluiceError `ObjectCorrupt`
 */
export async function storedDefinition(store: Store, { pipeline, hour, runId }: Which): Promise<Json | undefined> {
  const key = keys.attempt(pipeline, hour, runId, 'definition.json');
  try {
    return await store.findJson<Json>(key);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const sentence = `The definition ${store.uri(key)} is no JSON (${error.message}): it was changed or cut. Put it back from a copy, or remove it.`;
    throw new SluiceError('ObjectCorrupt', sentence, { cause: error });
  }
}

/** The columns of each data set as a run landed them; undefined where its report names none, or one that is not stored. */
export async function storedColumns(
  store: Store,
  { pipeline, schemas }: Pick<RunReport, 'pipeline' | 'schemas'>,
): Promise<Record<string, readonly OutputColumn[]> | undefined> {
  if (!schemas) return undefined;
  const found = await Promise.all(
    Object.entries(schemas).map(async ([dataset, version]) => {
      const schema = await store.findJson<StoredSchema>(keys.schema(streamName(pipeline, dataset), version));
      return [dataset, schema?.output] as const;
    }),
  );
  const there = found.flatMap(([dataset, columns]) => (columns ? [[dataset, columns] as const] : []));
  return there.length === found.length ? Object.fromEntries(there) : undefined;
}

/** The report of the newest earlier hour that is there and done; undefined where there is none. @throws SluiceError `ObjectCorrupt` */
export async function doneBefore(store: Store, pipeline: string, hour: LogicalHour): Promise<RunReport | undefined> {
  const prefix = keys.hoursAll(pipeline);
  const hours = new Set<LogicalHour>();
  for await (const { key } of store.list(prefix)) {
    const found = key.slice(prefix.length).split('/')[0] ?? '';
    if (found >= hourKey(hour)) break;
    hours.add(`${found}:00:00Z`);
  }
  // Those of removed hours are gone with the hour.
  for (const earlier of [...hours].toReversed()) {
    const report = await findReport(store, keys.done(pipeline, earlier), { pipeline, hour: earlier });
    if (report) return report;
  }
  return undefined;
}

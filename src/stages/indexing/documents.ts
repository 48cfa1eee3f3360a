import { createHash } from 'node:crypto';
import { hoursSinceEpoch, type LogicalHour } from '../../definition/hour.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { Row } from '../../formats/parquet.ts';
import { identityHash, lanesOf } from '../identity.ts';
import { RECORD_COLUMN, type LandSchema } from '../landing/schema.ts';
import { fittingOf, type Fitting } from './fitting.ts';
import type { Target } from './targets.ts';

/** `history`: a document per record and hour; `latest`: one per record, as the newest hour that has it says. */
export type IndexMode = Pipeline['index']['mode'];

/** What an hour consists of: a generation and its batch. */
export interface HourContent {
  readonly hour: LogicalHour;
  readonly generation: number;
  readonly batch: string;
  /** The hour whose batch it is, where this one repeats it. */
  readonly sameAs?: LogicalHour;
}

/**
 * The external version of a document: an older hour or generation never overwrites a newer one. In `latest` the last bit says that the
 * key is in the newest hour no more. That comes after having been there and never goes back, so a late writer cannot undo it.
 */
export function documentVersion(
  { hour, generation }: Pick<HourContent, 'hour' | 'generation'>,
  mode: IndexMode,
  present = true,
): number {
  const version = hoursSinceEpoch(hour) * 1_000_000 + generation;
  return mode === 'history' ? version : version * 2 + (present ? 0 : 1);
}

/** The `_id` of a record's document. */
export function documentId(mode: IndexMode, hour: LogicalHour, record: string): string {
  const of = mode === 'history' ? [hour, record] : [record];
  return createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 32);
}

/** Makes the documents of one hour's rows for one index. */
export class DocumentMaker {
  /** Values that could not be read as the type of the index's field, and were left out; by column. */
  readonly misfits: Record<string, number> = {};
  readonly #content: HourContent;
  readonly #target: Target;
  readonly #fittings: readonly (readonly [string, Fitting])[];
  readonly #location: { readonly latitude: string; readonly longitude: string } | undefined;

  constructor(content: HourContent, schema: LandSchema, target: Target, dashboards: Pipeline['dashboards']) {
    this.#content = content;
    this.#target = target;
    this.#fittings = schema.output.map((column) => [column.name, fittingOf(column, target.fields[column.name])]);
    this.#location = target.fields['location'] === 'geo_point' ? dashboards.location : undefined;
  }

  /** @param present whether the newest hour has the key; for `latest` alone */
  documentOf(row: Row, present: boolean): { id: string; version: number; body: Record<string, unknown> } {
    const { mode } = this.#target;
    const { hour, generation, batch } = this.#content;
    const record = String(row[RECORD_COLUMN]);
    const [a, b, c, d] = lanesOf(identityHash(record));
    const body: Record<string, unknown> = {};
    for (const [name, fitting] of this.#fittings) {
      const value = fitting(row[name] ?? null);
      if (value === undefined) this.misfits[name] = (this.misfits[name] ?? 0) + 1;
      else if (value !== null || this.#target.fields[name] !== undefined) body[name] = value;
    }
    const latitude = this.#location && row[this.#location.latitude];
    const longitude = this.#location && row[this.#location.longitude];
    if (latitude != null && longitude != null) body['location'] = { lat: Number(latitude), lon: Number(longitude) };
    Object.assign(body, { batch, hour, generation, ...(mode === 'latest' ? { present } : {}), sluice: { a, b, c, d } });
    return {
      id: documentId(mode, hour, record),
      version: documentVersion(this.#content, mode, present),
      body,
    };
  }
}

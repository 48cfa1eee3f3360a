import type { Store } from '../connectors/object-store.ts';
import { SluiceError } from '../definition/errors.ts';
import { hourKey, type LogicalHour } from '../definition/hour.ts';
import { keys } from '../definition/names.ts';
import type { QuarantineEntry } from '../definition/refs.ts';
import type { CleanReport } from '../stages/cleaning/clean-report.ts';
import { textLines } from '../formats/text-lines.ts';
import { inGroups } from '../stages/in-groups.ts';
import { findFixes, parseFixes, requireColumns, type Fix } from '../stages/cleaning/mend.ts';

/** A rejected row as its line says it; one that was no record has a reason and no column. */
export interface RejectedRow {
  readonly file: string;
  readonly row: number;
  readonly line: number;
  readonly byteOffset: number;
  readonly column?: string;
  readonly rule: string;
  readonly value?: string;
  readonly reason?: string;
  readonly raw: string;
}

/** The newest hours that have rejected rows. */
export interface Quarantine {
  /** The newest first. */
  readonly hours: QuarantineEntry[];
  /** The last hour that was looked at, where that was not all of them: earlier ones may have rejected rows too. */
  readonly lookedBackTo?: LogicalHour;
}

const left = (): SluiceError => new SluiceError('Cancelled', 'Nobody waits for the rejected rows any more.');

/** Hours that are looked at before it is seen whether there are enough. */
const AT_A_TIME = 64;

/**
 * What the newest hours rejected. Hours without a rejected row are left out.
 * @param limit so many hours
 * @param bounds so many are looked at, all where left out; and until nobody waits
 * @throws SluiceError `Cancelled`
 */
export async function listQuarantine(
  store: Store,
  pipeline: string,
  limit: number,
  { most = Number.POSITIVE_INFINITY, signal }: { readonly most?: number; readonly signal?: AbortSignal } = {},
): Promise<Quarantine> {
  const found: string[] = [];
  for await (const { key } of store.list(keys.quarantines(pipeline))) {
    if (signal?.aborted) throw left();
    found.push(key);
  }
  const newest = found.toReversed().slice(0, most);
  const hours: QuarantineEntry[] = [];
  let last: LogicalHour | undefined;
  for (let at = 0; at < newest.length && hours.length < limit; at += AT_A_TIME) {
    if (signal?.aborted) throw left();
    const entries = await inGroups(newest.slice(at, at + AT_A_TIME), (key) => store.findJson<QuarantineEntry>(key));
    const there = entries.filter((entry) => entry !== undefined);
    hours.push(...there.filter(({ rows }) => rows.rejected > 0));
    last = there.at(-1)?.hour ?? last;
  }
  if (hours.length >= limit) return { hours: hours.slice(0, limit) };
  return { hours, ...(newest.length < found.length && last !== undefined ? { lookedBackTo: last } : {}) };
}

/** What the newest cleaning of an hour rejected. @throws SluiceError `HourUnknown` where the hour was never cleaned */
export async function quarantineOf(store: Store, pipeline: string, hour: LogicalHour): Promise<QuarantineEntry> {
  const entry = await store.findJson<QuarantineEntry>(keys.quarantine(pipeline, hour));
  if (entry) return entry;
  throw new SluiceError(
    'HourUnknown',
    `The hour ${hour} of ${pipeline} has not been cleaned: "sluice quarantine list ${pipeline}" names those with rejected rows.`,
  );
}

/**
 * The rejected rows of an hour, as they stand in its `rejects.ndjson`.
 * @param signal until nobody waits
 * @throws SluiceError `Cancelled`
 */
export async function* rejectedRows(
  store: Store,
  entry: QuarantineEntry,
  signal?: AbortSignal,
): AsyncGenerator<RejectedRow> {
  for await (const line of rejectLines(store, entry, signal)) if (line !== '') yield JSON.parse(line) as RejectedRow;
}

async function* rejectLines(store: Store, { rejects }: QuarantineEntry, signal?: AbortSignal): AsyncGenerator<string> {
  const input = await store.stream(store.keyOf(rejects.uri));
  const stop = (): void => void input.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted) throw left();
    yield* textLines(input);
  } catch (error) {
    // What it says itself is that it was closed early.
    throw signal?.aborted ? left() : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    // Who has seen enough leaves no connection behind.
    input.destroy();
  }
}

export interface PageBounds<Shown> {
  /** So many rows are passed over. */
  readonly offset: number;
  readonly limit: number;
  /** What is kept of a row, once it is read: all rows of a page are in memory. */
  readonly shown: (row: RejectedRow) => Shown;
  /** So many bytes are read, with those that are passed over. */
  readonly most: number;
  readonly signal?: AbortSignal;
}

/**
 * Some of the rejected rows of an hour, in their order.
 * @returns `cut` where it ended at `most` bytes: then there may be fewer rows than `limit`, or none, although the hour has more
 * @throws SluiceError `Cancelled`
 */
export async function rejectedPage<Shown>(
  store: Store,
  entry: QuarantineEntry,
  { offset, limit, shown, most, signal }: PageBounds<Shown>,
): Promise<{ rows: Shown[]; cut: boolean }> {
  const rows: Shown[] = [];
  if (offset >= entry.rows.rejected) return { rows, cut: false };
  let [at, bytes] = [0, 0];
  for await (const line of rejectLines(store, entry, signal)) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > most) return { rows, cut: true };
    if (line !== '' && at++ >= offset) rows.push(shown(JSON.parse(line) as RejectedRow));
    if (rows.length === limit) break;
  }
  return { rows, cut: false };
}

/**
 * Keeps an overlay with its hour, where every run of the hour from now on takes it into account.
 * @throws SluiceError `FixesInvalid`, `HourUnknown`
 */
export async function keepFixes(
  store: Store,
  pipeline: string,
  hour: LogicalHour,
  text: string,
  where: string,
): Promise<Fix[]> {
  const fixes = parseFixes(text, where);
  if (fixes.length === 0) throw new SluiceError('FixesInvalid', `${where} holds no fix.`);
  const entry = await quarantineOf(store, pipeline, hour);
  const wanted = new Set(fixes.map(({ file, byteOffset }) => `${file}:${byteOffset}`));
  for await (const { file, byteOffset } of rejectedRows(store, entry)) wanted.delete(`${file}:${byteOffset}`);
  // A row that was mended before is no reject any more, and may be mended otherwise.
  for (const { file, byteOffset } of await findFixes({ store }, pipeline, hour)) wanted.delete(`${file}:${byteOffset}`);
  const [other] = wanted;
  if (other !== undefined) {
    const [file = '', offset] = other.split(':');
    throw new SluiceError(
      'FixesInvalid',
      `${where} mends byte ${offset} of ${file.slice(0, 12)}…, which is no rejected or mended row of ${hourKey(hour)}: "sluice quarantine show" names them.`,
    );
  }
  // What is kept is applied to every later run, so what no run could apply must not be kept.
  const report = await store.findJson<Pick<CleanReport, 'schema'>>(store.keyOf(entry.report.uri));
  if (report) requireColumns(fixes, report.schema.header);
  const last = await store.lastKey(keys.fixes(pipeline, hour));
  for (let n = Number(/(\d+)\.ndjson$/.exec(last ?? '')?.[1] ?? 0) + 1; ; n++) {
    const { created } = await store.createOnce(keys.fix(pipeline, hour, n), Buffer.from(text));
    if (created) return fixes;
  }
}

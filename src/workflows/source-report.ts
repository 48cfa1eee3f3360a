import { rawFiles, type ImportResult } from '../definition/refs.ts';
import type { RunReport } from './messages.ts';

/** Files that a report names one by one; all of them stand in the import record and the parsed object. */
const NAMED = 100;

/** What a run's report says of its import. Histories from before files were counted have none of them. */
export function sourceReport({
  record,
  parsed,
  replayed,
  unknownColumns,
}: ImportResult): NonNullable<RunReport['source']> {
  const accounts = (parsed as Partial<typeof parsed>).files ?? [];
  const names = rawFiles(record);
  const { etag, lastModified } = record;
  const notes = [...(record.notes ?? []), ...((parsed as Partial<typeof parsed>).notes ?? [])];
  return {
    address: record.source,
    fetchedAt: record.fetchedAt,
    raw: record.raw,
    validators: { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) },
    replayed,
    unknownColumns,
    files: accounts.slice(0, NAMED).map((account, at) => ({ name: names[at]?.name ?? '', ...account })),
    fileCount: accounts.length,
    ...(record.notModifiedSince === undefined ? {} : { notModifiedSince: record.notModifiedSince }),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

import { patched, upsertMemo, workflowInfo } from '@temporalio/workflow';
import type { CleanResult } from '../activities/index.ts';
import { keys, mainDataset } from '../definition/names.ts';
import type { ImportResult } from '../definition/refs.ts';
import type { Dataset } from './each-dataset.ts';
import type { RunInput } from './messages.ts';

// Where what a run made lies, in its memo: the Web UI shows it beside the run, `temporal workflow describe` prints it. Addresses only.
// Histories from before have none.

/** What was fetched, and where the report will be, also of a run that fails. */
export function linkImport({ pipeline, hour }: RunInput, { record }: ImportResult): void {
  const report = keys.attempt(pipeline.name, hour, workflowInfo().runId, 'run.json');
  link({ raw: record.raw.uri, report: `${bucketOf(record.raw.uri)}/${report}` });
}

export function linkClean({ batches }: CleanResult): void {
  const main = batches.find(({ dataset }) => dataset === mainDataset);
  if (main) link({ clean: main.clean.uri, rejects: main.rejects.uri, cleanReport: main.report.uri });
}

/** What the hour consists of, where its data lies, and the index by its alias. */
export function linkHour({ stream: { stream, alias }, hourRecord, landed }: Dataset): void {
  const bucket = bucketOf(landed.record.uri);
  link({
    hour: `${bucket}/${keys.hourRecord(stream, hourRecord.hour, hourRecord.generation)}`,
    batch: landed.record.uri,
    landing: `${bucket}/${keys.data(stream).replace('date=', '')}`,
    index: alias,
  });
}

function link(links: Readonly<Record<string, string>>): void {
  if (patched('memo-links')) upsertMemo(links);
}

/** `s3://bucket` of `s3://bucket/key`. */
const bucketOf = (uri: string): string => uri.split('/').slice(0, 3).join('/');

import { acceptDefinition } from '../definition/check-definition.ts';
import { sendFailureAlert } from '../stages/accounting/alert.ts';
import { indexIncidents } from '../stages/accounting/incident-documents.ts';
import { reconcile } from '../stages/accounting/reconcile.ts';
import { findDone } from '../stages/accounting/report.ts';
import { clean } from '../stages/cleaning/clean.ts';
import { saveLocalCopy } from '../stages/cleaning/local-copy.ts';
import { markStale } from '../stages/cleaning/stale-hours.ts';
import type { StageDeps } from '../stages/deps.ts';
import { importSource } from '../stages/importing/import-source.ts';
import { indexBatch } from '../stages/indexing/index-batch.ts';
import { planRebuild, rebuildIndex } from '../stages/indexing/rebuild.ts';
import type * as io from '../stages/io.ts';
import type { AlertInput } from '../stages/run-report.ts';
import { findLanded } from '../stages/landing/batch-record.ts';
import { commitHour } from '../stages/landing/hour-record.ts';
import { discardPartial } from '../stages/discarding/discard-partial.ts';
import { acceptLoss } from '../stages/landing/losses.ts';
import { prepare } from '../stages/preparing/prepare.ts';
import { publish } from '../stages/publishing/publish.ts';
import { findStored, type StoredInput } from '../stages/resuming/find-stored.ts';
import { collectGarbage, type GarbageInput } from '../stages/maintaining/garbage.ts';
import { compactStream, type CompactStreamInput } from '../stages/maintaining/compact-stream.ts';
import { retain, type RetainInput } from '../stages/maintaining/retention.ts';
import { alertPage } from './alert-page.ts';
import { alertingActivities } from './alerting.ts';
import { attended } from './attended.ts';
import { backfillActivities } from './backfills.ts';
import { consumingActivities } from './consuming.ts';
import { judgingActivities } from './judging.ts';
import { reportActivities } from './reports.ts';
import { runActivities } from './runs.ts';
import { limited, slotActivities } from './slots.ts';
import { tellingActivities } from './telling.ts';
import { turnActivities } from './turns.ts';
import { lookingActivities } from './watching/look.ts';

export type { BackfillPlan, HourStretch } from '../stages/accounting/plan-backfill.ts';
export type { CompactReport } from '../stages/maintaining/compact-stream.ts';
export type { GarbageReport } from '../stages/maintaining/garbage.ts';
export type { RetainReport } from '../stages/maintaining/retention.ts';
export type { CommittedDataset, StoredStages } from '../stages/resuming/find-stored.ts';
export type { Tally } from '../stages/maintaining/tally.ts';
export type { CleanResult, IndexResult } from '../definition/refs.ts';
export type { ConsumeInput, DiscardInput, Landed, LossInput, RebuildPlan, Rebuilt } from '../stages/io.ts';
export type { Delivered } from '../stages/alerting/deliver.ts';
export type { Told } from './telling.ts';
export type { Alerted, RunReport, StageTiming } from '../stages/run-report.ts';
export type { Judged } from '../stages/watching/judge-run.ts';
export type { WatchMemory } from '../stages/watching/outside/memory.ts';
export type { LookTold, Watching } from '../stages/watching/outside/looked.ts';

/** The stages as activities, over dependencies that were built once for the process. */
export function createActivities(deps: StageDeps) {
  return {
    /** What comes in at the door is checked here and nowhere else, whoever started the workflow. */
    acceptDefinition: (input: { readonly pipeline: unknown }) => attended(async () => acceptDefinition(input.pipeline)),
    prepare: (input: io.PrepareInput) => attended((context) => prepare(deps, input, context)),
    importSource: (input: io.ImportInput) =>
      attended(async (context) => limited(deps, await importSource(deps, input, context))),
    clean: (input: io.CleanInput) => attended((context) => clean(deps, input, context)),
    findStored: (input: StoredInput) =>
      attended(async () => {
        const stored = await findStored(deps, input);
        return { ...stored, imported: limited(deps, stored.imported) };
      }),
    saveLocalCopy: (input: io.SaveInput) => attended(() => saveLocalCopy(deps, input)),
    publish: (input: io.PublishInput) => attended((context) => publish(deps, input, context)),
    findLanded: (input: io.LandedInput) => attended(() => findLanded(deps, input)),
    acceptLoss: (input: io.AcceptLossInput) => attended(() => acceptLoss(deps, input, Date.now())),
    commitHour: (input: io.CommitHourInput) => attended(() => commitHour(deps, input)),
    markStale: (input: io.MarkStaleInput) => attended(() => markStale(deps, input)),
    indexBatch: (input: io.IndexInput) => attended((context) => indexBatch(deps, input, context)),
    planRebuild: (input: io.ReindexInput) => attended((context) => planRebuild(deps, input, context)),
    rebuildIndex: (input: io.RebuildInput) => attended((context) => rebuildIndex(deps, input, context)),
    reconcile: (input: io.ReconcileInput) => attended((context) => reconcile(deps, input, context)),
    discardPartial: (input: io.DiscardInput) => attended((context) => discardPartial(deps, input, context)),
    findDone: (input: io.DoneInput) => attended(() => findDone(deps, input)),
    sendFailureAlert: (input: AlertInput) =>
      attended((context) => sendFailureAlert(deps, input, () => alertPage(deps, input, context))),
    compactStream: (input: CompactStreamInput) => attended((context) => compactStream(deps, input, context)),
    collectGarbage: (input: GarbageInput) => attended((context) => collectGarbage(deps, input, context)),
    retain: (input: RetainInput) => attended((context) => retain(deps, input, context)),
    ...judgingActivities(deps),
    ...reportActivities(deps),
    ...consumingActivities(deps),
    ...backfillActivities(deps),
    ...runActivities(),
    ...alertingActivities(deps),
    ...tellingActivities((incident, context) => indexIncidents(deps, [incident], context)),
    ...lookingActivities(deps),
    ...turnActivities(),
    ...slotActivities(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;

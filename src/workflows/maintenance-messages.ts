import type { CompactReport, GarbageReport, RetainReport } from '../activities/index.ts';
import type { PipelineInput } from '../definition/pipeline.ts';

/** In the order in which they are done: what retention removes need not be compacted. */
export const maintenanceTasks = ['retain', 'compact', 'gc'] as const;
export type MaintenanceTask = (typeof maintenanceTasks)[number];

/** What `maintenance` is started with: by its schedule, a client, the CLI or the Web UI. */
export interface MaintenanceInput {
  /** As people write it: what is left out is filled in. */
  readonly pipeline: PipelineInput;
  /** What to do; what the definition says where left out. */
  readonly tasks?: readonly MaintenanceTask[];
  /** Say what would be done, and change nothing. */
  readonly dryRun?: boolean;
  /** For `compact` and `retain`: the day, `2026-11-24`, before which hours are concerned, in place of what the definition says. */
  readonly before?: string;
}

export interface MaintenanceReport {
  readonly pipeline: string;
  readonly dryRun: boolean;
  readonly retain?: RetainReport;
  /** One for each data set. */
  readonly compact?: readonly CompactReport[];
  readonly gc?: GarbageReport;
}

const count = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/** A report as lines of text: of a dry run the same as of the run itself, but for the words that say so. */
export function maintenanceLines({ pipeline, dryRun, retain, compact, gc }: MaintenanceReport): string[] {
  const lines: string[] = [];
  const done = (did: string, would: string): string => (dryRun ? `would ${would}` : did);
  if (retain) {
    const { hours, first, rows, before, documents, heldBack, heldBackCount } = retain;
    const named = first.slice(0, 3).join(', ') + (hours > 3 ? ', …' : '');
    lines.push(
      `retain  ${done('removed', 'remove')} ${count(hours)} hours before ${before}, ${count(rows)} rows${hours > 0 ? ` (${named})` : ''}`,
    );
    if (documents > 0) lines.push(`        deleted ${count(documents)} documents`);
    for (const { hour, because } of heldBack) lines.push(`        keeps ${hour}: ${because}`);
    if (heldBackCount > heldBack.length) lines.push(`        keeps ${count(heldBackCount - heldBack.length)} more`);
    lines.push(...talliesOf(retain));
  }
  for (const report of compact ?? []) {
    const { stream, batches, rows, lost } = report;
    lines.push(
      `compact ${stream}: ${done('rewrote', 'rewrite')} ${count(batches)} batches, ${count(rows)} rows` +
        (lost > 0 ? `; ${count(lost)} were done by others meanwhile` : ''),
      ...talliesOf(report),
    );
  }
  if (gc) {
    const objects = gc.tallies.reduce((sum, tally) => sum + tally.objects, 0);
    lines.push(`gc      ${pipeline}: ${done('removed', 'remove')} ${count(objects)} objects`, ...talliesOf(gc));
  }
  return lines;
}

function talliesOf({ tallies }: Pick<GarbageReport, 'tallies'>): string[] {
  return tallies.flatMap(({ what, objects, bytes, first }) => [
    `        ${count(objects)} ${what}, ${count(bytes)} bytes`,
    ...first.slice(0, 3).map((key) => `          ${key}`),
    ...(objects > 3 ? ['          …'] : []),
  ]);
}

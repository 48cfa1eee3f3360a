import { z } from 'zod';
import type { RunProgress } from '../../workflows/messages.ts';
import { diffSections, type RunDiff } from '../run-diff.ts';
import { runOutcomes, type RunSummary } from '../run-list.ts';
import type { StoryEntry } from '../run-story.ts';
import type { PendingActivity } from '../run-events.ts';
import type { ReportSoFar, RunAttempt } from '../runs.ts';
import { monitorRules, severities } from '../../definition/incidents.ts';
import { causes } from '../../definition/timing.ts';
import type { TraceLink } from '../../definition/trace-links.ts';
import { hourSchema, instantSchema, nameSchema, schemaOf } from './schemas.ts';

const count = z.int().min(0);

export const runFilter = z.object({
  pipeline: nameSchema.optional(),
  outcome: z.enum(runOutcomes).optional().describe('`failed` has those in it that were terminated or timed out.'),
  from: hourSchema.optional().describe('Hours from this one on.'),
  to: hourSchema.optional().describe('Hours up to this one, itself included.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('So many, the newest.'),
});

export const summarySchema = schemaOf<RunSummary>()(
  z
    .object({
      workflowId: z.string(),
      runId: z.string(),
      pipeline: z.string(),
      hour: z.string(),
      status: z.string().describe('`running`, `completed`, `failed`, `cancelled`, `terminated`, `timed_out`.'),
      outcome: z.string().exactOptional().describe('What it came to, by its own word.'),
      stage: z.string().exactOptional().describe('The stage that it is in, or was in last.'),
      rows: count.exactOptional().describe('Rows of the main data set that are indexed.'),
      startedAt: instantSchema,
      closedAt: instantSchema.exactOptional(),
    })
    .meta({ id: 'Run' }),
);

const timing = { stage: z.string(), startedAt: instantSchema, ms: z.number() };

export const progressSchema = schemaOf<RunProgress>()(
  z
    .object({
      pipeline: z.string(),
      hour: z.string(),
      mode: z.enum(['running', 'pausing', 'paused', 'cancelling']).exactOptional(),
      stages: z.array(z.object({ ...timing, rows: count.exactOptional() })),
      current: z.string().exactOptional().describe('The stage that it is in.'),
      waiting: z.string().exactOptional().describe('Why it waits, where it does.'),
      lastError: z
        .object({ code: z.string(), message: z.string(), stage: z.string(), at: instantSchema })
        .exactOptional(),
    })
    .meta({ id: 'Progress' }),
);

const failure = z.object({ code: z.string(), stage: z.string(), message: z.string() });

/** Where the time of a run went, as far as programs look for it; the rest is in docs/performance.md. */
const reportTiming = z
  .looseObject({
    runs: count.describe('So many runs it is compared with.'),
    bottleneck: z
      .looseObject({
        cause: z.enum(causes),
        stage: z.string(),
        share: z.number().min(0).max(1).describe('Of the run.'),
        usual: z.number().min(0).max(1).optional().describe('The same in the runs before, their median.'),
        sentence: z.string(),
        evidence: z.array(z.string()),
        suggestion: z.string(),
      })
      .optional(),
    slower: z.string().optional().describe('Of a run that took much longer than the others: what made it so.'),
  })
  .describe('Missing of a run that is on its way, of older versions, and where nobody could judge it in time.');

/** A report as the API has it. */
export interface LinkedReport extends ReportSoFar {
  readonly traceLink?: TraceLink;
}

/** What programs look for is described; the rest of a report is there, too (docs/api.md). */
export const reportSchema = z
  .looseObject({
    pipeline: z.string(),
    hour: z.string(),
    workflowId: z.string(),
    runId: z.string(),
    trace: z.string().optional().describe('Its trace in OpenTelemetry, where somebody keeps that.'),
    traceLink: z
      .object({ page: z.url().optional(), problem: z.string().optional() })
      .optional()
      .describe('Where that is looked at, by SLUICE_TRACE_URL, or why nobody knows.'),
    outcome: z.enum(['completed', 'unchanged', 'failed', 'cancelled']).optional().describe('Absent while it runs.'),
    startedAt: instantSchema,
    endedAt: instantSchema.optional(),
    stages: z.array(z.looseObject(timing)),
    timing: reportTiming.optional(),
    batches: z.record(z.string(), z.string()),
    generations: z.record(z.string(), count),
    equations: z.array(
      z.looseObject({
        dataset: z.string(),
        rows: z.record(z.string(), count).describe('By hop: `read`, `clean`, …, `indexed`.'),
        holds: z.boolean().describe('Every row is accounted for.'),
      }),
    ),
    anomalies: z
      .array(z.looseObject({ rule: z.enum(monitorRules), severity: z.enum(severities), sentence: z.string() }))
      .optional()
      .describe('What the monitors found odd, with `numbers` and `facts` (docs/monitors.md).'),
    watched: z
      .looseObject({ judged: count, learning: count, runs: count })
      .optional()
      .describe('Series that were judged, of how many too little is known yet, and by how many earlier runs.'),
    error: failure.optional(),
  })
  .meta({ id: 'Report' }) as unknown as z.ZodType<LinkedReport>;

const diffed = z.looseObject({ hour: z.string(), runId: z.string(), outcome: z.string(), startedAt: instantSchema });
const fieldByField = z.array(z.looseObject({ path: z.string() }));
const byDataset = z.array(z.looseObject({ dataset: z.string() }));

/** As `sluice run diff --json` prints it; docs/operations.md says what its sections hold. */
export const diffSchema = z
  .looseObject({
    pipeline: z.string(),
    old: diffed,
    new: diffed,
    differs: z.array(z.enum(diffSections)).describe('The sections in which there is a difference.'),
    notCompared: z.array(z.object({ section: z.enum(diffSections), whole: z.boolean(), sentence: z.string() })),
    rows: byDataset,
    batches: byDataset,
    definition: fieldByField,
    source: fieldByField,
    stages: z.array(z.looseObject({ stage: z.string() })).describe('Milliseconds by stage.'),
  })
  .meta({ id: 'Diff' }) as unknown as z.ZodType<RunDiff>;

export const attemptSchema = schemaOf<RunAttempt>()(
  z
    .object({
      runId: z.string(),
      outcome: z.string(),
      startedAt: instantSchema,
      endedAt: instantSchema.exactOptional(),
      rows: count.exactOptional(),
      error: failure.exactOptional(),
    })
    .meta({ id: 'Attempt' }),
);

export const storySchema = schemaOf<StoryEntry>()(
  z.object({
    at: instantSchema,
    kind: z.enum(['run', 'stage', 'activity', 'consumer', 'signal', 'update']),
    name: z.string(),
    text: z.string(),
    failed: z.boolean().exactOptional(),
  }),
);

export const pendingSchema = schemaOf<PendingActivity>()(
  z.object({
    activity: z.string(),
    attempt: z.int(),
    note: z.string().exactOptional(),
    failure: z
      .object({ message: z.string(), code: z.string().exactOptional(), at: instantSchema.exactOptional() })
      .exactOptional()
      .describe('Of the attempt before.'),
    recovered: z.boolean().exactOptional(),
  }),
);

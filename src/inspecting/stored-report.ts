import { z } from 'zod';
import type { Store } from '../connectors/object-store.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { RunReport } from '../stages/run-report.ts';

const text = z.string();
const count = z.number();
const texts = z.array(text);
const instant = text.refine((given) => !Number.isNaN(Date.parse(given)), 'is no time');
const counts = z.record(text, count);
const cleaned = { read: count, clean: count, duplicates: count, filtered: count, rejected: count };
const rows = z.looseObject(cleaned);
const allRows = z.looseObject({ ...cleaned, published: count, landed: count, indexed: count });
const spent = z.looseObject({ queueMs: count, runMs: count, retryMs: count, waitMs: count, on: z.looseObject({}) });

/** What readers of a report go by. Reports of older versions lack some of it, and of newer ones there is more. */
const shape = z.looseObject({
  ...{ pipeline: text, hour: text, workflowId: text, runId: text, startedAt: instant, endedAt: instant },
  outcome: z.enum(['completed', 'unchanged', 'failed', 'cancelled']),
  stages: z.array(
    z.looseObject({ stage: text, startedAt: instant, ms: count, rows: count.optional(), times: spent.optional() }),
  ),
  generations: counts,
  batches: z.record(text, text),
  equations: z.array(z.looseObject({ dataset: text, rows: allRows, holds: z.boolean() })),
  source: z
    .looseObject({
      ...{ address: text, fetchedAt: text, raw: z.looseObject({ sha256: text, bytes: count }) },
      ...{ unknownColumns: texts, notes: texts.optional() },
      files: z
        .array(z.looseObject({ name: text, format: text, rows: z.looseObject({ read: count, rejected: count }) }))
        .optional(),
    })
    .optional(),
  prepared: z.looseObject({ changes: texts, warnings: texts }).optional(),
  clean: z
    .looseObject({
      ...{ engine: text, rejectedBy: counts },
      quality: z.array(z.looseObject({ gate: text, level: text, sentence: text })),
      datasets: z.record(text, z.looseObject({ rows })).optional(),
    })
    .optional(),
  warnings: texts.optional(),
  anomalies: z.array(z.looseObject({ rule: text, severity: text, sentence: text })).optional(),
  watched: z.looseObject({ judged: count, learning: count, runs: count }).optional(),
  servers: z
    .array(z.looseObject({ server: text, lines: z.array(z.looseObject({ at: text, level: text, text })), left: count }))
    .optional(),
  madeStale: z.looseObject({ hours: texts, count }).optional(),
  discarded: z
    .looseObject({ tallies: z.array(z.looseObject({ what: text, objects: count, bytes: count })) })
    .optional(),
  error: z.looseObject({ code: text, stage: text, message: text }).optional(),
  timing: z
    .looseObject({
      bottleneck: z
        .looseObject({ cause: text, stage: text, ms: count, sentence: text, evidence: texts, suggestion: text })
        .optional(),
      usual: z.array(z.looseObject({ stage: text })),
      slower: text.optional(),
      servers: z.record(text, texts).optional(),
    })
    .optional(),
});

/**
 * The report that lies under a key; undefined where there is none.
 * @throws SluiceError `ObjectCorrupt` where what lies there is no report, or that of another hour
 */
export async function findReport(
  store: Store,
  key: string,
  whose: Pick<RunReport, 'pipeline' | 'hour'> & { readonly runId?: string },
): Promise<RunReport | undefined> {
  const bytes = await store.find(key);
  if (bytes === undefined) return undefined;
  const corrupt = (why: string, cause?: unknown): SluiceError =>
    new SluiceError(
      'ObjectCorrupt',
      `The report ${store.uri(key)} ${why}: it was changed or cut. Put it back from a copy, or remove it, and what Temporal has of that run is shown.`,
      { cause },
    );
  let found: unknown;
  try {
    found = JSON.parse(bytes.toString()) as unknown;
  } catch (error) {
    throw corrupt(`is no JSON (${sentenceOf(error)})`, error);
  }
  const read = shape.safeParse(found);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw corrupt(`is no report of a run (${issue?.path.join('.') || 'the whole'}: ${issue?.message})`, read.error);
  }
  const { pipeline, hour, runId } = read.data;
  if (pipeline !== whose.pipeline || hour !== whose.hour || runId !== (whose.runId ?? runId)) {
    throw corrupt(`is that of another run, ${runId} of ${pipeline} ${hour}`);
  }
  return found as RunReport;
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReadRecord } from '../../src/connectors/log.ts';
import { traced, useTracer, type Span, type Tracer } from '../../src/connectors/tracing.ts';
import { noStack } from '../helpers/stack.ts';
import { StreamingLab } from '../helpers/streaming-lab.ts';

interface Told {
  readonly name: string;
  readonly options: Parameters<Tracer['start']>[1];
  readonly span: Span;
}

/** Keeps what it is told of. */
function keepingTracer(told: Told[]): Tracer {
  const hex = (length: number): string => (told.length + 1).toString(16).padStart(length, '0');
  return {
    ratio: 1,
    start: (name, options) => {
      const context = { traceId: options.parent?.traceId ?? hex(32), spanId: hex(16), sampled: true };
      const span: Span = { context, set: () => {}, fail: () => {}, end: () => {} };
      told.push({ name, options, span });
      return span;
    },
    flush: async () => {},
  };
}

describe.skipIf(noStack)('records of a send that somebody traces', () => {
  let lab: StreamingLab;

  beforeAll(async () => {
    lab = await StreamingLab.start();
  });

  afterAll(async () => {
    useTracer(undefined);
    await lab?.stop();
  });

  test('say so in the first one, and land as those that say nothing', async () => {
    const told: Told[] = [];
    const found: { records: ReadRecord[]; landed: unknown }[] = [];
    for (const tracer of [keepingTracer(told), undefined]) {
      useTracer(tracer);
      const pipeline = lab.definition({ publish: { batchRows: 20, partitions: 1 } });
      const prepared = await lab.prepared(pipeline);
      const batch = await lab.cleanBatch(pipeline, prepared, lab.rows(70));
      await traced('run', {}, () => lab.send(pipeline, prepared, batch));
      await lab.consumeUntil(lab.input(pipeline, prepared), lab.isIn(batch));
      const landed = await lab.landedOf(prepared, batch.batchId);
      const records: ReadRecord[] = [];
      const marks = await lab.deps.log.watermarks(prepared.topic);
      const ranges = new Map([...marks].map(([partition, { low, high }]) => [partition, { from: low, to: high }]));
      await lab.deps.log.readRanges(
        prepared.topic,
        ranges,
        (record) => records.push(record),
        AbortSignal.timeout(30_000),
      );
      found.push({ records, landed: { rows: landed.rows, checksum: landed.checksum, objects: landed.objects } });
    }
    const [on, off] = found;
    const named = (on?.records ?? []).flatMap(({ headers }, at) => (headers['traceparent'] === undefined ? [] : [at]));
    // Four sends of rows, and the marker's.
    expect(named).toEqual([0, 20, 40, 60, 70]);
    expect(off?.records.filter(({ headers }) => 'traceparent' in headers)).toEqual([]);
    expect(on?.records).toHaveLength(off?.records.length ?? 0);
    expect(on?.landed).toEqual(off?.landed);
    const chunks = told.filter(({ name }) => name.startsWith('process '));
    const sends = told.filter(({ name }) => name.startsWith('send '));
    expect(sends).toHaveLength(5);
    const links = chunks.flatMap(({ options }) => options.links ?? []).map(({ spanId }) => spanId);
    expect(new Set(links)).toEqual(new Set(sends.map(({ span }) => span.context.spanId)));
    for (const { options } of chunks) expect(options.parent?.traceId).toBe(told[0]?.span.context.traceId);
  });
});

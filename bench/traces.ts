import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { encodeRecord } from '../src/connectors/kafka-encoding.ts';
import { withTrace } from '../src/connectors/kafka-writer.ts';
import type { LogRecord } from '../src/connectors/log.ts';
import { readTracingSettings } from '../src/connectors/tracing-settings.ts';
import { activeTracer, traced, tracedRequest, useTracer } from '../src/connectors/tracing.ts';
import { rowHeaders } from '../src/stages/record.ts';

// `npm run bench:traces`: what traces cost. Spans, with all that becomes of them until a collector on this machine has them; headers of records,
// in the first of each send as they are written, and in each for comparison. Processor time of this process; the best of five.

const SPANS = 20_000;
/** Of a batch, and so of a request to the collector. */
const BATCH = 500;
const [SENDS, ROWS] = [100, 2_000];
const context = { traceId: 'a1b2'.repeat(8), spanId: 'c3d4'.repeat(4), sampled: true };

/** Counts requests, each a batch. */
let taken = 0;
const collector = createServer((request, response) => {
  taken += BATCH;
  request.resume().on('end', () => response.end());
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
process.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'] = String(BATCH);
/** Milliseconds of processor time. */
async function best(work: () => Promise<void> | void): Promise<number> {
  const taken: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    taken.push((user + system) / 1_000);
  }
  return Math.min(...taken);
}

async function requests(): Promise<void> {
  for (let done = 0; done < SPANS; done += 100) {
    if (done % BATCH === 0) await activeTracer()?.flush(30_000);
    await traced('attempt', {}, async () => {
      for (let at = 0; at < 99; at += 1) {
        await tracedRequest('store', 'PutObject', { 'aws.s3.bucket': 'sluice', 'aws.s3.key': 'a/b/c' }, async () => {});
      }
    });
  }
}

const off = await best(requests);
const loading = performance.now();
const { openTracer } = await import('../src/connectors/tracing-export.ts');
const { settings } = readTracingSettings(process.env);
if (!settings) throw new Error('no traces');
const tracer = await openTracer(settings, { redacted: (text) => text, say: console.error, version: '0' });
const loaded = performance.now() - loading;
useTracer(tracer);
const on = await best(async () => {
  await requests();
  await tracer.flush(30_000);
});
if (taken < 5 * SPANS) throw new Error(`the collector has ${taken} spans, not ${5 * SPANS}`);
useTracer(undefined);
collector.closeAllConnections();
collector.close();
const each = (ms: number): string => ((ms * 1_000) / SPANS).toFixed(1);
console.log(`OpenTelemetry is loaded in ${Math.round(loaded)} ms, where somebody asks for traces`);
console.log(`a span: ${each(on)} µs of processor time, made and sent; without traces ${each(off)} µs`);

const head = { batch: '0123456789abcdef', epoch: 'a1b2c3d4', schema: 'f1e2d3c4', hour: '2026-11-24T03:00:00Z' };
const send: LogRecord[] = Array.from({ length: ROWS }, (_, seq) => ({
  key: `["${10_000 + seq}"]`,
  value: JSON.stringify({ state: 'TX', county: 'Harris', zip: String(10_000 + seq), usage: (seq % 97) / 97 }),
  headers: rowHeaders({ ...head, seq }),
}));
const ways: readonly (readonly [string, readonly LogRecord[]])[] = [
  ['no header', send],
  ['in the first record of a send', withTrace(send, context)],
  ['in each record', send.flatMap((record) => withTrace([record], context))],
];
for (const [name, records] of ways) {
  const bytes = Buffer.concat(records.map((record) => encodeRecord(record).buf));
  const ms = await best(() => {
    for (let sent = 0; sent < SENDS; sent += 1) for (const record of records) encodeRecord(record);
  });
  const packed = gzipSync(bytes).length;
  console.log(
    `${name}: ${((ms * 1_000) / (SENDS * ROWS)).toFixed(2)} µs a record, ${(bytes.length / ROWS).toFixed(1)} bytes, ${(packed / ROWS).toFixed(1)} packed`,
  );
}

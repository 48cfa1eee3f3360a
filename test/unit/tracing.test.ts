import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import fc from 'fast-check';
import fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tracedRequests } from '../../src/client/api/traced-requests.ts';
import { withTrace } from '../../src/connectors/kafka-writer.ts';
import { openTracer } from '../../src/connectors/tracing-export.ts';
import { readTracingSettings } from '../../src/connectors/tracing-settings.ts';
import { traced, tracedRequest, traceHere, useTracer, within, type Tracer } from '../../src/connectors/tracing.ts';
import { redactor } from '../../src/connectors/redaction.ts';
import { SluiceError } from '../../src/definition/errors.ts';
import { reportLines } from '../../src/client/cli/report-lines.ts';
import { tracePage } from '../../src/definition/trace-links.ts';
import { runReport } from '../helpers/operations.ts';
import {
  isSampled,
  nthSpan,
  readTraceHeaders,
  spanOfRun,
  traceOfRun,
  writeTraceHeaders,
  type TraceAttributes,
} from '../../src/definition/tracing.ts';
import { readHeaders, rowHeaders } from '../../src/stages/record.ts';
import { TraceCollector } from '../helpers/trace-collector.ts';
import { TraceIdRatioBasedSampler, SamplingDecision } from '@opentelemetry/sdk-trace';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('what the variables of OpenTelemetry ask for', () => {
  it.each([
    [{}],
    [{ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' }],
    [{ ...endpoint, OTEL_SDK_DISABLED: 'true' }],
    [{ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
  ])('nothing: %j', (environment) => {
    expect(readTracingSettings(environment)).toEqual({});
  });

  const usual = { exporters: ['otlp'], protocol: 'http/protobuf', ratio: 1, parentBased: true, serviceName: 'sluice' };
  it.each([
    [endpoint, usual],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector.example/v1/traces' }, usual],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, usual],
    [{ OTEL_TRACES_EXPORTER: 'console,otlp' }, { ...usual, exporters: ['console', 'otlp'] }],
    [
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
      { ...usual, protocol: 'http/json' },
    ],
    [
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' },
      { ...usual, protocol: 'grpc' },
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      { ...usual, protocol: 'grpc' },
    ],
    [
      { ...endpoint, OTEL_SERVICE_NAME: 'hours' },
      { ...usual, serviceName: 'hours' },
    ],
    [
      { ...endpoint, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
      { ...usual, ratio: 0.25, parentBased: false },
    ],
    [
      { ...endpoint, OTEL_TRACES_SAMPLER: 'parentbased_always_off' },
      { ...usual, ratio: 0 },
    ],
  ])('traces: %j', (environment, settings) => {
    expect(readTracingSettings(environment)).toEqual({ settings });
  });

  it.each([
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'thrift' }, 'OTEL_EXPORTER_OTLP_PROTOCOL is "thrift"'],
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, 'OTEL_TRACES_EXPORTER is "zipkin"'],
    [{ ...endpoint, OTEL_TRACES_SAMPLER: 'xray' }, 'OTEL_TRACES_SAMPLER is "xray"'],
    [{ ...endpoint, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, 'no number from 0 to 1'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }, 'OTEL_EXPORTER_OTLP_ENDPOINT is no address'],
    [{ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'token s3cr3t' }, 'OTEL_EXPORTER_OTLP_PROTOCOL is something else'],
  ])('one sentence where that is wrong: %j', (environment, sentence) => {
    const { settings, wrong = '' } = readTracingSettings(environment);
    expect(settings).toBeUndefined();
    expect(wrong).toContain(sentence);
    expect(wrong).toMatch(/there are no traces\.$/);
    expect(wrong).not.toContain('s3cr3t');
  });
});

describe('a trace’s headers', () => {
  const hex = (length: number) =>
    fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text));

  it('are read as they were written', () => {
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, sampled) => {
        const context = { traceId, spanId, sampled, state: 'a=b' };
        expect(readTraceHeaders(writeTraceHeaders(context))).toEqual(context);
      }),
    );
  });

  it.each([
    ['', 'hello', `00-${'0'.repeat(32)}-${'a'.repeat(16)}-01`, `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`],
    [`ff-${'a'.repeat(32)}-${'a'.repeat(16)}-01`, `00-${'A'.repeat(32)}-${'a'.repeat(16)}-01`, undefined, 5],
    [`00-${'a'.repeat(32)}-${'a'.repeat(16)}-01-more`],
  ])('that say nothing are none', (...all) => {
    for (const traceparent of all) expect(readTraceHeaders({ traceparent })).toBeUndefined();
  });

  it('come of a run’s id', () => {
    const id = '01a21946-3079-7ede-afc1-0c4048d5e24c';
    expect(traceOfRun(id, 1)).toEqual({ traceId: '01a2194630797edeafc10c4048d5e24c', sampled: true });
    expect(spanOfRun(id)).toBe('afc10c4048d5e24c');
    expect(nthSpan('fffffffffffffffe', 3)).toBe('0000000000000001');
  });

  it('are sampled as OpenTelemetry samples', () => {
    fc.assert(
      fc.property(hex(32), fc.double({ min: 0, max: 1, noNaN: true }), (traceId, ratio) => {
        const { decision } = new TraceIdRatioBasedSampler(ratio).shouldSample({}, traceId);
        expect(isSampled(traceId, ratio)).toBe(decision === SamplingDecision.RECORD_AND_SAMPLED);
      }),
    );
  });
});

/** Takes traces by gRPC, and keeps them as they come. */
async function grpcCollector(): Promise<{ server: Server; url: string; bodies: string[] }> {
  const server = new Server();
  const bodies: string[] = [];
  const asIs = (bytes: Buffer): Buffer => bytes;
  const Export = {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    ...{ requestStream: false, responseStream: false, requestSerialize: asIs, requestDeserialize: asIs },
    ...{ responseSerialize: asIs, responseDeserialize: asIs },
  };
  server.addService(
    { Export },
    {
      Export: ({ request }: { request: Buffer }, done: (error: null, answer: Buffer) => void) => {
        bodies.push(request.toString('latin1'));
        done(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    ),
  );
  return { server, url: `http://127.0.0.1:${port}`, bodies };
}

describe('spans', () => {
  let collector: TraceCollector;
  let said: string[];

  beforeEach(async () => {
    collector = await TraceCollector.start();
    said = [];
  });

  afterEach(async () => {
    useTracer(undefined);
    for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
    await collector.stop();
  });

  async function begin(environment: Record<string, string> = {}): Promise<Tracer> {
    Object.assign(process.env, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '20',
      ...environment,
    });
    const { settings } = readTracingSettings(process.env);
    if (!settings) throw new Error('traces are asked for');
    const redacted = redactor({ SLUICE_S3_SECRET_KEY: 'planted-secret' });
    const tracer = await openTracer(settings, { redacted, say: (sentence) => said.push(sentence), version: '0' });
    useTracer(tracer);
    return tracer;
  }

  it.each(['http/protobuf', 'http/json'])(
    'arrive by %s, within each other, with what failed them',
    async (protocol) => {
      const tracer = await begin({
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_HEADERS: 'x-team=data',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=other',
        OTEL_SERVICE_NAME: 'hours',
      });
      const failing = traced('outer', { kind: 'server', attributes: { n: 3, nothing: undefined } }, () =>
        tracedRequest('store', 'PUT object', { 'aws.s3.key': 'a/b' }, async () => {
          throw new SluiceError('StoreUnavailable', 'It is away.');
        }),
      );
      await expect(failing).rejects.toThrow('It is away.');
      await tracer.flush(2_000);
      const [outer] = collector.named('outer');
      const [inner] = collector.named('PUT object');
      expect(inner).toMatchObject({ parent: outer?.id, trace: outer?.trace, failed: true, message: 'It is away.' });
      expect(inner?.attributes).toEqual({ 'aws.s3.key': 'a/b', 'error.type': 'StoreUnavailable' });
      expect(outer?.resource).toMatchObject({ 'service.name': 'hours', 'deployment.environment.name': 'test' });
      expect(collector.headers[0]).toMatchObject({ 'x-team': 'data' });
    },
  );

  it('arrive by grpc', async () => {
    const { server, url, bodies } = await grpcCollector();
    const tracer = await begin({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' });
    await traced('work over grpc', {}, async () => {});
    await tracer.flush(5_000);
    server.forceShutdown();
    expect(said).toEqual([]);
    expect(bodies.join('')).toContain('work over grpc');
  });

  it('hold no secret', async () => {
    const tracer = await begin();
    const work = traced(
      'work',
      { attributes: { address: 'http://me:hunter22@example.org/?token=abcdef', text: 'planted-secret' } },
      async (span) => {
        span?.set({ more: 'Bearer planted-secret' });
        throw new SluiceError('SourceForbidden', 'refused planted-secret');
      },
    );
    await expect(work).rejects.toThrow('refused');
    await tracer.flush(2_000);
    expect(collector.named('work')).toHaveLength(1);
    for (const body of collector.bodies) {
      for (const secret of ['planted-secret', 'hunter22', 'abcdef']) expect(body).not.toContain(secret);
    }
  });

  it('of many requests alike are a hundred, and how many more there were', async () => {
    const tracer = await begin();
    await traced('attempt', {}, async () => {
      for (let at = 0; at < 130; at += 1) await tracedRequest('store', 'GET object', {}, async () => {});
      await tracedRequest('broker', 'send', {}, async () => {});
    });
    await tracer.flush(2_000);
    expect(collector.named('GET object')).toHaveLength(100);
    expect(collector.named('send')).toHaveLength(1);
    expect(collector.named('attempt')[0]?.attributes).toEqual({ 'sluice.untold.store': '30' });
  });

  it('of requests that belong to nothing are none, nor of what is not kept elsewhere', async () => {
    const tracer = await begin();
    await tracedRequest('store', 'GET object', {}, async (span) => expect(span).toBeUndefined());
    const unkept = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: false };
    await within(unkept, () => traced('work', {}, async (span) => expect(span?.context.sampled).toBe(false)));
    await tracer.flush(2_000);
    expect(collector.spans).toEqual([]);
  });

  it('fail nothing where nobody takes them, which is said once, and once that they are taken again', async () => {
    collector.refusesWith = 400;
    const tracer = await begin();
    for (let at = 0; at < 3; at += 1) {
      expect(await traced('work', {}, async () => at)).toBe(at);
      await tracer.flush(2_000);
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^Traces cannot be sent \(.*Look at OTEL_EXPORTER_OTLP_ENDPOINT\.$/);
    collector.refusesWith = undefined;
    await traced('work', {}, async () => {});
    await tracer.flush(2_000);
    expect(said[1]).toBe('Traces are sent again.');
    expect(collector.named('work')).toHaveLength(1);
    // One that comes and goes is not told of each time.
    collector.refusesWith = 400;
    await traced('work', {}, async () => {});
    await tracer.flush(2_000);
    expect(said).toHaveLength(2);
  });

  it('are given up in time where nobody listens', async () => {
    const tracer = await begin({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
    await traced('work', {}, async () => {});
    const before = Date.now();
    await tracer.flush(200);
    // The exporter itself tries for ten seconds.
    expect(Date.now() - before).toBeLessThan(5_000);
  });

  it('are none, and work goes on as it is, where nobody asked for any', async () => {
    expect(await traced('work', {}, async (span) => [span, traceHere()])).toEqual([undefined, undefined]);
    expect(await tracedRequest('store', 'GET', {}, async (span) => span)).toBeUndefined();
  });
});

describe('requests to the API', () => {
  afterEach(() => useTracer(undefined));

  it('that change something are within what they name, and so is what they start', async () => {
    const started: { name: string; parent?: string | undefined; set: TraceAttributes[] }[] = [];
    useTracer({
      ratio: 1,
      start: (name, { parent }) => {
        const set: TraceAttributes[] = [];
        started.push({ name, parent: parent?.spanId, set });
        const context = {
          traceId: parent?.traceId ?? 'f'.repeat(32),
          spanId: `${started.length}`.repeat(16),
          sampled: true,
        };
        return { context, set: (more) => void set.push(more), fail: () => {}, end: () => {} };
      },
      flush: async () => {},
    });
    const api = fastify();
    await tracedRequests(api as never);
    api.post('/runs/:hour', async () => ({ here: traceHere() }));
    api.get('/runs/:hour', async () => ({ here: traceHere() ?? null }));
    const headers = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
    const posted = await api.inject({ method: 'POST', url: '/runs/3?token=x', headers, payload: { some: 'body' } });
    expect(posted.json()).toMatchObject({ here: { traceId: 'a'.repeat(32), spanId: '1'.repeat(16) } });
    expect((await api.inject({ method: 'GET', url: '/runs/3', headers })).json()).toEqual({ here: null });
    await api.close();
    const set = [{ 'http.response.status_code': 200 }];
    expect(started).toEqual([{ name: 'POST /runs/:hour', parent: 'b'.repeat(16), set }]);
  });
});

describe('the page of a trace', () => {
  it.each([
    ['http://127.0.0.1:16686/trace/{traceId}', 'http://127.0.0.1:16686/trace/abc'],
    ['https://tempo.example/explore?trace={traceId}', 'https://tempo.example/explore?trace=abc'],
    ['', undefined],
  ])('%s: %s', (given, page) => expect(tracePage(given, 'abc')).toBe(page));

  it.each(['http://127.0.0.1:16686/trace/', 'jaeger/{traceId}', 'javascript:{traceId}', 'http://a:b@host/{traceId}'])(
    'is refused in a sentence: %s',
    (given) => expect(() => tracePage(given, 'abc')).toThrow(/^SLUICE_TRACE_URL: needs an address/),
  );
});

describe('records of a send', () => {
  const records = [
    { key: 'a', value: '1', headers: { batch: 'b' } },
    { key: 'b', value: '2', headers: { batch: 'b' } },
  ];
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };

  it('are as they were without a trace, or with one that nobody keeps', () => {
    expect(withTrace(records, undefined)).toBe(records);
    expect(withTrace(records, { ...context, sampled: false })).toBe(records);
  });

  it('say in the first of them which trace they belong to, unless they came from one', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const [first, second] = withTrace(records, { ...context, state: 'x=y' });
    expect(first?.headers).toEqual({ batch: 'b', traceparent, tracestate: 'x=y' });
    expect(second).toBe(records[1]);
    const back = [{ key: 'a', value: '1', headers: { traceparent: 'theirs' } }];
    expect(withTrace(back, context)[0]?.headers).toEqual({ traceparent: 'theirs' });
  });

  it('are read alike, whether they say so or not', () => {
    const head = { batch: 'b1', seq: 4, epoch: 'e1e1e1e1', schema: 's', hour: '2026-11-24T03:00:00Z' };
    const record = { partition: 0, offset: 1n, timestamp: 0, key: Buffer.from('k'), value: Buffer.from('{}') };
    const plain = readHeaders({ ...record, headers: rowHeaders(head) }, head.epoch);
    const [named] = withTrace([{ key: 'k', value: '{}', headers: rowHeaders(head) }], context);
    expect(readHeaders({ ...record, headers: named?.headers ?? {} }, head.epoch)).toEqual(plain);
    expect(plain).toEqual(head);
  });
});

describe('OpenTelemetry', () => {
  const home = join(import.meta.dirname, '..', '..');
  const loaded = (environment: Record<string, string>): string =>
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { createRequire } from 'node:module';
         const { startTracing, flushTraces } = await import('./src/connectors/start-tracing.ts');
         await startTracing();
         await flushTraces();
         const files = Object.keys(createRequire(import.meta.url).cache);
         console.log(files.some((file) => file.includes('@opentelemetry/')));`,
      ],
      { cwd: home, env: { PATH: process.env['PATH'], ...environment }, encoding: 'utf8' },
    ).trim();

  it('is loaded only where somebody asks for traces', () => {
    expect(loaded({})).toBe('false');
    expect(loaded({ OTEL_SDK_DISABLED: 'true', ...endpoint })).toBe('false');
    expect(loaded(endpoint)).toBe('true');
  });

  it('takes no report away where its address is none: that is said beside it', () => {
    const lines = reportLines({ ...runReport(), trace: 'abc' }, 'http://jaeger/trace');
    expect(lines).toContainEqual(expect.stringMatching(/^trace abc {2}\(SLUICE_TRACE_URL: needs an address/));
  });
});

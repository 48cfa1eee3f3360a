import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

/** The part of OpenTelemetry's protocol that tells spans (opentelemetry-proto 1.x, trace.proto), by the numbers of its fields. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
    repeated Link links = 13; Status status = 15;
  }
  message Link { bytes trace_id = 1; bytes span_id = 2; }
  message Status { string message = 2; int32 code = 3; }
`);
const Request = root.lookupType('Request');

type KeyValues = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];

interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: KeyValues;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

interface Wire {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: KeyValues };
    readonly scopeSpans?: readonly { readonly spans?: readonly WireSpan[] }[];
  }[];
}

/** A span as it arrived. */
export interface ToldSpan {
  readonly trace: string;
  readonly id: string;
  /** Empty where the trace begins with it. */
  readonly parent: string;
  readonly name: string;
  readonly from: bigint;
  readonly to: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly trace: string; readonly id: string }[];
  readonly failed: boolean;
  readonly message: string;
}

/** A collector of traces for one test: OTLP over HTTP, protobuf and JSON. */
export class TraceCollector {
  readonly spans: ToldSpan[] = [];
  /** What arrived, as text: for whoever looks for what must not be in there. */
  readonly bodies: string[] = [];
  readonly headers: Readonly<Record<string, unknown>>[] = [];
  /** Answers with this instead of taking anything. */
  refusesWith: number | undefined;
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (this.refusesWith !== undefined) return void response.writeHead(this.refusesWith).end();
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      this.headers.push(request.headers);
      if (request.url === '/v1/traces') this.#take(body, request.headers['content-type'] === 'application/json');
      response
        .writeHead(200, { 'content-type': request.headers['content-type'] })
        .end(request.headers['content-type'] === 'application/json' ? '{}' : undefined);
    });
  });

  static async start(): Promise<TraceCollector> {
    const collector = new TraceCollector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** By name. */
  named(name: string): ToldSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** The names from the beginning of a span's trace down to it; undefined among them where one never came. */
  wayTo(span: ToldSpan): (string | undefined)[] {
    if (span.parent === '') return [span.name];
    const parent = this.spans.find(({ trace, id }) => trace === span.trace && id === span.parent);
    return [...(parent ? this.wayTo(parent) : [undefined]), span.name];
  }

  #take(body: Buffer, isJson: boolean): void {
    this.bodies.push(body.toString('latin1'));
    const wire = (
      isJson ? JSON.parse(body.toString()) : Request.toObject(Request.decode(body), { longs: String, bytes: Array })
    ) as Wire;
    const hex = (id: string | readonly number[] | undefined = ''): string =>
      typeof id === 'string' ? id : Buffer.from(id).toString('hex');
    for (const { resource, scopeSpans = [] } of wire.resourceSpans ?? []) {
      for (const span of scopeSpans.flatMap(({ spans = [] }) => spans)) {
        this.spans.push({
          ...{ trace: hex(span.traceId), id: hex(span.spanId), parent: hex(span.parentSpanId), name: span.name },
          ...{ from: BigInt(span.startTimeUnixNano), to: BigInt(span.endTimeUnixNano) },
          attributes: plain(span.attributes),
          resource: plain(resource?.attributes),
          links: (span.links ?? []).map((link) => ({ trace: hex(link.traceId), id: hex(link.spanId) })),
          failed: span.status?.code === 2,
          message: span.status?.message ?? '',
        });
      }
    }
  }
}

const plain = (attributes: KeyValues = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

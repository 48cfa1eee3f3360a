// What the usual variables of OpenTelemetry ask for. Where traces go, and with what headers, certificates and time-outs, is read by its
// exporters themselves: OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS, _TIMEOUT, _COMPRESSION, _CERTIFICATE, and the same with _TRACES; the batches by
// OTEL_BSP_*.

type Environment = Readonly<Record<string, string | undefined>>;

export const traceProtocols = ['http/protobuf', 'http/json', 'grpc'] as const;
export type TraceProtocol = (typeof traceProtocols)[number];

const samplers = ['always_on', 'always_off', 'traceidratio'] as const;
const exporters = ['otlp', 'console'] as const;

export interface TracingSettings {
  readonly exporters: readonly (typeof exporters)[number][];
  readonly protocol: TraceProtocol;
  /** Of the traces that begin here, how many are kept: from 0 to 1. */
  readonly ratio: number;
  /** What comes from elsewhere is kept where it was kept there. */
  readonly parentBased: boolean;
  readonly serviceName: string;
}

/** Traces as they are asked for; undefined where nobody asks for any, with the sentence that says why where somebody did so wrongly. */
export interface AskedTracing {
  readonly settings?: TracingSettings;
  readonly wrong?: string;
}

/** Reads what is asked for. What cannot be understood is said, and never more than that: traces are no reason for a run not to run. */
export function readTracingSettings(environment: Environment): AskedTracing {
  const given = (name: string): string => environment[name]?.trim() ?? '';
  const ofTraces = (name: string): string =>
    given(`OTEL_EXPORTER_OTLP_TRACES_${name}`) || given(`OTEL_EXPORTER_OTLP_${name}`);
  if (given('OTEL_SDK_DISABLED').toLowerCase() === 'true') return {};
  const endpoint = ofTraces('ENDPOINT');
  const asked = given('OTEL_TRACES_EXPORTER') || (endpoint === '' ? 'none' : 'otlp');
  const wanted = [...new Set(asked.split(',').map((one) => one.trim()))].filter((one) => one !== 'none');
  if (wanted.length === 0) return {};
  const known = wanted.filter(isOneOf(exporters));
  if (known.length < wanted.length) {
    return wrong('OTEL_TRACES_EXPORTER', wanted.find((one) => !isOneOf(exporters)(one)) ?? '', [...exporters, 'none']);
  }
  const protocol = ofTraces('PROTOCOL') || 'http/protobuf';
  const asOtlp = known.includes('otlp');
  if (!isOneOf(traceProtocols)(protocol)) return wrong('OTEL_EXPORTER_OTLP_PROTOCOL', protocol, traceProtocols);
  if (asOtlp && endpoint !== '' && !isEndpoint(endpoint, protocol)) {
    return {
      wrong: 'OTEL_EXPORTER_OTLP_ENDPOINT is no address that begins with http:// or https://: there are no traces.',
    };
  }
  const sampling = samplingOf(
    given('OTEL_TRACES_SAMPLER') || 'parentbased_always_on',
    given('OTEL_TRACES_SAMPLER_ARG'),
  );
  if ('wrong' in sampling) return sampling;
  return { settings: { exporters: known, protocol, ...sampling, serviceName: given('OTEL_SERVICE_NAME') || 'sluice' } };
}

function samplingOf(
  name: string,
  argument: string,
): Pick<TracingSettings, 'ratio' | 'parentBased'> | { readonly wrong: string } {
  const parentBased = name.startsWith('parentbased_');
  const root = name.replace('parentbased_', '');
  if (!isOneOf(samplers)(root)) {
    return wrong('OTEL_TRACES_SAMPLER', name, [...samplers, ...samplers.map((one) => `parentbased_${one}`)]);
  }
  if (root !== 'traceidratio') return { parentBased, ratio: root === 'always_on' ? 1 : 0 };
  const ratio = argument === '' ? 1 : Number(argument);
  if (!(ratio >= 0 && ratio <= 1)) {
    return { wrong: 'OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1: there are no traces.' };
  }
  return { parentBased, ratio };
}

const isOneOf =
  <T extends string>(all: readonly T[]) =>
  (text: string): text is T =>
    (all as readonly string[]).includes(text);

/** A value may hold what is secret by mistake: only what looks like a name is repeated. */
function wrong(name: string, value: string, known: readonly string[]): { readonly wrong: string } {
  const found = /^[\w./-]{1,40}$/.test(value) ? `"${value}"` : 'something else';
  return { wrong: `${name} is ${found}, and Sluice knows ${known.join(', ')}: there are no traces.` };
}

/** gRPC takes host:port as well. */
function isEndpoint(text: string, protocol: TraceProtocol): boolean {
  if (protocol === 'grpc' && /^[\w.[\]:-]+:\d+$/.test(text)) return true;
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol);
}

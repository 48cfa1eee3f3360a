import { readFileSync } from 'node:fs';
import { sentenceOf } from '../definition/errors.ts';
import { redactor } from './redaction.ts';
import { readTracingSettings } from './tracing-settings.ts';
import { activeTracer, useTracer } from './tracing.ts';

/** So long a process waits at its end for its last spans to be taken. */
const FLUSH_MS = 2_000;

let starting: Promise<void> | undefined;

export interface TracingOptions {
  /** Told in a sentence what is wrong with the variables, or that traces cannot be sent. @default stderr */
  readonly say?: (sentence: string) => void;
  /** Takes secrets out of what is told, besides those of the process's environment. */
  readonly redacted?: (text: string) => string;
  /** The process is over soon: a collector that does not answer is not asked for longer than that again. */
  readonly brief?: boolean;
}

/**
 * Makes this process tell traces where OpenTelemetry's variables ask for it; its libraries are loaded only then. Further calls change nothing.
 */
export function startTracing(options: TracingOptions = {}): Promise<void> {
  starting ??= start(options);
  return starting;
}

async function start({ say = sayOnStderr, redacted, brief = false }: TracingOptions): Promise<void> {
  const { settings, wrong } = readTracingSettings(process.env);
  if (wrong !== undefined) say(wrong);
  if (!settings) return;
  try {
    const { openTracer } = await import('./tracing-export.ts');
    const ends = { redacted: redactor(process.env, redacted), say, version: versionOf() };
    useTracer(await openTracer(settings, { ...ends, ...(brief ? { patienceMs: FLUSH_MS } : {}) }));
  } catch (error) {
    say(`There are no traces, as they could not be begun: ${sentenceOf(error)}`);
  }
}

/** Sends what has not been sent. Whoever does not take it in time gets it no more. */
export async function flushTraces(): Promise<void> {
  await activeTracer()?.flush(FLUSH_MS);
}

const sayOnStderr = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

function versionOf(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

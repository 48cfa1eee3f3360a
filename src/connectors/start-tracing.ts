import { readFileSync } from 'node:fs';
import { sentenceOf } from '../definition/errors.ts';
import { redactor } from './redaction.ts';
import { readTracingSettings } from './tracing-settings.ts';
import { activeTracer, useTracer } from './tracing.ts';

/** So long a process waits at its end for its last spans to be taken. */
const FLUSH_MS = 2_000;

let starting: Promise<void> | undefined;

/**
 * Makes this process tell traces where OpenTelemetry's variables ask for it; its libraries are loaded only then. Further calls change nothing.
 * @param say told in a sentence what is wrong with the variables, or that traces cannot be sent
 * @param redacted takes secrets out of what is told, besides those of the process's environment
 */
export function startTracing(
  say: (sentence: string) => void = sayOnStderr,
  redacted?: (text: string) => string,
): Promise<void> {
  starting ??= start(say, redacted);
  return starting;
}

async function start(say: (sentence: string) => void, redacted?: (text: string) => string): Promise<void> {
  const { settings, wrong } = readTracingSettings(process.env);
  if (wrong !== undefined) say(wrong);
  if (!settings) return;
  try {
    const { openTracer } = await import('./tracing-export.ts');
    useTracer(await openTracer(settings, { redacted: redactor(process.env, redacted), say, version: versionOf() }));
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

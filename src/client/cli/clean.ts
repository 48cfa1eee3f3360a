import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ObjectStore } from '../../connectors/object-store.ts';
import { readSettings } from '../../connectors/settings.ts';
import { SparkConnector } from '../../connectors/spark/spark.ts';
import { SluiceError } from '../../definition/errors.ts';
import { toLogicalHour } from '../../definition/hour.ts';
import { loadDefinition } from '../../definition/load.ts';
import { pipelineSchema, type Pipeline } from '../../definition/pipeline.ts';
import { cleanFile, type CleanReport, type EngineServers } from '../../inspecting/clean-file.ts';
import { openInput } from '../../inspecting/input.ts';
import { onInterrupt } from './leaving.ts';
import { boldOut, paced, Screen, count } from './screen.ts';

export interface CleanFlags {
  readonly pipeline: string;
  readonly engine?: string;
  readonly out: string;
  readonly fixes?: string;
  readonly json?: boolean;
}

/** `sluice clean`: cleans one file by a definition, without a server. @returns the exit code: 3 where a gate blocks */
export async function clean(file: string, flags: CleanFlags): Promise<number> {
  const definition = await loadDefinition(resolve(flags.pipeline));
  const engine = pipelineSchema.shape.engine.safeParse(flags.engine ?? definition.engine);
  if (!engine.success)
    throw new SluiceError(
      'SettingsInvalid',
      `--engine can be auto, danfojs, duckdb or spark, and is "${flags.engine}".`,
    );
  const pipeline = { ...definition, engine: engine.data };
  const folder = await mkdtemp(join(tmpdir(), 'sluice-clean-'));
  const stop = new AbortController();
  const free = onInterrupt(() => stop.abort(new SluiceError('Cancelled', 'Stopped; nothing was written.')));
  const screen = new Screen();
  const say = paced(screen, file);
  const progress = ({ note }: { note?: string }): void => void (note !== undefined && say(note));
  try {
    const context = {
      source: pipeline.source,
      folder,
      signal: stop.signal,
      progress: (note: string) => progress({ note }),
    };
    const input = await openInput(file, { ...context, environment: process.env });
    const path = join(folder, 'raw');
    await input.content.copyTo(path);
    const { where } = input.content;
    const hour = toLogicalHour(new Date());
    const out = resolve(flags.out);
    const given = { path, where, pipeline, hour, fixes: flags.fixes, out, folder };
    const { report, written } = await cleanFile(given, { signal: stop.signal, progress }, serversFor(pipeline));
    screen.end();
    if (flags.json) process.stdout.write(`${JSON.stringify(summary(report, out))}\n`);
    else process.stdout.write(`${lines(file, report, written).join('\n')}\n`);
    return report.quality.some(({ level }) => level === 'block') ? 3 : 0;
  } finally {
    free();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Spark, and the object store that it works on, where the engine may be Spark; other engines need none. */
function serversFor({ engine }: Pipeline): EngineServers {
  if (engine !== 'spark') return {};
  const { spark, store } = readSettings(process.env);
  return spark ? { spark: new SparkConnector(spark), store: new ObjectStore(store) } : {};
}

function summary(
  { engine, rows, rejectedBy, missing, fills, unknownColumns, mended, quality, timings }: CleanReport,
  out: string,
): object {
  return { out, engine, rows, rejectedBy, missing, fills, unknownColumns, mended, quality, timings };
}

function lines(file: string, report: CleanReport, written: readonly string[]): string[] {
  const { rows, engine, rejectedBy, quality, unknownColumns, mended } = report;
  const found = [
    boldOut(file),
    `rows        ${count(rows.read)} read = ${count(rows.clean)} clean + ${count(rows.duplicates)} duplicates + ${count(rows.filtered)} filtered + ${count(rows.rejected)} rejected (${engine})`,
  ];
  for (const [what, n] of Object.entries(rejectedBy).toSorted(([, a], [, b]) => b - a)) {
    found.push(`            ${count(n)} rejected for ${what}`);
  }
  if (mended > 0) found.push(`mended      ${count(mended)} rows`);
  if (unknownColumns.length > 0) found.push(`not named   ${unknownColumns.join(', ')}`);
  for (const { level, sentence } of quality)
    found.push(`${level === 'ok' ? 'gate ok' : level === 'warn' ? 'gate WARNS' : 'gate BLOCKS'}`.padEnd(12) + sentence);
  for (const path of written) found.push(`written     ${path}`);
  return found;
}

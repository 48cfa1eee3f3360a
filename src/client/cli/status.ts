import { setTimeout as pause } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { ConsumerView } from '../consumer-control.ts';
import type { RunFilter, RunSummary } from '../run-list.ts';
import type { RunProgress } from '../../workflows/messages.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { onInterrupt } from './leaving.ts';
import { staleRuns } from './stale-runs.ts';
import { boldOut, count, cut, seconds, styled } from './screen.ts';
import { pipelineNameOf } from './pipelines.ts';
import { withClient } from './with-client.ts';

export interface StatusFlags extends Omit<RunFilter, 'pipeline'> {
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** A run of the list with what it is at, where it runs. */
export interface ShownRun extends RunSummary {
  readonly stale?: unknown;
  readonly progress?: RunProgress;
}

export interface ShownSchedule {
  readonly name: string;
  readonly paused: boolean;
  readonly note?: string;
  readonly next?: string;
}

export interface Shown {
  readonly runs: readonly ShownRun[];
  readonly schedules: readonly ShownSchedule[];
  readonly consumers: readonly ConsumerView[];
}

const WATCH_EVERY_MS = 2_000;
/** More consumers than this in one state are a number. */
const MANY = 5;

/** `sluice status`: the newest runs, the schedules, the consumers. The newest run of an hour says whether the hour is stale. */
export async function status(given: string | undefined, flags: StatusFlags): Promise<number> {
  return withClient(async (client) => {
    const pipeline = given === undefined ? undefined : await pipelineNameOf(given, client);
    const print = async (): Promise<string> => {
      const shown = await look(client, pipeline, flags);
      return flags.json ? `${JSON.stringify(shown)}\n` : `${statusLines(shown, pipeline, columns()).join('\n')}\n`;
    };
    if (!flags.watch) {
      process.stdout.write(await print());
      return 0;
    }
    const over = new AbortController();
    const free = onInterrupt(() => over.abort());
    while (!over.signal.aborted) {
      const text = await print();
      // On a terminal in the place of what was there.
      process.stdout.write(process.stdout.isTTY && !flags.json ? `\u001B[H\u001B[2J${text}` : text);
      await pause(WATCH_EVERY_MS, undefined, { signal: over.signal }).catch(() => {});
    }
    free();
    return 0;
  });
}

const columns = (): number => (process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY);

async function look(client: SluiceClient, pipeline: string | undefined, filter: StatusFlags): Promise<Shown> {
  const { outcome, from, to, limit } = filter;
  const [runs, schedules, consumers] = await Promise.all([
    client.runs.list({
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(outcome === undefined ? {} : { outcome }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(limit === undefined ? {} : { limit }),
    }),
    schedulesOf(client, pipeline),
    client.consumers.list(),
  ]);
  const ids = runs.map(({ workflowId }) => workflowId);
  const stale = await staleRuns(ids, process.env);
  const shown = runs.map(async (run, at): Promise<ShownRun> => {
    const mark = ids.indexOf(run.workflowId) === at ? stale.get(run.workflowId) : undefined;
    const progress = run.status === 'running' ? await client.runs.progress(run.workflowId) : undefined;
    return { ...run, ...(mark === undefined ? {} : { stale: mark }), ...(progress ? { progress } : {}) };
  });
  const ours = ({ stream }: ConsumerView): boolean => pipeline === undefined || stream.split('.')[0] === pipeline;
  return { runs: await Promise.all(shown), schedules, consumers: consumers.filter(ours) };
}

async function schedulesOf(client: SluiceClient, pipeline: string | undefined): Promise<ShownSchedule[]> {
  const all = await client.schedules.list();
  return all
    .filter(({ starts, scheduleId }) => starts === 'launch' && (pipeline ?? scheduleId) === scheduleId)
    .map(({ scheduleId: name, paused, note, next }) => ({
      ...{ name, paused },
      ...(note === undefined ? {} : { note }),
      ...(next === undefined ? {} : { next }),
    }));
}

/** What is shown to people, in lines no wider than so many columns. */
export function statusLines(
  { runs, schedules, consumers }: Shown,
  pipeline: string | undefined,
  width: number,
): string[] {
  const named = pipeline === undefined ? '' : ` of ${pipeline}`;
  const name = Math.max(8, ...runs.map((run) => run.pipeline.length + 14));
  const wide = runs.map((run) => runLine(run, name));
  // Where one does not fit, each takes two lines.
  const fits = wide.every((line) => stripVTControlCharacters(line).length <= width);
  const lines = fits ? wide : runs.map((run) => runLine(run, 0, '\n  ')).flatMap((line) => line.split('\n'));
  if (runs.length === 0) lines.push(`No run${named} yet: start one with "npx sluice run <definition>".`);
  if (schedules.length > 0) lines.push('', boldOut('Schedules'), ...schedules.map(scheduleLine));
  if (consumers.length > 0) lines.push('', boldOut('Consumers'), ...consumerLines(consumers));
  return lines.map((line) => cut(line, width));
}

function runLine(run: ShownRun, name: number, between = ''): string {
  const { pipeline, hour, status: how, outcome, stage, rows, startedAt, closedAt, progress, stale } = run;
  const word = how === 'completed' ? (outcome ?? how) : how === 'running' ? (progress?.mode ?? how) : how;
  const colour = how === 'running' ? 'yellow' : how === 'completed' ? 'green' : 'red';
  const took = closedAt ? Date.parse(closedAt) - Date.parse(startedAt) : Date.now() - Date.parse(startedAt);
  const at = progress?.current ?? stage;
  const where = how === 'running' ? (at ?? 'waits for a worker') : how === 'completed' ? '' : `in ${at ?? 'its start'}`;
  const what = [
    ...(rows === undefined ? [] : [`${count(rows)} rows`]),
    ...(where === '' ? [] : [where]),
    ...(progress?.waiting === undefined || progress.mode === 'paused' ? [] : [`waits for ${progress.waiting}`]),
    ...(stale === undefined ? [] : ['stale']),
  ];
  const state = styled(colour, word.padEnd(10), process.stdout);
  const hourOf = `${pipeline} ${hour.slice(0, 13)}`.padEnd(name);
  return `${state} ${hourOf}${between}  ${startedAt.slice(0, 19)}Z ${seconds(took).padStart(9)}  ${what.join(', ')}`.trimEnd();
}

function scheduleLine({ name, paused, note, next }: ShownSchedule): string {
  if (!paused) return `  ${name}  ${next === undefined ? 'no further time' : `next at ${next.slice(0, 19)}Z`}`;
  return `  ${name}  ${styled('yellow', 'paused', process.stdout)}${note === undefined ? '' : `: ${note}`}`;
}

/** A line each; where all is as it should be with many of them, their number. */
function consumerLines(consumers: readonly ConsumerView[]): string[] {
  const well = consumers.filter(({ state, failing }) => state?.mode === 'running' && failing === undefined);
  const silent = consumers.filter(({ state }) => !state);
  const many = [well, silent].filter(({ length }) => length > MANY).flat();
  return [
    ...(well.length > MANY ? [`  ${count(well.length)} running`] : []),
    ...(silent.length > MANY
      ? [`  ${count(silent.length)}  ${styled('yellow', 'no worker answers for them', process.stdout)}`]
      : []),
    ...consumers.filter((one) => !many.includes(one)).map(consumerLine),
  ];
}

function consumerLine({ stream, shard, state, note, failing }: ConsumerView): string {
  const of = (state?.shards ?? 1) > 1 ? ` shard ${shard} of ${state?.shards ?? 1}` : '';
  if (!state) return `  ${stream}${of}  ${styled('yellow', 'no worker answers for it', process.stdout)}`;
  const mode = state.mode === 'running' ? state.mode : styled('yellow', state.mode, process.stdout);
  const why = state.problem ? `: ${state.problem.code}: ${state.problem.message}` : '';
  const tried = failing === undefined ? '' : `; tried again after: ${failing}`;
  return `  ${stream}${of}  ${mode}${why}${note === undefined ? '' : `, ${note}`}${tried}`;
}

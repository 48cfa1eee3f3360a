import { setTimeout as pause } from 'node:timers/promises';
import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { isAtLeast, type LogLevel, type LogRecord } from '../../definition/log-record.ts';
import { ids } from '../../definition/names.ts';
import type { LoggedServer, ServerLines } from '../../definition/server-lines.ts';
import { leavable } from './leaving.ts';
import { runHelp, type NamedRun } from './arguments.ts';
import { runMeant } from './named-run.ts';
import type { PendingActivity } from '../run-events.ts';
import type { StoryEntry } from '../run-story.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { WorkerLog } from '../worker-lines.ts';
import type { VerbFlags } from './run-verbs.ts';
import { oneLine } from './one-line.ts';
import { boldOut, Screen, styled } from './screen.ts';
import { printedServerLines, serverLines } from './server-lines.ts';
import { withClient } from './with-client.ts';

export interface LogsFlags extends VerbFlags {
  readonly run?: string;
  readonly follow?: boolean;
  /** Of the workers' lines: what is less is left out. */
  readonly level: LogLevel;
  readonly server?: LoggedServer;
}

const LOOK_EVERY_MS = 1_000;
/** Servers write whole seconds, or a moment later. */
const AROUND_MS = 2_000;

/** `sluice logs`: what happened in a run, from Temporal's history of it, and what workers of this machine and servers of the local stack said of it. */
export async function logs(named: NamedRun | undefined, flags: LogsFlags): Promise<number> {
  const { run, follow, json, server, level } = flags;
  if (named === undefined && server !== undefined) return printServer(await serverLines(server), json);
  if (named === undefined) {
    throw new SluiceError('SettingsInvalid', `Which run? Write ${runHelp}; or --server, for the log of a server.`);
  }
  return withClient(async (client) => {
    const wanted = run === undefined ? named : { ...named, runId: run };
    const { pipeline, hour, runId } = await runMeant(client, wanted, flags.pipeline);
    const which = { client, pipeline, hour, runId };
    const workersSaid = (from: string, to?: string): Pick<WorkerLog, 'next'> => {
      const folder = process.env['SLUICE_LOG_DIR'] ?? '';
      if (folder === '') return { next: async () => [] };
      const workflowId = ids.pipeline(pipeline, hour);
      const lines = { runId, workflowId, from, level, ...(to === undefined ? {} : { to }) };
      return new WorkerLog(folder, lines, (file, why) =>
        process.stderr.write(`warning: ${oneLine(file)} cannot be read, so its lines are not here: ${why}\n`),
      );
    };
    if (!follow) {
      const { story, pending, running } = await client.runs.story(pipeline, hour, { runId });
      const from = story[0]?.at ?? hour;
      const to = running ? undefined : story.at(-1)?.at;
      if (server !== undefined) {
        const window = { from: Date.parse(from) - AROUND_MS, to: (to ? Date.parse(to) : Date.now()) + AROUND_MS };
        return printServer(await serverLines(server, window), json);
      }
      const lines = await workersSaid(from, to).next();
      if (json) process.stdout.write(`${JSON.stringify({ pipeline, hour, runId, events: story, pending, lines })}\n`);
      else
        process.stdout.write(
          [
            boldOut(`${pipeline} ${hour}`) + `  run ${runId}`,
            ...storyLines(inOrder(story, lines), ''),
            ...pending.map(pendingLine),
            '',
          ].join('\n'),
        );
      return 0;
    }
    const screen = new Screen();
    const farewell = {
      goesOn: 'the run goes on',
      lookAgain: `npx sluice logs ${hour.slice(0, 13)} --pipeline ${pipeline}`,
    };
    await leavable(
      screen,
      () => farewell,
      false,
      () => followed(which, workersSaid, json === true),
    );
    return 0;
  });
}

function printServer(found: ServerLines, json: boolean | undefined): number {
  process.stdout.write(json ? `${JSON.stringify(found)}\n` : `${printedServerLines(found).join('\n')}\n`);
  return 0;
}

/** What stands in each line of a run already, or is of no use to whoever reads it. */
const leftOut = new Set<string>([
  ...['level', 'time', 'msg', 'pid', 'pipeline', 'hour', 'run', 'stage', 'attempt', 'workflowId', 'activity'],
  ...['activityId', 'workflowType', 'taskQueue', 'isLocal', 'sdkComponent', 'hostname', 'stack'],
]);

/** The workers' lines among what the history says, by time. */
function inOrder(story: readonly StoryEntry[], lines: readonly LogRecord[]): (StoryEntry | WorkerEntry)[] {
  const said = lines.map((line): WorkerEntry => {
    const { time, level, msg, stage, attempt } = line;
    const facts = Object.entries(line).filter(([name]) => !leftOut.has(name));
    const text = [msg, ...facts.map(([name, value]) => `${name}=${JSON.stringify(value)}`)].join(' ');
    const which = attempt !== undefined && attempt > 1 ? ` (attempt ${attempt})` : '';
    return { at: time, kind: 'worker', name: stage ?? 'run', text: text + which, failed: isAtLeast(level, 'warn') };
  });
  // What came at the same time stays in its own order.
  return [...story, ...said].toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

type WorkerEntry = Omit<StoryEntry, 'kind'> & { readonly kind: 'worker' };

/** Prints what comes until the run is over. With `--json` an event a line. */
async function followed(
  { client, pipeline, hour, runId }: { client: SluiceClient; pipeline: string; hour: LogicalHour; runId: string },
  workersSaid: (from: string) => Pick<WorkerLog, 'next'>,
  json: boolean,
): Promise<void> {
  let workers: Pick<WorkerLog, 'next'> | undefined;
  if (!json) process.stdout.write(`${boldOut(`${pipeline} ${hour}`)}  run ${runId}\n`);
  const failed = new Set<string>();
  for (let told = 0, day = ''; ;) {
    const { story, pending, running } = await client.runs.story(pipeline, hour, { runId });
    const events = story.slice(told);
    told = story.length;
    workers ??= workersSaid(story[0]?.at ?? hour);
    const said = await workers.next();
    const entries = inOrder(events, said);
    const lines = json
      ? [...events, ...said.map((record) => ({ ...record, kind: 'worker' }))].map((one) => JSON.stringify(one))
      : storyLines(entries, day);
    day = entries.at(-1)?.at.slice(0, 10) ?? day;
    for (const activity of pending) {
      const which = `${activity.activity} ${activity.attempt}`;
      if (activity.attempt < 2 || failed.has(which)) continue;
      failed.add(which);
      lines.push(json ? JSON.stringify({ kind: 'pending', ...activity }) : pendingLine(activity));
    }
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
    if (!running) return;
    await pause(LOOK_EVERY_MS);
  }
}

/** A line an entry, and one more where a day begins. */
export function storyLines(story: readonly (StoryEntry | WorkerEntry)[], dayBefore: string): string[] {
  let day = dayBefore;
  return story.flatMap(({ at, kind, name, text, failed }) => {
    const [date = '', time = ''] = at.split('T');
    const heading = date === day ? [] : [styled('dim', date, process.stdout)];
    day = date;
    const line = `${time.slice(0, 12)}  ${kind.padEnd(8)} ${oneLine(name).padEnd(14)} ${oneLine(text)}`.trimEnd();
    const plain = kind === 'stage' ? boldOut(line) : line;
    return [...heading, failed ? styled('red', line, process.stdout) : plain];
  });
}

export function pendingLine({ activity, attempt, note, failure, recovered }: PendingActivity): string {
  const again = attempt > 1 ? `, attempt ${attempt}` : '';
  const before = failure
    ? `; before that: ${failure.code === undefined ? '' : `${failure.code}: `}${failure.message}`
    : '';
  const line = `now           activity ${activity.padEnd(14)} runs${again}${note ? `: ${note}` : ''}${before}`;
  return failure && !recovered ? styled('yellow', oneLine(line), process.stdout) : oneLine(line);
}

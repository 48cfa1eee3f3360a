import { setTimeout as pause } from 'node:timers/promises';
import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { leavable } from './leaving.ts';
import type { PendingActivity } from '../run-events.ts';
import type { StoryEntry } from '../run-story.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { withPipeline, type VerbFlags } from './run-verbs.ts';
import { boldOut, Screen, styled } from './screen.ts';

export interface LogsFlags extends VerbFlags {
  readonly run?: string;
  readonly follow?: boolean;
}

const LOOK_EVERY_MS = 1_000;

/** `sluice logs`: what happened in a run, from Temporal's history of it. */
export function logs(hour: LogicalHour, { pipeline: given, run, follow, json }: LogsFlags): Promise<number> {
  return withPipeline(given, async (client, pipeline) => {
    const runId = run ?? (await client.runs.find(pipeline, hour))?.runId;
    if (runId === undefined) {
      const known = await client.runs.attempts(pipeline, hour);
      throw new SluiceError(
        'HourUnknown',
        known.length === 0
          ? `The hour ${hour} of ${pipeline} has not been run.`
          : `Temporal has no history of ${pipeline} ${hour} any more; what it came to says: sluice run report ${hour.slice(0, 13)} --pipeline ${pipeline}`,
      );
    }
    const which = { client, pipeline, hour, runId };
    if (!follow) {
      const { story, pending } = await client.runs.story(pipeline, hour, { runId });
      if (json) process.stdout.write(`${JSON.stringify({ pipeline, hour, runId, events: story, pending })}\n`);
      else
        process.stdout.write(
          [
            boldOut(`${pipeline} ${hour}`) + `  run ${runId}`,
            ...storyLines(story, ''),
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
      () => followed(which, json === true),
    );
    return 0;
  });
}

/** Prints what comes until the run is over. With `--json` an event a line. */
async function followed(
  { client, pipeline, hour, runId }: { client: SluiceClient; pipeline: string; hour: LogicalHour; runId: string },
  json: boolean,
): Promise<void> {
  if (!json) process.stdout.write(`${boldOut(`${pipeline} ${hour}`)}  run ${runId}\n`);
  const failed = new Set<string>();
  for (let told = 0, day = ''; ;) {
    const { story, pending, running } = await client.runs.story(pipeline, hour, { runId });
    const events = story.slice(told);
    told = story.length;
    const lines = json ? events.map((event) => JSON.stringify(event)) : storyLines(events, day);
    day = story.at(-1)?.at.slice(0, 10) ?? day;
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
export function storyLines(story: readonly StoryEntry[], dayBefore: string): string[] {
  let day = dayBefore;
  return story.flatMap(({ at, kind, name, text, failed }) => {
    const [date = '', time = ''] = at.split('T');
    const heading = date === day ? [] : [styled('dim', date, process.stdout)];
    day = date;
    const line = `${time.slice(0, 12)}  ${kind.padEnd(8)} ${name.padEnd(14)} ${text}`.trimEnd();
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
  return failure && !recovered ? styled('yellow', line, process.stdout) : line;
}

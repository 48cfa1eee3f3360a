import { durationMs } from '../../../definition/duration.ts';
import type { WatchSettings } from '../../../definition/watch.ts';
import type { AlertedPipeline } from '../../../definition/incidents.ts';
import { recipientsOf, speakersFor } from './recipients.ts';
import type { OpenProblem } from './memory.ts';
import type { Verdict } from './problems.ts';
import { unservedMs, watchedQueues, type SeenQueues, type WatchedQueue } from './seen-queues.ts';

/** A pipeline that needs workers: it has a schedule that is not paused, or something of it is on its way. */
export interface NeedsWorkers {
  readonly name: string;
  /** Left out where it has no schedule that says so: its notifier alone knows whom it tells. */
  readonly alerts?: AlertedPipeline['alerts'];
  readonly settings: WatchSettings;
}

export interface GoneInput {
  readonly queues: SeenQueues;
  readonly pipelines: readonly NeedsWorkers[];
  /** Pipelines of which it is not known now whom they tell: what they have told, stays while a queue has no worker. */
  readonly unseen: ReadonlySet<string>;
  /** What has been told, by pipeline. */
  readonly open: ReadonlyMap<string, readonly OpenProblem[]>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const rule = 'worker-gone';
/** A poll lasts for a minute. */
const UNSEEN_AFTER = '90s';

/**
 * What is to be said of queues that nobody serves, by pipeline: one problem that names them. Every pipeline has it that needs them, and some speak for all, so that
 * whoever is told of several is told once.
 */
export function goneWorkers({ queues, pipelines, unseen, open, now }: GoneInput): Map<string, Verdict> {
  const gone = (after: string): WatchedQueue[] =>
    watchedQueues.filter((queue) => {
      const seen = queues.get(queue);
      return seen !== undefined && unservedMs(seen, now) > durationMs(after);
    });
  const at = new Date(now).toISOString();
  const told = new Set(
    [...open].filter(([, problems]) => problems.some((one) => one.rule === rule)).map(([name]) => name),
  );
  const affected = pipelines
    .map((one) => ({ ...one, gone: gone(one.settings.after) }))
    .filter((one) => one.gone.length > 0)
    .map((one) => ({
      ...one,
      recipients: recipientsFor(one, at),
    }));
  const audible = affected.filter(({ settings }) => !settings.muted);
  // Who has spoken goes on to: nobody is told by another one of what he has been told.
  const spoken = audible.filter(({ name }) => told.has(name));
  const reached = new Set(spoken.flatMap(({ recipients }) => recipients));
  const others = audible.filter(
    ({ name, recipients }) => !told.has(name) && recipients.some((one) => !reached.has(one)),
  );
  // Whom one that is not seen has told, nobody can say: he is not to be told twice.
  const waits = [...told].some((name) => unseen.has(name));
  const begins = waits || (spoken.length > 0 && others.length === 0) ? [] : spoken.length > 0 ? others : audible;
  const speakers = new Set([...spoken, ...(begins.length === 0 ? [] : speakersFor(begins))].map(({ name }) => name));
  const verdicts = new Map<string, Verdict>();
  for (const { name, settings, gone: missing } of affected) {
    if (!speakers.has(name)) continue;
    verdicts.set(
      name,
      wrong(
        missing,
        queues,
        settings,
        affected.map((one) => one.name),
      ),
    );
  }
  for (const name of told) {
    if (verdicts.has(name)) continue;
    if (unseen.has(name) && gone(UNSEEN_AFTER).length > 0) continue;
    // Muted since, or of a pipeline that needs none any more, it is over as well.
    const unknown = watchedQueues.filter((queue) => !queues.has(queue));
    verdicts.set(
      name,
      unknown.length > 0
        ? { rule, standing: 'unknown', why: `Temporal does not say who serves ${unknown.join(', ')}` }
        : { rule, standing: 'well', sentence: wellAgain(affected.length > 0) },
    );
  }
  return verdicts;
}

/** Where it is not known who that is, it is somebody whom no other one reaches: told twice rather than never. */
function recipientsFor({ name, alerts, settings: { muted, severity } }: NeedsWorkers, at: string): string[] {
  if (muted) return [];
  return alerts ? recipientsOf({ name, alerts }, { rule, severity }, at) : [`pipeline ${name}`];
}

const wellAgain = (stillGone: boolean): string =>
  stillGone
    ? 'The pipeline needs no worker now, or nobody is to be told.'
    : 'Workers serve light, compute and streaming again.';

function wrong(
  missing: readonly WatchedQueue[],
  queues: SeenQueues,
  { after, severity }: WatchSettings,
  names: readonly string[],
): Verdict {
  const what = missing.length === 1 ? `the queue ${missing[0]}` : `the queues ${namesOf(missing)}`;
  const seenAt = (queue: WatchedQueue): number => queues.get(queue)?.at ?? 0;
  const last = Math.max(...missing.map(seenAt));
  return {
    ...{ rule, standing: 'wrong', severity },
    // One more queue is worth counting; that a worker came and went in between is, too.
    occurrence: `${missing.join(',')}/${new Date(last).toISOString()}`,
    sentence: `No worker has served ${what} for more than ${after}, so what is on ${missing.length === 1 ? 'it' : 'them'} waits: start one with "sluice worker".`,
    facts: [
      { name: 'Queues without a worker', value: missing.join(', ') },
      ...missing.map((queue) => ({
        name: `Last seen on ${queue}`,
        value: new Date(seenAt(queue)).toISOString(),
      })),
      {
        name: 'Pipelines that need them',
        value: names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', '),
      },
    ],
  };
}

const namesOf = (names: readonly string[]): string => `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

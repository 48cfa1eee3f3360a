import type { Fact, Incident, IncidentRule } from '../../../definition/incidents.ts';
import type { OpenProblem, PipelineMemory, StandsStill, WatchMemory } from './memory.ts';
import { watchedQueues, type WatchedQueue } from './seen-queues.ts';

/** What the watchdog tells of. */
export const outsideRules: readonly IncidentRule[] = [
  'run-missed',
  'schedule-paused',
  'worker-gone',
  'consumer-stuck',
  'index-stale',
];

/** In place of where a consumer stands, where nobody knows any more where it stood. */
export const SOMEWHERE = '';

/**
 * What a watchdog would remember that has told of these incidents: one that was ended and started again has to tell that they are over, and is not
 * to take them for over since it sees them for the first time. Where the incident does not say since when, it goes by when it opened.
 */
export function foundOpen(incidents: readonly Incident[]): WatchMemory {
  const pipelines: Record<string, PipelineMemory> = {};
  const lagging: Record<string, StandsStill> = {};
  const queues: Partial<Record<WatchedQueue, string>> = {};
  for (const incident of incidents) {
    const { pipeline, rule, subject, hours, facts, openedAt, sentence } = incident;
    if (!outsideRules.includes(rule)) continue;
    const known = pipelines[pipeline] ?? {};
    const since = instantIn(facts, sinceOf[rule]) ?? openedAt;
    if (rule === 'run-missed') {
      pipelines[pipeline] = { ...known, missed: hours.slice(-MOST_MISSED) };
      continue;
    }
    const problem: OpenProblem = {
      ...{ rule, ...(subject === undefined ? {} : { subject }), sentence },
      occurrence: rule === 'worker-gone' ? goneSince(facts, queues) : since,
    };
    const newest = rule === 'index-stale' ? instantIn(facts, 'Newest hour that went through') : undefined;
    pipelines[pipeline] = {
      ...known,
      ...(rule === 'schedule-paused' ? { pausedSince: since } : {}),
      ...(newest === undefined ? {} : { newest, staleSince: since }),
      open: [...(known.open ?? []), problem],
    };
    if (rule === 'consumer-stuck' && subject !== undefined) lagging[subject] = { at: SOMEWHERE, since };
  }
  return { pipelines, lagging, queues };
}

/** As many hours as are asked for at each look. */
const MOST_MISSED = 24;

/** Names of facts, as each rule tells them. */
const sinceOf: Readonly<Partial<Record<IncidentRule, string>>> = {
  'schedule-paused': 'Paused since, at the latest',
  'consumer-stuck': 'Stands still since',
  'index-stale': 'Since',
};

/** Puts down when each was last seen. @returns the occurrence that was told */
function goneSince(facts: readonly Fact[], queues: Partial<Record<WatchedQueue, string>>): string {
  const missing = valueOf(facts, 'Queues without a worker')?.split(', ') ?? [];
  const gone = watchedQueues.filter((queue) => missing.includes(queue));
  const seen = gone.map((queue) => {
    const last = instantIn(facts, `Last seen on ${queue}`);
    if (last !== undefined && last > (queues[queue] ?? '')) queues[queue] = last;
    return last ?? '';
  });
  return `${gone.join(',')}/${seen.toSorted().at(-1) ?? ''}`;
}

const valueOf = (facts: readonly Fact[], name: string | undefined): string | undefined =>
  facts.find((fact) => fact.name === name)?.value;

/** Undefined where it is none: a version that tells it otherwise, or nothing of it. */
function instantIn(facts: readonly Fact[], name: string | undefined): string | undefined {
  const value = valueOf(facts, name);
  return value !== undefined && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

import { hourStates, type HourState } from '../../definition/backfill.ts';
import { hourKey } from '../../definition/hour.ts';
import type { BackfillFailure, BackfillProgress, BackfillReport } from '../../workflows/backfill-messages.ts';
import type { BackfillSummary } from '../backfills.ts';
import { count, styled } from './screen.ts';

const hoursOf = (n: number): string => `${count(n)} ${n === 1 ? 'hour' : 'hours'}`;
const SHOWN = 30;
/** So many failed hours of a stretch are told with their reason. */
const REASONS = 3;

const colours: Readonly<Record<HourState, 'red' | 'yellow' | 'green' | 'dim'>> = {
  missing: 'yellow',
  failed: 'red',
  stale: 'yellow',
  running: 'yellow',
  present: 'green',
  removed: 'dim',
};

/** A dry run: how the hours of a range stand, and which would be run. */
export function planLines(
  { pipeline, from, to, parallel, order, plan }: BackfillReport,
  stream: NodeJS.WriteStream,
): string[] {
  if (!plan) return [];
  const { stretches, failed, hours, warnings } = plan;
  return [
    `${styled('bold', pipeline, stream)} ${hourKey(from)} to ${hourKey(to)}: ${foundWords(plan.found)}`,
    ...stretches.slice(0, SHOWN).flatMap(({ state, from: first, to: last, hours: n }) => {
      const range = n === 1 ? hourKey(first) : `${hourKey(first)} to ${hourKey(last)}, ${hoursOf(n)}`;
      const reasons = failed
        .filter(({ hour }) => state === 'failed' && hour >= first && hour <= last)
        .slice(0, REASONS);
      return [
        `  ${styled(colours[state], state.padEnd(8), stream)} ${range}`,
        ...reasons.map(({ hour, why }) => `             ${n === 1 ? '' : `${hourKey(hour)}  `}${why}`),
      ];
    }),
    ...(stretches.length > SHOWN ? [`  … and ${stretches.length - SHOWN} more stretches; --json has them`] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
    hours.length === 0
      ? 'Nothing is to be run.'
      : `Would run ${hoursOf(hours.length)}, ${parallel === 1 ? 'one at a time' : `${parallel} at a time`}, the ${order} first: from ${hours[0] ?? ''} on.`,
  ];
}

/** `3 missing, 2 failed, 19 present`. */
export function foundWords(found: BackfillProgress['found']): string {
  const words = hourStates.filter((state) => found[state] > 0).map((state) => `${count(found[state])} ${state}`);
  return words.length === 0 ? 'no hour of the schedule' : words.join(', ');
}

/** What happens now, in a line or two. */
export function progressLines(progress: BackfillProgress, now: number): string[] {
  const { mode, hours, done, joined, failed, cancelled, running, perHour, estimatedEnd, waiting } = progress;
  if (mode === 'planning') return ['looks which hours are to be run'];
  const counts = [
    `${count(done + joined)} of ${hoursOf(hours)} done`,
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...(cancelled > 0 ? [`${count(cancelled)} cancelled`] : []),
    ...(mode === 'running' ? [] : [mode]),
  ].join(', ');
  const speed = perHour === undefined ? '' : `; ${count(perHour)} an hour`;
  const end = estimatedEnd === undefined ? '' : `, through in ${about(Date.parse(estimatedEnd) - now)}`;
  const named =
    running.slice(0, 4).map(hourKey).join(', ') + (running.length > 4 ? `, and ${running.length - 4} more` : '');
  return [
    `${counts}${speed}${end}`,
    ...(running.length === 0 ? [] : [`running ${named}`]),
    ...(waiting === undefined ? [] : [waiting]),
  ];
}

function about(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  return minutes < 120 ? `about ${minutes} min` : `about ${Math.round(minutes / 60)} h`;
}

export const failureLine = ({ hour, code, message }: BackfillFailure): string =>
  `${styled('red', '✗')} ${hourKey(hour)}  ${code}: ${message}`;

/** What a backfill came to. */
export function reportLines(report: BackfillReport): string[] {
  const { pipeline, hours, done, joined, failed, cancelled, left, rows, outcome, perHour } = report;
  const words = [
    `${count(done)} done`,
    ...(joined > 0 ? [`${count(joined)} done by others`] : []),
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...(cancelled > 0 ? [`${count(cancelled)} cancelled`] : []),
    ...(left > 0 ? [`${count(left)} not started`] : []),
  ].join(', ');
  const how = { completed: 'green', planned: 'green', failed: 'red', stopped: 'red', cancelled: 'yellow' } as const;
  return [
    `${styled('bold', pipeline)} ${styled(how[outcome], outcome)}: ${hoursOf(hours)}, ${hours === 0 ? 'nothing was to be run' : words}`,
    ...(hours === 0 ? [] : [`${count(rows)} rows${perHour === undefined ? '' : `, ${count(perHour)} hours an hour`}`]),
  ];
}

/** A backfill of the list, in a line. */
export function summaryLine({ workflowId, status, outcome, startedAt, progress }: BackfillSummary): string {
  const word = status === 'completed' ? (outcome ?? status) : (progress?.mode ?? status);
  const colour = word === 'completed' ? 'green' : status === 'running' ? 'yellow' : 'red';
  const [far = ''] = progress ? progressLines(progress, Date.now()) : [];
  return `${styled(colour, word.padEnd(10), process.stdout)} ${startedAt.slice(0, 19)}Z  ${workflowId}  ${far}`.trimEnd();
}

import type { WatchdogView } from '../watchdog.ts';
import type { WatchdogState } from '../../workflows/watchdog-messages.ts';
import { boldOut, count, cut, styled } from './screen.ts';
import { withClient } from './with-client.ts';

/** `sluice watchdog`: what is watched from outside of runs, and how it stands. Ends with 1 where it does not watch, or something is wrong. */
export async function watchdogStatus({ json }: { readonly json?: boolean }): Promise<number> {
  return withClient(async ({ watchdog }) => {
    const view = await watchdog.view();
    const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
    process.stdout.write(json ? `${JSON.stringify(view)}\n` : `${watchdogLines(view, Date.now(), width).join('\n')}\n`);
    return view.state && view.state.open.length === 0 && !isLate(view.state, Date.now()) ? 0 : 1;
  });
}

/** Looks that did not come, since when is too long. */
const LATE = 3;

const isLate = ({ lookedAt, everyMs }: WatchdogState, now: number): boolean =>
  now - Date.parse(lookedAt) > LATE * everyMs + 60_000;

/** @param now milliseconds since 1970 */
export function watchdogLines({ running, state }: WatchdogView, now: number, width: number): string[] {
  if (!running) return ['The watchdog does not run: "sluice serve" starts it.'];
  if (!state)
    return [
      'The watchdog has not looked yet, or no worker answers for it: "sluice serve" has one, and "sluice worker".',
    ];
  const { lookedAt, everyMs, pipelines, consumers, queues, open, problems, deadman } = state;
  const late = isLate(state, now) ? styled('yellow', ', and is late', process.stdout) : '';
  const lines = [
    `Looked at ${lookedAt.slice(0, 19)}Z, every ${everyMs / 1_000} s${late}`,
    `Watches ${counted(pipelines.length, 'schedule')} and ${counted(consumers, 'consumer')}`,
    ...Object.entries(queues).map(([queue, seen]) => `  ${queue.padEnd(10)} a worker was seen ${seen.slice(0, 19)}Z`),
    ...(deadman ? [`  dead man   ${deadman.problem ?? `told ${deadman.at.slice(0, 19)}Z`}`] : []),
    '',
    boldOut(open.length === 0 ? 'Nothing is wrong' : counted(open.length, 'problem')),
    ...open.map(({ pipeline, rule, sentence }) => `  ${pipeline}  ${styled('red', rule, process.stdout)}  ${sentence}`),
    ...(problems.length === 0 ? [] : ['', boldOut('Not looked at')]),
    ...problems.map(({ check, pipeline, why }) => `  ${pipeline === undefined ? '' : `${pipeline}  `}${check}: ${why}`),
  ];
  return lines.map((line) => cut(line, width));
}

const counted = (n: number, what: string): string => `${count(n)} ${what}${n === 1 ? '' : 's'}`;

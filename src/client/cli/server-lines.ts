import { redactor } from '../../connectors/redaction.ts';
import { ServerLogs, type Window } from '../../connectors/server-logs.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { LoggedServer, ServerLines } from '../../definition/server-lines.ts';
import { oneLine } from './one-line.ts';
import { count, styled } from './screen.ts';

const MOST = 200;
/** Where no run is named. */
const LOOKED_BACK_MS = 86_400_000;

/** `sluice logs --server`: what a server of the local stack warned of. @throws SluiceError `StackUnavailable` where no stack is known */
export async function serverLines(server: LoggedServer, window?: Window): Promise<ServerLines> {
  const folder = process.env['SLUICE_SERVER_LOGS'] ?? '';
  if (folder === '') {
    throw new SluiceError(
      'StackUnavailable',
      `The log of ${server} is known where the local stack runs: start it with "npm run stack -- up", or name its folder in SLUICE_SERVER_LOGS.`,
    );
  }
  const now = Date.now();
  const logs = new ServerLogs(folder, redactor(process.env));
  return window
    ? logs.warnings(server, window, MOST)
    : logs.warnings(server, { from: now - LOOKED_BACK_MS, to: now }, MOST, 'last');
}

/** A line each, and one that says how many more there are. */
export function printedServerLines({ server, lines, left }: ServerLines): string[] {
  if (lines.length === 0) return [`${server} warned of nothing then.`];
  return [
    ...lines.map(({ at, level, text }) => {
      const line = `${at.slice(0, 10)} ${at.slice(11, 23)}  ${level.toUpperCase().padEnd(5)}  ${oneLine(text)}`;
      return styled(level === 'error' ? 'red' : 'yellow', line, process.stdout);
    }),
    ...(left > 0 ? [`… and ${count(left)} others`] : []),
  ];
}

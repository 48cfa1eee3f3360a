import { CommanderError } from 'commander';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';

/** What a command ends with. docs/operations.md has the same table. */
export const exitCodes = {
  0: 'done',
  1: 'failed or was cancelled, or something is not as it should be (a server that "check" cannot use, a consumer that has halted, an incident that is open)',
  2: 'called wrongly',
  3: 'blocked by a quality gate of the definition',
  4: 'something to do or a difference was found: a dry run of "schedule apply" or "backfill", "run diff --exit-code", "dashboards diff"',
  130: 'stopped by Ctrl-C; what it had followed goes on',
} as const;
export type ExitCode = keyof typeof exitCodes;

/** How a failure is told: by the exit code, and as `--json` prints it. */
export function endOf(error: unknown): { code: ExitCode; json: { error: { code: string; message: string } } } {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '');
    return { code: error.exitCode === 0 ? 0 : 2, json: { error: { code: 'WronglyCalled', message } } };
  }
  const code = error instanceof SluiceError ? error.code : 'Unexpected';
  // A run that somebody cancelled has ended; one that was left with Ctrl-C goes on.
  const ended = error instanceof SluiceError && error.facts['ended'] === true;
  return { code: ended ? 1 : (codes[code] ?? 1), json: { error: { code, message: sentenceOf(error) } } };
}

const codes: Readonly<Record<string, ExitCode>> = { Cancelled: 130, QualityBlocked: 3 };

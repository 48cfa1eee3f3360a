import type { BackfillChoice, BackfillOrder } from '../../definition/backfill.ts';
import { SluiceError } from '../../definition/errors.ts';
import { hourKey, type LogicalHour } from '../../definition/hour.ts';
import type { StartStage } from '../../definition/names.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { BackfillProgress, BackfillReport } from '../../workflows/backfill-messages.ts';
import type { BackfillAsked } from '../backfills.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { agreed, mayAsk } from './agreed.ts';
import { failureLine, foundWords, planLines, progressLines, reportLines, summaryLine } from './backfill-lines.ts';
import { leavable } from './leaving.ts';
import { pipelineNameOf, withDefinition } from './pipelines.ts';
import { bold, boldOut, count, Screen } from './screen.ts';
import { withClient } from './with-client.ts';

export interface BackfillFlags {
  readonly from: LogicalHour;
  readonly to: LogicalHour;
  readonly only?: BackfillChoice;
  readonly parallel?: number;
  readonly order: BackfillOrder;
  readonly stopAfter?: number;
  readonly everyHour: boolean;
  readonly useCurrent: boolean;
  readonly refetch: boolean;
  readonly startFrom?: StartStage;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly detach: boolean;
  readonly json?: boolean;
}

export interface BackfillVerbFlags {
  readonly runs?: boolean;
  readonly json?: boolean;
}

/** The exit code of a dry run that found hours to be run. */
const WOULD_RUN = 4;
const SAY_EVERY_MS = 10_000;

/** `sluice backfill`. @returns 0 where every hour went through; of a dry run 4 where some would be run; else 1 */
export function backfill(given: string, flags: BackfillFlags): Promise<number> {
  return withDefinition(given, async (client, pipeline) => {
    const asked = askedOf(pipeline, flags);
    const asks = !flags.yes && !flags.detach && !flags.json && mayAsk();
    if (flags.dryRun || asks) {
      const screen = new Screen();
      screen.live('looks how the hours stand; waits for a worker');
      const preview = await client.backfills.preview(asked).finally(() => screen.end());
      const hours = preview.plan?.hours.length ?? 0;
      if (flags.dryRun) {
        print(flags.json, preview, planLines(preview, process.stdout));
        return hours === 0 ? 0 : WOULD_RUN;
      }
      for (const line of planLines(preview, process.stderr)) screen.say(line);
      if (hours === 0) return 0;
      if (!(await agreed('Run them?'))) return 1;
    }
    return startAndFollow(client, asked, flags);
  });
}

function askedOf(pipeline: Pipeline, flags: BackfillFlags): BackfillAsked {
  const { from, to, only, parallel, order, stopAfter, everyHour, useCurrent, refetch, startFrom } = flags;
  return {
    ...{ pipeline, from, to, order },
    ...(only === undefined ? {} : { only }),
    ...(parallel === undefined ? {} : { parallel }),
    ...(stopAfter === undefined ? {} : { stopAfter }),
    ...(everyHour ? { everyHour } : {}),
    ...(useCurrent ? { useCurrent } : {}),
    ...(refetch ? { refetch } : {}),
    ...(startFrom === undefined ? {} : { startFrom }),
  };
}

async function startAndFollow(client: SluiceClient, asked: BackfillAsked, flags: BackfillFlags): Promise<number> {
  const screen = new Screen();
  const { workflowId, running } = await client.backfills.start(asked);
  screen.say(
    running
      ? `${bold(workflowId)} is on its way already, and goes on as it was begun; following it`
      : `${bold(workflowId)} started`,
  );
  if (flags.detach) {
    if (flags.json) process.stdout.write(`${JSON.stringify({ workflowId, running })}\n`);
    return 0;
  }
  const report = await leavable(
    screen,
    () => ({
      goesOn: 'the backfill goes on',
      lookAgain: `npx sluice backfill status ${workflowId}`,
      facts: { workflowId },
    }),
    flags.json,
    () => follow(client, workflowId, screen),
  ).finally(() => screen.end());
  if (flags.json) process.stdout.write(`${JSON.stringify({ workflowId, ...report })}\n`);
  else for (const line of reportLines(report)) screen.say(line);
  return report.outcome === 'completed' ? 0 : 1;
}

/** Shows a backfill until it ends. */
function follow(client: SluiceClient, workflowId: string, screen: Screen): Promise<BackfillReport> {
  let [said, found] = [0, ''];
  screen.live('waits for a worker');
  return client.backfills.wait(workflowId, {
    onProgress: (event) => {
      if (event.type === 'hour-failed') {
        screen.say(failureLine(event.failure));
        return;
      }
      const { progress } = event;
      if (progress.mode !== 'planning' && found === '') {
        found = foundWords(progress.found);
        screen.say(`${found}; ${count(progress.hours)} to run, ${progress.parallel} at a time`);
        for (const warning of progress.warnings) screen.say(`warning: ${warning}`);
      }
      const lines = progressLines(progress, Date.now());
      screen.live(...lines);
      if (process.stderr.isTTY || Date.now() - said < SAY_EVERY_MS) return;
      screen.say(lines.join('; '));
      said = Date.now();
    },
  });
}

/** `sluice backfill pause`, `resume` and `cancel`. */
export function steer(
  word: 'pause' | 'resume' | 'cancel',
  given: string | undefined,
  { runs, json }: BackfillVerbFlags,
): Promise<number> {
  return withClient(async (client) => {
    const workflowId = await backfillOf(given, client);
    const progress = await (word === 'cancel'
      ? client.backfills.cancel(workflowId, { runs: runs ? 'cancel' : 'finish' })
      : client.backfills[word](workflowId));
    print(json, { workflowId, ...progress }, progressText(workflowId, progress));
    return 0;
  });
}

/** `sluice backfill status`. */
export function status(given: string | undefined, { json }: BackfillVerbFlags): Promise<number> {
  return withClient(async (client) => {
    const workflowId = await backfillOf(given, client, { orNewest: true });
    const progress = await client.backfills.look(workflowId);
    print(json, { workflowId, ...progress }, progressText(workflowId, progress));
    return 0;
  });
}

/** `sluice backfill list`. */
export function list(given: string | undefined, { limit, json }: { limit: number; json?: boolean }): Promise<number> {
  return withClient(async (client) => {
    const pipeline = given === undefined ? undefined : await pipelineNameOf(given, client);
    const backfills = await client.backfills.list({ limit, ...(pipeline === undefined ? {} : { pipeline }) });
    const none = [`No backfill${pipeline === undefined ? '' : ` of ${pipeline}`} yet.`];
    print(json, { backfills }, backfills.length === 0 ? none : backfills.map(summaryLine));
    return 0;
  });
}

/** Which backfill is meant: one by its id, or the only one that runs, of a pipeline or at all; where none does, the newest, if that may be. */
async function backfillOf(given: string | undefined, client: SluiceClient, { orNewest = false } = {}): Promise<string> {
  if (given?.startsWith('backfill/')) return given;
  const pipeline = given === undefined ? undefined : await pipelineNameOf(given, client);
  const all = await client.backfills.list({ limit: 100, ...(pipeline === undefined ? {} : { pipeline }) });
  const running = all.filter(({ status: how }) => how === 'running').map(({ workflowId }) => workflowId);
  const [only] = running;
  if (only !== undefined && running.length === 1) return only;
  const [newest] = all;
  if (only === undefined && newest && orNewest) return newest.workflowId;
  throw new SluiceError(
    'NotRunning',
    only === undefined
      ? `No backfill${pipeline === undefined ? '' : ` of ${pipeline}`} is on its way: "sluice backfill list" has those that were.`
      : `Several backfills are on their way: say which one is meant, ${running.join(' or ')}.`,
  );
}

function progressText(workflowId: string, progress: BackfillProgress): string[] {
  return [
    `${boldOut(workflowId)}  ${progress.mode}`,
    ...progressLines(progress, Date.now()).map((line) => `  ${line}`),
    ...progress.failures.slice(-10).map(({ hour, code, message }) => `  ${hourKey(hour)}  ${code}: ${message}`),
  ];
}

function print(json: boolean | undefined, answer: object, lines: readonly string[]): void {
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : `${lines.join('\n')}\n`);
}

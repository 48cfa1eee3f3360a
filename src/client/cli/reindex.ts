import type { ReindexReport } from '../../workflows/messages.ts';
import { attend } from './attend.ts';
import { leavable } from './leaving.ts';
import { withDefinition } from './pipelines.ts';
import { bold, count, paced, Screen } from './screen.ts';

export interface ReindexFlags {
  readonly dryRun: boolean;
  readonly keepOld: boolean;
  readonly detach: boolean;
  readonly json?: boolean;
}

/** `sluice reindex`: starts the rebuild, or finds the one that is on its way, and follows it. A worker must be running. */
export async function reindex(given: string, { dryRun, keepOld, detach, json }: ReindexFlags): Promise<number> {
  const screen = new Screen();
  return withDefinition(given, async (client, pipeline) => {
    const { workflowId, running } = await client.rebuilds.start({ pipeline, dryRun, keepOld });
    screen.say(running ? `${workflowId} is on its way already; following it` : `started ${workflowId}`);
    if (detach) {
      if (json) process.stdout.write(`${JSON.stringify({ workflowId, running })}\n`);
      return 0;
    }
    const farewell = { goesOn: 'the rebuild goes on', lookAgain: `npx sluice reindex ${given}`, facts: { workflowId } };
    const tell = paced(screen, 'reindex');
    const report = await leavable(
      screen,
      () => farewell,
      json,
      () => attend(client, workflowId, client.rebuilds.result(workflowId), (notes) => tell(notes.join('; '))),
    ).finally(() => screen.end());
    if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else for (const line of lines(report)) screen.say(line);
    return 0;
  });
}

/** A rebuild in a few lines. */
export function lines({ dryRun, plans, rebuilt }: ReindexReport): string[] {
  if (dryRun) {
    return plans.map(({ alias, from, to, resumed, hours, rows, bytes }) => {
      const into = to === undefined ? 'a new index' : `${to}, which ${resumed ? 'was begun' : 'would be begun anew'}`;
      return `${bold(alias)}: ${count(hours)} hours, ${count(rows)} rows, ${count(bytes)} bytes of objects would go into ${into}, in the place of ${from ?? 'none'}`;
    });
  }
  return rebuilt.flatMap(({ alias, index, hours, rows, whole, misfits, deleted }) => [
    `${bold(alias)} is ${index} now: ${count(hours)} hours, ${count(rows)} rows` +
      (whole > 0 ? `; ${count(whole)} hours were there already` : '') +
      (deleted === undefined ? '' : `; ${deleted} is deleted`),
    ...Object.entries(misfits).map(
      ([column, n]) => `  ${column}: ${count(n)} values do not fit its type now, and are not in the documents`,
    ),
  ]);
}

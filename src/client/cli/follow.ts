import { setTimeout as wait } from 'node:timers/promises';
import type { RunReport } from '../../workflows/messages.ts';
import type { SluiceClient } from '../sluice-client.ts';
import { seconds, type Screen } from './screen.ts';

const LOOK_EVERY_MS = 500;
const SAY_EVERY_MS = 10_000;

/** Shows a run stage by stage until it ends. @throws SluiceError what failed it */
export async function follow(client: SluiceClient, workflowId: string, screen: Screen): Promise<RunReport> {
  let over = false;
  const result = client.runs.result(workflowId).finally(() => {
    over = true;
  });
  // Its rejection is awaited below; meanwhile nobody listens.
  result.catch(() => {});
  let shown = 0;
  let said = Date.now();
  let asked: Promise<unknown> = Promise.resolve();
  const look = async (): Promise<void> => {
    const progress = await client.runs.progress(workflowId);
    if (!progress) return;
    for (const { stage, ms } of progress.stages.slice(shown)) {
      screen.say(`  ${stage.padEnd(10)} ${seconds(ms).padStart(8)}`);
      said = Date.now();
    }
    shown = Math.max(shown, progress.stages.length);
    if (progress.current === undefined) return;
    const notes = await client.runs.notes(workflowId).catch(() => ({}));
    const what = [progress.waiting, ...Object.values(notes)].filter(Boolean).join('; ');
    screen.live(`  ${progress.current.padEnd(10)} ${what}`);
    if (!process.stderr.isTTY && Date.now() - said > SAY_EVERY_MS) {
      said = Date.now();
      screen.say(`  ${progress.current.padEnd(10)} running${what === '' ? '' : `: ${what}`}`);
    }
  };
  while (!over) {
    asked = look().catch(() => {});
    await Promise.race([asked, result.catch(() => {})]);
    await Promise.race([wait(LOOK_EVERY_MS), result.catch(() => {})]);
  }
  await asked;
  const report = await result.catch((error: unknown) => {
    screen.end();
    throw error;
  });
  screen.end();
  for (const { stage, ms } of report.stages.slice(shown))
    screen.say(`  ${stage.padEnd(10)} ${seconds(ms).padStart(8)}`);
  return report;
}

import { log, patched, sleep } from '@temporalio/workflow';
import { problemOf, wasCancelled } from './failure.ts';
import type { RunLog } from './run-log.ts';

const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 300_000;

/**
 * Asks for what a run that waits for others wants to know of them. Where there is no answer it goes on waiting, and asks again: that Temporal
 * does not list its runs for a while is no reason for any of them to fail.
 */
export async function untilAnswered<T>(ask: () => Promise<T>, run: RunLog): Promise<T> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await ask();
    } catch (error) {
      // Runs that were on their way before it was so fail.
      if (wasCancelled(error) || !patched('asks-again')) throw error;
      const { message } = problemOf(error);
      log.warn('whom a run waits for is not known: it asks again', { problem: message });
      run.waitsFor(`asks again for whom to wait: ${message.replace(/\.$/, '')}`);
    }
    await sleep(wait);
  }
}

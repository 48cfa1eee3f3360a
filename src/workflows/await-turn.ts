import { sleep } from '@temporalio/workflow';
import { untilAnswered } from './ask-again.ts';
import type { RunLog } from './run-log.ts';
import type { RunInput } from './messages.ts';

const SHORTEST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 300_000;

/**
 * Waits until no run of the same pipeline is open that has an older hour or has had its turn: hours that take keys of earlier ones out
 * are cleaned one at a time, the oldest first. Of runs that start within a moment of each other two may still go on side by side, as
 * Temporal's list is a little behind; then the later hour turns out to be stale when it commits.
 */
export async function awaitTurn({ pipeline, hour }: RunInput, run: RunLog): Promise<void> {
  const { findRunsAhead } = run.activities('light', `hours before ${hour}`);
  let line = '';
  let movedAt = 0;
  for (;;) {
    const { count, first } = await untilAnswered(() => findRunsAhead({ pipeline: pipeline.name, hour }), run);
    if (count === 0) return;
    const others = count > 1 ? ` and ${count - 1} more` : '';
    run.waitsFor(`waits for hour ${first[0] ?? ''}${others}`);
    const now = `${count} ${first.join()}`;
    if (now !== line) movedAt = Date.now();
    line = now;
    await sleep(turnWaitMs(count, Date.now() - movedAt));
  }
}

/**
 * How long to wait before asking again. A tenth of what the run at the head has taken so far, so that its end is noticed soon for
 * what it was; two seconds for each run in the line, as none is quicker than that; never more than five minutes. A wait over a
 * week-end is some eight thousand events of the fifty thousand that a history may have.
 */
export function turnWaitMs(ahead: number, sinceMovedMs: number): number {
  return Math.min(Math.max(SHORTEST_WAIT_MS * ahead, Math.ceil(sinceMovedMs / 10)), LONGEST_WAIT_MS);
}

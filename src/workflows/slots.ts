import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  sleep,
  startChild,
} from '@temporalio/workflow';
import { ids } from '../definition/names.ts';
import { untilAnswered } from './ask-again.ts';
import { attributes } from './attributes.ts';
import { turnWaitMs } from './await-turn.ts';
import type { RunInput } from './messages.ts';
import type { RunLog } from './run-log.ts';
import { slot } from './slot.ts';

/** The slot of a run: what it must hold to be in flight beside the runs of all pipelines. */
export class Slot {
  readonly #input: RunInput;
  readonly #run: RunLog;
  #held: { readonly workflowId: string; readonly runId: string } | undefined;
  #letGo = false;

  constructor(input: RunInput, run: RunLog) {
    this.#input = input;
    this.#run = run;
  }

  /**
   * Waits until one is free, and holds it until the run has ended. Who holds one waits for nobody that waits for one: turns are taken
   * before.
   */
  async take(): Promise<void> {
    await this.#run.stage('slot', () => this.#wait());
  }

  /** Lets it go while the run waits for a person: else the runs behind a paused consumer would keep all others from going on. */
  async letGo(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    this.#letGo = true;
    await CancellationScope.nonCancellable(() =>
      getExternalWorkflowHandle(held.workflowId, held.runId)
        .cancel()
        // It has ended by itself, or somebody ended it.
        .catch(() => {}),
    );
  }

  /** Takes one again, if one was let go. */
  async takeAgain(): Promise<void> {
    if (!this.#letGo) return;
    this.#letGo = false;
    await this.take();
  }

  async #wait(): Promise<void> {
    const { name: pipeline } = this.#input.pipeline;
    const { findSlots } = this.#run.activities('light', 'runs in flight');
    let line: number | undefined;
    let movedAt = 0;
    let passedOverSince: number | undefined;
    for (;;) {
      const passedOver = passedOverSince === undefined ? {} : { passedOverMs: Date.now() - passedOverSince };
      const asking = { pipeline, hour: this.#input.hour, ...passedOver };
      const { limit, room = 0, free, ahead } = await untilAnswered(() => findSlots(asking), this.#run);
      if (limit === undefined) return;
      for (const number of free) if (await this.#try(number)) return;
      const others = ahead === 0 ? '' : `, behind ${ahead} other${ahead === 1 ? '' : 's'}`;
      const until = limit === 1 ? 'no other run is' : `fewer than ${limit} runs are`;
      this.#run.waitsFor(`waits until ${until} in flight${others}`);
      if (ahead !== line) movedAt = Date.now();
      if (room === 0 || ahead !== line) passedOverSince = undefined;
      if (room > 0) passedOverSince ??= Date.now();
      line = ahead;
      await sleep(turnWaitMs(Math.ceil((ahead + 1) / limit), Date.now() - movedAt));
    }
  }

  /** Temporal sees to it that a slot has one holder. It is free again when the run has ended, not while that tidies up. */
  async #try(number: number): Promise<boolean> {
    const { pipeline, hour } = this.#input;
    const workflowId = ids.slot(number);
    try {
      const { firstExecutionRunId: runId } = await startChild(slot, {
        workflowId,
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.ABANDON,
        typedSearchAttributes: [
          { key: attributes.pipeline, value: pipeline.name },
          { key: attributes.hour, value: new Date(hour) },
        ],
        staticSummary: `Held by ${pipeline.name}, hour ${hour}`,
      });
      this.#held = { workflowId, runId };
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }
}

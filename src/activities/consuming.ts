import { CancelledFailure, Context } from '@temporalio/activity';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { ids } from '../definition/names.ts';
import type { StageDeps } from '../stages/deps.ts';
import type { ConsumeInput, ConsumeStatus } from '../stages/io.ts';
import { consume } from '../stages/landing/consume.ts';
import { waitedSoFar } from '../stages/measured.ts';
import { attended } from './attended.ts';
import { measuredConsumer } from './measured-consumer.ts';

/** What a consumer's query answers; the workflow's own type says more. */
interface State {
  readonly mode: string;
  readonly epoch: string;
  readonly life: number;
  readonly problem?: { readonly code: string; readonly message: string };
}

/** What a run is told of a batch: the workflow's own type says more. */
interface LandedBatch {
  readonly batch: string;
  readonly storeMs: number;
}

/** The activities around the consumer, which also talk to other workflows. */
export function consumingActivities(deps: StageDeps) {
  return {
    /** Lands a topic until it is cancelled; ends normally then, at the head of the chain. */
    async consume(input: ConsumeInput): Promise<ConsumeStatus> {
      const context = Context.current();
      const measured = measuredConsumer(deps.metrics, input, (error) =>
        context.log.warn('what this consumer lands is not in the metrics', { error: sentenceOf(error) }),
      );
      let before = 0;
      const status = await attended((stage) =>
        consume(deps, input, stage, {
          ...measured.hooks,
          landed: async (record, workflowIds) => {
            // Between two landings it only waits for the store to land something.
            const now = waitedSoFar('store');
            const storeMs = now - before;
            before = now;
            await Promise.all(workflowIds.map((id) => tell(context.client, id, { batch: record.batch, storeMs })));
          },
        }),
      ).finally(() => measured.left());
      // Nobody told the consumer to end: its worker goes, or somebody paused or reset the activity by hand. It comes back.
      if (!context.cancellationDetails?.cancelRequested) throw new CancelledFailure('interrupted');
      return status;
    },

    /** Where a consumer stands; undefined where none runs, or where it does not answer. */
    async consumerState(input: { readonly stream: string; readonly shard: number }): Promise<State | undefined> {
      const handle = Context.current().client.workflow.getHandle(ids.consumer(input.stream, input.shard));
      try {
        // One that has ended answers queries all the same.
        const { status } = await handle.describe();
        return status.name === 'RUNNING' ? await handle.query<State>('state') : undefined;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        throw new SluiceError('Unexpected', `The consumer of ${input.stream} does not answer: ${sentenceOf(error)}.`);
      }
    },
  };
}

/** A workflow that is over, or never was, needs no telling: whoever waits reads the batch record. */
async function tell(client: Client, workflowId: string, landed: LandedBatch): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal('landed', landed);
  } catch (error) {
    Context.current().log.debug('nobody waits for this batch', {
      workflowId,
      batch: landed.batch,
      error: sentenceOf(error),
    });
  }
}

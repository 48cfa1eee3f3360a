import type { Client } from '@temporalio/client';
import { ids } from '../definition/names.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { askRun } from './ask-run.ts';
import { pendingOf } from './pending-activities.ts';
import { answerOf } from './query-worker.ts';
import type { ConsumerState, LossAccepted, LossInput } from '../workflows/messages.ts';

/** A consumer as Temporal knows it. */
export interface ConsumerView {
  readonly workflowId: string;
  /** A pipeline's name, or `<name>.<aggregate>`. */
  readonly stream: string;
  readonly shard: number;
  /** Absent where no worker answers for it. */
  readonly state?: ConsumerState;
  /** What it says of itself while it reads: `12 manifests, 0 open batches, lag 32,735`. */
  readonly note?: string;
  /** Why its last attempt failed, where it is being tried again. */
  readonly failing?: string;
}

/** Looks at the consumers of a stream, and steers them: each word is told to every shard. */
export class ConsumerControl {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Those that run, by stream and shard: of one stream, or of all. */
  async list(stream?: string): Promise<ConsumerView[]> {
    const prefix = stream === undefined ? 'consumer/' : ids.consumer(stream, 0).slice(0, -1);
    const query = `WorkflowType = "consumer" AND ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${prefix}"`;
    const found: Promise<ConsumerView>[] = [];
    for await (const { workflowId } of this.#client.workflow.list({ query })) {
      const [, of, shard] = /^consumer\/(.+)\/(\d+)$/.exec(workflowId) ?? [];
      if (of !== undefined && (stream ?? of) === of) found.push(this.#view(workflowId, of, Number(shard)));
    }
    const order = (a: ConsumerView, b: ConsumerView): number =>
      a.stream === b.stream ? a.shard - b.shard : a.stream < b.stream ? -1 : 1;
    return (await Promise.all(found)).toSorted(order);
  }

  /** Stops reading until {@link resume}; nothing is lost. */
  pause(stream: string): Promise<ConsumerState[]> {
    return this.#tell(stream, 'pause');
  }

  /** Reads again; one that halted checks again first. */
  resume(stream: string): Promise<ConsumerState[]> {
    return this.#tell(stream, 'resume');
  }

  /** Ends the consumers. The next run starts others. */
  drain(stream: string): Promise<ConsumerState[]> {
    return this.#tell(stream, 'drain');
  }

  /**
   * Gives up offsets that are lost, so that a halted consumer reads on behind them.
   * @throws SluiceError `LossRefused` where it has not halted, or the range is not the one that is missing
   */
  async acceptLoss(stream: string, loss: LossInput): Promise<LossAccepted> {
    const all = await this.#answering(stream);
    const owner = all.find(({ shard, state }) => loss.partition % (state.shards ?? 1) === shard);
    if (!owner) throw new SluiceError('LossRefused', `No consumer of ${stream} has partition ${loss.partition}.`);
    try {
      return await this.#client.workflow
        .getHandle(owner.workflowId)
        .executeUpdate<LossAccepted, [LossInput]>('acceptLoss', {
          args: [loss],
        });
    } catch (error) {
      throw new SluiceError('LossRefused', innermost(error));
    }
  }

  async #tell(stream: string, word: 'pause' | 'resume' | 'drain'): Promise<ConsumerState[]> {
    const all = await this.#answering(stream);
    return Promise.all(
      // It may have been drained since it was looked at.
      all.map(({ workflowId }) =>
        askRun(this.#client, workflowId, (handle) => handle.executeUpdate<ConsumerState, []>(word)),
      ),
    );
  }

  async #answering(stream: string): Promise<(ConsumerView & { readonly state: ConsumerState })[]> {
    const all = await this.list(stream);
    if (all.length === 0) {
      throw new SluiceError('NotRunning', `No consumer of ${stream} runs: the next run of an hour starts one.`);
    }
    return all.map(({ state, ...view }) => {
      if (state) return { ...view, state };
      throw new SluiceError(
        'NoWorker',
        `No worker answers for ${view.workflowId}: start one with "npx sluice worker".`,
      );
    });
  }

  async #view(workflowId: string, stream: string, shard: number): Promise<ConsumerView> {
    const handle = this.#client.workflow.getHandle(workflowId);
    const [state, description] = await Promise.all([
      answerOf<ConsumerState>(this.#client, handle, 'state'),
      handle.describe(),
    ]);
    const consume = description.raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'consume');
    const [reading] = consume ? pendingOf([consume]) : [];
    return {
      workflowId,
      stream,
      shard,
      ...(state ? { state } : {}),
      ...(reading?.note === undefined ? {} : { note: reading.note }),
      ...(reading?.failure && !reading.recovered ? { failing: reading.failure.message } : {}),
    };
  }
}

function innermost(error: unknown): string {
  let at = error;
  while (at instanceof Error && at.cause instanceof Error) at = at.cause;
  return sentenceOf(at);
}

import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { waitingOn } from '../meter.ts';
import { tracedRequest } from '../tracing.ts';
import type { SparkChannel } from './channel.ts';
import {
  handleProblem,
  isPassing,
  isTaken,
  readFailure,
  sparkError,
  SparkSessionLost,
  SparkSessionTaken,
} from './failure.ts';
import {
  ExecutePlanRequestSchema,
  FetchErrorDetailsRequestSchema,
  InterruptRequest_InterruptType,
  InterruptRequestSchema,
  ReattachExecuteRequestSchema,
  ReleaseSessionRequestSchema,
  SparkConnectService,
  type ExecutePlanResponse,
  PlanSchema,
} from './generated/spark/connect/base_pb.js';

const SHORT_CALL_MS = 20_000;
/** Times that a session is tried to be released. */
const RELEASES = 4;
const RELEASE_PAUSE_MS = 300;
/** A server that is away for longer is given up; the stage's own retries come after that. */
const BROKEN_FOR_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** How far a query is, over all of its stages so far. */
export interface SparkProgress {
  readonly tasks: number;
  readonly done: number;
}

export interface SparkWatch {
  readonly signal: AbortSignal;
  progress(progress: SparkProgress): void;
}

/**
 * A session of a Spark Connect server. A query's id is made of the session's, of its own text and of those before it: whoever
 * asks the same things in the same order under the same session id is given the answers of what has been asked already, also by a
 * process that has died since. What is asked otherwise, and all that comes behind it, is another query. Nothing is released before
 * the whole session is.
 */
export class SparkSession {
  readonly id: string;
  readonly #channel: SparkChannel;
  readonly #watch: SparkWatch;
  /** What what is asked from now on is for, in a word or two. */
  step = 'other';
  /** The same of what has been asked, by the operation's id. */
  readonly steps = new Map<string, string>();
  /** A hash of all that has been asked. */
  #asked = '';
  /** By which a server that was started anew is told from the one that we know. */
  #server: string | undefined;

  /** @param id A UUID. */
  constructor(channel: SparkChannel, id: string, watch: SparkWatch) {
    this.#channel = channel;
    this.id = id;
    this.#watch = watch;
  }

  /**
   * Runs one SQL statement to its end.
   * @returns Arrow IPC streams, one a batch of the result
   * @throws SluiceError `EngineFailed` with Spark's own text, `SparkUnavailable`, `SettingsInvalid`
   * @throws SparkSessionLost where the server has let go of the session or the query
   * @throws SparkSessionTaken where another process goes on with it
   */
  async sql(query: string): Promise<Uint8Array[]> {
    const input = { relType: { case: 'sql', value: { query } } } as const;
    return this.#run({
      opType: {
        case: 'command',
        value: { commandType: { case: 'sqlCommand', value: { input } } },
      },
    });
  }

  /** A query whose rows are wanted; statements that do something are for {@link sql}. Errors as there. */
  async ask(query: string): Promise<Uint8Array[]> {
    return this.#run({ opType: { case: 'root', value: { relType: { case: 'sql', value: { query } } } } });
  }

  /** A view over Parquet files, each named. Errors as in {@link sql}. */
  async viewOfParquet(name: string, paths: readonly string[]): Promise<void> {
    const source = { format: 'parquet', paths: [...paths] };
    const input = {
      relType: { case: 'read', value: { readType: { case: 'dataSource', value: source } } },
    } as const;
    await this.#run({
      opType: {
        case: 'command',
        value: { commandType: { case: 'createDataframeView', value: { input, name, isGlobal: false, replace: true } } },
      },
    });
  }

  /** Stops what runs in the session. Says nothing where the server is away: it stops what nobody asks after by itself. */
  async interrupt(): Promise<void> {
    const request = create(InterruptRequestSchema, {
      ...this.#identity(),
      interruptType: InterruptRequest_InterruptType.ALL,
    });
    await this.#channel.unary(SparkConnectService.method.interrupt, request, SHORT_CALL_MS).catch(() => {});
  }

  /**
   * Ends the session, and with it its queries, views and answers.
   * @returns whether the server said so; where it does not answer, the session may still be there
   */
  async release(): Promise<boolean> {
    const request = create(ReleaseSessionRequestSchema, this.#identity());
    for (let left = RELEASES; left > 0; left--) {
      const released = await this.#channel
        .unary(SparkConnectService.method.releaseSession, request, SHORT_CALL_MS)
        .then(
          () => true,
          () => false,
        );
      if (released) return true;
      // Right after an interruption Spark 4.1 answers with an internal error.
      await wait(RELEASE_PAUSE_MS);
    }
    return false;
  }

  #run(init: MessageInitShape<typeof PlanSchema>): Promise<Uint8Array[]> {
    return tracedRequest('spark', 'spark plan', { 'db.system.name': 'spark' }, () =>
      waitingOn('spark', () => this.#execute(init)),
    );
  }

  async #execute(init: MessageInitShape<typeof PlanSchema>): Promise<Uint8Array[]> {
    const { signal } = this.#watch;
    const plan = create(PlanSchema, init);
    this.#asked = createHash('sha256').update(this.#asked).update(toBinary(PlanSchema, plan)).digest('hex');
    const operationId = uuidOf(`${this.id} ${this.#asked}`);
    this.steps.set(operationId, this.step);
    const request = create(ExecutePlanRequestSchema, {
      ...this.#identity(),
      ...(this.#server === undefined ? {} : { clientObservedServerSideSessionId: this.#server }),
      operationId,
      plan,
      requestOptions: [{ requestOption: { case: 'reattachOptions', value: { reattachable: true } } }],
    });
    const batches: Uint8Array[] = [];
    let lastResponseId: string | undefined;
    let begun = false;
    let brokenAt: number | undefined;
    let pause = FIRST_PAUSE_MS;
    for (;;) {
      signal.throwIfAborted();
      const stream = begun
        ? this.#channel.stream(SparkConnectService.method.reattachExecute, this.#reattach(operationId, lastResponseId))
        : this.#channel.stream(SparkConnectService.method.executePlan, request);
      try {
        for await (const response of answers(stream, signal)) {
          begun = true;
          brokenAt = undefined;
          pause = FIRST_PAUSE_MS;
          lastResponseId = response.responseId;
          this.#server ??= response.serverSideSessionId;
          const { responseType } = response;
          if (responseType.case === 'resultComplete') return batches;
          if (responseType.case === 'arrowBatch') batches.push(responseType.value.data);
          else if (responseType.case === 'executionProgress') this.#tell(responseType.value.stages);
        }
        // A stream without its last word: there is more.
        begun = true;
      } catch (error) {
        signal.throwIfAborted();
        const failure = readFailure(error);
        const problem = handleProblem(failure);
        if (problem === 'OPERATION_ALREADY_EXISTS') begun = true;
        else if (problem === 'OPERATION_NOT_FOUND' && lastResponseId === undefined && begun) begun = false;
        else if (isTaken(failure)) throw new SparkSessionTaken(failure.text, { cause: error });
        else if (problem !== undefined || failure.errorClass === 'OPERATION_CANCELED')
          throw new SparkSessionLost(failure.text, { cause: error });
        else if (!isPassing(failure))
          throw sparkError(this.#channel.where, failure, error, await this.#wholeText(failure.errorId));
        else {
          brokenAt ??= Date.now();
          if (Date.now() - brokenAt > BROKEN_FOR_MS) throw sparkError(this.#channel.where, failure, error);
          // Whether the server has the query is not known: if it does, it says so.
          await wait(pause, undefined, { signal });
          pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        }
      }
    }
  }

  #reattach(operationId: string, lastResponseId: string | undefined) {
    return create(ReattachExecuteRequestSchema, {
      ...this.#identity(),
      ...(this.#server === undefined ? {} : { clientObservedServerSideSessionId: this.#server }),
      operationId,
      ...(lastResponseId === undefined ? {} : { lastResponseId }),
    });
  }

  #tell(stages: readonly { numTasks: bigint; numCompletedTasks: bigint }[]): void {
    const sum = (of: (stage: (typeof stages)[number]) => bigint): number =>
      stages.reduce((total, stage) => total + Number(of(stage)), 0);
    this.#watch.progress({ tasks: sum((stage) => stage.numTasks), done: sum((stage) => stage.numCompletedTasks) });
  }

  /** A status holds the beginning of a text; the whole of it has to be asked for. */
  async #wholeText(errorId: string | undefined): Promise<string | undefined> {
    if (errorId === undefined) return undefined;
    const request = create(FetchErrorDetailsRequestSchema, { ...this.#identity(), errorId });
    try {
      const { method } = SparkConnectService;
      const { errors, rootErrorIdx } = await this.#channel.unary(method.fetchErrorDetails, request, SHORT_CALL_MS);
      return errors[rootErrorIdx ?? 0]?.message;
    } catch {
      return undefined;
    }
  }

  #identity() {
    const { user } = this.#channel;
    return { sessionId: this.id, userContext: { userId: user, userName: user }, clientType: 'sluice' };
  }
}

/** The answers of a stream; one that is aborted ends at once, without waiting for the server. */
async function* answers(
  stream: ClientReadableStream<ExecutePlanResponse>,
  signal: AbortSignal,
): AsyncGenerator<ExecutePlanResponse> {
  const cancel = (): void => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    yield* stream as AsyncIterable<ExecutePlanResponse>;
  } finally {
    signal.removeEventListener('abort', cancel);
    stream.cancel();
  }
}

/** A UUID that is the same for the same text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

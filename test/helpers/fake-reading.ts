import { Context } from '@temporalio/activity';
import type { SluiceError } from '../../src/definition/errors.ts';
import type { ConsumeInput } from '../../src/stages/io.ts';

/** What a consumer of a stream is given. */
export function consumeInput(stream: string, more: Partial<ConsumeInput> = {}): ConsumeInput {
  return {
    ...{ stream, topic: stream, epoch: 'e1', life: 1, partitions: 1, shard: 0 },
    ...{ maxRecords: 10, maxBytes: 1_024, abandonAfterMs: 1_000 },
    ...more,
  };
}

/** An activity that goes on until it is cancelled. @throws CancelledFailure */
export async function stopped(began: () => void): Promise<never> {
  began();
  const beat = setInterval(() => Context.current().heartbeat(), 50);
  return Context.current().cancelled.finally(() => clearInterval(beat));
}

/** `consume` that lands nothing: it reads until it is told to stop, as the real one. */
export class FakeReading {
  /** Readings that are on their way. */
  now = 0;
  /** What each reading was given, in order. */
  readonly given: ConsumeInput[] = [];
  /** What a reading ends with at once, where one is set. */
  problem: SluiceError | undefined;

  readonly consume = async (input: ConsumeInput): Promise<unknown> => {
    if (this.problem) throw this.problem;
    this.now += 1;
    this.given.push(input);
    const beat = setInterval(() => Context.current().heartbeat(), 50);
    try {
      await Context.current().cancelled;
    } catch {
      // Ends normally when it is told to stop.
    } finally {
      clearInterval(beat);
      this.now -= 1;
    }
    return { positions: {}, landedRows: 0, resent: 0, foreign: 0, manifests: 0, openBatches: 0 };
  };
}

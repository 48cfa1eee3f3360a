import { Context } from '@temporalio/activity';

/** Where an activity of a test waits until the test lets it go on, or until it is cancelled. */
export class Gate {
  /** Settles once somebody waits here. */
  readonly reached: Promise<void>;
  open: () => void = () => {};
  #arrive: () => void = () => {};
  readonly #opened: Promise<void>;

  constructor() {
    this.reached = new Promise((resolve) => (this.#arrive = resolve));
    this.#opened = new Promise((resolve) => (this.open = resolve));
  }

  /**
   * Waits, with heartbeats: a cancellation comes with their answers.
   * @param deaf do not hear of a cancellation
   * @throws CancelledFailure
   */
  async pass({ deaf = false } = {}): Promise<void> {
    this.#arrive();
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 50);
    try {
      await (deaf ? this.#opened : Promise.race([this.#opened, context.cancelled]));
    } finally {
      clearInterval(beat);
    }
  }
}

/** An activity that goes on until it is told to stop. */
export async function untilStopped(): Promise<void> {
  await new Gate().pass();
}

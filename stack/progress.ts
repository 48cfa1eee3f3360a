import { styleText } from 'node:util';

/** Says what the stack does, as it does it: plain lines on stderr, each with the time since the beginning. */
export class StackProgress {
  readonly #startedAt = performance.now();
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void = (line) => process.stderr.write(`${line}\n`)) {
    this.#write = write;
  }

  say(what: string, sentence: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(6);
    this.#write(`${styleText('dim', `${seconds} s`, { stream: process.stderr })}  ${what.padEnd(14)} ${sentence}`);
  }

  /** Says that a long step still goes on, every 15 s, until it ends. */
  async during<T>(what: string, sentence: string, work: () => Promise<T>): Promise<T> {
    this.say(what, sentence);
    const startedAt = performance.now();
    const again = setInterval(() => {
      this.say(what, `… still at it: ${sentence} (${Math.round((performance.now() - startedAt) / 1000)} s)`);
    }, 15_000);
    try {
      return await work();
    } finally {
      clearInterval(again);
    }
  }
}

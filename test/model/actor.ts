import { SluiceError } from '../../src/definition/errors.ts';

/**
 * What befalls a process at one of its calls of a server: the call fails, the process dies, or it stands still until somebody lets it go
 * on. `before` the call has taken effect, or `after` it: its answer is lost then. `late`: a send fails, and is appended later.
 */
export interface Fault {
  /** Which call, counted from 0 in this step. */
  readonly at: number;
  readonly when: 'before' | 'after';
  readonly how: 'fail' | 'crash' | 'pause' | 'late';
}

/** How a step of a process ended. */
export type Outcome<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** It stands still within a call, and can go on. */
  | { readonly kind: 'paused' }
  /** It is gone, and nothing of its code has run since: no `catch`, no `finally`. */
  | { readonly kind: 'crashed' };

/** A process that reaches the servers only through {@link call}, so that it can be stopped there at any one. */
export class Actor {
  #fault: Fault | undefined;
  #calls = 0;
  #working: Promise<Outcome<unknown>> | undefined;
  #halted = Promise.withResolvers<Outcome<never>>();
  #goOn: (() => void) | undefined;
  /** The fault of the step struck. */
  struck = false;

  get paused(): boolean {
    return this.#goOn !== undefined;
  }

  /** Runs a step until it ends, or until its fault stops it. */
  async run<T>(fault: Fault | undefined, work: () => Promise<T>): Promise<Outcome<T>> {
    this.#arm(fault);
    const working = work().then(
      (value): Outcome<T> => ({ kind: 'done', value }),
      (error: unknown): Outcome<T> => ({ kind: 'failed', error }),
    );
    this.#working = working;
    return Promise.race([working, this.#halted.promise]);
  }

  /** Lets a paused step go on, with another fault ahead of it. */
  async resume<T>(fault?: Fault): Promise<Outcome<T>> {
    const goOn = this.#goOn;
    if (!goOn || !this.#working) throw new RangeError('only who is paused can go on');
    this.#goOn = undefined;
    this.#arm(fault);
    goOn();
    return Promise.race([this.#working as Promise<Outcome<T>>, this.#halted.promise]);
  }

  /**
   * A call of a server.
   * @param failure what the caller sees where the call or its answer is lost
   * @param later keeps the effect of a call that arrives when its caller has given it up
   */
  async call<T>(effect: () => T, failure: () => SluiceError = unavailable, later?: () => void): Promise<T> {
    const fault = this.#fault?.at === this.#calls ? this.#fault : undefined;
    this.#calls += 1;
    if (!fault) return effect();
    this.struck = true;
    if (fault.how === 'late') {
      later?.();
      throw failure();
    }
    if (fault.when === 'before') await this.#befall(fault.how, failure);
    const result = effect();
    if (fault.when === 'after') await this.#befall(fault.how, failure);
    return result;
  }

  async #befall(how: 'fail' | 'crash' | 'pause', failure: () => SluiceError): Promise<void> {
    if (how === 'fail') throw failure();
    const standing = Promise.withResolvers<void>();
    if (how === 'pause') this.#goOn = () => standing.resolve();
    this.#halted.resolve({ kind: how === 'pause' ? 'paused' : 'crashed' });
    await standing.promise;
  }

  #arm(fault: Fault | undefined): void {
    this.#fault = fault;
    this.#calls = 0;
    this.struck = false;
    this.#halted = Promise.withResolvers();
  }
}

function unavailable(): SluiceError {
  return new SluiceError('StoreUnavailable', 'The model lost this call.');
}

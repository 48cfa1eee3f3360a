import { randomUUID } from 'node:crypto';
import { errorCodes, SluiceError } from '../../definition/errors.ts';
import { keys } from '../../definition/names.ts';
import type { RawFile } from '../../definition/refs.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { collectLeftOvers, removeScratch } from '../scratch.ts';
import type { PartState } from './raw-writer.ts';

/** What a heartbeat says of a download: enough for the next attempt, on whichever worker, to go on. */
export interface FetchState {
  readonly session: string;
  /** Number of the file that is being fetched, from 0. */
  readonly file: number;
  readonly parts: number;
  readonly bytes: number;
  readonly validator?: string;
}

/** The fetching of an import over all attempts at it. Files that are done are remembered in the object store. */
export class FetchSession {
  readonly #deps: StageDeps;
  readonly #pipeline: string;
  readonly #context: StageContext;
  readonly #previous: FetchState | undefined;
  #state: FetchState;

  constructor(deps: StageDeps, pipeline: string, context: StageContext) {
    this.#deps = deps;
    this.#pipeline = pipeline;
    this.#context = context;
    this.#previous = fetchStateIn(context.previous);
    this.#state = this.#previous ?? { session: randomUUID(), file: -1, parts: 0, bytes: 0 };
  }

  /** Whether an earlier attempt got somewhere. */
  get again(): boolean {
    return this.#previous !== undefined;
  }

  get #prefix(): string {
    return `${keys.fetching(this.#pipeline, this.#context.runId)}${this.#state.session}/`;
  }

  /** Of the parts of a file. */
  partsPrefix(file: number): string {
    return `${this.#prefix}${String(file).padStart(6, '0')}/`;
  }

  /** What is stored of a file that an earlier attempt did not finish. */
  resumable(file: number): (PartState & { readonly validator: string }) | undefined {
    const { parts = 0, bytes = 0, validator, file: at } = this.#previous ?? {};
    return at === file && parts > 0 && validator !== undefined ? { parts, bytes, validator } : undefined;
  }

  /** Says that a part is stored. */
  stored(file: number, validator: string | undefined, { parts, bytes }: PartState): void {
    const { session } = this.#state;
    this.#state = { session, file, parts, bytes, ...(validator === undefined ? {} : { validator }) };
    // Told at once: if the source hangs now, no chunk comes to tell it with.
    this.progress(bytes, `fetched ${bytes} bytes`);
  }

  progress(bytes: number, note: string): void {
    this.#context.progress({ bytes, note, resume: this.#state });
  }

  async done(file: number): Promise<RawFile | undefined> {
    return this.again ? this.#deps.store.findJson<RawFile>(this.#doneKey(file)) : undefined;
  }

  async keep(file: number, fetched: RawFile): Promise<void> {
    await this.#deps.store.put(this.#doneKey(file), Buffer.from(JSON.stringify(fetched)));
    this.#state = { session: this.#state.session, file: file + 1, parts: 0, bytes: 0 };
  }

  /** A context whose heartbeats still say where the download is, for the work behind it. */
  get context(): StageContext {
    return { ...this.#context, progress: (progress) => this.#context.progress({ ...progress, resume: this.#state }) };
  }

  /** Runs the work and tidies up, unless another attempt may come back for what is stored. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await collectLeftOvers(this.#deps.store, keys.fetching(this.#pipeline), Date.now()).catch(() => {});
    try {
      const result = await work();
      await this.#tidy();
      return result;
    } catch (error) {
      const final = error instanceof SluiceError && errorCodes[error.code] === 'final';
      if (final || this.#context.signal.aborted) await this.#tidy();
      throw error;
    }
  }

  async #tidy(): Promise<void> {
    // What stays behind is collected later, so it is no reason to fail.
    await removeScratch(this.#deps.store, this.#prefix).catch(() => {});
  }

  #doneKey(file: number): string {
    return `${this.#prefix}${String(file).padStart(6, '0')}.json`;
  }
}

function fetchStateIn(previous: unknown): FetchState | undefined {
  const state = typeof previous === 'object' && previous !== null && 'resume' in previous ? previous.resume : undefined;
  const sound = typeof state === 'object' && state !== null && 'session' in state && typeof state.session === 'string';
  return sound && /^[0-9a-f-]{36}$/.test(String(state.session)) ? (state as FetchState) : undefined;
}

import type { AlertedPipeline } from '../../../definition/incidents.ts';
import { keys } from '../../../definition/names.ts';
import type { StageDeps } from '../../deps.ts';

/** One time that Temporal was away, as it was told. */
export interface Outage {
  readonly n: number;
  /** ISO 8601. */
  readonly since: string;
  readonly address: string;
  /** Who spoke for all, and speaks of its end. */
  readonly speakers: readonly AlertedPipeline[];
  /** Drawn: who of several wrote it. */
  readonly by: string;
}

/**
 * Which of Temporal's absences have been told. Temporal keeps everything else that is to be done once; this is in the object store, so that it is so over restarts and
 * whoever else looks.
 */
export class Outages {
  readonly #store: Pick<StageDeps['store'], 'createJson' | 'exists' | 'findJson' | 'lastKey' | 'put'>;
  readonly #namespace: string;

  constructor(
    store: Pick<StageDeps['store'], 'createJson' | 'exists' | 'findJson' | 'lastKey' | 'put'>,
    namespace: string,
  ) {
    this.#store = store;
    this.#namespace = namespace;
  }

  /** The one that was told, and whose end was not. @throws SluiceError `StoreUnavailable` */
  async open(): Promise<Outage | undefined> {
    const last = await this.#last();
    if (!last || (await this.#store.exists(keys.temporalBack(this.#namespace, last.n)))) return undefined;
    return last;
  }

  /** @returns the outage where it is for the caller to tell; undefined where it was told, or somebody else tells it now. @throws SluiceError `StoreUnavailable` */
  async begin(outage: Omit<Outage, 'n'>): Promise<Outage | undefined> {
    const last = await this.#last();
    if (last && !(await this.#store.exists(keys.temporalBack(this.#namespace, last.n)))) return undefined;
    const n = (last?.n ?? 0) + 1;
    const { created, value } = await this.#store.createJson<Outage>(keys.temporalGone(this.#namespace, n), {
      n,
      ...outage,
    });
    // One whose answer was lost finds itself.
    return created || value.by === outage.by ? value : undefined;
  }

  /** @returns whether its end is for the caller to tell. @throws SluiceError `StoreUnavailable` */
  async end({ n }: Outage, over: { readonly at: string; readonly by: string }): Promise<boolean> {
    const { created, value } = await this.#store.createJson(keys.temporalBack(this.#namespace, n), over);
    return created || value.by === over.by;
  }

  /** Keeps whom to tell, for one that starts while Temporal is away. @throws SluiceError `StoreUnavailable` */
  async know(pipelines: readonly AlertedPipeline[]): Promise<void> {
    await this.#store.put(keys.toldOfTemporal(this.#namespace), Buffer.from(JSON.stringify(pipelines)));
  }

  /** @throws SluiceError `StoreUnavailable` */
  async known(): Promise<readonly AlertedPipeline[]> {
    return (await this.#store.findJson<AlertedPipeline[]>(keys.toldOfTemporal(this.#namespace))) ?? [];
  }

  async #last(): Promise<Outage | undefined> {
    const key = await this.#store.lastKey(keys.temporalGoneAll(this.#namespace));
    return key === undefined ? undefined : this.#store.findJson<Outage>(key);
  }
}

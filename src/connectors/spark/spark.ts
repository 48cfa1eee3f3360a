import { randomUUID } from 'node:crypto';
import { SluiceError } from '../../definition/errors.ts';
import type { SparkWork } from '../../definition/spark-work.ts';
import type { Settings } from '../settings.ts';
import { SparkChannel } from './channel.ts';
import { SparkSessionLost } from './failure.ts';
import { SparkSession, type SparkWatch } from './session.ts';
import { sparkWork } from './work.ts';

const TOLD_WITHIN_MS = 3_000;

/** A Spark Connect server. */
export class SparkConnector {
  readonly where: string;
  /** From so many rows on `engine: auto` takes Spark. */
  readonly fromRows: number;
  readonly #channel: SparkChannel;
  readonly #ui: string | undefined;

  /** @throws SluiceError `SettingsInvalid` */
  constructor(settings: NonNullable<Settings['spark']>) {
    this.#channel = new SparkChannel(settings);
    this.where = this.#channel.where;
    this.fromRows = settings.fromRows ?? Infinity;
    this.#ui = settings.ui;
  }

  /**
   * A session. Whoever opens it releases it.
   * @param id A UUID. The id of a session that a process left behind goes on with it.
   */
  session(id: string, watch: SparkWatch): SparkSession {
    return new SparkSession(this.#channel, id, watch);
  }

  /**
   * Asks something of the server, in a session of its own.
   * @throws SluiceError `SparkUnavailable`, `SettingsInvalid`, `EngineFailed`
   */
  async verify(signal: AbortSignal): Promise<void> {
    const session = this.session(randomUUID(), { signal, progress: () => {} });
    try {
      await session.ask('SELECT version()');
    } catch (error) {
      if (!(error instanceof SparkSessionLost)) throw error;
      throw new SluiceError('SparkUnavailable', `The Spark server at ${this.where} lost our session.`, {
        cause: error,
      });
    } finally {
      await session.release();
    }
  }

  /** What Spark did in a session, as long as that is there; undefined where nobody says so soon, or it is not known where to ask. */
  async workOf({ id, steps }: SparkSession, signal: AbortSignal): Promise<SparkWork | undefined> {
    if (this.#ui === undefined) return undefined;
    try {
      return await sparkWork(this.#ui, id, steps, AbortSignal.any([signal, AbortSignal.timeout(TOLD_WITHIN_MS)]));
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#channel.close();
  }
}

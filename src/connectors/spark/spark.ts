import { randomUUID } from 'node:crypto';
import { SluiceError } from '../../definition/errors.ts';
import type { Settings } from '../settings.ts';
import { SparkChannel } from './channel.ts';
import { SparkSessionLost } from './failure.ts';
import { SparkSession, type SparkWatch } from './session.ts';

/** A Spark Connect server. */
export class SparkConnector {
  readonly where: string;
  /** From so many rows on `engine: auto` takes Spark. */
  readonly fromRows: number;
  readonly #channel: SparkChannel;

  /** @throws SluiceError `SettingsInvalid` */
  constructor(settings: NonNullable<Settings['spark']>) {
    this.#channel = new SparkChannel(settings);
    this.where = this.#channel.where;
    this.fromRows = settings.fromRows ?? Infinity;
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

  close(): void {
    this.#channel.close();
  }
}

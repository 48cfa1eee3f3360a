import { requireListening, temporalPlace, type TemporalPlace } from '../../connectors/temporal.ts';
import { SluiceClient } from '../sluice-client.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** So long ago an answer may be for Temporal to be taken for there. */
const FRESH_MS = 1_000;
/** What one request may take of Temporal's time. */
const USUAL_MS = 15_000;

/**
 * The client of a process that outlives Temporal's absences: it connects when it is first asked something, and says at once where nobody
 * listens.
 */
export class TemporalSession {
  readonly #environment: Environment;
  readonly #place: TemporalPlace;
  #connecting: Promise<SluiceClient> | undefined;
  #answeredAt = 0;

  /** @throws SluiceError `SettingsInvalid` where the environment does not say how to reach Temporal */
  constructor(environment: Environment) {
    this.#environment = environment;
    this.#place = temporalPlace(environment);
  }

  get place(): TemporalPlace {
    return this.#place;
  }

  /**
   * Does something with the client.
   * @param withinMs after which Temporal's answer is given up
   * @throws SluiceError `StackUnavailable` where Temporal is away; whatever `work` throws
   */
  async use<T>(work: (client: SluiceClient) => Promise<T>, withinMs = USUAL_MS): Promise<T> {
    const client = await this.client();
    const done = await client.temporal.withDeadline(Date.now() + withinMs, () => work(client));
    this.#answeredAt = Date.now();
    return done;
  }

  /** The client, for what takes as long as it takes. @throws SluiceError `StackUnavailable` */
  async client(): Promise<SluiceClient> {
    if (Date.now() - this.#answeredAt > FRESH_MS) await requireListening(this.#place);
    // Several that ask at once share a connection; one that failed is tried anew.
    this.#connecting ??= SluiceClient.connect(this.#environment).catch((error: unknown) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  async close(): Promise<void> {
    await this.#connecting?.then((client) => client.close()).catch(() => {});
  }
}

import { Client, Connection } from '@temporalio/client';
import { ObjectStore } from '../connectors/object-store.ts';
import { readSettings } from '../connectors/settings.ts';
import { flushTraces, startTracing } from '../connectors/start-tracing.ts';
import { refusedByTemporal, requireListening, temporalPlace } from '../connectors/temporal.ts';
import { Backfills } from './backfills.ts';
import { ConsumerControl } from './consumer-control.ts';
import { Incidents } from './incidents.ts';
import { MaintenanceRuns } from './maintenance-runs.ts';
import { Rebuilds } from './rebuilds.ts';
import { Runs } from './runs.ts';
import { Schedules } from './schedules/schedules.ts';
import { tracedStarts } from './traced-starts.ts';
import { Watchdog } from './watchdog.ts';

/** The programmatic door: everything that CLI and HTTP API do, they do by this. */
export class SluiceClient {
  readonly runs: Runs;
  readonly schedules: Schedules;
  readonly consumers: ConsumerControl;
  readonly maintenance: MaintenanceRuns;
  readonly rebuilds: Rebuilds;
  readonly backfills: Backfills;
  readonly incidents: Incidents;
  readonly watchdog: Watchdog;
  /** The Temporal client itself, for what this one does not wrap. */
  readonly temporal: Client;
  readonly #connection: Connection;

  private constructor(
    client: Client,
    connection: Connection,
    environment: Readonly<Record<string, string | undefined>>,
  ) {
    this.temporal = client;
    this.runs = new Runs(client, () => new ObjectStore(readSettings(environment).store));
    this.schedules = new Schedules(client);
    this.consumers = new ConsumerControl(client);
    this.maintenance = new MaintenanceRuns(client);
    this.rebuilds = new Rebuilds(client);
    this.backfills = new Backfills(client);
    this.incidents = new Incidents(client);
    this.watchdog = new Watchdog(client);
    this.#connection = connection;
  }

  /**
   * Connects as the `temporal` CLI does: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*, profiles. What it starts is
   * traced where the process's OTEL_… variables ask for that.
   * @throws SluiceError `StackUnavailable` where no Temporal server answers
   */
  static async connect(environment: Readonly<Record<string, string | undefined>> = process.env): Promise<SluiceClient> {
    const place = temporalPlace(environment);
    await requireListening(place);
    try {
      const connection = await Connection.connect({ ...place.options, connectTimeout: 5_000 });
      await startTracing({ brief: true });
      const interceptors = { workflow: [tracedStarts] };
      const client = new Client({ connection, namespace: place.namespace, interceptors });
      return new SluiceClient(client, connection, environment);
    } catch (error) {
      throw refusedByTemporal(place, error);
    }
  }

  async close(): Promise<void> {
    await flushTraces();
    await this.#connection.close();
  }
}

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { SparkConnector } from '../../src/connectors/spark/spark.ts';
import { readSettings } from '../../src/connectors/settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A Spark connector by the variables of an environment, with some of them changed. */
export function sparkOf(environment: Environment, changed: Environment = {}): SparkConnector {
  const { spark } = readSettings({ ...environment, ...changed });
  if (!spark) throw new Error('the environment names no Spark');
  return new SparkConnector(spark);
}

/** One job of Spark's, as its own list has it. */
export interface SparkJob {
  readonly jobId: number;
  /** One of them names the session. */
  readonly jobTags: readonly string[];
  readonly status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'UNKNOWN';
}

/** Spark's own list of jobs, newest first. */
export async function sparkJobs(environment: Environment): Promise<SparkJob[]> {
  const api = `${environment['SLUICE_SPARK_UI_URL']}/api/v1/applications`;
  const [application] = (await (await fetch(api)).json()) as { id: string }[];
  return (await (await fetch(`${api}/${application?.id}/jobs`)).json()) as SparkJob[];
}

/** One statement that Spark ran, as its own list has it. */
export interface SparkStatement {
  readonly status: string;
  readonly description: string;
  readonly planDescription: string;
}

/** Spark's own list of statements, with their plans. */
export async function sparkStatements(environment: Environment): Promise<SparkStatement[]> {
  const api = `${environment['SLUICE_SPARK_UI_URL']}/api/v1/applications`;
  const [application] = (await (await fetch(api)).json()) as { id: string }[];
  return (await (await fetch(`${api}/${application?.id}/sql?details=false&length=10000`)).json()) as SparkStatement[];
}

/** Stands between a client and the Spark server, and can cut all that goes through it. */
export class SparkProxy {
  readonly url: string;
  cuts = 0;
  readonly #server: Server;
  readonly #open: Set<Socket>;

  private constructor(server: Server, open: Set<Socket>, options: string) {
    this.#server = server;
    this.#open = open;
    this.url = `sc://127.0.0.1:${(server.address() as AddressInfo).port}${options}`;
  }

  /** @param tls With these, it speaks TLS to the client; Spark itself does not. */
  static async start(environment: Environment, tls?: { key: Buffer; cert: Buffer }): Promise<SparkProxy> {
    const [, host = '', port = ''] = /^sc:\/\/(.+):(\d+)$/.exec(environment['SLUICE_SPARK_URL'] ?? '') ?? [];
    const open = new Set<Socket>();
    const through = (client: Socket): void => {
      const server = connect(Number(port), host);
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        open.add(one);
        one
          .on('error', () => other.destroy())
          .on('close', () => {
            open.delete(one);
            other.destroy();
          });
        one.pipe(other);
      }
    };
    const server = tls
      ? createTlsServer({ ...tls, ALPNProtocols: ['h2'] }, (socket) => through(socket))
      : createServer(through);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SparkProxy(server, open, tls ? '/;use_ssl=true' : '');
  }

  cut(): void {
    this.cuts += 1;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

import { fromBinary, toBinary, type DescMessage, type DescMethod, type MessageShape } from '@bufbuild/protobuf';
import { Client, Metadata, credentials, type ClientReadableStream } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { SluiceError } from '../../definition/errors.ts';
import { isLoopback, type SparkAddress } from './address.ts';

/** Arrow batches have 4 MB at most where Spark's own settings are the usual ones; plans are as long as their SQL. */
const MESSAGE_BYTES = 128 * 1024 * 1024;
const KEEPALIVE_MS = 20_000;
const RECONNECT_MS = 2_000;

export interface ChannelSettings {
  readonly address: SparkAddress;
  readonly token?: string;
  /** Path of the certificates that the server's is checked against, in place of the machine's own. */
  readonly ca?: string;
}

type Of<T extends DescMessage> = MessageShape<T>;

/** gRPC to one Spark Connect server: its methods by their descriptions. */
export class SparkChannel {
  readonly where: string;
  readonly user: string;
  readonly #client: Client;
  readonly #metadata = new Metadata();

  /** @throws SluiceError `SettingsInvalid` */
  constructor({ address, token, ca }: ChannelSettings) {
    const { host, port, tls, user } = address;
    if (token !== undefined && !tls && !isLoopback(address)) {
      throw new SluiceError(
        'SettingsInvalid',
        `SLUICE_SPARK_TOKEN would go to ${host} in the clear: add /;use_ssl=true to SLUICE_SPARK_URL.`,
      );
    }
    this.where = `${host}:${port}`;
    this.user = user;
    if (token !== undefined) this.#metadata.set('authorization', `Bearer ${token}`);
    this.#client = new Client(
      host.includes(':') ? `[${host}]:${port}` : this.where,
      tls ? credentials.createSsl(ca === undefined ? undefined : readCertificates(ca)) : credentials.createInsecure(),
      {
        'grpc.max_receive_message_length': MESSAGE_BYTES,
        'grpc.max_send_message_length': MESSAGE_BYTES,
        // The library's own pause grows to two minutes, longer than a server takes to come back.
        'grpc.max_reconnect_backoff_ms': RECONNECT_MS,
        'grpc.keepalive_time_ms': KEEPALIVE_MS,
        'grpc.keepalive_timeout_ms': KEEPALIVE_MS,
        // Reattaching is ours: a query that is sent again would be another one.
        'grpc.enable_retries': 0,
      },
    );
  }

  /** @throws the `ServiceError` of the library */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { input: I; output: O },
    request: Of<I>,
    timeoutMs: number,
  ): Promise<Of<O>> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        pathOf(method),
        serializer(method.input),
        deserializer(method.output),
        request,
        this.#metadata,
        { deadline: Date.now() + timeoutMs },
        (error, answer) => {
          if (error) reject(error);
          else resolve(answer as Of<O>);
        },
      );
    });
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { input: I; output: O },
    request: Of<I>,
  ): ClientReadableStream<Of<O>> {
    return this.#client.makeServerStreamRequest(
      pathOf(method),
      serializer(method.input),
      deserializer(method.output),
      request,
      this.#metadata,
    );
  }

  close(): void {
    this.#client.close();
  }
}

const pathOf = (method: DescMethod): string => `/${method.parent.typeName}/${method.name}`;

const serializer =
  <T extends DescMessage>(schema: T) =>
  (message: Of<T>): Buffer =>
    Buffer.from(toBinary(schema, message));

const deserializer =
  <T extends DescMessage>(schema: T) =>
  (bytes: Buffer): Of<T> =>
    fromBinary(schema, bytes);

function readCertificates(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SluiceError('SettingsInvalid', `SLUICE_SPARK_CA names ${path}, which cannot be read.`, { cause: error });
  }
}

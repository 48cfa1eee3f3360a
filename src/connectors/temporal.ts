import { connect } from 'node:net';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { SluiceError } from '../definition/errors.ts';
import { searchAttributes } from '../definition/names.ts';

type ConnectionOptions = NonNullable<ClientConnectConfig['connectionOptions']>;

/** Where Temporal is, and as whom to speak to it. */
export interface TemporalPlace {
  readonly address: string;
  readonly namespace: string;
  readonly options: ConnectionOptions;
}

/** Reads it as the `temporal` CLI does: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, profiles. */
export function temporalPlace(environment: Readonly<Record<string, string | undefined>>): TemporalPlace {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(given) });
  const address = connectionOptions?.address ?? '127.0.0.1:7233';
  return { address, namespace: namespace ?? 'default', options: { ...connectionOptions, address } };
}

/**
 * Fails at once where nothing listens: gRPC would go on trying until its timeout.
 * @throws SluiceError `StackUnavailable`
 */
export async function requireListening({ address }: TemporalPlace): Promise<void> {
  const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
  if (host === undefined) return;
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port: Number(port), timeout: 5_000 });
    const answers = (): void => {
      socket.destroy();
      resolve();
    };
    socket.once('connect', answers).once('timeout', answers);
    socket.once('error', (error) => reject(noTemporal(address, error)));
  });
}

export function noTemporal(address: string, cause: unknown): SluiceError {
  return new SluiceError(
    'StackUnavailable',
    `No Temporal server answers at ${address}: start the local stack with "npm run stack -- up", or set TEMPORAL_ADDRESS.`,
    { cause },
  );
}

/** The part of a connection that knows search attributes; clients and workers have one each. */
interface Operator {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: Record<string, unknown> | null }>;
}

/**
 * Fails where a namespace lacks what runs say of themselves: each run would otherwise stop at its first step, without a word.
 * @throws SluiceError `SettingsInvalid`, with the command that registers them
 */
export async function requireSearchAttributes(operator: Operator, namespace: string): Promise<void> {
  const { customAttributes } = await operator.listSearchAttributes({ namespace });
  const missing = Object.entries(searchAttributes).filter(([name]) => customAttributes?.[name] === undefined);
  if (missing.length === 0) return;
  const options = missing.map(([name, type]) => `--name ${name} --type ${type}`).join(' ');
  throw new SluiceError(
    'SettingsInvalid',
    `Namespace ${namespace} lacks search attributes that runs set; register them with: ` +
      `temporal operator search-attribute create --namespace ${namespace} ${options}`,
  );
}

import { connect } from 'node:net';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { searchAttributes } from '../definition/names.ts';

type ConnectionOptions = NonNullable<ClientConnectConfig['connectionOptions']>;

/** Where Temporal is, and as whom to speak to it. */
export interface TemporalPlace {
  readonly address: string;
  readonly namespace: string;
  readonly options: ConnectionOptions;
}

/**
 * Reads it as the `temporal` CLI does: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*, and profiles of a TOML
 * file (TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE).
 * @throws SluiceError `SettingsInvalid` where a profile or a file that they name is not there
 */
export function temporalPlace(environment: Readonly<Record<string, string | undefined>>): TemporalPlace {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(given) });
    const address = connectionOptions.address ?? '127.0.0.1:7233';
    return { address, namespace: namespace ?? 'default', options: { ...connectionOptions, address } };
  } catch (error) {
    throw new SluiceError(
      'SettingsInvalid',
      `How to reach Temporal cannot be read from the environment: ${sentenceOf(error)}. Look at TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and TEMPORAL_TLS_*.`,
      { cause: error },
    );
  }
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

/** Something listens, and does not speak to us: a certificate, a key or a name is wrong. */
export function refusedByTemporal({ address, options }: TemporalPlace, cause: unknown): SluiceError {
  const how = options.tls ? 'over TLS' : 'without TLS';
  return new SluiceError(
    'StackUnavailable',
    `Whoever listens at ${address} does not answer as Temporal, spoken to ${how}: ${sentenceOf(cause)}. Look at TEMPORAL_ADDRESS, TEMPORAL_TLS_* and TEMPORAL_API_KEY.`,
    { cause },
  );
}

/** gRPC's number for it. */
const NOT_FOUND = 5;

/** The part of a connection that knows search attributes; clients and workers have one each. */
interface Operator {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: Record<string, unknown> | null }>;
}

/**
 * Fails where a namespace is not there, or lacks what runs say of themselves: each run would otherwise stop at its first step, without a word.
 * @throws SluiceError `SettingsInvalid`, with the command that mends it
 */
export async function requireSearchAttributes(operator: Operator, namespace: string): Promise<void> {
  const { customAttributes } = await operator.listSearchAttributes({ namespace }).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== NOT_FOUND) throw error;
    throw new SluiceError(
      'SettingsInvalid',
      `Temporal has no namespace ${namespace}: set TEMPORAL_NAMESPACE, or make it with: temporal operator namespace create --namespace ${namespace}`,
      { cause: error },
    );
  });
  const missing = Object.entries(searchAttributes).filter(([name]) => customAttributes?.[name] === undefined);
  if (missing.length === 0) return;
  const options = missing.map(([name, type]) => `--name ${name} --type ${type}`).join(' ');
  throw new SluiceError(
    'SettingsInvalid',
    `Namespace ${namespace} lacks search attributes that runs set; register them with: ` +
      `temporal operator search-attribute create --namespace ${namespace} ${options}`,
  );
}

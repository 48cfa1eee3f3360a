import { lookup } from 'node:dns/promises';
import { createServer, type AddressInfo } from 'node:net';
import type { TelemetryOptions } from '@temporalio/worker';
import { histogramBuckets } from '../definition/metrics.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';

/** Where Prometheus asks. */
export interface MetricsPlace {
  readonly host: string;
  readonly port: number;
}

/** The endpoint as it will be: the SDK's core opens it, and cannot say which port it took or why it could not. */
export interface MetricsEndpoint {
  readonly url: string;
  readonly telemetry: TelemetryOptions;
}

/**
 * Finds out where metrics can be told, by listening there for a moment.
 * @throws SluiceError `SettingsInvalid` where the address cannot be had
 */
export async function metricsEndpoint({ host, port }: MetricsPlace): Promise<MetricsEndpoint> {
  let bound: AddressInfo;
  try {
    // The core takes no names.
    const { address } = await lookup(host);
    bound = await listened(address, port);
  } catch (error) {
    throw new SluiceError(
      'SettingsInvalid',
      `Metrics cannot be told at ${host}:${port}: ${sentenceOf(error)}; give another address with --metrics (each worker of a machine needs its own, 0 takes any free port).`,
      { cause: error },
    );
  }
  const at = `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`;
  return {
    url: `http://${at}/metrics`,
    telemetry: {
      metrics: {
        // Prometheus has its own names for where something runs.
        attachServiceName: false,
        prometheus: {
          bindAddress: at,
          countersTotalSuffix: true,
          unitSuffix: true,
          useSecondsForDurations: true,
          histogramBucketOverrides: histogramBuckets(),
        },
      },
    },
  };
}

async function listened(host: string, port: number): Promise<AddressInfo> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return bound;
}

import { isIP, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { SluiceError } from '../../definition/errors.ts';
import { createApi, type ApiOptions } from './server.ts';

export interface ServeOptions extends ApiOptions {
  /** 0 for any that is free. */
  readonly port: number;
  /** Where the port is held, take any that is free. */
  readonly orAnyPort?: boolean;
}

export interface ServedApi {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  /** Lets requests end, for some seconds, and takes no more. */
  stop(): Promise<void>;
}

const GRACE_MS = 10_000;

/**
 * Serves the HTTP API until it is stopped. Temporal need not be there.
 * @throws SluiceError `SettingsInvalid` where it cannot listen there
 */
export async function serveApi({ port, orAnyPort, ...options }: ServeOptions): Promise<ServedApi> {
  const api = await createApi(options);
  const { host } = options;
  try {
    await api.listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
      if (!orAnyPort || error.code !== 'EADDRINUSE') throw error;
      return api.listen({ host, port: 0 });
    });
  } catch (error) {
    await api.close();
    throw cannotListen(host, port, error as NodeJS.ErrnoException);
  }
  const at = api.server.address() as AddressInfo;
  return {
    url: `http://${nameOf(host)}:${at.port}`,
    stop: async () => {
      const over = new AbortController();
      const late = wait(GRACE_MS, undefined, { signal: over.signal }).then(
        () => api.server.closeAllConnections(),
        () => {},
      );
      await api.close();
      over.abort();
      await late;
    },
  };
}

/** What a browser takes: every address is none. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return isIP(host) === 6 ? `[${host}]` : host;
}

function cannotListen(host: string, port: number, error: NodeJS.ErrnoException): SluiceError {
  const said: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} is held by another process: stop that, or choose another one with --port.`,
    EACCES: `Port ${port} is closed to this user: choose one from 1024 on with --port.`,
    EADDRNOTAVAIL: `${host} is no address of this machine: choose another one with --host.`,
    ENOTFOUND: `${host} is no address and no name that is known here: choose another one with --host.`,
  };
  const message = said[error.code ?? ''] ?? `The API cannot listen at ${host}, port ${port}: ${error.message}.`;
  return new SluiceError('SettingsInvalid', message, { cause: error });
}

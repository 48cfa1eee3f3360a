import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { chosenPort } from '../../../stack/ports.ts';
import type { Pipeline } from '../../definition/pipeline.ts';

const REACH_TIMEOUT_MS = 8_000;
const USUAL_PORT = 8870;

export interface ServedSource {
  readonly pipeline: Pipeline;
  /** `host:port` that a worker must allow. */
  readonly allow: string;
  readonly file: string;
  close(): Promise<void>;
}

/** Whether the source answers from here. */
export async function isReachable(url: string): Promise<boolean> {
  if (!url.startsWith('http')) return true;
  try {
    const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
    return answer.status < 500;
  } catch {
    return false;
  }
}

/** The copy of a source that ships beside its definition, `data/<file name of the url>`; undefined where there is none. */
export async function shippedCopy(definitionFile: string, url: string): Promise<string | undefined> {
  const file = join(dirname(definitionFile), 'data', basename(new URL(url).pathname));
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? file : undefined;
}

const portFile = (state: string): string => join(state, 'source-port');

/**
 * The port for the shipped copy: the one of last time, since the stack's schedule knows the copy by it. An hour that was missed while
 * the stack was down is made up for before the schedule can be told of another.
 */
export async function sourcePort(state: string, free: boolean): Promise<number> {
  const last = Number(await readFile(portFile(state), 'utf8').catch(() => '0'));
  return last || (free ? 0 : chosenPort('source', USUAL_PORT, process.env));
}

export async function rememberSourcePort(state: string, { allow }: ServedSource): Promise<void> {
  await writeFile(portFile(state), allow.split(':')[1] ?? '');
}

/** Serves a file over HTTP on loopback, and gives the pipeline that reads it from there. Takes any port where `port` is held. */
export async function serveSource(pipeline: Pipeline, file: string, port: number): Promise<ServedSource> {
  const path = `/${basename(file)}`;
  const server = createServer((request, response) => {
    if (request.url !== path) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/csv' });
    if (request.method === 'HEAD') response.end();
    else
      createReadStream(file)
        .on('error', () => response.destroy())
        .pipe(response);
  });
  await listen(server, port).catch(() => listen(server, 0));
  const allow = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    pipeline: { ...pipeline, source: { ...pipeline.source, url: `http://${allow}${path}` } },
    allow,
    file,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

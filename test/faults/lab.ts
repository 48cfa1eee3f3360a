import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { signalServer, status, up } from '../../stack/index.ts';
import { StackProgress } from '../../stack/progress.ts';
import type { ServerName } from '../../stack/versions.ts';
import { pipelineSchema, type Pipeline, type PipelineInput } from '../../src/definition/pipeline.ts';
import { seeded } from '../helpers/mutate.ts';
import { check, type Verdict } from './checker.ts';
import type { Job, Said } from './stage-process.ts';

export const home = join(import.meta.dirname, '..', '..');

/** The suite kills servers, so it has a stack of its own; none where the runner could start none. */
export const stackFolder = process.env['SLUICE_FAULTS_STACK'] ?? '';
export const noFaults = stackFolder === '';

/** The whole suite: longer stops, a longer soak, more of everything. */
export const whole = process.env['SLUICE_FAULTS_WHOLE'] === '1';

/** How long a server or a process stands still: longer than clients wait for an answer, or only for a moment. */
export const stopMs = whole ? 60_000 : 5_000;

const serversUsed: readonly ServerName[] = ['kafka', 'minio', 'elasticsearch', 'temporal'];

const quiet = new StackProgress(() => {});

/** Everything random in the suite follows from this; the run's results name it. */
export const seed = Number(process.env['SLUICE_FAULTS_SEED'] ?? 1);

export type Environment = Record<string, string | undefined>;

/** An hour of a pipeline of its own: nothing is shared with other scenarios but the servers. */
export interface Hour {
  readonly pipeline: Pipeline;
  readonly hour: string;
  readonly csv: string;
}

/** A process that works on an hour. */
export interface StageProcess {
  readonly pid: number;
  readonly said: readonly Said[];
  /** With its exit code, or the signal that ended it. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Resolves once it has said what `which` holds for. @throws where it ends before */
  until(which: (line: Said) => boolean): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** Servers, a source whose content a scenario sets, and the processes that it started. */
export class Lab {
  readonly environment: Environment;
  readonly folder: string;
  readonly #source: string;
  readonly #files: Map<string, string>;
  readonly #server: Server;
  readonly #children = new Set<ChildProcess>();

  private constructor(environment: Environment, folder: string, server: Server, files: Map<string, string>) {
    this.environment = environment;
    this.folder = folder;
    this.#server = server;
    this.#files = files;
    this.#source = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(): Promise<Lab> {
    const { environment } = await up({ state: stackFolder, freePorts: true, only: serversUsed, progress: quiet });
    const folder = await mkdtemp(join(tmpdir(), 'sluice-faults-'));
    const files = new Map<string, string>();
    const server = createServer((request, response) => {
      const body = files.get(request.url ?? '');
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'text/csv' });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const own = { SLUICE_SOURCE_ALLOW: host, SLUICE_WORK_DIR: join(folder, 'work') };
    return new Lab({ ...process.env, ...environment, ...own }, folder, server, files);
  }

  /** Ends what it started, by pid. */
  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A pipeline and an hour of `rows` clean rows; a few duplicates and rows without a number lie between them. */
  hour(rows: number, input: Partial<PipelineInput> = {}): Hour {
    const name = `f-${randomBytes(4).toString('hex')}`;
    const pipeline = pipelineSchema.parse({
      name,
      source: { url: `${this.#source}/${name}.csv` },
      columns: {
        id: { name: 'id', required: true },
        kind: { name: 'kind' },
        amount: { name: 'amount', type: 'decimal', precision: 12, scale: 3, required: true },
      },
      key: ['id'],
      engine: 'duckdb',
      publish: { partitions: 2, batchRows: Math.ceil(rows / 10) },
      land: { type: 'kind', maxRecords: Math.max(10, Math.ceil(rows / 6)) },
      retries: { attempts: 50, initialInterval: '1s', maximumInterval: '5s' },
      ...input,
    } satisfies PipelineInput);
    const hour = { pipeline, hour: new Date().toISOString().replace(/:.*/, ':00:00Z'), csv: csvOf(rows) };
    this.#files.set(`/${name}.csv`, hour.csv);
    return hour;
  }

  /** Another hour, the one before, of the same pipeline, with other rows. */
  otherHour({ pipeline, hour }: Hour, rows: number): Hour {
    const csv = csvOf(rows, hour);
    this.#files.set(`/${pipeline.name}.csv`, csv);
    return { pipeline, hour: new Date(Date.parse(hour) - 3_600_000).toISOString().replace('.000', ''), csv };
  }

  /** Starts a process on an hour. `copy`: the folder of a changed copy of the sources. */
  start(
    { pipeline, hour }: Hour,
    job: Partial<Job> = {},
    environment: Environment = {},
    copy: string = home,
  ): StageProcess {
    const whole: Job = { pipeline, hour, role: 'hour', attempts: 60, ...job };
    const program = join(copy, 'test', 'faults', 'stage-process.ts');
    const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', program], {
      env: { ...this.environment, ...environment, SLUICE_FAULTS_JOB: JSON.stringify(whole) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.add(child);
    const said: Said[] = [];
    const waiting = new Set<() => void>();
    const ended = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
    createInterface(child.stdout as Readable).on('line', (line) => {
      said.push(JSON.parse(line) as Said);
      for (const wake of waiting) wake();
    });
    child.once('close', (code, signal) => {
      this.#children.delete(child);
      ended.resolve({ code, signal });
    });
    const until = async (which: (line: Said) => boolean): Promise<void> => {
      const heard = Promise.withResolvers<void>();
      const wake = (): void => {
        if (said.some(which)) heard.resolve();
      };
      waiting.add(wake);
      wake();
      void ended.promise.then(() => heard.reject(new Error(`it ended before: ${JSON.stringify(said.slice(-3))}`)));
      try {
        await heard.promise;
      } finally {
        waiting.delete(wake);
      }
    };
    return {
      pid: child.pid ?? 0,
      said,
      ended: ended.promise,
      until,
      kill: (signal) => void child.kill(signal),
    };
  }

  /** Runs a process on an hour to its end. @throws where it does not come to it by itself */
  async finish(hour: Hour, job: Partial<Job> = {}, environment: Environment = {}): Promise<StageProcess> {
    const running = this.start(hour, job, environment);
    const { code, signal } = await running.ended;
    if (code !== 0) throw new Error(`it ended with ${code ?? signal}: ${JSON.stringify(running.said.slice(-3))}`);
    return running;
  }

  check({ pipeline, hour, csv }: Hour): Promise<Verdict> {
    const { name } = pipeline;
    const index = pipeline.index.name ?? `sluice-${name}`;
    return check(this.environment, { stream: name, topic: pipeline.publish.topic ?? name, index, hour, csv });
  }
}

/** Kills a server and starts it again on the same ports and data, or lets it stand still for a time. Resolves when it answers again. */
export async function disturb(server: ServerName, how: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  await signalServer(stackFolder, server, how);
  if (how === 'SIGSTOP') {
    await wait(stopMs);
    await signalServer(stackFolder, server, 'SIGCONT');
  } else {
    // A large process takes a moment to be gone, and until then it counts as running.
    while ((await status({ state: stackFolder, only: [server] }))[0]?.state !== 'stopped') await wait(50);
  }
  await up({ state: stackFolder, freePorts: true, only: [server], progress: quiet });
}

function csvOf(rows: number, prefix = ''): string {
  const random = seeded(seed);
  const lines = ['id,kind,amount'];
  for (let at = 0; at < rows; at += 1) {
    lines.push(`${prefix}r${at},k${random(3)},${random(1_000_000) / 8}`);
    if (at % 97 === 0) lines.push(`${prefix}r${random(at + 1)},again,1`);
    if (at % 211 === 0) lines.push(`bad${at},k0,none`);
  }
  return `${lines.join('\n')}\n`;
}

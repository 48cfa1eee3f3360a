import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWorker } from '../src/client/cli/worker-process.ts';
import { SluiceClient } from '../src/client/sluice-client.ts';
import { toLogicalHour } from '../src/definition/hour.ts';
import { ids } from '../src/definition/names.ts';
import { pipelineSchema, type Pipeline } from '../src/definition/pipeline.ts';
import type { RunReport } from '../src/workflows/messages.ts';
import { down, up } from '../stack/index.ts';
import { median } from './common/measured.ts';
import { cpuSecondsOf } from './common/watched.ts';
import { timeSpent, type TimeSpent } from './orchestrate/where-time-goes.ts';

// `npm run bench:orchestrate -- [runs] [parallel …]`: what a run of an hour costs besides its rows. Runs of a file without rows, one
// after the other, with where their time goes by Temporal's history and by their reports; beside them a workflow of as many activities
// that do nothing, on the same server in the same moment: what Temporal itself takes. Then a backfill at each number of runs at a time: runs an hour
// of one worker, and processor time for each.

const [runs = 10, ...parallels] = process.argv.slice(2).map(Number);
if (parallels.length === 0) parallels.push(1, 4, 12);
const HOUR = 3_600_000;
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const state = join(folder, 'stack');
// The header alone: no rows.
const source = createServer((_request, response) => response.end('id,kind,amount\n'));

function definition(host: string, engine: Pipeline['engine']): Pipeline {
  const name = `b-${randomBytes(3).toString('hex')}`;
  return pipelineSchema.parse({
    ...{ name, engine, key: ['id'], source: { url: `http://${host}/${name}-\${hour:YYYY-MM-DD-HH}.csv` } },
    columns: {
      id: { name: 'id', required: true },
      kind: { name: 'kind' },
      amount: { name: 'amount', type: 'decimal', precision: 12, scale: 3 },
    },
    quality: {},
  });
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(3)} s`;
const of = (all: readonly TimeSpent[], what: (one: TimeSpent) => number): number => median(all.map(what));
function row(name: string, all: readonly TimeSpent[]): void {
  const cells = [
    of(all, ({ whole }) => whole),
    of(all, ({ activities }) => activities),
    of(all, ({ activityWait }) => activityWait),
    of(all, ({ workflowTasks }) => workflowTasks),
    of(all, ({ workflowTaskWait }) => workflowTaskWait),
  ].map((ms) => seconds(ms).padStart(10));
  const [activities, tasks] = [
    of(all, ({ activityCount }) => activityCount),
    of(all, ({ workflowTaskCount }) => workflowTaskCount),
  ];
  console.log(`${name.padEnd(28)}${cells.join('')}${String(activities).padStart(12)}${String(tasks).padStart(16)}`);
}

let closed = async (): Promise<void> => {};
try {
  const stack = await up({ state, freePorts: true, only: ['temporal', 'kafka', 'minio', 'elasticsearch'] });
  await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(source.address() as AddressInfo).port}`;
  const environment = {
    ...process.env,
    ...stack.environment,
    SLUICE_SOURCE_ALLOW: host,
    SLUICE_WORK_DIR: join(folder, 'work'),
  } as NodeJS.ProcessEnv;
  const worker = await startWorker(environment, join(folder, 'worker.log'));
  const client = await SluiceClient.connect(environment);
  const floorWorker = spawn(process.execPath, [join(import.meta.dirname, 'orchestrate', 'floor-worker.ts')], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  closed = async () => {
    floorWorker.kill();
    await client.close();
    await worker.stop();
  };
  await once(floorWorker.stdout as NodeJS.ReadableStream, 'data');
  const historyOf = async (workflowId: string): Promise<TimeSpent> =>
    timeSpent(await client.temporal.workflow.getHandle(workflowId).fetchHistory());

  const first = Date.parse(toLogicalHour(Date.now() - 400 * HOUR));
  const pipelines = (['duckdb', 'danfojs'] as const).map((engine) => ({ engine, pipeline: definition(host, engine) }));
  const launched = async (pipeline: Pipeline, n: number): Promise<RunReport> => {
    const { workflowId } = await client.runs.launch({ pipeline, hour: toLogicalHour(first + n * HOUR) });
    return client.runs.result(workflowId);
  };
  // The first makes topic, index and consumer; it is no run of every hour.
  const beginnings = await Promise.all(pipelines.map(({ pipeline }) => launched(pipeline, 0)));
  console.log(
    `${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)} at the start; medians of ${runs} runs of no rows, one after the other`,
  );
  for (const [n, { engine }] of pipelines.entries()) {
    const took = Date.parse(beginnings[n]?.endedAt ?? '') - Date.parse(beginnings[n]?.startedAt ?? '');
    console.log(`the first run of all, by ${engine}, with topic, index and consumer to make: ${seconds(took)}`);
  }
  console.log(
    `\n${''.padEnd(28)}     whole  in activ.  wait for  in workflow  wait for   activities  workflow tasks\n`,
  );
  for (const { engine, pipeline } of pipelines) {
    const spent: TimeSpent[] = [];
    const launches: TimeSpent[] = [];
    const walls: number[] = [];
    const reports: RunReport[] = [];
    const floors: TimeSpent[] = [];
    for (let n = 1; n <= runs; n += 1) {
      const began = performance.now();
      reports.push(await launched(pipeline, n));
      walls.push(performance.now() - began);
      const workflowId = ids.pipeline(pipeline.name, toLogicalHour(first + n * HOUR));
      const run = await historyOf(workflowId);
      spent.push(run);
      const parent = (await client.temporal.workflow.getHandle(workflowId).describe()).parentExecution?.workflowId;
      if (parent) launches.push(await historyOf(parent));
      // In the same moment, on the same server.
      const floorId = `floor-${engine}-${n}`;
      await client.temporal.workflow.execute('floor', {
        workflowId: floorId,
        taskQueue: 'bench-floor',
        args: [run.activityCount],
      });
      floors.push(await historyOf(floorId));
    }
    row(`run, ${engine}`, spent);
    row('  its launch', launches);
    row('  activities that do nothing', floors);
    console.log(`  from the client's launch to its answer: ${seconds(median(walls))}`);
    const names = [...new Set(reports.flatMap(({ stages }) => stages.map(({ stage }) => stage)))];
    const stage = (name: string): number =>
      median(
        reports.map(({ stages }) => stages.filter((one) => one.stage === name).reduce((ms, one) => ms + one.ms, 0)),
      );
    console.log(`  by stage: ${names.map((name) => `${name} ${seconds(stage(name))}`).join(', ')}`);
    const activities = [...new Set(spent.flatMap(({ byActivity }) => Object.keys(byActivity)))];
    const each = activities.map((name) => {
      const found = spent.map(({ byActivity }) => byActivity[name] ?? { wait: 0, work: 0 });
      return `${name} ${Math.round(median(found.map(({ wait }) => wait)))}+${Math.round(median(found.map(({ work }) => work)))}`;
    });
    console.log(`  by activity, ms of wait + work: ${each.join(', ')}\n`);
  }

  const [{ pipeline } = { pipeline: definition(host, 'duckdb') }] = pipelines;
  let next = runs + 1;
  console.log('A backfill of hours without rows, by duckdb: one worker, all servers on the same machine');
  for (const parallel of parallels) {
    const hours = Math.max(24, parallel * 6);
    const [from, to] = [toLogicalHour(first + next * HOUR), toLogicalHour(first + (next + hours - 1) * HOUR)];
    next += hours;
    const before = cpuSecondsOf(worker.pid);
    const { workflowId } = await client.backfills.start({ pipeline, from, to, parallel });
    const report = await client.backfills.wait(workflowId);
    const used = (cpuSecondsOf(worker.pid) ?? Number.NaN) - (before ?? Number.NaN);
    const took = Date.parse(report.endedAt) - Date.parse(report.startedAt);
    if (report.done !== hours)
      throw new Error(`${report.done} of ${hours} hours are done: ${JSON.stringify(report.failures[0])}`);
    console.log(
      `  ${String(parallel).padStart(2)} at a time: ${hours} hours in ${seconds(took)}, ${Math.round((hours / took) * HOUR)} runs an hour, ` +
        `${(used / hours).toFixed(2)} s of processor each in the worker`,
    );
  }
  console.log(`load ${loadavg()[0]?.toFixed(1)} at the end`);
} finally {
  await closed();
  source.close();
  source.closeAllConnections();
  await down({ state, remove: true });
  rmSync(folder, { recursive: true, force: true });
}

import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { streamOf } from '../src/definition/streams.ts';
import { down, up } from '../stack/index.ts';
import { python } from './common/measured.ts';
import { StreamBench, type Run } from './stream/bench.ts';
import { producerTool, streamingJob, toolSaid } from './stream/java.ts';
import type { Done, Job } from './stream/job.ts';
import { HEADER, tableOf } from './stream/table.ts';

// `npm run bench:stream -- [ROWS [TURNS]]`: publishing, landing and indexing against Kafka's producer tool, PySpark Structured Streaming and
// bare loops over the same clients, each in a process of its own, in turns, on servers of its own; then all of it, end to end.

const LEGEND = `Rows a second by each program's own clock, which runs from its first connection; medians of the turns. CPU seconds are those
of the whole process, and the peak is the sum of what it and its children had at most. The servers are in neither.`;

interface Contestant {
  readonly name: string;
  run(turn: number): Promise<Run>;
}

const [rows = 1_000_000, turns = 3] = process.argv.slice(2).map(Number);
const root = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const state = join(root, 'stack');
let stopped = false;
// Ctrl-C waits for the run that is on; the servers are stopped as always.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));

async function compete(title: string, contestants: readonly Contestant[]): Promise<void> {
  const runs = new Map<string, Run[]>(contestants.map(({ name }) => [name, []]));
  for (let turn = 1; turn <= turns; turn++) {
    for (const { name, run } of contestants) {
      if (stopped) throw new Error('stopped');
      const one = await run(turn);
      if (one.rows !== rows) throw new Error(`${name} has ${one.rows} rows, not ${rows}`);
      runs.get(name)?.push(one);
    }
  }
  console.log(`\n${title}\n${HEADER}`);
  for (const line of tableOf(runs)) console.log(line);
}

/** A job of its own, and what it left in its topic compared with what it said. */
async function publishing(bench: StreamBench, run: (job: Job) => Promise<Run>): Promise<Run> {
  const job = await bench.job('publish', rows);
  const one = await run(job);
  const records = await bench.size(job);
  if (records < rows) throw new Error(`the topic holds ${records} records, not ${rows}`);
  await bench.drop(job);
  return one;
}

const publishers = (bench: StreamBench): Contestant[] => [
  { name: 'Sluice, publish', run: () => publishing(bench, (job) => bench.run('sluice', 'publish', job)) },
  {
    name: 'kafkajs, the same messages made beforehand',
    run: () => publishing(bench, (job) => bench.run('bare', 'publishMessages', job)),
  },
  {
    name: 'kafkajs, clean.csv to JSON and nothing else',
    run: () => publishing(bench, (job) => bench.run('bare', 'publishCsv', job)),
  },
  {
    name: "Kafka's producer tool, records of that size",
    run: (turn) =>
      publishing(bench, async (job) =>
        bench.runOther(await producerTool(await bench.scratch(`tool-${turn}`), job, bench.brokers), toolSaid),
      ),
  },
];

function landers(bench: StreamBench, job: Job, py: string | undefined): Contestant[] {
  const under = (name: string, turn: number): string => `${job.prepared.stream}-${name}-${turn}`;
  const spark = async (turn: number): Promise<Run> => {
    const command = await streamingJob(state, await bench.scratch(`spark-${turn}`), py ?? '', bench.brokers);
    const columns = streamOf(job.pipeline, 'main').output.map(({ name, type, precision, scale }) => [
      name,
      type === 'decimal' ? `decimal(${precision ?? 18}, ${scale ?? 6})` : type === 'integer' ? 'bigint' : type,
    ]);
    const folder = bench.deps.store.uri(`spark/${turn}`).replace(/^s3:/, 's3a:');
    const given = [job.prepared.topic, `${folder}/data`, `${folder}/checkpoint`, JSON.stringify(columns)];
    return bench.runOther({ ...command, args: [...command.args, ...given] }, (line) => JSON.parse(line) as Done);
  };
  return [
    {
      name: 'Sluice, consume until the batch record is there',
      run: async (turn) => bench.run('sluice', 'land', await bench.landing(job, under('ours', turn))),
    },
    {
      name: 'kafkajs, JSON.parse, Parquet, put',
      run: (turn) => bench.run('bare', 'land', { ...job, landAs: under('bare', turn) }),
    },
    ...(py === undefined ? [] : [{ name: 'PySpark Structured Streaming, local[2]', run: spark }]),
  ];
}

function indexers(bench: StreamBench, job: Job): Contestant[] {
  const run = async (program: 'sluice' | 'bare', turn: number): Promise<Run> => {
    const own = await bench.indexing(job, `${job.prepared.stream}-${program}-${turn}`);
    const one = await bench.run(program, 'index', own);
    await bench.dropIndex(own);
    return one;
  };
  return [
    { name: 'Sluice, index and prove it', run: (turn) => run('sluice', turn) },
    { name: 'helpers.bulk, the same objects', run: (turn) => run('bare', turn) },
  ];
}

async function whole(bench: StreamBench): Promise<void> {
  console.log(
    `\nEnd to end: publish and land side by side, index, reconcile\nrows           rows/s  seconds   CPU s   peak MB`,
  );
  for (const size of [Math.round(rows / 4), rows]) {
    const job = await bench.job('whole', size);
    const { seconds, cpuSeconds, peakMb } = await bench.run('sluice', 'whole', job);
    const cells = [
      String(size).padEnd(11),
      Math.round(size / seconds)
        .toLocaleString('en')
        .padStart(9),
      seconds.toFixed(1).padStart(8),
      (cpuSeconds?.toFixed(1) ?? '-').padStart(7),
      String(peakMb ?? '-').padStart(9),
    ];
    console.log(cells.join(' '));
    await bench.drop(job);
    await bench.dropIndex(job);
  }
}

try {
  const py = python('pyspark');
  if (py === undefined) console.log('PySpark is left out: it takes Python with venv, and PyPI');
  const { environment } = await up({ state, freePorts: true, only: ['kafka', 'minio', 'elasticsearch'] });
  const bench = new StreamBench(root, environment);
  await bench.deps.store.ensureBucket();
  console.log(
    `${cpus().length} cores; ${rows} rows, ${turns} turns; 3 partitions, acks=all, gzip, sends of 2,000 records\n${LEGEND}`,
  );
  await compete('Publish', publishers(bench));
  const job = await bench.job('land', rows);
  await bench.run('sluice', 'publish', job);
  await compete('Kafka to Parquet in MinIO', landers(bench, job, py));
  await compete(
    'Parquet in MinIO to Elasticsearch',
    indexers(bench, { ...job, landAs: `${job.prepared.stream}-ours-1` }),
  );
  await whole(bench);
  await bench.deps.search.close();
} finally {
  await down({ state, remove: true });
  await rm(root, { recursive: true, force: true });
}

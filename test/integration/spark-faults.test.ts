import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { duckdbEngine } from '../../src/stages/cleaning/duckdb/duckdb-engine.ts';
import { sparkEngine } from '../../src/stages/cleaning/spark/spark-engine.ts';
import { unattended, type Progress, type StageContext, type StageDeps } from '../../src/stages/deps.ts';
import { down, signalServer, up } from '../../stack/index.ts';
import { isAlive } from '../../stack/process-identity.ts';
import { readState } from '../../stack/state.ts';
import { jobOf, told } from '../helpers/engine-lab.ts';
import { selfSignedPair } from '../helpers/self-signed.ts';
import { stageDeps } from '../helpers/servers.ts';
import { SparkProxy, sparkJobs, sparkOf, sparkStatements } from '../helpers/spark-lab.ts';
import type { GivenJob } from '../helpers/spark-job.ts';
import { noSpark, testStack } from '../helpers/stack.ts';

const header = ['ID', 'AT', 'V'];
const definition = {
  columns: {
    ID: { name: 'id', required: true },
    AT: { name: 'at', type: 'timestamp', formats: ['DD/MM/YYYY HH:mm'], zone: 'Europe/Berlin' },
    V: { name: 'v', type: 'decimal', precision: 10, scale: 2, onMissing: 'median' },
  },
  key: ['id'],
} satisfies Partial<PipelineInput>;

/** Rows that take Spark a while. */
const table = (rows: number): string[][] =>
  Array.from({ length: rows }, (_, at) => [
    `k${at % (rows - 100)}`,
    `${String((at % 28) + 1).padStart(2, '0')}/0${(at % 9) + 1}/20${10 + (at % 20)} 12:${String(at % 60).padStart(2, '0')}`,
    at % 50 === 0 ? '' : at % 333 === 0 ? 'n/a' : String((at % 1000) / 4),
  ]);

describe.skipIf(noSpark)('Spark, where something goes wrong', () => {
  let environment: Record<string, string>;
  let deps: StageDeps;
  let root: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-spark-faults-'));
    const running = (await testStack()).environment;
    environment = { ...running, SLUICE_S3_BUCKET: `spark-${randomBytes(4).toString('hex')}` };
    deps = stageDeps(environment);
    await deps.store.ensureBucket();
  });

  afterAll(async () => {
    deps.spark?.close();
    await deps.search.close();
    await rm(root, { recursive: true, force: true });
  });

  const expected = async (rows: string[][]) =>
    told(await duckdbEngine.clean({ ...(await jobOf(root, definition, rows, header)), context: unattended }));

  async function scratch(): Promise<string[]> {
    const found: string[] = [];
    for await (const { key } of deps.store.list(keys.sparkScratches())) found.push(key);
    return found;
  }

  /** What a session wrote, a name for each time that Spark wrote it. */
  async function writes(session: string): Promise<string[]> {
    const own = (await sparkStatements(environment)).filter(({ description }) => description.includes(session));
    const written = own.filter(({ planDescription }) => planDescription.includes('InsertIntoHadoopFsRelationCommand'));
    const place = new RegExp(`tmp/spark/${session}/(\\w+), `);
    return written.map(({ planDescription }) => place.exec(planDescription)?.[1] ?? '?').toSorted();
  }

  it('a stream that breaks is taken up again, and no statement runs twice', async () => {
    const rows = table(20_000);
    const proxy = await SparkProxy.start(environment);
    const spark = sparkOf(environment, { SLUICE_SPARK_URL: proxy.url });
    let session = '';
    const seen = new Set<string>();
    const progress = ({ note = '', resume }: Progress): void => {
      session = (resume as { sparkSession?: string } | undefined)?.sparkSession ?? session;
      const [step = ''] = note.split(':');
      if (!step.startsWith('Spark') || seen.has(step)) return;
      seen.add(step);
      setTimeout(() => proxy.cut(), 30);
    };
    try {
      const job = await jobOf(root, definition, rows, header);
      const engine = sparkEngine({ spark, store: deps.store });
      const outcome = await told(await engine.clean({ ...job, context: { ...unattended, progress } }));
      expect(outcome).toEqual(await expected(rows));
      expect(proxy.cuts).toBeGreaterThan(3);
      expect(await writes(session)).toEqual(['clean', 'judged', 'rejects']);
      expect(await scratch()).toEqual([]);
    } finally {
      spark.close();
      await proxy.stop();
    }
  });

  it('a worker that is killed leaves a session that the next attempt goes on with', async () => {
    const rows = table(20_000);
    const job = await jobOf(root, definition, rows, header);
    const given: GivenJob = {
      pipeline: pipelineSchema.parse({ name: 'p', source: { url: 'https://example.org/a.csv' }, ...definition }),
      header,
      paths: job.paths,
      folder: job.folder,
    };
    const path = join(job.folder, 'given.json');
    await writeFile(path, JSON.stringify(given));
    const worker = spawn(process.execPath, [join(import.meta.dirname, '../helpers/spark-job.ts'), path], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let previous: Progress = {};
    for await (const line of createInterface({ input: worker.stdout })) {
      previous = JSON.parse(line) as Progress;
      if (previous.note === 'Spark writes clean rows') worker.kill('SIGKILL');
    }
    const { sparkSession } = previous.resume as { sparkSession: string };
    const second = await jobOf(root, definition, rows, header);
    const notes: string[] = [];
    const context: StageContext = {
      ...unattended,
      previous: JSON.parse(JSON.stringify(previous)) as unknown,
      progress: ({ resume }) => void notes.push((resume as { sparkSession: string } | undefined)?.sparkSession ?? ''),
    };
    const outcome = await told(
      await sparkEngine({ spark: deps.spark!, store: deps.store }).clean({ ...second, context }),
    );
    expect(outcome).toEqual(await expected(rows));
    expect(new Set(notes)).toEqual(new Set([sparkSession]));
    expect(await writes(sparkSession)).toEqual(['clean', 'judged', 'rejects']);
    expect(await scratch()).toEqual([]);
  });

  it('two attempts at once, of which one took the other for dead, never give half of the rows', async () => {
    const rows = table(10_000);
    const whole = await expected(rows);
    const engine = sparkEngine({ spark: deps.spark!, store: deps.store });
    for (const at of [
      'Spark judges rows',
      'Spark counts',
      'Spark writes clean rows',
      'Spark writes rejected rows',
      'joined',
    ]) {
      const [one, other] = [await jobOf(root, definition, rows, header), await jobOf(root, definition, rows, header)];
      const second = Promise.withResolvers<Progress>();
      const progress = (now: Progress): void => {
        if (now.note?.startsWith(at) === true) second.resolve(now);
      };
      const first = engine.clean({ ...one, context: { ...unattended, progress } });
      const previous = JSON.parse(JSON.stringify(await second.promise)) as unknown;
      const outcomes = await Promise.allSettled([
        first,
        engine.clean({ ...other, context: { ...unattended, previous } }),
      ]);
      const given = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      expect(given.length).toBeGreaterThan(0);
      expect(await Promise.all(given.map(told))).toEqual(given.map(() => whole));
      expect(await scratch()).toEqual([]);
    }
  });

  it('an attempt with other parts does not take what the one before it had asked', async () => {
    const [before, now] = [table(1_000), table(1_000).map(([id = '', at = ''], n) => [id, at, String(n % 7)])];
    const id = randomUUID();
    const session = deps.spark!.session(id, { ...unattended, progress: () => {} });
    const stop = new AbortController();
    const left = await jobOf(root, definition, before, header);
    const spark = { where: 'here', fromRows: 1, session: () => session } as unknown as NonNullable<StageDeps['spark']>;
    session.release = async () => false;
    const progress = ({ note }: Progress): void => {
      if (note === 'Spark writes clean rows') stop.abort();
    };
    await expect(
      sparkEngine({ spark, store: deps.store }).clean({ ...left, context: { signal: stop.signal, progress } }),
    ).rejects.toThrow(/aborted/);
    const job = await jobOf(root, definition, now, header);
    const context = { ...unattended, previous: { resume: { sparkSession: id } } };
    const outcome = await told(await sparkEngine({ spark: deps.spark!, store: deps.store }).clean({ ...job, context }));
    expect(outcome).toEqual(await expected(now));
    expect(await scratch()).toEqual([]);
  });

  it('a session that is gone is begun anew, elsewhere', async () => {
    const rows = table(2_000);
    const gone = deps.spark!.session(randomUUID(), { ...unattended, progress: () => {} });
    await gone.sql('SELECT 1');
    await gone.release();
    const job = await jobOf(root, definition, rows, header);
    const context = { ...unattended, previous: { resume: { sparkSession: gone.id } } };
    const outcome = await told(await sparkEngine({ spark: deps.spark!, store: deps.store }).clean({ ...job, context }));
    expect(outcome).toEqual(await expected(rows));
    expect(await scratch()).toEqual([]);
  });

  it('a cancellation stops what Spark does, as its own list of jobs says', async () => {
    const rows = table(150_000);
    const job = await jobOf(root, definition, rows, header);
    const stop = new AbortController();
    let session = '';
    const progress = ({ note = '', resume }: Progress): void => {
      session = (resume as { sparkSession?: string } | undefined)?.sparkSession ?? session;
      if (/judges rows: 0 of [1-9]/.test(note)) stop.abort();
    };
    const context = { signal: stop.signal, progress };
    await expect(sparkEngine({ spark: deps.spark!, store: deps.store }).clean({ ...job, context })).rejects.toThrow(
      /aborted/,
    );
    expect(stop.signal.aborted).toBe(true);
    expect(session).not.toBe('');
    const own = async () => (await sparkJobs(environment)).filter(({ jobTags }) => jobTags.join().includes(session));
    for (let tries = 0; tries < 600 && (await own()).some(({ status }) => status === 'RUNNING'); tries++)
      await wait(100);
    const jobs = await own();
    expect(jobs.filter(({ status }) => status === 'RUNNING')).toEqual([]);
    expect(jobs.some(({ status }) => status === 'FAILED')).toBe(true);
    await wait(500);
    expect((await scratch()).filter((key) => key.endsWith('.parquet'))).toEqual([]);
  });

  it('a text of a definition is not filled in with variables of the server', async () => {
    const secret = '${env:AWS_SECRET_ACCESS_KEY}${system:user.home}${spark.app.name}';
    const columns = { ID: { name: 'id', required: true }, AT: { name: 'at', onMissing: { default: secret } } };
    const job = await jobOf(root, { columns, key: ['id'] }, [['a', '', '']], header);
    const engine = sparkEngine({ spark: deps.spark!, store: deps.store });
    expect((await told(await engine.clean({ ...job, context: unattended }))).clean).toBe(`id,at\na,${secret}\n`);
  });

  it('says what Spark says, in one sentence', async () => {
    const job = await jobOf(root, definition, table(10), header);
    const stored = [deps.store.uri('tmp/nothing/part.parquet')];
    const parts = { local: async () => [], stored };
    const failed = sparkEngine({ spark: deps.spark!, store: deps.store }).clean({ ...job, parts, context: unattended });
    await expect(failed).rejects.toMatchObject({
      code: 'EngineFailed',
      message: expect.stringMatching(/^Spark failed: \[PATH_NOT_FOUND\] Path does not exist: s3a:[^\n]+$/) as unknown,
      facts: { errorClass: 'PATH_NOT_FOUND' },
    });
  });

  it('speaks TLS, to a certificate that it was told of', async () => {
    const pair = selfSignedPair();
    const ca = join(root, 'ca.pem');
    await writeFile(ca, pair.cert);
    const proxy = await SparkProxy.start(environment, pair);
    const trusting = sparkOf(environment, { SLUICE_SPARK_URL: proxy.url, SLUICE_SPARK_CA: ca });
    const other = sparkOf(environment, { SLUICE_SPARK_URL: proxy.url });
    try {
      await trusting.verify(unattended.signal);
      await expect(other.verify(unattended.signal)).rejects.toThrow(
        /^The Spark server at 127\.0\.0\.1:\d+ shows a certificate that nobody vouches for \(.*self-signed.*\): set SLUICE_SPARK_CA\.$/,
      );
    } finally {
      trusting.close();
      other.close();
      await proxy.stop();
    }
  });

  it('refuses a wrong token, one in the clear, and what is no address', async () => {
    const wrong = sparkOf(environment, { SLUICE_SPARK_TOKEN: 'wrong' });
    await expect(wrong.verify(unattended.signal)).rejects.toMatchObject({
      code: 'SettingsInvalid',
      message: expect.stringMatching(
        /^The Spark server at 127\.0\.0\.1:\d+ refuses us: check SLUICE_SPARK_TOKEN\.$/,
      ) as unknown,
    });
    wrong.close();
    for (const [url, sentence] of [
      ['sc://spark.example.org:15002', /^SLUICE_SPARK_TOKEN would go to spark\.example\.org in the clear/],
      ['https://spark.example.org', /^SLUICE_SPARK_URL is no address of a Spark Connect server: write it like sc:\/\//],
      ['sc://127.0.0.1:99999', /^SLUICE_SPARK_URL names port 99999/],
      ['sc://127.0.0.1:1/;token=secret', /^SLUICE_SPARK_URL holds a token, which belongs into SLUICE_SPARK_TOKEN/],
      ['sc://127.0.0.1:1/;colour=red', /^SLUICE_SPARK_URL has "colour", which is not use_ssl or user_id/],
    ] as const) {
      expect(() => sparkOf(environment, { SLUICE_SPARK_URL: url })).toThrow(sentence);
    }
  });

  it('goes on where the server was killed and has come back', async () => {
    const state = join(root, 'stack');
    const only = ['minio', 'spark'] as const;
    const rows = table(10_000);
    const own = stageDeps((await up({ state, only, freePorts: true })).environment);
    try {
      await own.store.ensureBucket();
      const job = await jobOf(root, definition, rows, header);
      let killed: Promise<unknown> | undefined;
      const restart = async (): Promise<void> => {
        const { spark } = (await readState(state))?.processes ?? {};
        await signalServer(state, 'spark', 'SIGKILL');
        while (spark && isAlive(spark)) await wait(50);
        await up({ state, only, freePorts: true });
      };
      const progress = ({ note = '' }: Progress): void => {
        if (note !== 'Spark counts') return;
        killed ??= restart();
      };
      const engine = sparkEngine({ spark: own.spark!, store: own.store });
      const outcome = await told(await engine.clean({ ...job, context: { ...unattended, progress } }));
      await killed;
      expect(killed).toBeDefined();
      expect(outcome).toEqual(await expected(rows));
    } finally {
      own.spark?.close();
      await own.search.close();
      await down({ state, remove: true });
    }
  });
});

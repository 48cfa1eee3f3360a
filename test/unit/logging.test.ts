import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLogSettings, type LogSettings } from '../../src/connectors/log-settings.ts';
import { redactor } from '../../src/connectors/redaction.ts';
import { LogFile } from '../../src/workers/log-file.ts';
import { workerLog } from '../../src/workers/logging.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-logs-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const run = 'pipeline/broadband/2026-11-24T03:00:00Z';
const meta = { workflowId: run, workflowRunId: 'r-1', activityType: 'importSource', attempt: 2, taskToken: 'x' };

/** What a log writes to stderr. */
function written(settings: LogSettings, say: (log: ReturnType<typeof workerLog>) => void, secret = 'none'): string[] {
  const lines: string[] = [];
  const log = workerLog(settings, redactor({ SLUICE_S3_SECRET_KEY: secret }), { write: (line) => lines.push(line) });
  say(log);
  log.close();
  return lines;
}

describe('the log of a worker', () => {
  it('is text where nothing is asked for, from warnings on', () => {
    const lines = written(readLogSettings({ SLUICE_LOG_LEVEL: '' }), ({ logger }) => {
      logger.info('begins', meta);
      logger.warn('Activity failed', { ...meta, error: new Error('gone') });
    });
    expect(lines).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z WARN Activity failed workflowId="pipeline.* error="gone"\n$/),
    ]);
  });

  it('is JSON where it is asked for: whose hour, which run, stage and attempt in each line', () => {
    const settings = readLogSettings({ SLUICE_LOG_FORMAT: 'json', SLUICE_LOG_LEVEL: 'info' });
    const [line = '', waits = '', ...more] = written(settings, ({ logger }) => {
      logger.info('begins', { ...meta, bytes: 12n, password: 'p' });
      // As workflows say it.
      logger.info('waits', { workflowId: run, runId: 'r-2' });
      logger.warn('No workflows registered, not polling');
    });
    expect(more).toEqual([]);
    expect(JSON.parse(waits)).toMatchObject({ pipeline: 'broadband', hour: '2026-11-24T03:00:00Z', run: 'r-2' });
    const { time, ...rest } = JSON.parse(line) as { time: string };
    expect(Date.parse(time)).toBeGreaterThan(0);
    expect(rest).toEqual({
      ...{ level: 'info', pid: process.pid, msg: 'begins', bytes: '12', password: '***' },
      ...{ pipeline: 'broadband', hour: '2026-11-24T03:00:00Z', run: 'r-1', stage: 'import', attempt: 2 },
      ...{ workflowId: run, activity: 'importSource' },
    });
  });

  it('goes to a file too, with more than is shown', async () => {
    const settings: LogSettings = { level: 'warn', format: 'text', files: { folder: join(folder, 'a'), days: 7 } };
    expect(written(settings, ({ logger }) => logger.info('begins', meta))).toEqual([]);
    const [name = ''] = await readdir(join(folder, 'a'));
    expect(name).toMatch(new RegExp(`^worker-\\d{4}-\\d\\d-\\d\\d-${process.pid}\\.jsonl$`));
    const text = await readFile(join(folder, 'a', name), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ level: 'info', msg: 'begins', run: 'r-1' });
  });

  it('refuses settings that are none, all at once', () => {
    const wrong = { SLUICE_LOG_LEVEL: 'loud', SLUICE_LOG_FORMAT: 'xml', SLUICE_LOG_DAYS: '0' };
    expect(() => readLogSettings(wrong)).toThrow(/SLUICE_LOG_LEVEL: .*SLUICE_LOG_FORMAT: .*SLUICE_LOG_DAYS: needs a/);
  });
});

describe('the files of a log', () => {
  it('are one a day, and old ones go; what is not a worker’s stays', async () => {
    const there = join(folder, 'b');
    const file = new LogFile(there, 2, () => {});
    file.write('one\n', new Date('2026-11-24T23:59:59Z'));
    await writeFile(join(there, 'mine.jsonl'), '');
    const old = new Date('2026-11-20T00:00:00Z');
    await writeFile(join(there, 'worker-2026-11-20-1.jsonl'), '');
    for (const name of ['mine.jsonl', 'worker-2026-11-20-1.jsonl']) await utimes(join(there, name), old, old);
    file.write('two\n', new Date('2026-11-25T00:00:00Z'));
    file.close();
    const names = ['mine.jsonl', `worker-2026-11-24-${process.pid}.jsonl`, `worker-2026-11-25-${process.pid}.jsonl`];
    expect((await readdir(there)).toSorted()).toEqual(names);
    expect(await readFile(join(there, names[2] ?? ''), 'utf8')).toBe('two\n');
  });

  it('say once that they cannot be written', async () => {
    const blocked = join(folder, 'blocked');
    await writeFile(blocked, '');
    const said: string[] = [];
    const file = new LogFile(blocked, 7, (message) => said.push(message));
    file.write('one\n');
    file.write('two\n');
    expect(said).toEqual([expect.stringMatching(/^The log cannot be written to .*: .*(EEXIST|ENOTDIR)/)]);
  });
});

describe('redaction', () => {
  const secret = fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme' }).filter((text) => text.trim().length > 3);
  /** What a secret must not be found in: where the text around it has it by chance, nothing is lost. */
  const around = fc.string({ maxLength: 30 });

  const variable = fc.constantFrom(
    'SLUICE_SECRET_NAME',
    'SLUICE_S3_SECRET_KEY',
    'SLUICE_API_TOKEN',
    'TEMPORAL_API_KEY',
  );

  it('takes a secret out of a line, in whatever way it is written there', () => {
    const forms: ((text: string) => string)[] = [
      (text) => text,
      (text) => JSON.stringify(text),
      (text) => JSON.stringify({ message: JSON.stringify(text) }),
      (text) => encodeURIComponent(text.toWellFormed()),
      (text) => Buffer.from(text).toString('base64'),
    ];
    const check = fc.check(
      fc.property(secret, around, variable, fc.constantFrom(...forms), (value, text, name, form) => {
        const clean = redactor({ [name]: value })(`${text}${form(value)}${text}`);
        expect(!clean.includes(form(value)) || `${text}${text}***`.includes(form(value))).toBe(true);
      }),
    );
    expect(fc.defaultReportMessage(check)).toBeUndefined();
  });

  it('holds in what a worker logs: messages, errors, and what stands beside them', () => {
    const check = fc.check(
      fc.property(secret, fc.constantFrom('json', 'text'), (value, format) => {
        const settings = readLogSettings({ SLUICE_LOG_FORMAT: format });
        const lines = written(
          settings,
          ({ logger }) =>
            logger.warn(`asked with <${value}>`, {
              error: new Error(`refused <${value}>`),
              deep: { at: `<${value}>` },
            }),
          value,
        );
        const escaped = JSON.stringify(`<${value}>`).slice(1, -1);
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toContain(`<${value}>`);
        expect(lines[0]).not.toContain(escaped);
      }),
    );
    expect(fc.defaultReportMessage(check)).toBeUndefined();
  });

  it.each([
    ['smtp://me:hunter2@mail.example.org:25 refused', 'smtp://***@mail.example.org:25 refused'],
    ['authorization: Bearer abc.def-123', 'authorization: Bearer ***'],
    ['https://hooks.slack.com/services/T0/B0/xyz failed', 'https://hooks.slack.com/services/*** failed'],
    ['GET https://a.example/x?token=abcdef&rows=3', 'GET https://a.example/x?token=***&rows=3'],
    ['{"password":"hunter2","rows":3}', '{"password":"***","rows":3}'],
    ['"{\\"apiKey\\":\\"hunter2\\"}"', '"{\\"apiKey\\":\\"***\\"}"'],
    ['https://bucket.s3/x?X-Amz-Signature=deadbeef', 'https://bucket.s3/x?X-Amz-Signature=***'],
  ])('sees a login where no variable has it: %s', (text, clean) => {
    expect(redactor({})(text)).toBe(clean);
  });

  it.each(['SLUICE_SECRET_THEIR_CA', 'SLUICE_SECRET_X_PATH', 'SLUICE_SECRET_X_FILE', 'SLUICE_SECRET_X_DIR'])(
    'is one by the name %s, too',
    (name) => {
      expect(redactor({ [name]: 'hunter2' })('with hunter2')).toBe('with ***');
      expect(redactor({ [name.replace('_SECRET_', '_SECRETS_')]: 'hunter2' })('at hunter2')).not.toContain('***');
    },
  );

  it('is the key that a client shows to Temporal', () => {
    expect(redactor({ TEMPORAL_TLS_CLIENT_KEY_DATA: 'MIIEvQIBADANBg' })('key MIIEvQIBADANBg')).toBe('key ***');
  });

  it('leaves alone what is none', () => {
    const plain = '2026-11-24T03:00:00.000Z WARN began workflowId="pipeline/broadband/2026-11-24T03:00:00Z" ms=12';
    const environment = { SLUICE_SECRET_A_HOSTS: 'pipeline', SLUICE_SECRETS_DIR: 'broadband', SLUICE_API_TOKEN: 'ms' };
    expect(redactor(environment)(plain)).toBe(plain);
    expect(redactor({ SLUICE_SMTP_URL: 'smtp://me:p%40ss@a' })('p@ss and p%40ss')).toBe('*** and ***');
    expect(redactor({}, (text) => text.replace('given out', '***'))('was given out')).toBe('was ***');
  });
});

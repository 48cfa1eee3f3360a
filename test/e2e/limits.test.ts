import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestApp } from '../helpers/app.ts';
import { noStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('retries and deadlines of a definition', () => {
  let app: TestApp;

  beforeAll(async () => {
    app = await TestApp.start();
  });

  afterAll(async () => {
    await app?.stop();
  });

  it('give way to what a source asks for: it is tried again when its Retry-After is over', async () => {
    // By themselves they would try at once.
    const stages = { import: { attempts: 2, initialInterval: '10ms', maximumInterval: '10ms' } };
    const { pipeline } = app.define({ retries: { stages } });
    const asked: number[] = [];
    app.files.set(`/${pipeline.name}.csv`, {
      body: '',
      handler: (_request, response) => {
        asked.push(Date.now());
        if (asked.length === 1) response.writeHead(429, { 'retry-after': '4' }).end();
        else response.end('id,kind,amount\n1,k,1\n');
      },
    });
    const { workflowId } = await app.client.runs.launch({ pipeline });
    expect(await app.client.runs.result(workflowId)).toMatchObject({ outcome: 'completed' });
    expect(asked).toHaveLength(2);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(4_000);
  });

  it('tell once that a deadline is near and once that it is over, however often the hour is run', async () => {
    const address = `${randomBytes(4).toString('hex')}@example.org`;
    const { input, pipeline } = app.define({
      deadlines: { stages: { import: '6s' }, warnAt: 0.3 },
      alerts: { email: { to: [address] }, policy: { group: '1s' } },
    });
    let asked = 0;
    app.files.set(`/${pipeline.name}.csv`, { body: '', handler: () => void (asked += 1) });
    const file = await app.definitionFile(input);
    const hour = new Date().toISOString().slice(0, 13);
    for (let times = 1; times <= 2; times += 1) {
      const { code, out } = await app.cli(['run', file, '--hour', hour, '--use-current', '--json']);
      expect(code).toBe(1);
      const { error } = JSON.parse(out) as { error: { code: string; message: string } };
      expect(error.code).toBe('DeadlineExceeded');
      expect(error.message).toMatch(
        /^Import of .* took longer than 6s and was stopped: .* raise deadlines\.stages\.import\.$/,
      );
      expect(asked).toBe(times);
    }
    const report = await app.client.runs.report(pipeline.name, `${hour}:00:00Z`);
    expect(report).toMatchObject({
      outcome: 'failed',
      warnings: [expect.stringContaining('30% of the 6s') as unknown],
    });
    const inbox = new URL('/api/v1/search', app.environment['SLUICE_INBOX_URL']);
    inbox.searchParams.set('query', `to:${address}`);
    const subjects = async (): Promise<string[]> => {
      const { messages } = (await (await fetch(inbox)).json()) as { messages: { Subject: string }[] };
      return messages.map(({ Subject }) => Subject).toSorted();
    };
    await vi.waitUntil(async () => (await subjects()).length === 2, { timeout: 60_000, interval: 300 });
    expect(await subjects()).toEqual([
      `Sluice: ${pipeline.name}: a run failed (DeadlineExceeded)`,
      `Sluice: ${pipeline.name}: a run is near its deadline (import)`,
    ]);
    const open = await app.client.incidents.list({ pipeline: pipeline.name });
    expect(open.map(({ rule, occurrences }) => `${rule} ${occurrences}`).toSorted()).toEqual([
      'deadline-near 2',
      'run-failed 2',
    ]);
  });
});

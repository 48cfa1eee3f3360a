import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toLogicalHour } from '../../src/definition/hour.ts';
import { TestApp } from '../helpers/app.ts';
import { makeNamespace } from '../helpers/namespace.ts';
import { noStack, testStack } from '../helpers/stack.ts';

describe.skipIf(noStack)('the monitors of a pipeline', () => {
  let app: TestApp;

  beforeAll(async () => {
    // A namespace of its own: workers of others would take its workflows up on a stack that is shared.
    const { environment } = await testStack();
    const namespace = `monitors-${randomBytes(4).toString('hex')}`;
    await makeNamespace(environment['TEMPORAL_ADDRESS'] ?? '', namespace);
    app = await TestApp.start({ TEMPORAL_NAMESPACE: namespace });
  });

  afterAll(async () => {
    await app?.stop();
  });

  it('name a source that halves its rows and a column that turns to nulls, and say when it is over', async () => {
    const { pipeline } = app.define({ monitors: { training: { runs: 4, span: '1h' } } });
    const table = (rows: number, amount: (row: number) => string): string =>
      ['id,kind,amount', ...Array.from({ length: rows }, (_, row) => `${row},k${row % 3},${amount(row)}`)].join('\n');
    const start = Date.parse(toLogicalHour(Date.now())) - 12 * 3_600_000;
    const hour = (n: number): string => toLogicalHour(start + n * 3_600_000);
    const run = async (n: number, body: string) => {
      app.files.set(`/${pipeline.name}.csv`, { body });
      const { workflowId } = await app.client.runs.launch({ pipeline, hour: hour(n), useCurrent: true });
      return app.client.runs.result(workflowId);
    };
    for (let n = 0; n < 4; n++) {
      const { anomalies, watched } = await run(
        n,
        table(200 + n, (row) => String(row + n)),
      );
      expect(anomalies).toEqual([]);
      expect(watched).toMatchObject({ runs: n });
    }
    const halved = await run(
      4,
      table(100, (row) => (row < 20 ? String(row) : '')),
    );
    expect(halved.outcome).toBe('completed');
    const odd = new Map(halved.anomalies?.map(({ rule, subject, sentence }) => [`${rule} ${subject}`, sentence]));
    expect(odd.get('rows read')).toMatch(
      /^100 rows were read, usually 20\d(\.\d)? \(median of 4 runs, ±1(\.\d+)?\): fell by 5\d/,
    );
    expect(odd.get('missing amount')).toMatch(
      /^80 % of the rows have no amount, usually 0 % .*: rose by 80 percentage points\.$/,
    );

    const shown = await app.cli(['report', hour(4), '--pipeline', pipeline.name]);
    expect(shown.out).toContain('rows of read: 100 rows were read, usually');
    expect(shown.out).toMatch(/monitors: \d odd; \d+ series judged by 4 earlier runs/);

    const after = await run(
      5,
      table(204, (row) => String(row + 5)),
    );
    expect(after.anomalies).toEqual([]);
  });
});

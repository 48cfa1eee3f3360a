import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../helpers/app.ts';
import { testByDescription } from '../helpers/schemathesis.ts';
import { serveProcess, type ServedProcess } from '../helpers/served-api.ts';
import { noStack } from '../helpers/stack.ts';

const token = randomBytes(16).toString('hex');

/** What the description allows and this API may still refuse: a definition that does not hold together, an hour that was removed. */
const config = `
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "410", "422", "429", "503", "504"]
# 503 and 504 are ours: problem details that say what is away, or takes long. Nothing else from 500 on may come.
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503", "504"]
`;

describe.skipIf(noStack)('the HTTP API, by what it says of itself', () => {
  let app: TestApp;
  let api: ServedProcess;

  beforeAll(async () => {
    app = await TestApp.start();
    const { input, pipeline } = app.define({ schedule: { paused: true } });
    app.serve(input, { body: 'id,kind,amount\n1,a,1.5\n' });
    await app.client.schedules.apply(pipeline);
    const { workflowId } = await app.client.runs.launch({ pipeline });
    await app.client.runs.wait(workflowId);
    api = await serveProcess({ ...app.environment, SLUICE_API_TOKEN: token }, [
      await app.definitionFile(input),
      ...['--rate-limit', '1000000'],
    ]);
  });

  afterAll(async () => {
    await api.stop();
    await app.stop();
  });

  it('answers whatever its description allows, and refuses whatever it does not, as it says', async () => {
    const file = join(app.folder, 'schemathesis.toml');
    await writeFile(file, config);
    const found = await testByDescription(api.url, {
      config: file,
      folder: app.folder,
      args: [
        ...['--header', `Authorization: Bearer ${token}`],
        ...['--max-time', '90', '--max-examples', '10', '--seed', '20261126', '--request-timeout', '30'],
        '--continue-on-failure',
      ],
    });
    expect(found.code === 0 ? '' : found.out).toBe('');
    // All of it was asked for; how often depends on the machine.
    expect(found.out).toMatch(/Selected: +(\d+)\/\1\n +Tested: +\1\n/);
    expect(Number(/(\d+) generated/.exec(found.out)?.[1])).toBeGreaterThan(50);
    // What it did not say to who asked, it did not say to the log either.
    expect(api.said()).not.toMatch(/"level":50/);
    expect(api.said()).not.toContain(token);
  });
});

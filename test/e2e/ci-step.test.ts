import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { TestApp } from '../helpers/app.ts';
import { newNamespace } from '../helpers/namespace.ts';
import { serveProcess, type ServedProcess } from '../helpers/served-api.ts';
import { noStack } from '../helpers/stack.ts';

const run = promisify(execFile);
const usual = 'http://localhost:5000';

interface Workflow {
  readonly jobs: Record<string, { readonly steps: { readonly name?: string; readonly run?: string }[] }>;
}

describe.skipIf(noStack)('the step "Test API endpoint" of .github/workflows/ci-cd.yml', () => {
  let app: TestApp;
  let script: string;

  beforeAll(async () => {
    app = await TestApp.start();
    const file = join(import.meta.dirname, '..', '..', '.github', 'workflows', 'ci-cd.yml');
    const { jobs } = parse(await readFile(file, 'utf8')) as Workflow;
    script = jobs['test']?.steps.find(({ name }) => name === 'Test API endpoint')?.run ?? '';
  });

  afterAll(async () => app.stop());

  /** The step's own script, told where this API is. */
  async function step({ url }: Pick<ServedProcess, 'url'>): Promise<{ code: number; out: string }> {
    return run('bash', ['-e', '-c', script.replaceAll(usual, url)]).then(
      ({ stdout }) => ({ code: 0, out: stdout }),
      (error: { code?: number; stdout?: string }) => ({ code: error.code ?? -1, out: error.stdout ?? '' }),
    );
  }

  it('triggers the pipeline as the user does, and waits for no length of time', () => {
    expect(script).toContain(`curl --silent --show-error -X POST ${usual}/trigger-pipeline`);
    expect(script).not.toContain('sleep');
  });

  it('passes on an API that triggers a run whose rows are accounted for', async () => {
    const { input } = app.define();
    app.serve(input, { body: 'id,kind,amount\n1,a,1.5\n2,b,2.5\n' });
    const api = await serveProcess(app.environment, [await app.definitionFile(input)]);
    const { code, out } = await step(api);
    await api.stop();
    expect(out).toContain('"message":"Pipeline triggered successfully."');
    expect(out).toContain('event: ended');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/"indexed": 2[\s\S]*true\n$/) });
  });

  it('fails where the run does, and where it cannot be triggered', async () => {
    const { input } = app.define();
    app.serve(input, { status: 404, body: 'gone' });
    const api = await serveProcess(app.environment, [await app.definitionFile(input)]);
    const failed = await step(api);
    await api.stop();
    expect(failed.code).not.toBe(0);
    expect(failed.out).toContain('SourceNotFound');
    // Where no pipeline has a schedule, nobody says which one is meant.
    const namespace = await newNamespace(app.environment['TEMPORAL_ADDRESS']);
    const other = await serveProcess({ ...app.environment, TEMPORAL_NAMESPACE: namespace });
    const { code, out } = await step(other);
    await other.stop();
    expect(code).not.toBe(0);
    expect(out).toMatch(/"status":"error","message":"Failed to trigger pipeline: /);
  });
});

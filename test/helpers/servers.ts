import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StageDeps } from '../../src/stages/deps.ts';
import { stageDepsOf } from '../../src/workers/stage-deps.ts';

/** The stages' dependencies on the servers of an environment, with a bucket of their own where one is named. */
export function stageDeps(environment: Readonly<Record<string, string | undefined>>, bucket?: string): StageDeps {
  return stageDepsOf({
    SLUICE_WORK_DIR: mkdtempSync(join(tmpdir(), 'sluice-test-work-')),
    ...environment,
    ...(bucket === undefined ? {} : { SLUICE_S3_BUCKET: bucket }),
  });
}

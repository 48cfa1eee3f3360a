import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { down } from '../../stack/index.ts';

/**
 * The suite kills servers, so it has a stack of its own: the first file that needs one starts it, here it ends. A folder in
 * SLUICE_FAULTS_STACK is somebody's who works on the suite, and stays.
 */
export default function setup(): (() => Promise<void>) | undefined {
  const { SLUICE_FAULTS_STACK, SLUICE_TEST_STACK, SLUICE_TEST_NO_STACK } = process.env;
  if (SLUICE_FAULTS_STACK !== undefined || SLUICE_TEST_STACK === undefined || SLUICE_TEST_NO_STACK !== undefined)
    return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-stack-'));
  const state = join(folder, 'stack');
  process.env['SLUICE_FAULTS_STACK'] = state;
  return async () => {
    await down({ state, remove: true });
    rmSync(folder, { recursive: true, force: true });
  };
}

import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../definition/errors.ts';
import { hourKey } from '../../definition/hour.ts';
import type { StageDeps } from '../deps.ts';
import type { SaveInput } from '../io.ts';

/**
 * Keeps a copy of clean.csv below the folder that the worker's configuration names, written beside and renamed.
 * @returns where it is
 * @throws SluiceError `SettingsInvalid` where the worker names no such folder
 */
export async function saveLocalCopy(deps: Pick<StageDeps, 'store' | 'settings'>, input: SaveInput): Promise<string> {
  const { pipeline, hour, clean } = input;
  const { localCopies } = deps.settings;
  if (localCopies === undefined) {
    throw new SluiceError(
      'SettingsInvalid',
      `${pipeline.name} asks for save.localCopy, but this worker has no SLUICE_LOCAL_COPIES: set it to a folder, or take localCopy out.`,
    );
  }
  const folder = join(localCopies, pipeline.name, hourKey(hour));
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'clean.csv');
  const partial = `${path}.${process.pid}.partial`;
  try {
    await deps.store.download(clean, partial);
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
  return path;
}

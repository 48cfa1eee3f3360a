import { rename, rm, writeFile } from 'node:fs/promises';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';

/** Writes a file that is there only once it is whole. @throws SluiceError `SettingsInvalid` where it cannot be written */
export async function writeWhole(path: string, content: Buffer | string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (error) {
    throw new SluiceError('SettingsInvalid', `${path} cannot be written: ${sentenceOf(error)}.`, { cause: error });
  } finally {
    await rm(partial, { force: true }).catch(() => {});
  }
}

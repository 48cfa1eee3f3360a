import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { relative, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../../definition/errors.ts';
import type { SourceBytes, SourceRequest } from './source-bytes.ts';

/**
 * Opens a `file:` source below one of the settings' roots; symbolic links are followed first and count by where they lead.
 * @throws SluiceError `SourceAddressRefused`, `SourceNotFound`, `SourceForbidden`, `SourceTooLarge`
 */
export async function openFile({ url, limits, settings, signal }: SourceRequest): Promise<SourceBytes> {
  const shown = fileURLToPath(url);
  const path = await realpath(shown).catch((error: unknown) => {
    throw refusal(shown, error);
  });
  const roots = await Promise.all(settings.fileRoots.map((root) => realpath(root).catch(() => undefined)));
  if (!roots.some((root) => root !== undefined && isBelow(path, root))) {
    throw new SluiceError(
      'SourceAddressRefused',
      `${shown} is below none of the folders that SLUICE_FILE_ROOTS lists.`,
    );
  }
  const found = await stat(path);
  if (!found.isFile()) throw new SluiceError('SourceNotFound', `${shown} is not a file.`);
  if (found.size > limits.bytes) {
    throw new SluiceError(
      'SourceTooLarge',
      `${shown} has ${found.size} bytes, and source.limits.bytes is ${limits.bytes}.`,
    );
  }
  return { url, lastModified: found.mtime.toUTCString(), bytes: read(path, shown, signal) };
}

async function* read(path: string, shown: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { signal }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw signal.aborted ? signal.reason : refusal(shown, error);
  }
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function refusal(shown: string, error: unknown): SluiceError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') {
    return new SluiceError('SourceForbidden', `${shown} may not be read by the worker's user.`, { cause: error });
  }
  return new SluiceError('SourceNotFound', `${shown} cannot be opened (${String(code)}); correct source.url.`, {
    cause: error,
  });
}

import { createReadStream } from 'node:fs';
import { glob, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Settings } from '../../connectors/settings.ts';
import { SluiceError } from '../../definition/errors.ts';
import { noBytes, type SourceBytes, type SourceRequest } from './source-bytes.ts';

/**
 * Opens a `file:` source below one of the settings' roots; symbolic links are followed first and count by where they lead.
 * @throws SluiceError `SourceAddressRefused`, `SourceNotFound`, `SourceForbidden`, `SourceTooLarge`
 */
export async function openFile({ url, source, settings, resume, signal }: SourceRequest): Promise<SourceBytes> {
  const shown = fileURLToPath(url);
  const path = await allowedPath(shown, settings);
  const found = await stat(path);
  if (!found.isFile()) throw new SluiceError('SourceNotFound', `${shown} is not a file.`);
  const { limits } = source;
  if (found.size > limits.bytes) {
    throw new SluiceError(
      'SourceTooLarge',
      `${shown} has ${found.size} bytes, and source.limits.bytes is ${limits.bytes}.`,
    );
  }
  const validator = `${found.mtimeMs}-${found.size}`;
  const rest = resume?.validator === validator ? resume.bytes : 0;
  return {
    url,
    lastModified: found.mtime.toUTCString(),
    validator,
    holds: rest > 0 ? 'rest' : 'all',
    bytes: rest >= found.size && rest > 0 ? noBytes() : read(path, shown, rest, signal),
  };
}

async function* read(path: string, shown: string, start: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(path, { start, signal }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw signal.aborted ? signal.reason : refusal(shown, error);
  }
}

/** The files that a pattern matches, by name. Links that lead out of the roots are refused when they are opened. */
export async function matchingFiles(url: URL, settings: Settings): Promise<URL[]> {
  const pattern = decodeURIComponent(url.pathname);
  const fixed = pattern.slice(0, pattern.search(/[*?[{]/)).replace(/[^/]*$/, '');
  await allowedPath(fixed, settings, true);
  const found: string[] = [];
  for await (const entry of glob(pattern.slice(fixed.length), { cwd: fixed, withFileTypes: true })) {
    if (!entry.isDirectory()) found.push(join(entry.parentPath, entry.name));
  }
  return found.toSorted().map((path) => pathToFileURL(path));
}

async function allowedPath(shown: string, settings: Settings, folder = false): Promise<string> {
  const path = await realpath(shown).catch((error: unknown) => {
    throw refusal(shown, error);
  });
  const roots = await Promise.all(settings.fileRoots.map((root) => realpath(root).catch(() => undefined)));
  if (roots.some((root) => root !== undefined && isBelow(path, root, folder))) return path;
  throw new SluiceError('SourceAddressRefused', `${shown} is below none of the folders that SLUICE_FILE_ROOTS lists.`);
}

function isBelow(path: string, root: string, itself: boolean): boolean {
  const way = relative(root, path);
  return (way !== '' || itself) && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
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

import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline as pipe } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { hostOf } from '../connectors/secrets.ts';
import { readSettings } from '../connectors/settings.ts';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import type { Source } from '../definition/source.ts';
import { shownAddress } from '../stages/importing/address.ts';
import { openHttp } from '../stages/importing/http-source.ts';
import { rawAddressOf } from '../stages/importing/raw-address.ts';
import type { ContentSource } from '../stages/importing/raw-content.ts';
import { openS3 } from '../stages/importing/s3-source.ts';

/** A file to look at, on this machine. */
export interface Input {
  readonly content: ContentSource;
  /** What a definition would name it by. */
  readonly url: URL;
  /** Its own name, without folders. */
  readonly name: string;
  readonly bytes: number;
  readonly notes: readonly string[];
}

export interface InputContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly source: Source;
  /** Scratch space for what is fetched. */
  readonly folder: string;
  readonly signal: AbortSignal;
  progress(note: string): void;
}

/**
 * Finds the file that someone named: a path, or an address that is fetched.
 * @throws SluiceError `Source…`
 */
export async function openInput(given: string, context: InputContext): Promise<Input> {
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(given)) return localInput(resolve(given), given);
  if (!URL.canParse(given)) throw new SluiceError('SourceNotFound', `${given} is no address.`);
  const url = new URL(given);
  switch (url.protocol) {
    case 'file:':
      return localInput(fileURLToPath(url), given);
    case 'http:':
    case 'https:':
    case 's3:':
      return fetchedInput(url, context);
    default:
      throw new SluiceError(
        'SourceNotFound',
        `${url.protocol} addresses cannot be looked at by themselves; files, http, https and s3 can.`,
      );
  }
}

async function localInput(path: string, shown: string): Promise<Input> {
  const found = await stat(path).catch((error: unknown) => {
    throw new SluiceError('SourceNotFound', `${shown} cannot be opened: ${sentenceOf(error).split(',')[0]}.`);
  });
  if (!found.isFile()) throw new SluiceError('SourceNotFound', `${shown} is not a file.`);
  return {
    content: contentOf(path, shown),
    url: pathToFileURL(path),
    name: basename(path),
    bytes: found.size,
    notes: [],
  };
}

function contentOf(path: string, where: string): ContentSource {
  return {
    stream: async () => createReadStream(path) as AsyncIterable<Buffer>,
    copyTo: (target) => copyFile(path, target),
    where,
  };
}

async function fetchedInput(
  given: URL,
  { environment, source, folder, signal, progress }: InputContext,
): Promise<Input> {
  const raw = given.protocol === 's3:' ? undefined : rawAddressOf(given);
  const url = raw === undefined ? given : new URL(raw);
  const settings = readSettings(environment);
  // Whoever sits here named this host, so it may be their own; where it redirects to is not their word.
  const own = {
    sourceAllow: [...settings.sourceAllow, hostOf(url)],
    s3Roots: [...settings.s3Roots, `s3://${url.host}/`],
  };
  const request = { url, source, settings: { ...settings, ...own }, signal };
  const opened = await (url.protocol === 's3:' ? openS3(request) : openHttp(request));
  const name = decodeURIComponent(basename(url.pathname)) || 'data.csv';
  const path = join(folder, `fetched-${Math.random().toString(36).slice(2)}`);
  let bytes = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of opened.bytes) {
      bytes += chunk.length;
      progress(`fetched ${Math.floor(bytes / 1_000_000)} MB`);
      yield chunk;
    }
  };
  await pipe(counted, createWriteStream(path));
  const where = url.protocol === 's3:' ? url.href : shownAddress(given);
  const notes =
    raw === undefined
      ? []
      : [`${where} is a page about a file; the file itself was fetched from ${shownAddress(url)}.`];
  return { content: contentOf(path, where), url: given, name, bytes, notes };
}

import { SluiceError } from '../../definition/errors.ts';
import type { LogicalHour } from '../../definition/hour.ts';
import { addressesOf } from '../../definition/source.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import type { StageContext, StageDeps } from '../deps.ts';
import { addressFor } from './address.ts';
import { nameOf } from './fetch-file.ts';
import { matchingFiles } from './file-source.ts';
import { rawAddressOf } from './raw-address.ts';
import { matchingObjects } from './s3-source.ts';
import { matchingSftp } from './sftp-source.ts';

/** A file that is to be fetched. */
export interface Target {
  readonly url: URL;
  readonly name: string;
  readonly notes: readonly string[];
}

/**
 * The files of a source for an hour: patterns replaced by what they match, pages about a file by the file.
 * @throws SluiceError `SourceNotFound` where a pattern matches nothing, `SourceTooLarge` where it matches too much
 */
export async function targetsOf(
  deps: StageDeps,
  pipeline: Pipeline,
  hour: LogicalHour,
  context: StageContext,
): Promise<Target[]> {
  const { source, name } = pipeline;
  const targets: Target[] = [];
  for (const address of addressesOf(source)) {
    const filled = addressFor(address, hour);
    if (!URL.canParse(filled)) throw new SluiceError('DefinitionInvalid', `source.url of ${name} is no address.`);
    const url = new URL(filled);
    const found = await matching(deps, pipeline, url, filled, context);
    targets.push(...(found ?? [url]).map(targetOf));
  }
  if (targets.length > source.limits.files) {
    throw new SluiceError(
      'SourceTooLarge',
      `source.url of ${name} names ${targets.length} files, and source.limits.files is ${source.limits.files}.`,
    );
  }
  return targets;
}

async function matching(
  { settings }: StageDeps,
  { source }: Pipeline,
  url: URL,
  pattern: string,
  { signal }: StageContext,
): Promise<URL[] | undefined> {
  const { protocol } = url;
  if (protocol === 'http:' || protocol === 'https:' || !/[*?[{]/.test(pattern)) return undefined;
  // In these addresses `?` is part of the pattern, and no query.
  const whole = new URL(pattern.replaceAll('?', '%3F').replaceAll('#', '%23'));
  const found =
    protocol === 'file:'
      ? await matchingFiles(whole, settings)
      : protocol === 's3:'
        ? await matchingObjects(whole, settings)
        : await matchingSftp({ url: whole, source, settings, signal });
  if (found.length === 0) throw new SluiceError('SourceNotFound', `${pattern} matches no file; correct source.url.`);
  return found;
}

function targetOf(url: URL): Target {
  const raw = url.protocol === 'http:' || url.protocol === 'https:' ? rawAddressOf(url) : undefined;
  const name = nameOf(url);
  if (raw === undefined) return { url, name, notes: [] };
  return {
    url: new URL(raw),
    name,
    notes: [`${name} is a page about a file; the file itself was fetched from ${nameOf(new URL(raw))}.`],
  };
}

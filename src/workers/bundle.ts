import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundle } from '@temporalio/worker';
import { z } from 'zod';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { bundleWorkflows } from './worker-set.ts';

const home = fileURLToPath(new URL('../..', import.meta.url));
const { resolve: locate } = createRequire(import.meta.url);

/** Stands in the first line of a bundle, as a comment: what it was made from. */
const madeFromSchema = z.object({
  /** `@temporalio/worker` must be the very same one that made it. */
  sdk: z.string(),
  /** Files of ours with the sha256 of each; what is new among them is imported by one that has changed. */
  files: z.record(z.string(), z.string()),
  /** sha256 of the bundle behind the comment. */
  code: z.string(),
});

const opening = '/* sluice workflow bundle ';

/** Where `sluice bundle` writes it where nothing else is said. */
export const usualBundle = 'dist/workflow-bundle.js';

/**
 * Writes the workflows as one file for `sluice worker --bundle`.
 * @returns how many of our files are in it
 */
export async function writeBundle(file: string): Promise<{ readonly files: number; readonly bytes: number }> {
  const { code } = await bundleWorkflows();
  const names = filesIn(code);
  const files = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await digestOf(name)] as const)));
  const made = { sdk: await sdkVersion(), files, code: sha256(code) };
  const text = `${opening}${JSON.stringify(made)} */${code}`;
  await mkdir(dirname(resolve(file)), { recursive: true });
  // Never half a bundle under the name that a worker reads.
  await writeFile(`${file}.partial`, text);
  await rename(`${file}.partial`, file);
  return { files: names.length, bytes: Buffer.byteLength(text) };
}

/**
 * Reads a bundle that `writeBundle` made of the workflows as they stand here.
 * @throws SluiceError `SettingsInvalid` where it is none, or one of other workflows
 */
export async function readBundle(file: string): Promise<WorkflowBundle> {
  const refuse = (what: string): SluiceError =>
    new SluiceError('SettingsInvalid', `The bundle ${file} ${what}: make it again with "sluice bundle ${file}".`);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw refuse(`cannot be read (${sentenceOf(error)})`);
  });
  const end = text.indexOf(' */');
  const made = text.startsWith(opening) ? parseMade(text.slice(opening.length, end)) : undefined;
  if (made === undefined) throw refuse('is none of "sluice bundle"');
  const sdk = await sdkVersion();
  if (made.sdk !== sdk) throw refuse(`was made by @temporalio/worker ${made.sdk}, and ${sdk} is here`);
  for (const [name, digest] of Object.entries(made.files)) {
    if ((await digestOf(name)) !== digest) throw refuse(`was made of other workflows (${name} has changed)`);
  }
  const code = text.slice(end + ' */'.length);
  if (sha256(code) !== made.code) throw refuse('was changed, or cut, after it was made');
  return { code };
}

function parseMade(text: string): z.infer<typeof madeFromSchema> | undefined {
  try {
    return madeFromSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Ours among the files that the bundle's source map names, from the project's folder on; libraries come with their version. */
function filesIn(code: string): string[] {
  const encoded = code.slice(code.lastIndexOf('//# sourceMappingURL=')).split(';base64,')[1] ?? '';
  const map: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString());
  const { sources } = z.object({ sources: z.array(z.string()) }).parse(map);
  const ours = sources.map((source) => relative(home, source)).filter((name) => /^src\/.*\.ts$/.test(name));
  return ours.toSorted();
}

/** Of a file of the project; undefined where it is not there. */
async function digestOf(name: string): Promise<string | undefined> {
  try {
    return sha256(await readFile(join(home, name)));
  } catch {
    return undefined;
  }
}

async function sdkVersion(): Promise<string> {
  const text = await readFile(join(dirname(locate('@temporalio/worker')), '..', 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

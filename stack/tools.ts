import { execFile } from 'node:child_process';
import { access, constants, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SluiceError } from '../src/definition/errors.ts';
import { needs, type JdkNeed } from './versions.ts';

const run = promisify(execFile);

/** A JDK that is new enough. */
export interface Jdk {
  readonly home: string;
  readonly major: number;
}

/** The major version in what `java -version` prints: 17, 21, 25; 8 for `1.8`. */
export function javaMajor(printed: string): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(printed);
  return match ? Number(match[1]) : undefined;
}

/** Whether a Go version as `go version` prints it is at least `wanted` (`1.24`). */
export function goIsAtLeast(printed: string, wanted: string): boolean {
  const match = /go(\d+)\.(\d+)/.exec(printed);
  const [major = 0, minor = 0] = wanted.split('.').map(Number);
  if (!match) return false;
  const found = [Number(match[1]), Number(match[2])] as const;
  return found[0] > major || (found[0] === major && found[1] >= minor);
}

/**
 * Finds a JDK that somebody can use in JAVA_HOME, in PATH and in the usual folders.
 * @throws SluiceError `StackUnavailable`, which names what was found instead
 */
export async function findJdk({ for: whom, least, most }: JdkNeed): Promise<Jdk> {
  const found: string[] = [];
  for (const home of await jdkHomes()) {
    const major = await majorOf(home);
    if (major === undefined) continue;
    if (major >= least && major <= most) return { home, major };
    found.push(`${major} in ${home}`);
  }
  throw new SluiceError(
    'StackUnavailable',
    `${whom} needs a JDK of ${least} ${most === Infinity ? 'or newer' : `to ${most}`}, and ${found.length > 0 ? `only ${[...new Set(found)].join(', ')} was found` : 'none was found'}: ` +
      'install one (openjdk-21-jre-headless, or Temurin), or set JAVA_HOME to it.',
  );
}

async function jdkHomes(): Promise<string[]> {
  const fromPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => dirname(folder));
  const roots = [
    '/usr/lib/jvm',
    '/opt',
    '/opt/java',
    '/usr/local/lib/jvm',
    join(homedir(), '.sdkman/candidates/java'),
    join(homedir(), '.jdks'),
    '/Library/Java/JavaVirtualMachines',
  ];
  const below = await Promise.all(
    roots.map(async (root) =>
      (await readdir(root).catch(() => [])).toSorted((a, b) => a.localeCompare(b)).map((name) => join(root, name)),
    ),
  );
  const usual = below.flat().flatMap((home) => [home, join(home, 'Contents/Home')]);
  return [...(process.env['JAVA_HOME'] ? [process.env['JAVA_HOME']] : []), ...fromPath, ...usual];
}

async function majorOf(home: string): Promise<number | undefined> {
  const java = join(home, 'bin', 'java');
  try {
    await access(java, constants.X_OK);
    const { stderr, stdout } = await run(java, ['-version']);
    return javaMajor(stderr + stdout);
  } catch {
    return undefined;
  }
}

/** @throws SluiceError `StackUnavailable` */
export async function requireGo(): Promise<void> {
  const printed = await run('go', ['version'])
    .then(({ stdout }) => stdout.trim())
    .catch(() => undefined);
  if (printed !== undefined && goIsAtLeast(printed, needs.go)) return;
  throw new SluiceError(
    'StackUnavailable',
    `Temporal, MinIO and Mailpit are built with Go ${needs.go} or newer, and ${printed === undefined ? 'no go command is in PATH' : `PATH has ${printed}`}: install Go.`,
  );
}

/** @throws SluiceError `StackUnavailable` */
export async function requireMaven(): Promise<void> {
  const printed = await run('mvn', ['-version'])
    .then(({ stdout }) => stdout)
    .catch(() => undefined);
  if (printed !== undefined) return;
  throw new SluiceError(
    'StackUnavailable',
    'Kafka and Elasticsearch are fetched with Maven, and no mvn command works here: install Maven (package maven).',
  );
}

/** @param what is fetched with it. @throws SluiceError `StackUnavailable` */
export async function requirePip(what = 'Spark'): Promise<void> {
  const printed = await run('python3', ['-m', 'pip', '--version'])
    .then(({ stdout }) => stdout)
    .catch(() => undefined);
  if (printed !== undefined) return;
  throw new SluiceError(
    'StackUnavailable',
    `${what} is fetched with pip, and "python3 -m pip" does not work here: install it (packages python3-pip and python3-venv).`,
  );
}

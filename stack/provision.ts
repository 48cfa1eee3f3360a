import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SluiceError } from '../src/definition/errors.ts';
import { withLock } from './lock.ts';
import { cacheFolder } from './paths.ts';
import type { StackProgress } from './progress.ts';
import { requireGo, requireMaven } from './tools.ts';
import { versions, type ServerName } from './versions.ts';

const run = promisify(execFile);

/**
 * Makes sure of a server's files in the cache, and says where they are. What is being made lies beside the final folder and is renamed
 * only when it is whole, so an interrupted provisioning leaves nothing that looks finished; the next one starts it anew.
 */
export async function provision(name: ServerName, progress: StackProgress): Promise<string> {
  return provisionInto(join(cacheFolder(), `${name}-${versions[name]}`), name, progress, recipes[name]);
}

/** {@link provision} with any recipe: `make` fills an empty folder. */
export async function provisionInto(
  target: string,
  name: string,
  progress: StackProgress,
  make: (folder: string, progress: StackProgress) => Promise<void>,
): Promise<string> {
  if (await exists(target)) return target;
  const waiting = (holder: number): void =>
    progress.say(name, `waiting for process ${holder}, which is provisioning it`);
  return withLock(`${target}.lock`, waiting, async () => {
    if (await exists(target)) return target;
    const partial = `${target}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    await make(partial, progress);
    await rename(partial, target);
    progress.say(name, 'is in the cache now');
    return target;
  });
}

const recipes: Readonly<Record<ServerName, (folder: string, progress: StackProgress) => Promise<void>>> = {
  temporal: goInstall('temporal', 'github.com/temporalio/cli/cmd/temporal', 'about 5 minutes on 2 cores'),
  minio: goInstall('minio', 'github.com/minio/minio', 'about 5 minutes on 2 cores'),
  mailpit: goInstall('mailpit', 'github.com/axllent/mailpit', 'about 1 minute'),
  kafka: async (folder, progress) => {
    await requireMaven();
    const artifacts = ['kafka_2.13', 'kafka-tools'];
    const dependencies = artifacts.map(
      (artifact) =>
        `<dependency><groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${versions.kafka}</version></dependency>`,
    );
    await writeFile(
      join(folder, 'pom.xml'),
      `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>sluice</groupId>` +
        `<artifactId>kafka</artifactId><version>1</version><dependencies>${dependencies.join('')}</dependencies></project>`,
    );
    await progress.during('kafka', `fetching Kafka ${versions.kafka} with Maven (56 MB)`, () =>
      command('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib'], folder),
    );
  },
  elasticsearch: async (folder, progress) => {
    await requireMaven();
    const artifact = `org.elasticsearch.distribution.integ-test-zip:elasticsearch:${versions.elasticsearch}:zip`;
    await progress.during('elasticsearch', `fetching Elasticsearch ${versions.elasticsearch} with Maven`, () =>
      command(
        'mvn',
        ['-q', '-B', 'dependency:unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`],
        folder,
      ),
    );
    const unpacked = (await readdir(folder)).find((entry) => entry.startsWith('elasticsearch-'));
    if (!unpacked) throw new SluiceError('StackUnavailable', `${artifact} holds no elasticsearch folder.`);
    await rename(join(folder, unpacked), join(folder, 'home'));
  },
};

function goInstall(name: 'temporal' | 'minio' | 'mailpit', path: string, takes: string) {
  return async (folder: string, progress: StackProgress): Promise<void> => {
    await requireGo();
    await progress.during(name, `building ${name} ${versions[name]} with Go (${takes} the first time)`, () =>
      command('go', ['install', `${path}@${versions[name]}`], folder, { CGO_ENABLED: '0', GOBIN: folder, GOFLAGS: '' }),
    );
  };
}

async function command(
  program: string,
  args: readonly string[],
  cwd: string,
  environment: Record<string, string> = {},
): Promise<void> {
  try {
    await run(program, [...args], { cwd, env: { ...process.env, ...environment }, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message: string };
    const last = `${stdout ?? ''}\n${stderr ?? ''}`.trim().split('\n').slice(-5).join(' / ') || message;
    throw new SluiceError('StackUnavailable', `"${program} ${args[0] ?? ''}" failed: ${last}`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

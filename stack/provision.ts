import { execFile } from 'node:child_process';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SluiceError } from '../src/definition/errors.ts';
import { withLock } from './lock.ts';
import { cacheFolder } from './paths.ts';
import type { StackProgress } from './progress.ts';
import { requireGo, requireMaven, requirePip } from './tools.ts';
import { kafkaLog4j, sparkStore, versions, type Package } from './versions.ts';

/** A package's folder, in the cache where it has been provisioned. */
export const packageFolder = ({ name, version }: Package): string =>
  join(cacheFolder(), `${name}-${version}${recipeRevisions[`${name}-${version}`] ?? ''}`);

/** Of packages whose recipe has changed since the same version was first provisioned. */
const recipeRevisions: Readonly<Record<string, string>> = { [`kafka-${versions.kafka}`]: '-2' };

const run = promisify(execFile);

/**
 * Makes sure of a package in the cache, and says where they are. What is being made lies beside the final folder and is renamed
 * only when it is whole, so an interrupted provisioning leaves nothing that looks finished; the next one starts it anew.
 */
export async function provision(wanted: Package, progress: StackProgress): Promise<string> {
  return provisionInto(packageFolder(wanted), wanted.name, progress, (folder) =>
    recipes[wanted.name](folder, progress, wanted.version),
  );
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

type Recipe = (folder: string, progress: StackProgress, version: string) => Promise<void>;

const recipes: Readonly<Record<Package['name'], Recipe>> = {
  temporal: goInstall('temporal', 'github.com/temporalio/cli/cmd/temporal', 'about 5 minutes on 2 cores'),
  minio: goInstall('minio', 'github.com/minio/minio', 'about 5 minutes on 2 cores'),
  mailpit: goInstall('mailpit', 'github.com/axllent/mailpit', 'about 1 minute'),
  kafka: async (folder, progress, version) => {
    await requireMaven();
    await writePom(folder, [
      { group: 'org.apache.kafka', artifact: 'kafka_2.13', version },
      { group: 'org.apache.kafka', artifact: 'kafka-tools', version },
      // Without it this line of Kafka writes no log. The one before brings its own.
      ...(version === versions.kafka
        ? [{ group: 'org.apache.logging.log4j', artifact: 'log4j-slf4j-impl', version: kafkaLog4j }]
        : []),
    ]);
    await progress.during('kafka', `fetching Kafka ${version} with Maven (56 MB)`, () =>
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
  spark: async (folder, progress) => {
    await requirePip();
    await requireMaven();
    const source = join(folder, 'source');
    await progress.during('spark', `fetching Spark ${versions.spark} with pip (455 MB)`, async () => {
      const download = ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps', '-d', source];
      await command('python3', [...download, `pyspark==${versions.spark}`], folder);
      const [archive = ''] = await readdir(source);
      // Its Python is not needed: everything that runs is in the jars.
      const jars = `pyspark-${versions.spark}/deps/jars`;
      await command('tar', ['-xzf', join(source, archive), '-C', folder, '--strip-components=2', jars], folder);
      await rm(source, { recursive: true });
    });
    const sdk = ['s3', 's3-transfer-manager', 'sts'].map((artifact) => ({
      ...{ group: 'software.amazon.awssdk', artifact, version: sparkStore.awsSdk },
      // Spark brings these itself, in other versions.
      without: ['io.netty', 'org.slf4j', 'org.apache.httpcomponents', 'commons-codec', 'commons-logging'],
    }));
    // Its own dependencies are all of AWS (600 MB), and what Spark has already.
    const hadoop = {
      group: 'org.apache.hadoop',
      artifact: 'hadoop-aws',
      version: sparkStore.hadoopAws,
      without: ['*'],
    };
    await writePom(folder, [hadoop, ...sdk]);
    await progress.during('spark', `fetching what Spark reads S3 with, hadoop-aws ${sparkStore.hadoopAws}`, () =>
      command(
        'mvn',
        ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=jars', '-DincludeScope=runtime'],
        folder,
      ),
    );
  },
};

interface Artifact {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  /** Groups that it brings and that are left out. */
  readonly without?: readonly string[];
}

async function writePom(folder: string, artifacts: readonly Artifact[]): Promise<void> {
  const dependencies = artifacts.map(({ group, artifact, version, without = [] }) => {
    const left = without.map((one) => `<exclusion><groupId>${one}</groupId><artifactId>*</artifactId></exclusion>`);
    return (
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>` +
      `<exclusions>${left.join('')}</exclusions></dependency>`
    );
  });
  await writeFile(
    join(folder, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>sluice</groupId>` +
      `<artifactId>fetched</artifactId><version>1</version><dependencies>${dependencies.join('')}</dependencies></project>`,
  );
}

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

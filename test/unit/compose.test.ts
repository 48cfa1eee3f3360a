import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { serversOf } from '../../stack/servers/index.ts';
import { brokerSettings } from '../../stack/servers/kafka-common.ts';
import { answeredWords } from '../../stack/servers/zookeeper.ts';
import { kafkaKinds, sparkStore, versions, zooKeeperKafka } from '../../stack/versions.ts';
import { readSettings } from '../../src/connectors/settings.ts';
import { commandTree } from '../../src/client/cli/main.ts';
import { API_PORT, listeningOn } from '../../src/client/api/listening.ts';
import { searchAttributes } from '../../src/definition/names.ts';
import { attributes } from '../../src/workflows/attributes.ts';

const home = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);

interface Service {
  readonly image: string;
  readonly command?: string | string[];
  readonly entrypoint?: string[];
  readonly restart?: string;
  /** Without a value: handed on where it is set. */
  readonly environment?: Record<string, string | number | null>;
  readonly ports?: string[];
  readonly profiles?: string[];
  readonly healthcheck?: { readonly test: string[] };
  readonly build?: { readonly dockerfile?: string };
  readonly depends_on?: Record<string, unknown>;
}

const text = await readFile(join(home, 'docker-compose.yml'), 'utf8');
const { services: all } = parse(text, { merge: true }) as { services: Record<string, Service> };
/** Those that run our own image. */
const isOurs = ({ image }: Service): boolean => image.startsWith('sluice:');
const services = Object.fromEntries(Object.entries(all).filter(([, service]) => !isOurs(service)));
const ours = Object.fromEntries(Object.entries(all).filter(([, service]) => isOurs(service)));
/** Spark is a cluster there: a server that is spoken to, a master, and workers. */
const clusterOnly = ['spark-master', 'spark-worker'];

/** As compose does it where every variable is set. */
const interpolated = (environment: NonNullable<Service['environment']>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [
        name,
        String(value).replace(/\$\{\w+(?::\+([^}]*)|-)\}/, (_all, then?: string) => then ?? ''),
      ]),
  );

describe('docker-compose.yml', () => {
  it('has every server of the stack in the same version, and Kibana in that of Elasticsearch', () => {
    const single = Object.entries(services).filter(([name]) => !clusterOnly.includes(name));
    const tags = Object.fromEntries(single.map(([name, { image }]) => [name, image.split(':')[1]]));
    const { temporal, ...same } = versions;
    expect(tags).toEqual({
      ...same,
      temporal: temporal.replace(/^v/, ''),
      kibana: versions.elasticsearch,
      'kafka-zookeeper': zooKeeperKafka,
    });
    expect(text).toContain(`github.com/minio/minio@${versions.minio}`);
    for (const name of clusterOnly) expect(services[name]?.image).toBe(services['spark']?.image);
    expect(text).toContain(`FROM apache/spark:${versions.spark}`);
    const fetched = [
      ...text.matchAll(/<artifactId>(hadoop-aws|s3|s3-transfer-manager|sts)<.artifactId><version>([^<]+)/g),
    ];
    const { hadoopAws, awsSdk } = sparkStore;
    expect(fetched.map(([, name, version]) => `${name} ${version}`)).toEqual([
      `hadoop-aws ${hadoopAws}`,
      ...['s3', 's3-transfer-manager', 'sts'].map((name) => `${name} ${awsSdk}`),
    ]);
  });

  it('watches the health of each, and opens each on loopback only, at the usual ports', () => {
    const usual = new Set(
      kafkaKinds
        .flatMap((kind) => Object.values(serversOf(kind)))
        .flatMap(({ ports }) => Object.entries(ports))
        .filter(([name]) => !['temporalMetrics', 'kafkaController', 'elasticsearchTransport'].includes(name))
        .map(([, port]) => `127.0.0.1:${port}:${port}`),
    );
    const open = new Set(Object.values(services).flatMap(({ ports = [] }) => ports));
    expect(open).toEqual(new Set([...usual, '127.0.0.1:5601:5601', '127.0.0.1:8080:8080']));
    for (const { healthcheck } of Object.values(services)) expect(healthcheck?.test[0]).toBe('CMD');
  });

  it('has Kafka with ZooKeeper as the stack sets it up, in the place of the other one', () => {
    const { zookeeper, 'kafka-zookeeper': broker, kafka } = services;
    expect([zookeeper?.profiles, broker?.profiles, kafka?.profiles]).toEqual([['zookeeper'], ['zookeeper'], undefined]);
    expect(broker?.ports).toEqual(kafka?.ports);
    const folder = '/x';
    const place = { folder, home: '', ports: {}, allPorts: {}, credentials: { user: '', password: '' }, javaHome: '' };
    const settings = Object.entries(brokerSettings(place))
      .filter(([name]) => !['log.dirs', 'offsets.topic.num.partitions'].includes(name))
      .map(([name, value]) => `${name}=${value}`);
    const words = String(broker?.command?.at(-1)).split(/\s+/);
    expect(words).toEqual(expect.arrayContaining([...settings, 'zookeeper.connect=zookeeper:2181']));
    expect(zookeeper?.environment?.['ZOO_4LW_COMMANDS_WHITELIST']).toBe(answeredWords);
  });

  it('holds no secret', () => {
    const secrets = Object.values(all)
      .flatMap(({ environment }) => Object.entries(environment ?? {}))
      .filter(([name]) => /user|password|secret|key|token/i.test(name))
      .map(([, value]) => String(value));
    expect(new Set(secrets)).toEqual(
      new Set([
        '${SLUICE_S3_ACCESS_KEY-}',
        '${SLUICE_S3_SECRET_KEY-}',
        '${SLUICE_SPARK_TOKEN-}',
        '${SLUICE_API_TOKEN-}',
        '${SLUICE_API_VIEWER_TOKEN-}',
      ]),
    );
  });

  it('has Sluice itself in the version that this is, with the servers by their names inside', async () => {
    const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
    // Built once, by the one that is always there.
    const built = Object.entries(ours).filter(([, { build }]) => build?.dockerfile === 'Containerfile');
    expect(built.map(([name]) => name)).toEqual(['worker']);
    expect(ours['worker']?.healthcheck?.test.at(-1)).toContain('http://127.0.0.1:8090/readyz');
    for (const { image, environment = {} } of Object.values(ours)) {
      expect(image).toBe(`sluice:${version}`);
      const hosts = Object.values(environment).flatMap((value) => /([a-z]+):\d+}?$/.exec(String(value))?.[1] ?? []);
      expect(hosts).toEqual([
        'temporal',
        'kafka',
        'zookeeper',
        'minio',
        'elasticsearch',
        'kibana',
        'mailpit',
        'spark',
        'spark',
      ]);
      for (const host of hosts) expect(Object.keys(services)).toContain(host);
      // Each is a setting that something reads; one that is wrong would be refused here.
      expect(() => readSettings(interpolated(environment))).not.toThrow();
    }
  });

  it('has the API on loopback, and no way to start it without a token', async () => {
    const { command = [], ports, environment = {}, healthcheck, profiles, depends_on } = ours['api'] ?? {};
    // Where nobody asks for it "up --wait" needs no token.
    expect(profiles).toEqual(['api']);
    expect(Object.keys(depends_on ?? {})).toContain('worker');
    expect(ports).toEqual([`127.0.0.1:${API_PORT}:${API_PORT}`]);
    expect(healthcheck?.test.at(-1)).toContain(`http://127.0.0.1:${API_PORT}/readyz`);
    const host = command[command.indexOf('--host') + 1] ?? '';
    await expect(listeningOn(host, interpolated(environment))).rejects.toThrow(/needs a token: set SLUICE_API_TOKEN/);
    const token = 'a-token-of-some-length';
    expect(await listeningOn(host, { ...interpolated(environment), SLUICE_API_TOKEN: token })).toMatchObject({ token });
    expect(command.slice(0, 2)).toEqual(['serve', 'pipelines/broadband.yaml']);
  });

  it('imports the dashboards of what its API runs once Kibana is healthy, and says that it has', () => {
    const { entrypoint, command = [], depends_on, healthcheck, restart, profiles } = ours['dashboards'] ?? {};
    expect(profiles).toBeUndefined();
    expect(depends_on).toEqual({ kibana: { condition: 'service_healthy' }, worker: { condition: 'service_started' } });
    const [sluice, applied, stays] = String(command[0]).split(' && ');
    expect({ entrypoint, applied, stays }).toEqual({
      ...{ entrypoint: ['sh', '-c'], applied: 'touch /tmp/applied', stays: 'exec sleep infinity' },
    });
    expect(healthcheck?.test).toEqual(['CMD', 'test', '-e', '/tmp/applied']);
    // What it imports is not imported again over what people have changed since, unless it failed.
    expect(restart).toMatch(/^on-failure:\d$/);
    const words = sluice?.split(' ') ?? [];
    expect(words.shift()).toBe('sluice');
    let called: unknown;
    const tree = commandTree(() => {});
    const apply = tree.commands
      .find((one) => one.name() === 'dashboards')
      ?.commands.find((one) => one.name() === 'apply');
    apply?.action((options: unknown) => void (called = options));
    tree.parse(words, { from: 'user' });
    expect(called).toEqual({ pipeline: ours['api']?.command?.[1], wait: 120 });
  });

  it('registers the search attributes that runs set, as the stack does', () => {
    const wanted = Object.entries(searchAttributes).map(([name, type]) => `--search-attribute=${name}=${type}`);
    expect(services['temporal']?.command).toEqual(expect.arrayContaining(wanted));
    expect(Object.keys(searchAttributes)).toEqual(Object.values(attributes).map(({ name }) => name));
  });

  it('is what "docker compose config" accepts, wherever that is installed', async () => {
    const compose = async (...args: string[]): Promise<string> =>
      run('docker', ['compose', ...args]).then(
        () => '',
        (error: { stderr?: string }) => error.stderr ?? 'docker is not there',
      );
    const missing = await compose('version');
    expect(missing === '' ? await compose('-f', join(home, 'docker-compose.yml'), 'config', '--quiet') : '').toBe('');
  });
});

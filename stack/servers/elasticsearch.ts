import { access, chmod, chown, cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isRoot, openCacheFolder } from '../paths.ts';
import { needs } from '../versions.ts';
import { expectOk, LOOPBACK, type Place, type Server } from './server.ts';

/** `nobody` on Debian; it only has to be somebody who is not root. */
const UNPRIVILEGED = 65_534;

export const elasticsearch: Server = {
  name: 'elasticsearch',
  title: 'Elasticsearch',
  ports: { elasticsearch: 9200, elasticsearchTransport: 9300 },
  needsJava: needs.jdk,
  refusesRoot: true,
  prepare: async (place) => {
    const config = join(place.folder, 'config');
    for (const name of ['data', 'logs', 'tmp']) await mkdir(join(place.folder, name), { recursive: true });
    await cp(join(place.home, 'home', 'config'), config, { recursive: true });
    await mkdir(join(config, 'jvm.options.d'), { recursive: true });
    await writeFile(join(config, 'elasticsearch.yml'), settings(place));
    await writeFile(join(config, 'jvm.options.d', 'heap.options'), '-Xms512m\n-Xmx512m\n');
    if (!isRoot()) return;
    await openHome(place.home);
    await giveAway(place.folder);
  },
  launch: ({ home, folder, javaHome }) => ({
    program: 'bash',
    args: [join(isRoot() ? openHomeFolder(home) : join(home, 'home'), 'bin', 'elasticsearch')],
    cwd: folder,
    environment: { ES_JAVA_HOME: javaHome, ES_PATH_CONF: join(folder, 'config'), ES_TMPDIR: join(folder, 'tmp') },
    ...(isRoot() ? { unprivileged: { uid: UNPRIVILEGED, gid: UNPRIVILEGED } } : {}),
  }),
  answers: async ({ ports }) => {
    // This slim build has no `GET /`.
    await expectOk(`http://${LOOPBACK}:${ports['elasticsearch']}/_cluster/health?wait_for_status=yellow&timeout=1s`);
  },
  environment: ({ ports }) => ({ SLUICE_ELASTICSEARCH_URL: `http://${LOOPBACK}:${ports['elasticsearch']}` }),
};

const openHomeFolder = (home: string): string => join(openCacheFolder, basename(home));

/** The files of the server where its user can read them; renamed when whole, as everything in a cache. */
async function openHome(home: string): Promise<void> {
  const target = openHomeFolder(home);
  if (
    await access(target).then(
      () => true,
      () => false,
    )
  )
    return;
  const partial = `${target}.${process.pid}.partial`;
  await cp(join(home, 'home'), partial, { recursive: true });
  await chmod(openCacheFolder, 0o755);
  await rename(partial, target).catch(() => rm(partial, { recursive: true, force: true }));
}

async function giveAway(path: string): Promise<void> {
  await chown(path, UNPRIVILEGED, UNPRIVILEGED);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await giveAway(child);
    else await chown(child, UNPRIVILEGED, UNPRIVILEGED);
  }
}

function settings({ folder, ports }: Place): string {
  return [
    'cluster.name: sluice',
    'node.name: sluice-1',
    'discovery.type: single-node',
    `network.host: ${LOOPBACK}`,
    `http.port: ${ports['elasticsearch']}`,
    `transport.port: ${ports['elasticsearchTransport']}`,
    `path.data: ${join(folder, 'data')}`,
    `path.logs: ${join(folder, 'logs')}`,
    'xpack.security.enabled: false',
    'action.auto_create_index: false',
    'cluster.routing.allocation.disk.threshold_enabled: false',
    '',
  ].join('\n');
}

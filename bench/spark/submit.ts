import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../stack/paths.ts';
import { spark } from '../../stack/servers/spark.ts';
import { readState } from '../../stack/state.ts';
import { findJdk } from '../../stack/tools.ts';
import { needs, versions } from '../../stack/versions.ts';

/** How a program is run. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * `spark-submit` of a Python program, from the jars, with the memory and the settings of a stack's Connect server, on its MinIO.
 * @param folder For its settings and its scratch.
 * @param python With the PySpark of the same version.
 */
export async function submitCommand(state: string, folder: string, python: string, script: string): Promise<Command> {
  const known = await readState(state);
  if (!known) throw new Error(`there is no stack in ${state}`);
  await mkdir(folder, { recursive: true });
  const place = {
    home: join(cacheFolder(), `spark-${versions.spark}`),
    folder,
    ports: { spark: 0, sparkUi: 0 },
    allPorts: known.ports,
    credentials: known.credentials,
    javaHome: (await findJdk(needs.sparkJdk)).home,
  };
  await spark.prepare(place);
  const file = join(folder, 'spark.conf');
  const settings = (await readFile(file, 'utf8')).split('\n').filter((line) => !line.startsWith('spark.connect.'));
  await writeFile(file, settings.join('\n'), { mode: 0o600 });
  const { program, args, environment } = spark.launch(place);
  return {
    program,
    args: [...args.slice(0, args.indexOf('--class')), script],
    environment: {
      ...process.env,
      ...environment,
      JAVA_HOME: place.javaHome,
      PYSPARK_PYTHON: python,
      PYSPARK_DRIVER_PYTHON: python,
    },
  };
}

import { createReadStream, existsSync, watchFile } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import { SluiceError, sentenceOf } from '../src/definition/errors.ts';
import { down, logFile, runningStack, status, up, type ServerStatus, type StackOptions } from './index.ts';
import { defaultStateFolder } from './paths.ts';
import { kafkaKinds, optionalServers, serverNames, type KafkaKind, type ServerName } from './versions.ts';

const usage = `Usage: npm run stack -- COMMAND [options]   (or: npx sluice stack COMMAND [options])

  up                 provision what is missing, start every server, wait until each answers
  down [--remove]    stop what this stack started; with --remove, delete its data too
  status             ask each server how it is
  env                print the variables that lead other programs here, for eval "$(…)"; holds credentials
  logs NAME [-f]     print a server's log; -f goes on with what comes

  --only a,b         some servers only: ${serverNames.join(', ')}
  --with a,b         servers beside the usual ones: ${optionalServers.join(', ')}
  --kafka KIND       what Kafka keeps its metadata in: ${kafkaKinds.join(' or ')}; for a stack that has no Kafka yet
  --free-ports       any free ports instead of the usual ones
  --state DIR        a stack of its own in this folder
  --json             one JSON object on stdout; not of logs
`;

/** The stack's command line. @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await command(argv);
  } catch (error) {
    if (process.env['SLUICE_DEBUG'] === '1') console.error(error);
    process.stderr.write(`${sentenceOf(error)}\n`);
    if (argv.includes('--json')) {
      const code = error instanceof SluiceError ? error.code : 'WronglyCalled';
      process.stdout.write(`${JSON.stringify({ error: { code, message: sentenceOf(error) } })}\n`);
    }
    return error instanceof TypeError || isUsage(error) ? 2 : 1;
  }
}

async function command(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      with: { type: 'string' },
      kafka: { type: 'string' },
      'free-ports': { type: 'boolean', default: false },
      state: { type: 'string' },
      remove: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      follow: { type: 'boolean', short: 'f', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [verb, name] = positionals;
  const options: StackOptions = {
    freePorts: values['free-ports'],
    ...(values.state === undefined ? {} : { state: values.state }),
    ...(values.only === undefined ? {} : { only: values.only.split(',').map(serverName) }),
    ...(values.with === undefined ? {} : { with: values.with.split(',').map(serverName) }),
    ...(values.kafka === undefined ? {} : { kafka: kafkaKind(values.kafka) }),
  };
  if (values.help || verb === undefined) {
    process.stdout.write(usage);
    return values.help ? 0 : 2;
  }
  switch (verb) {
    case 'up':
      await up(options);
      print(await status(options), values.json);
      return 0;
    case 'down':
      await down({ ...options, remove: values.remove });
      if (values.json) process.stdout.write(`${JSON.stringify({ stopped: true, removed: values.remove })}\n`);
      return 0;
    case 'status': {
      const all = await status(options);
      print(all, values.json);
      return all.every((server) => server.state === 'running') ? 0 : 1;
    }
    case 'env': {
      const running = await runningStack(options);
      if (!running)
        throw new SluiceError('StackUnavailable', 'No stack runs here: start it with "npm run stack -- up".');
      if (values.json) {
        process.stdout.write(`${JSON.stringify(running.environment)}\n`);
        return 0;
      }
      const lines = Object.entries(running.environment).map(([key, value]) => `export ${key}='${value}'\n`);
      process.stdout.write(lines.join(''));
      return 0;
    }
    case 'logs':
      return printLog(options.state ?? defaultStateFolder(), serverName(name ?? ''), values.follow);
    default:
      throw new SluiceError('SettingsInvalid', `"${verb}" is no command of the stack: up, down, status, env or logs.`);
  }
}

function serverName(text: string): ServerName {
  const found = serverNames.find((name) => name === text.trim());
  if (found) return found;
  throw new SluiceError('SettingsInvalid', `"${text}" is no server of the stack: ${serverNames.join(', ')}.`);
}

/** @throws SluiceError `SettingsInvalid` */
function kafkaKind(text: string): KafkaKind {
  const found = kafkaKinds.find((kind) => kind === text);
  if (found) return found;
  throw new SluiceError('SettingsInvalid', `"${text}" is no kind of Kafka: ${kafkaKinds.join(' or ')}.`);
}

function print(all: readonly ServerStatus[], json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ servers: all })}\n`);
    return;
  }
  const rows = all.map((server) => [
    server.name,
    server.state,
    server.ports.join(', '),
    server.pid === undefined ? '' : String(server.pid),
    server.version,
    server.link ?? '',
  ]);
  const head = ['server', 'state', 'ports', 'pid', 'version', 'look at'];
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  const details = all.flatMap(({ name, details: lines = [] }) => lines.map((text) => `${name}: ${text}\n`));
  process.stdout.write(`${styleText('bold', line(head))}\n${rows.map((row) => `${line(row)}\n`).join('')}`);
  if (details.length > 0) process.stdout.write(`\n${details.join('')}`);
}

async function printLog(state: string, name: ServerName, follow: boolean): Promise<number> {
  const log = logFile(state, name);
  if (!existsSync(log))
    throw new SluiceError('StackUnavailable', `${name} has no log yet: start it with "npm run stack -- up".`);
  let at = 0;
  const more = async (): Promise<void> => {
    for await (const chunk of createReadStream(log, { start: at })) {
      at += (chunk as Buffer).length;
      process.stdout.write(chunk as Buffer);
    }
  };
  await more();
  if (!follow) return 0;
  let reading = Promise.resolve();
  watchFile(log, { interval: 500 }, () => {
    reading = reading.then(more);
  });
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve(0));
  });
}

function isUsage(error: unknown): boolean {
  return error instanceof SluiceError && error.code === 'SettingsInvalid';
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exit(await main(process.argv.slice(2)));
}

import { type Command, Option } from 'commander';
import { workerFlags } from '../../connectors/worker-flags.ts';
import { portArgument, rateArgument } from './arguments.ts';
import type { ServeFlags } from './serve.ts';
import { API_PORT, RATE_LIMIT } from '../api/listening.ts';

/** The local servers, and the processes that work on them. */
export function serverCommands(program: Command, json: readonly [string, string], done: (code: number) => void): void {
  program
    .command('start [definition]')
    .description('provision and start the local stack, a worker and the schedule, run one hour, show where to look')
    .option('--exit', 'stop everything after the run', false)
    .option('--force', 'run the hour although it is done', false)
    .option('--state <folder>', 'a stack of its own in this folder')
    .option('--free-ports', 'any free ports instead of the usual ones', false)
    .addOption(
      new Option('--kafka <kind>', 'what Kafka keeps its metadata in, for a stack that has none yet').choices([
        ...['kraft', 'zookeeper'],
      ]),
    )
    .option(...json)
    .action(async (definition: string | undefined, options: object) =>
      done(await (await import('./start.ts')).start(definition, options)),
    );
  program
    .command('serve [definition]')
    .description('the HTTP API, until Ctrl-C; with a definition, that pipeline is triggered where none is named')
    .option('--host <address>', 'where to listen; others than this machine need SLUICE_API_TOKEN', '127.0.0.1')
    .option('--port <n>', 'on which port; 0 for any that is free', portArgument, API_PORT)
    .option('--rate-limit <n>', 'requests that one address may make a minute', rateArgument, RATE_LIMIT)
    .option('--no-log', 'no line for each request on stderr')
    .option('--no-watchdog', 'only the API: watch over nothing, and tell nobody')
    .action(async (definition: string | undefined, options: ServeFlags) =>
      done(await (await import('./serve.ts')).serve(definition, options)),
    );
  program
    .command('check')
    .description('try each server: connect, write, read back, delete')
    .option(...json)
    .action(async (options: { json?: boolean }) => done(await (await import('./check.ts')).check(options)));
  // src/main.ts runs these three before it comes to commands; here they stand for the help.
  const worker = program.command('worker').description('serve task queues until it is stopped');
  for (const { flags, variable, help } of workerFlags) worker.option(flags, `${help}; also ${variable}`);
  program
    .command('bundle [file]')
    .description('write the workflows as one file (dist/workflow-bundle.js), for "sluice worker --bundle"');
  program.command('stack').description('the local servers: up, down, status, logs NAME (see "sluice stack --help")');
}

import { spawn } from 'node:child_process';
import { launcher } from './cli.ts';

/** `sluice serve` as a process, as a user has it. */
export interface ServedProcess {
  readonly url: string;
  /** Everything that it has said so far. */
  readonly said: () => string;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number>;
}

/** Starts it on a free port, and waits until it says where. @param watchdog whether it watches too, by a worker of its own */
export async function serveProcess(
  environment: NodeJS.ProcessEnv,
  args: readonly string[] = [],
  watchdog = false,
): Promise<ServedProcess> {
  const child = spawn(
    process.execPath,
    [launcher, 'serve', '--port', '0', ...(watchdog ? [] : ['--no-watchdog']), ...args],
    {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let said = '';
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      const [, found] = /API ready: (\S+)/.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void ended.then((code) => reject(new Error(`sluice serve ended with ${code}: ${said}`)));
  });
  return {
    url,
    said: () => said,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { keepWatchWorker } from '../../src/client/cli/watch-worker.ts';
import { startWorker } from '../../src/client/cli/worker-process.ts';
import { temporalPlace } from '../../src/connectors/temporal.ts';
import { connectWorker } from '../../src/workers/connection.ts';
import { textLine } from '../../src/workers/log-line.ts';
import { MuteServer } from '../helpers/mute-server.ts';
import { serveProcess } from '../helpers/served-api.ts';

describe('a worker’s process', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is told to stop by %s, and not ended by it', async (signal) => {
    const file = join(import.meta.dirname, '..', '..', 'src', 'workers', 'stop-signals.ts');
    const script = `
      import { stopSignals } from ${JSON.stringify(file)};
      const alive = setInterval(() => {}, 1_000);
      stopSignals((why) => console.log(why)).addEventListener('abort', () => clearInterval(alive));
      console.log('listens');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (said === '') child.kill(signal);
      said += chunk.toString();
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(said).toBe(`listens\ntold to stop (${signal})\n`);
  });

  it('has a line for whatever its library says, numbers that JSON lacks included', () => {
    const meta = { bytes: 12n, deep: { at: [1n] }, error: new Error('gone'), taskToken: 'x' };
    const line = textLine({ level: 'WARN', timestampNanos: 1_000_000n, message: 'Late', meta });
    expect(line).toBe('1970-01-01T00:00:00.001Z WARN Late bytes="12" deep={"at":["1"]} error="gone"');
  });
});

describe('a worker whose Temporal takes connections and says nothing', () => {
  let mute: MuteServer | undefined;
  afterEach(() => mute?.close());

  const environmentOf = ({ address }: MuteServer): NodeJS.ProcessEnv => ({
    ...process.env,
    ...{ TEMPORAL_ADDRESS: address, SLUICE_S3_ACCESS_KEY: 'key', SLUICE_WORKER_QUEUES: 'watch' },
  });

  it('is killed where it is not to start any more', async () => {
    mute = await MuteServer.open();
    const stop = new AbortController();
    const started = startWorker(environmentOf(mute), new PassThrough().resume(), { signal: stop.signal });
    started.catch(() => {});
    await mute.untilHeard();
    stop.abort();
    await expect(started).rejects.toThrow('The worker did not start: it was told to stop.');
    await mute.untilLeft();
  });

  it('is killed where it takes too long, which is said once, and another is tried', async () => {
    mute = await MuteServer.open();
    const said: string[] = [];
    const stop = keepWatchWorker(
      environmentOf(mute),
      () => {},
      (sentence) => void said.push(sentence),
      300,
    );
    // Each try looks first whether somebody listens.
    await mute.untilConnections(3);
    await stop();
    expect(said).toEqual([
      expect.stringMatching(/^Not watching: The worker did not start: it was not ready within 0\.3 s/),
    ]);
  });

  it('waits for it no longer than it says', async () => {
    mute = await MuteServer.open();
    const place = temporalPlace({ TEMPORAL_ADDRESS: mute.address });
    await expect(connectWorker(place, 300)).rejects.toThrow(
      /^Whoever listens at 127\.0\.0\.1:\d+ does not answer as Temporal, .*: nothing came within 0\.3 s\./,
    );
  });

  it('does not keep serve from stopping', async () => {
    mute = await MuteServer.open();
    const served = await serveProcess(environmentOf(mute), [], true);
    await mute.untilHeard();
    expect(await served.stop()).toBe(0);
    expect(served.said()).toMatch(/API stopped\n$/);
    await mute.untilLeft();
  });
});

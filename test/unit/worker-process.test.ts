import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textLine } from '../../src/workers/log-line.ts';

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

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerName } from '../../stack/versions.ts';
import { seeded } from '../helpers/mutate.ts';
import { App } from './app.ts';
import { disturb, Lab, noFaults, seed } from './lab.ts';
import { expectWhole, recordRuns } from './results.ts';

const MINUTES = Number(process.env['SLUICE_FAULTS_MINUTES'] ?? 2);
const KILLS = 20;
const ROWS = 10_000;

/** The parts, the worker thrice: what is ours is hit more often than what is others'. One that is not up again yet is left alone. */
const parts = ['worker', 'worker', 'worker', 'kafka', 'minio', 'elasticsearch', 'temporal'] as const;

describe.skipIf(noFaults)('a soak', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open();
  });

  afterAll(async () => {
    await lab?.close();
  });

  it(
    `of ${MINUTES} minutes and at least ${KILLS} kills of random parts leaves each row once`,
    async () => {
      const random = seeded(seed);
      const app = await App.start(lab);
      const publish = { partitions: 3, batchRows: 500, rowsPerSecond: 400 };
      const retries = { attempts: 100, initialInterval: '1s', maximumInterval: '5s' };
      const hours = [0, 1, 2].map(() => lab.hour(ROWS, { publish, retries }));
      try {
        const runs = await Promise.all(hours.map((hour) => app.launch(hour)));
        const until = Date.now() + MINUTES * 60_000;
        const killed: string[] = [];
        const down = new Map<string, Promise<unknown>>();
        while (Date.now() < until || killed.length < KILLS) {
          const standing = parts.filter((part) => !down.has(part));
          const part = standing[random(standing.length)];
          if (part !== undefined) {
            killed.push(part);
            down.set(
              part,
              kill(app, part).finally(() => down.delete(part)),
            );
          }
          await wait(1_000 + random(5_000));
        }
        await Promise.all(down.values());
        const healed = performance.now();
        const reports = await Promise.all(runs.map((run) => app.client.runs.result(run)));
        const seconds = (performance.now() - healed) / 1000;
        expect(reports.map(({ outcome }) => outcome)).toEqual(['completed', 'completed', 'completed']);
        const verdicts = await Promise.all(hours.map((hour) => lab.check(hour)));
        for (const verdict of verdicts) expectWhole(verdict);
        const counts = new Map<string, number>();
        for (const part of killed) counts.set(part, (counts.get(part) ?? 0) + 1);
        const told = [...counts].map(([part, times]) => `${part} ${times}`).join(', ');
        recordRuns('Soak', `${MINUTES} minutes, ${killed.length} kills (${told})`, verdicts, seconds);
      } finally {
        await app.stop();
      }
    },
    MINUTES * 60_000 + 900_000,
  );

  async function kill(app: App, part: 'worker' | ServerName): Promise<void> {
    if (part !== 'worker') return disturb(part, 'SIGKILL');
    app.kill('SIGKILL');
    // Whoever looks after workers starts one that does not come up, with Temporal away, once more.
    for (let tries = 1; ; tries += 1) {
      try {
        await app.restart();
        return;
      } catch (error) {
        if (tries === 60) throw error;
        await wait(1_000);
      }
    }
  }
});

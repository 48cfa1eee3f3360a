import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpProxy } from './http-proxy.ts';
import { kafkaProxy } from './kafka-proxy.ts';
import { disturb, Lab, noFaults, stopMs, whole, type Environment } from './lab.ts';
import { isBulk } from './overload.ts';
import { expectWhole, recordRuns } from './results.ts';

const ROWS = 6_000;

/** Leads a process to a server through a proxy that says when the server is in the middle of a write. */
type Watch = (environment: Environment, midWrite: () => void) => Promise<{ own: Environment; close(): Promise<void> }>;

const watches: Readonly<Record<'kafka' | 'minio' | 'elasticsearch', Watch>> = {
  kafka: async (environment, midWrite) => {
    const proxy = await kafkaProxy(environment['SLUICE_KAFKA_BROKERS'] ?? '', (nth) => {
      if (nth === 3) midWrite();
      return nth === 3;
    });
    return { own: { SLUICE_KAFKA_BROKERS: proxy.address }, close: proxy.close };
  },
  minio: async (environment, midWrite) => {
    let puts = 0;
    const proxy = await httpProxy(environment['SLUICE_S3_ENDPOINT'] ?? '', (asked) => {
      if (asked.method !== 'PUT' || !asked.path.includes('/landing/')) return undefined;
      puts += 1;
      if (puts === 12) midWrite();
      return undefined;
    });
    return { own: { SLUICE_S3_ENDPOINT: proxy.url }, close: proxy.close };
  },
  elasticsearch: async (environment, midWrite) => {
    const proxy = await httpProxy(environment['SLUICE_ELASTICSEARCH_URL'] ?? '', (asked) => {
      if (isBulk(asked)) midWrite();
      return undefined;
    });
    return { own: { SLUICE_ELASTICSEARCH_URL: proxy.url }, close: proxy.close };
  },
};

describe.skipIf(noFaults)('a server', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open();
  });

  afterAll(async () => {
    await lab?.close();
  });

  const faults = (Object.keys(watches) as (keyof typeof watches)[]).flatMap((server) =>
    (['SIGKILL', 'SIGSTOP'] as const).map((how) => ({ server, how })),
  );

  it.each(faults)('$server: $how in the middle of a write', async ({ server, how }) => {
    const hour = lab.hour(ROWS);
    let disturbed: Promise<number> | undefined;
    const { own, close } = await watches[server](lab.environment, () => {
      disturbed ??= disturb(server, how).then(() => performance.now());
    });
    try {
      const { said } = await lab.finish(hour, {}, own);
      const ended = performance.now();
      expect(said.at(-1)).toEqual({ said: 'done', holds: true });
      const healed = await disturbed;
      if (healed === undefined) throw new Error(`${server} was never in the middle of a write`);
      const verdict = await lab.check(hour);
      expectWhole(verdict);
      recordRuns(
        'Server',
        nameOf(server, how, 'in the middle of a write'),
        [verdict],
        Math.max(0, ended - healed) / 1000,
      );
    } finally {
      await close();
      await disturbed;
    }
  });

  /** All at once, since that takes the time of one; the whole suite also takes them one by one. */
  const idle = (['SIGKILL', 'SIGSTOP'] as const).flatMap((how) => {
    const all = Object.keys(watches) as (keyof typeof watches)[];
    return [all, ...(whole ? all.map((server) => [server]) : [])].map((servers) => ({ servers, how }));
  });

  it.each(idle)('$servers: $how while nothing is to do', async ({ servers, how }) => {
    const first = lab.hour(600);
    await lab.finish(first);
    // A consumer that waits; what is published after the fault is for it.
    const next = lab.otherHour(first, 600);
    const consumer = lab.start(next, { role: 'consume' });
    await consumer.until((line) => line.said === 'stage' && line.stage === 'land');
    for (const disturbed of servers.map((server) => disturb(server, how))) await disturbed;
    const healed = performance.now();
    await lab.finish(next, { role: 'publish' });
    expect((await consumer.ended).code).toBe(0);
    await lab.finish(next, { role: 'finish' });
    const seconds = (performance.now() - healed) / 1000;
    const verdicts = [await lab.check(first), await lab.check(next)];
    for (const verdict of verdicts) expectWhole(verdict);
    recordRuns('Server', nameOf(servers.join(', '), how, 'idle'), verdicts, seconds);
  });
});

function nameOf(server: string, how: 'SIGKILL' | 'SIGSTOP', when: string): string {
  return `${server}: ${how === 'SIGKILL' ? 'SIGKILL and restart' : `SIGSTOP for ${stopMs / 1000} s`}, ${when}`;
}

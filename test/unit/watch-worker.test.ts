import { describe, expect, it } from 'vitest';
import { watchEnvironment, whyNotWatching } from '../../src/client/cli/watch-worker.ts';

describe('the worker beside the API', () => {
  const whole = { SLUICE_S3_ACCESS_KEY: 'key', SLUICE_SMTP_URL: 'smtp://mail:25' };

  it('is there where the environment is a worker’s, and otherwise it is said why not', () => {
    expect(whyNotWatching(whole)).toBeUndefined();
    expect(whyNotWatching({})).toMatch(/^SLUICE_S3_ACCESS_KEY is not set; .* --no-watchdog\.$/);
    expect(whyNotWatching({ ...whole, SLUICE_SMTP_URL: 'mail' })).toMatch(
      /^The environment is not usable: SLUICE_SMTP_URL/,
    );
  });

  it('serves one queue, and takes no port that a worker of the same environment has', () => {
    const environment = {
      ...whole,
      SLUICE_WORKER_QUEUES: 'light,compute',
      SLUICE_WORKER_HEALTH: '8090',
      SLUICE_WORKER_METRICS: '9464',
      SLUICE_WATCH_METRICS: '9465',
    };
    expect(watchEnvironment(environment)).toMatchObject({
      ...{ ...whole, SLUICE_WORKER_QUEUES: 'watch', SLUICE_WORKER_HEALTH: undefined, SLUICE_WORKER_METRICS: '9465' },
    });
    expect(watchEnvironment(whole)['SLUICE_WORKER_METRICS']).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { keys } from '../../src/definition/names.ts';
import type { StageDeps } from '../../src/stages/deps.ts';
import { serversOf } from '../../src/stages/watching/outside/servers.ts';

type Deps = Parameters<typeof serversOf>[0];

const hour = '2026-11-24T11:00:00Z';

describe('what the watchdog asks servers', () => {
  it.each([
    ['with rows', 'completed', [{ dataset: 'main', rows: { indexed: 7 } }], true],
    ['run again without rows', 'completed', [{ dataset: 'main', rows: { indexed: 0 } }], false],
    ['with rows of an aggregate alone', 'completed', [{ dataset: 'by-day', rows: { indexed: 7 } }], false],
    ['that failed', 'failed', [{ dataset: 'main', rows: { indexed: 7 } }], false],
  ])('tells whether the index should have an hour %s', async (_, outcome, equations, should) => {
    const done = new Map<string, unknown>([[keys.done('demo', hour), { outcome, equations }]]);
    const store = { findJson: async (key: string) => done.get(key) } as unknown as StageDeps['store'];
    const { isDone } = serversOf({ store } as Deps);
    expect(await isDone('demo', hour)).toBe(should);
    expect(await isDone('other', hour)).toBe(false);
  });
});

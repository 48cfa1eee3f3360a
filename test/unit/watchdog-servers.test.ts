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
    const store = {
      findJson: async (key: string) => done.get(key),
      lastKey: async () => undefined,
    } as unknown as StageDeps['store'];
    const { isDone } = serversOf({ store } as Deps);
    expect(await isDone('demo', hour)).toBe(should);
    expect(await isDone('other', hour)).toBe(false);
  });

  it('says of each index what it can, whatever becomes of another one', async () => {
    const responses = [
      { status: 200, aggregations: { newest: { value: Date.parse(hour) } } },
      { status: 400, error: { type: 'illegal_argument_exception', reason: 'Fielddata is disabled on [hour].' } },
      { status: 404, error: { type: 'index_not_found_exception' } },
      { status: 200, aggregations: { newest: { value: null } } },
    ];
    const search = {
      request: async (_: string, work: (client: unknown) => unknown) => work({ msearch: async () => ({ responses }) }),
    } as unknown as StageDeps['search'];
    const { indexed } = serversOf({ search } as Deps);
    expect([...(await indexed(['a', 'b', 'c', 'd']))]).toEqual([
      ['a', hour],
      ['b', { why: 'Fielddata is disabled on [hour].' }],
      ['c', false],
      ['d', null],
    ]);
  });

  it('says of each topic what it can, whatever becomes of another one', async () => {
    const admin = {
      listTopics: async () => ['a', 'b'],
      fetchTopicOffsets: async (topic: string) => {
        if (topic === 'a') throw new Error('This server does not host this topic-partition');
        return [{ partition: 0, high: '30' }];
      },
    };
    const kafka = {
      admin: async (_: string, work: (given: typeof admin) => unknown) => work(admin),
    } as unknown as StageDeps['kafka'];
    const { ends } = serversOf({ kafka } as Deps);
    expect([...(await ends(['a', 'b', 'c']))]).toEqual([
      ['a', { why: 'the broker does not say where a ends: This server does not host this topic-partition' }],
      ['b', new Map([['0', 30n]])],
    ]);
  });
});

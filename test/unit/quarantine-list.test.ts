import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/connectors/object-store.ts';
import { listQuarantine } from '../../src/inspecting/quarantine.ts';

/** A store of so many hours, the newest of which has the number 0; it counts what is read at once and in all. */
function storeOf(hours: number, rejected: (ago: number) => number) {
  const seen = { reads: 0, now: 0, most: 0 };
  const store = {
    async *list() {
      for (let ago = hours - 1; ago >= 0; ago--) yield { key: String(ago) };
    },
    async findJson(key: string) {
      seen.reads += 1;
      seen.most = Math.max(seen.most, ++seen.now);
      await new Promise(setImmediate);
      seen.now -= 1;
      return { hour: `${key} hours ago`, rows: { rejected: rejected(Number(key)) } };
    },
  } as unknown as Store;
  return { store, seen };
}

describe('the list of hours with rejected rows', () => {
  it('is read side by side, the newest first, and no further than it has to', async () => {
    const { store, seen } = storeOf(5_000, (ago) => ago % 2);
    const { hours, lookedBackTo } = await listQuarantine(store, 'shops', 3);
    expect(hours.map(({ hour }) => hour)).toEqual(['1 hours ago', '3 hours ago', '5 hours ago']);
    expect(lookedBackTo).toBe(undefined);
    expect(seen.reads).toBeLessThan(100);
    expect(seen.most).toBeGreaterThan(10);
  });

  it('of a clean pipeline ends at a bound, and says so', async () => {
    const { store, seen } = storeOf(5_000, () => 0);
    expect(await listQuarantine(store, 'shops', 3, { most: 1_000 })).toEqual({
      hours: [],
      lookedBackTo: '999 hours ago',
    });
    expect(seen.reads).toBe(1_000);
    expect(await listQuarantine(store, 'shops', 3)).toEqual({ hours: [] });
  });

  it('ends with who has asked', async () => {
    const { store, seen } = storeOf(5_000, () => 0);
    const gone = new AbortController();
    const asked = listQuarantine(store, 'shops', 3, { signal: gone.signal });
    setTimeout(() => gone.abort(), 5);
    await expect(asked).rejects.toMatchObject({ code: 'Cancelled' });
    expect(seen.reads).toBeLessThan(5_000);
  });
});

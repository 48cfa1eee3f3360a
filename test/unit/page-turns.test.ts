import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/dashboards/page/turns.ts';

/** Work that ends when it is told to. */
function working(most: number) {
  const turns = new Turns(most);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const take = (name: string, rank: () => number = () => 0, signal = new AbortController().signal): Promise<void> =>
    turns.take(rank, signal, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { turns, begun, take, end };
}

describe('turns of charts', () => {
  it('lets no more work at a time, and next what is nearest then', async () => {
    const { begun, take, end } = working(2);
    const ranks: Record<string, number> = { far: 900, near: 100 };
    const all = [take('a'), take('b'), take('far', () => ranks['far'] ?? 0), take('near', () => ranks['near'] ?? 0)];
    expect(begun).toEqual(['a', 'b']);
    // Its reader scrolls.
    ranks['far'] = 0;
    await end('a');
    expect(begun).toEqual(['a', 'b', 'far']);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'far', 'near']);
    await end('far');
    await end('near');
    await Promise.all(all);
  });

  it('passes over what is wanted no more, and goes on after what failed', async () => {
    const { turns, begun, take, end } = working(1);
    const gone = new AbortController();
    const first = take('first');
    const left = take('left', () => 0, gone.signal);
    const failing = turns.take(
      () => 1,
      new AbortController().signal,
      () => Promise.reject(new Error('no answer')),
    );
    const last = take('last', () => 2);
    gone.abort();
    await left;
    await Promise.all([end('first'), expect(failing).rejects.toThrow('no answer')]);
    await end('last');
    await Promise.all([first, last]);
    expect(begun).toEqual(['first', 'last']);
    await take('late', () => 0, gone.signal);
    expect(begun).toEqual(['first', 'last']);
  });
});

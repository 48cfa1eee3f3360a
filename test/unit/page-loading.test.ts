import { describe, expect, it } from 'vitest';
import { Loading } from '../../src/dashboards/page/loading.ts';

/** Each load waits for its turn to be answered. */
function asked() {
  const life = new AbortController();
  const begun: { what: string; signal: AbortSignal; answer: () => void }[] = [];
  const shown: string[] = [];
  const loading = new Loading(life.signal, async (what, signal) => {
    await new Promise<void>((answer) => begun.push({ what, signal, answer }));
    if (!signal.aborted) shown.push(what);
  });
  return { life, begun, shown, loading };
}

describe('what the page loads', () => {
  it('is left to come where just that is asked for again', async () => {
    const { begun, shown, loading } = asked();
    const all = [loading.again('a'), loading.again('a'), loading.again('a')];
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([false]);
    begun[0]?.answer();
    await Promise.all(all);
    expect(shown).toEqual(['a']);
    void loading.again('a');
    expect(begun).toHaveLength(2);
  });

  it('is given up for something else, and shown no more if it comes late', async () => {
    const { begun, shown, loading } = asked();
    const older = loading.again('a');
    const newer = loading.again('b');
    expect(begun.map(({ what, signal }) => [what, signal.aborted])).toEqual([
      ['a', true],
      ['b', false],
    ]);
    begun[1]?.answer();
    await newer;
    begun[0]?.answer();
    await older;
    expect(shown).toEqual(['b']);
  });

  it('is asked for anew after something was done', async () => {
    const { begun, shown, loading } = asked();
    const before = loading.again('');
    const after = loading.anew('');
    begun.forEach(({ answer }) => answer());
    await Promise.all([before, after]);
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(shown).toEqual(['']);
  });

  it('is the end of it once nothing is wanted any more', async () => {
    const { life, begun, shown, loading } = asked();
    const last = loading.again('a');
    life.abort();
    begun[0]?.answer();
    await Promise.all([last, loading.again('b'), loading.anew('a')]);
    expect(begun).toHaveLength(1);
    expect(shown).toEqual([]);
  });
});

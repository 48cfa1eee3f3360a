import { describe, expect, it } from 'vitest';
import { turnover, type Followed } from '../../src/dashboards/page/turnover.ts';

const runs = (id: string): Followed => ({ id, isOver: false, isLost: false });
const over = (id: string): Followed => ({ id, isOver: true, isLost: false });
const lost = (id: string): Followed => ({ id, isOver: false, isLost: true });

describe('runs that are followed', () => {
  it.each([
    ['the newest come, as many as there are places', [], ['d', 'c', 'b', 'a'], false, [], ['d', 'c', 'b']],
    ['those that run on keep their places', [runs('a'), runs('b')], ['d', 'c', 'b', 'a'], false, [], ['d']],
    // Its events will say how it ended, a moment after the list says that it has.
    ['one that the list has no more is waited for', [runs('a')], ['b'], false, [], ['b']],
    ['one that broke off is followed again', [lost('a'), runs('b')], ['a', 'b'], false, ['a'], ['a']],
    ['one that is over stands', [over('a'), runs('b')], ['b'], false, [], []],
    ['until another needs its place', [over('a'), over('b'), runs('c')], ['d', 'c'], false, ['a'], ['d']],
    ['others than before take all places', [runs('a'), runs('b'), runs('c')], ['d'], true, ['a', 'b', 'c'], ['d']],
    ['and what is over goes with them', [over('a'), runs('b')], ['b'], true, ['a'], []],
  ] as const)('%s', (_what, shown, running, anew, go, come) => {
    expect(turnover(shown, running, 3, anew)).toEqual({ go, come });
  });
});

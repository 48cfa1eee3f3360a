import type { Spec } from 'vega';
import { describe, expect, it } from 'vitest';
import { enlargementFor, sizedFromOutside } from '../../src/dashboards/page/enlarged.ts';

describe('charts on a large screen', () => {
  it('are enlarged as the page’s text is, and on a usual one not at all', () => {
    expect([15, 15.3, 16.8, 18].map(enlargementFor)).toEqual([1, 1, 1, 1]);
    expect(enlargementFor(22)).toBeCloseTo(1.375);
  });

  it('take their size from outside, and not at each change of the window', () => {
    const init = 'containerSize()[0]';
    const other = { name: 'cell', on: [{ events: 'click', update: '1' }] };
    const spec = { signals: [{ name: 'width', init, on: [{ events: 'window:resize', update: init }] }, other] } as Spec;
    expect(sizedFromOutside(spec).signals).toEqual([{ name: 'width', init }, other]);
    expect(sizedFromOutside({ config: { legend: { labelColor: 'red' } } }, 1.5).config).toEqual({
      legend: { labelColor: 'red', labelFontSize: 15, titleFontSize: 16.5 },
    });
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

// Imported by its address, as its types are a browser's, which tests do not have.
const { href } = new URL('../../src/dashboards/page/open-incidents.ts', import.meta.url);
const { OpenIncidents } = (await import(href)) as { OpenIncidents: new (badge: object) => { anew: () => void } };

/** As much of a document as the count needs. */
class Page extends EventTarget {
  hidden = false;
  title = '';

  querySelector = (): null => null;
  createElement = () => ({ setAttribute: () => {}, append: () => {} });

  look(isLookedAt: boolean): void {
    this.hidden = !isLookedAt;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

describe('the count of open incidents', () => {
  let page: Page;
  let open: number;
  let asked: number;

  beforeEach(() => {
    [page, open, asked] = [new Page(), 0, 0];
    vi.useFakeTimers();
    vi.stubGlobal('document', page);
    vi.stubGlobal('fetch', () => {
      asked += 1;
      const incidents = Array.from({ length: open }, () => ({ severity: 'warning' }));
      return Promise.resolve(Response.json({ incidents }));
    });
    const badge = { hidden: true, replaceChildren: () => {}, classList: { toggle: () => {} } };
    new OpenIncidents(badge).anew();
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('goes on in the title while another tab is looked at, more seldom', async () => {
    await vi.advanceTimersByTimeAsync(0);
    expect(page.title).not.toMatch(/^\(/);
    page.look(false);
    open = 2;
    asked = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([page.title, asked]).toEqual([expect.stringMatching(/^\(2\) /), 1]);
    open = 0;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([page.title, asked]).toEqual([expect.not.stringMatching(/^\(/), 2]);
    page.look(true);
    await vi.advanceTimersByTimeAsync(60_000);
    // Once as it is looked at again, and every 15 seconds from then on.
    expect(asked).toBe(2 + 1 + 4);
  });
});

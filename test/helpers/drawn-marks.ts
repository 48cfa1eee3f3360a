import type { Page } from 'playwright-core';

/** What a mark on the page shows. Places are read back through the axes beside it: `x` is what a reader reads off there. */
export interface DrawnMark {
  readonly kind: string;
  /** The one that the table is made from is `told_marks`. */
  readonly name: string;
  readonly x?: number;
  readonly x2?: number;
  readonly y?: number;
  readonly y2?: number;
  readonly size?: number;
  readonly fill?: string;
  readonly text?: string;
  /** What is said where the pointer is on it, by its title. */
  readonly tooltip?: Readonly<Record<string, string>>;
}

/** The marks of a chart, and the colours and sizes that its own scales give to numbers. */
export interface DrawnChart {
  readonly marks: readonly DrawnMark[];
}

/** Runs before the page’s own scripts: keeps the views that Vega makes, which the page itself gives to nobody. */
export const KEEP_VIEWS = `
  const kept = (globalThis.keptViews = []);
  let held;
  Object.defineProperty(globalThis, 'vega', {
    configurable: true,
    // Vega sets an empty object there, and fills it.
    set: (vega) => (held = vega),
    get: () => {
      const { View } = held ?? {};
      if (View !== undefined && View.isKept !== true) {
        held.View = class extends View {
          static isKept = true;
          constructor(...given) {
            super(...given);
            kept.push(this);
          }
        };
      }
      return held;
    },
  });
  globalThis.scaleOf = (view, name) => {
    // One that belongs to a part of a chart alone has the name of it in front.
    for (const one of [name, 'told_' + name]) {
      try {
        return view.scale(one);
      } catch {}
    }
  };
  globalThis.viewsByPanel = () => {
    const found = kept.map((view) => [view.container()?.closest('.panel')?.dataset.panel, view]);
    return Object.fromEntries(found.filter(([panel]) => panel !== undefined));
  };`;

const READ = `Object.fromEntries(Object.entries(viewsByPanel()).map(([panel, view]) => {
  const back = (name, value) => {
    const scale = scaleOf(view, name);
    return value === undefined || scale?.invert === undefined ? undefined : Number(scale.invert(value));
  };
  const marks = [];
  const walk = (mark) => {
    if (mark.marktype === 'group') {
      for (const item of mark.items) {
        for (const inner of item.items ?? []) if (['mark', 'scope'].includes(inner.role)) walk(inner);
      }
      return;
    }
    for (const { x, y, width, height, size, fill, stroke, text, tooltip } of mark.items) {
      const isBox = mark.marktype === 'rect';
      marks.push({
        ...{ kind: mark.marktype, name: mark.name ?? '', size, fill: fill ?? stroke, text },
        ...{ x: back('x', x), x2: isBox ? back('x', x + width) : undefined },
        ...{ y: back('y', y), y2: isBox || mark.marktype === 'area' ? back('y', y + height) : undefined },
        tooltip: typeof tooltip === 'object' && tooltip !== null ? { ...tooltip } : undefined,
      });
    }
  };
  walk(view.scenegraph().root);
  return [panel, marks];
}))`;

/** The marks of every chart on a page that was opened with {@link KEEP_VIEWS}, by the id of its panel. */
export async function drawnMarks(page: Page): Promise<Record<string, DrawnMark[]>> {
  return (await page.evaluate(READ)) as Record<string, DrawnMark[]>;
}

/** What a chart’s own scale, `color` or `size`, makes of numbers. */
export async function scaled(page: Page, panel: string, scale: string, values: readonly number[]): Promise<unknown[]> {
  const read = `${JSON.stringify(values)}.map((value) => scaleOf(viewsByPanel()[${JSON.stringify(panel)}], '${scale}')(value))`;
  return (await page.evaluate(read)) as unknown[];
}

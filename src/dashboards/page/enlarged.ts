import type * as Vega from 'vega';

/** Pixels of the page’s text on a usual screen, for which charts are made. */
const USUAL = 16;
/** Less than this is no reason to draw other than it is made. */
const LEAST = 1.15;

/** By how much charts are enlarged for text of so many pixels: on a screen of 4,000 pixels they would be too small to read beside it. */
export function enlargementFor(text: number): number {
  const times = text / USUAL;
  return times < LEAST ? 1 : times;
}

/** What Vega has, and its typings do not. */
type SvgRenderer = new (...given: readonly unknown[]) => {
  resize(width: number, height: number, origin: unknown, scale: number): unknown;
};

/** A way to draw as SVG that takes up so many times the pixels that a view has. @returns its name, for a view’s `renderer` */
export function enlargedSvg(vega: typeof Vega, times: number): Vega.Renderers {
  const { SVGRenderer, SVGHandler, SVGStringRenderer } = vega as unknown as Record<string, SvgRenderer>;
  if (SVGRenderer === undefined) throw new Error('Vega has no SVG renderer');
  class Enlarged extends SVGRenderer {
    // By itself it goes back to 1 with each other size of the view.
    override resize(width: number, height: number, origin: unknown): unknown {
      return super.resize(width, height, origin, times);
    }
  }
  const name = `svg-${times}`;
  vega.renderModule(name, { renderer: Enlarged, handler: SVGHandler, headless: SVGStringRenderer } as never);
  return name as Vega.Renderers;
}

/**
 * A spec whose size is set from outside: by itself it would take the element’s at each change of the window’s.
 * @param text enlarges that of legends, for what is drawn as pixels
 */
export function sizedFromOutside(spec: Vega.Spec, text = 1): Vega.Spec {
  const signals = (spec.signals ?? []).map((signal) => {
    if (!['width', 'height'].includes(signal.name)) return signal;
    const { on: _onWindow, ...rest } = signal as Vega.NewSignal;
    return rest;
  });
  const legend = { ...spec.config?.legend, labelFontSize: 10 * text, titleFontSize: 11 * text };
  return { ...spec, signals, ...(text === 1 ? {} : { config: { ...spec.config, legend } }) };
}

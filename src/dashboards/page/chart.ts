import type { Spec, View } from 'vega';
import { ApiError } from './api.ts';
import { enlargedSvg, enlargementFor, sizedFromOutside } from './enlarged.ts';
import { hideTooltip, showTooltip } from './tooltip.ts';
import { loadVega } from './vega.ts';

/** A chart that stands on the page. */
export interface Chart {
  readonly picture: (kind: 'svg' | 'png') => Promise<Blob>;
  readonly end: () => void;
}

const SHAPES = '/dashboard/assets/';
/** Shapes of three thousand counties are drawn faster as pixels than as elements. */
const isHeavy = (spec: Spec): boolean => JSON.stringify(spec.data ?? []).includes('us-counties');

/** Draws a compiled spec into an element, and again whenever that has another size. */
export async function drawChart(spec: Spec, element: HTMLElement, background: () => string): Promise<Chart> {
  const { vega, interpreter } = await loadVega();
  const loader = vega.loader();
  const load = loader.load.bind(loader);
  const missing: string[] = [];
  // A spec reads map shapes of ours and nothing else. Vega itself would draw a map without them, and say nothing.
  loader.load = async (address, options) => {
    const { pathname, origin } = new URL(address, document.baseURI);
    if (origin !== location.origin || !pathname.startsWith(SHAPES)) throw new Error(`${address} is no map of ours`);
    return load(address, options).catch((error: unknown) => {
      missing.push(pathname.slice(SHAPES.length));
      throw error;
    });
  };
  const isCanvas = isHeavy(spec);
  const larger = enlargementFor(Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
  // Pixels cannot be enlarged: of what is drawn by them the text is.
  const times = isCanvas ? 1 : larger;
  const sized = larger === 1 ? spec : sizedFromOutside(spec, isCanvas ? larger : 1);
  const asSvg = times === 1 ? 'svg' : enlargedSvg(vega, times);
  const view = new vega.View(vega.parse(sized, undefined, { ast: true }), {
    ...{ expr: interpreter, loader, renderer: isCanvas ? 'canvas' : asSvg, logLevel: vega.Error },
    tooltip: (_handler, event, _item, value) => showTooltip(event, value),
  });
  const fill = ({ width, height }: Size) => view.width(width / times).height(height / times);
  await view.initialize(element).runAsync();
  if (larger !== 1) await fill(sizeOf(element)).runAsync();
  if (missing.length > 0) {
    view.finalize();
    throw new ApiError(0, `The map’s shapes (${missing.join(', ')}) could not be loaded: try again.`);
  }
  let size = sizeOf(element);
  const resized = new ResizeObserver(() => {
    const now = sizeOf(element);
    // Hidden, or as it was drawn.
    if (now.width === 0 || now.height === 0 || (now.width === size.width && now.height === size.height)) return;
    size = now;
    void fill(now).runAsync();
  });
  resized.observe(element);
  return {
    picture: (kind) => pictureOf(view, kind, background()),
    end: () => {
      resized.disconnect();
      view.finalize();
      hideTooltip();
    },
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const sizeOf = ({ clientWidth: width, clientHeight: height }: HTMLElement): Size => ({ width, height });

async function pictureOf(view: View, kind: 'svg' | 'png', background: string): Promise<Blob> {
  const before = view.background();
  await view.background(background).runAsync();
  try {
    if (kind === 'svg') return new Blob([await view.toSVG()], { type: 'image/svg+xml' });
    const canvas = (await view.toCanvas(2)) as unknown as HTMLCanvasElement;
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture is empty'))), 'image/png');
    });
  } finally {
    await view.background(before).runAsync();
  }
}

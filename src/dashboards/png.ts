import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';

const { resolve } = createRequire(import.meta.url);

/** Fonts of our own, and none of the machine's: the picture is the same everywhere. */
const fontFiles = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) => resolve(`dejavu-fonts-ttf/ttf/${name}`));

/** Pixels that a PNG may have at each side, and in all: it is drawn in memory, with four bytes for each. */
export const PNG_SIDE = 16_384;
export const PNG_PIXELS = 64_000_000;

/** Whether a PNG may be that large. */
export const fitsPng = (width: number, height: number): boolean =>
  Math.max(width, height) <= PNG_SIDE && width * height <= PNG_PIXELS;

/** An SVG as PNG. @param scale pixels of it for each pixel of the SVG @param background a colour */
export function pngOf(svg: string, { scale, background }: { scale: number; background: string }): Buffer {
  const picture = new Resvg(svg, {
    background,
    fitTo: { mode: 'zoom', value: scale },
    font: { loadSystemFonts: false, fontFiles, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' },
  });
  return picture.render().asPng();
}

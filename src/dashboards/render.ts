import type { Spec } from 'vega';
import { compileChart, type Look } from './compile.ts';
import { headlessView } from './headless-view.ts';
import { escaped } from '../formats/markup.ts';
import { metricOf, metricText } from './metric-text.ts';
import type { ChartPanel, JsonObject, MetricPanel } from './panel.ts';
import { inkOf } from './theme.ts';

/** How a picture looks. Sizes are pixels. */
export type PictureLook = Look & { readonly width: number; readonly height: number };

/** A panel with what Elasticsearch answered. */
export type Answered =
  | { readonly panel: ChartPanel; readonly spec: JsonObject }
  | { readonly panel: MetricPanel; readonly value: number | null; readonly documents: number };

/** A panel as an SVG that needs nothing else: no script, no font, no other file. @throws Error what Vega says of a spec that it cannot draw */
export function panelSvg(answered: Answered, look: PictureLook, now = Date.now()): Promise<string> {
  const { title, question } = answered.panel;
  if ('spec' in answered) return chartSvg(answered.spec, look, { title, question });
  const { panel, value, documents } = answered;
  const [text, of] = [metricText(panel.format, value, now), metricOf(panel.format, value, documents)];
  return Promise.resolve(metricSvg({ title, question, text, of }, look));
}

/** A chart whose data stands in it as an SVG. @throws Error what Vega says of a spec that it cannot draw */
export async function chartSvg(
  spec: JsonObject,
  look: PictureLook,
  { title, question }: { readonly title: string; readonly question: string },
): Promise<string> {
  const view = headlessView(withoutMarkNames(compileChart(spec, look) as Part) as Spec);
  try {
    const svg = await view.toSVG();
    return tenths(svg).replace(/^<svg([^>]*)>/, (_, attributes: string) => opening(attributes, title, question));
  } finally {
    view.finalize();
  }
}

/** One number as an SVG: its title above, and below what it is of, where that is told. */
export function metricSvg(
  metric: { readonly title: string; readonly question: string; readonly text: string; readonly of: string },
  { mode, width, height }: PictureLook,
): string {
  const { title, question, text, of } = metric;
  const { text: ink, quiet } = inkOf(mode);
  // Digits of these fonts are 0.64 of their size wide at most.
  const size = Math.max(12, Math.min(height * 0.36, (width - 24) / (Math.max(1, text.length) * 0.64)));
  const family = 'font-family="Inter, &quot;Segoe UI&quot;, system-ui, &quot;DejaVu Sans&quot;, sans-serif"';
  const line = (y: number, fontSize: number, colour: string, what: string, more = ''): string =>
    `<text x="12" y="${y.toFixed(1)}" font-size="${fontSize.toFixed(1)}" fill="${colour}"${more}>${escaped(what)}</text>`;
  const small = Math.max(9, Math.min(13, height / 9));
  return [
    opening(
      ` xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
      title,
      question,
    ),
    `<g ${family}>`,
    line(small * 1.9, small, quiet, title),
    line(height / 2 + size * 0.36, size, ink, text, ' font-weight="600"'),
    of === '' ? '' : line(height - small, small, quiet, of),
    '</g></svg>',
  ].join('');
}

/** A picture for screen readers too: what it shows, and the question that it answers. */
const opening = (attributes: string, title: string, question: string): string =>
  `<svg${attributes} role="img" aria-label="${escaped(title)}"><title>${escaped(title)}</title><desc>${escaped(question)}</desc>`;

/** Long paths are the shapes of maps: with tenths of a pixel they look the same, and are half as large. */
const tenths = (svg: string): string =>
  svg.replaceAll(/ d="[^"]{200,}"/g, (path) => path.replaceAll(/(\.\d)\d+/g, '$1'));

interface Part {
  readonly marks?: readonly Part[];
  readonly axes?: readonly object[];
  readonly legends?: readonly object[];
  readonly encode?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A picture needs no name for each of its marks, having one itself: with them a map is several times as large. */
function withoutMarkNames<T extends Part>(part: T): T {
  const hidden = { aria: false };
  const { marks, axes, legends, encode } = part;
  return {
    ...part,
    ...(marks ? { marks: marks.map((mark) => ({ ...withoutMarkNames(mark), ...hidden })) } : {}),
    ...(axes ? { axes: axes.map((axis) => ({ ...axis, ...hidden })) } : {}),
    ...(legends ? { legends: legends.map((legend) => ({ ...legend, ...hidden })) } : {}),
    ...(encode ? { encode: Object.fromEntries(Object.entries(encode).map(([set, all]) => [set, drawn(all)])) } : {}),
  };
}

/** What of a mark is seen: no words for a pointer or a screen reader, and nothing that leads elsewhere. */
function drawn(encoded: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { description: _d, ariaRoleDescription: _r, tooltip: _t, href: _h, url: _u, ...rest } = encoded;
  return rest;
}

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { render } from '../../src/client/cli/dashboards-render.ts';
import { metricOf, metricText } from '../../src/dashboards/metric-text.ts';
import type { ChartPanel, Json, JsonObject, Panel } from '../../src/dashboards/panel.ts';
import { usualSize } from '../../src/dashboards/panel-picture.ts';
import { dataDashboard } from '../../src/dashboards/panels/index.ts';
import { fitsPng, pngOf } from '../../src/dashboards/png.ts';
import { chartSvg, panelSvg, type PictureLook } from '../../src/dashboards/render.ts';
import { requestsOf, withAnswers } from '../../src/dashboards/requests.ts';
import { loadDefinition } from '../../src/definition/load.ts';
import { fakeAnswer } from '../helpers/fake-answer.ts';

const folder = join(import.meta.dirname, '..', '..', 'pipelines');
const context = { from: '2026-11-24T00:00:00Z', to: '2026-11-25T00:00:00Z', filters: {} };

const shipped = await Promise.all(
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map(async (name) => dataDashboard(await loadDefinition(join(folder, name)))),
);
const panels = shipped.flatMap(({ panels: all }) => all.map((panel) => [panel.id, panel] as const));

function answered(panel: ChartPanel, rows: number): JsonObject {
  const requests = requestsOf(panel.spec, context);
  return withAnswers(
    panel.spec,
    requests,
    requests.map(({ body }): Json => fakeAnswer(body, rows)),
  );
}

const picture = (panel: Panel, look: PictureLook, rows = 3): Promise<string> =>
  panel.kind === 'chart'
    ? panelSvg({ panel, spec: answered(panel, rows) }, look)
    : panelSvg({ panel, value: 0.5, documents: 3 }, look);

const small = { mode: 'light', width: 300, height: 200 } as const;

describe('a panel as a picture', () => {
  it('there are some', () => expect(panels.length).toBeGreaterThan(0));

  it.each(panels)('%s is drawn, light and dark, and needs nothing else', async (_id, panel) => {
    for (const mode of ['light', 'dark'] as const) {
      const { width, height } = usualSize(panel);
      const svg = await picture(panel, { mode, width, height });
      expect(svg).toMatch(new RegExp(`^<svg [^>]*width="${width}"`));
      expect(svg).toContain(`<title>${panel.title}</title>`);
      expect(svg).not.toMatch(/NaN|undefined|<script|href=|url\((?!#)/);
      // A map has thousands of marks; each with a name of its own it would be several times as large.
      expect(svg.match(/aria-label=/g)).toHaveLength(1);
      expect(svg.length).toBeLessThan(1_500_000);
      const png = pngOf(svg, { scale: 1, background: '#ffffff' });
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([width, height]);
    }
  });

  it('larger than can be drawn is refused before anything is asked, and only as PNG', async () => {
    const pipeline = join(folder, 'broadband.yaml');
    const drawing = (width: number, height: number, out: string): Promise<number> =>
      render(['usage-by-state'], { ...{ pipeline, filter: {}, mode: 'light', scale: 4 }, width, height, out });
    const limits =
      'and a PNG may have 16,384 at a side and 64,000,000 in all: give a smaller --width, --height or --scale';
    await expect(drawing(4_000, 1_001, 'a.png')).rejects.toThrow(
      `broadband-usage-by-state would be 16,000 by 4,004 pixels, ${limits}`,
    );
    expect([fitsPng(16_000, 4_000), fitsPng(16_384, 100), fitsPng(16_385, 100), fitsPng(1, 16_385)]).toEqual([
      ...[true, true, false, false],
    ]);
  });

  it.each(panels)('%s without a row is a picture all the same', async (_id, panel) => {
    expect(await picture(panel, small, 0)).toMatch(/^<svg .*<\/svg>$/s);
  });

  it('shows other marks where the rows are others', async () => {
    const found = panels.flatMap(([, panel]) => (panel.kind === 'chart' ? [panel] : []))[0];
    if (!found) throw new Error('no chart');
    expect(await picture(found, small, 1)).not.toBe(await picture(found, small, 3));
  });

  it('has what rows hold as text, whatever it is', async () => {
    const hostile = `</text><script>alert(1)</script>"'&\u0000`;
    const spec = {
      data: { values: [{ a: hostile, b: 1 }] },
      mark: 'bar',
      encoding: {
        y: { field: 'a', type: 'nominal', axis: { labelLimit: 0 } },
        x: { field: 'b', type: 'quantitative' },
      },
    };
    const svg = await chartSvg(spec, small, { title: hostile, question: hostile });
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script&gt;');
  });

  const secret = join(tmpdir(), `sluice-picture-${process.pid}.json`);
  beforeAll(() => writeFileSync(secret, '[{"a": "kept to itself"}]'));
  afterAll(() => rmSync(secret));
  const told = { y: { field: 'a', type: 'nominal', axis: { labelLimit: 0 } } };
  it.each([
    ['data of a file', { data: { url: `file://${secret}` }, mark: 'bar', encoding: told }],
    [
      'an image',
      { data: { values: [{ u: 'http://127.0.0.1:9/x.png' }] }, mark: 'image', encoding: { url: { field: 'u' } } },
    ],
    ['a link', { data: { values: [{ u: 'javascript:alert(1)' }] }, mark: 'point', encoding: { href: { field: 'u' } } }],
  ])('fetches nothing and links to nothing: %s', async (_what, spec) => {
    const drawn = chartSvg(spec as JsonObject, small, { title: 't', question: 'q' });
    expect(await drawn.catch((error: Error) => error.message)).not.toMatch(/kept to itself|x\.png|javascript:/);
  });
});

describe('what a number is of', () => {
  it.each([
    ['number', 4, 32_735, 'of 32,735 records'],
    ['percent', 0.5, 1, 'of 1 record'],
    ['number', null, 0, 'of 0 records'],
    // A count is all that there is, and an age is that of one record.
    ['number', 9, 9, ''],
    ['ago', 5, 9, ''],
  ] as const)('%s %s of %s: %s', async (format, value, documents, of) => {
    expect(metricOf(format, value, documents)).toBe(of);
    const panel = panels.map(([, one]) => one).find((one) => one.kind === 'metric');
    if (!panel) throw new Error('there is no tile');
    const svg = await panelSvg({ panel: { ...panel, format }, value, documents }, small);
    expect(/>of [\d,]+ records?</.exec(svg)?.[0] ?? '').toBe(of === '' ? '' : `>${of}<`);
  });
});

describe('a number for people', () => {
  const now = Date.UTC(2026, 10, 24, 12);
  it.each([
    ['number', 32_735, '32,735'],
    ['number', 0.12345, '0.12'],
    ['number', null, '–'],
    ['number', Number.NaN, '–'],
    ['percent', 0.3721, '37.2 %'],
    ['duration', 412, '412 ms'],
    ['duration', 8_240, '8.2 s'],
    ['duration', 59_980, '60.0 s'],
    ['duration', 61_000, '1 min 1 s'],
    ['duration', 7_200_000, '2 h'],
    ['duration', 183_600_000, '2 d 3 h'],
    ['ago', now - 840_000, '14 min ago'],
    ['ago', now + 840_000, 'in 14 min'],
  ] as const)('%s %s is %s', (format, value, text) => {
    expect(metricText(format, value, now).replaceAll('\u00A0', ' ')).toBe(text);
  });
});

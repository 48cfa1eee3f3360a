import type { JsonObject } from './panel.ts';

/** Colours that both renderers are given, so that a panel looks alike in both. Told apart by people who see colours otherwise, too. */
export const palette = {
  main: '#2f6fb0',
  accent: '#e07b39',
  good: '#2c8a57',
  bad: '#c8372d',
  /** Between shapes of a map: seen on light and dark ones. */
  border: '#8593a3',
  /** Under points of a map. */
  land: '#8f8f8f22',
  /** Text in a chart where nobody says which mode it is: 4 to 1 and more on white and on the dark grounds of Kibana. */
  between: '#727e8b',
  /** Light to dark: more is darker. */
  scale: ['#e8f1fa', '#b5d3ec', '#79aeda', '#3f83bf', '#1c5a94', '#0b3561'],
  categories: ['#2f6fb0', '#e07b39', '#2c8a57', '#8a5fb0', '#b0902f', '#5f9fa8', '#c8372d', '#7d7d7d'],
} as const;

const inks = {
  light: { text: '#1c2733', quiet: '#51606f', line: '#d5dce3', paper: '#ffffff' },
  dark: { text: '#e8edf2', quiet: '#a9b6c3', line: '#3a4653', paper: '#141b22' },
} as const;

export type Mode = keyof typeof inks;

const palettes = {
  background: 'transparent',
  font: 'Inter, "Segoe UI", system-ui, "DejaVu Sans", sans-serif',
  view: { stroke: null },
  mark: { color: palette.main },
  axis: { labelFontSize: 11 },
  title: { anchor: 'start' },
  range: { category: [...palette.categories], ramp: [...palette.scale], heatmap: [...palette.scale] },
} as const;

/**
 * Vega-Lite's `config` as panels have it: their palette, since Kibana puts in its own wherever a spec says nothing, and no ink of axes, legends
 * and titles, which Kibana puts in by its own mode, light or dark. It has none for text in a chart, which would be black. Whoever draws a panel
 * elsewhere puts {@link configOf} in its place.
 */
export const panelConfig: JsonObject = { ...palettes, text: { color: palette.between } };

/** Vega-Lite's `config` with the inks of a mode. */
export function configOf(mode: Mode): JsonObject {
  const { text, quiet, line } = inks[mode];
  return {
    ...palettes,
    axis: {
      ...palettes.axis,
      labelColor: quiet,
      titleColor: text,
      gridColor: line,
      domainColor: line,
      tickColor: line,
    },
    legend: { labelColor: quiet, titleColor: text },
    title: { ...palettes.title, color: text },
    text: { color: text },
  };
}

/** Where there is nothing to show, like a county without rows: grey on a light page and on a dark one, and told from each step of the scale. */
export const noRowsColor = '#8f8f8f55';

/** What text and lines are drawn with, and `paper`: what a picture by itself lies on. */
export const inkOf = (mode: Mode): (typeof inks)[Mode] => inks[mode];

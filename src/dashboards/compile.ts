import { compile, type TopLevelSpec } from 'vega-lite';
import type { Spec } from 'vega';
import type { JsonObject } from './panel.ts';
import { configOf, type Mode } from './theme.ts';

export interface Look {
  readonly mode: Mode;
  /** Pixels; the container’s where left out. */
  readonly width?: number;
  readonly height?: number;
}

const silent = {
  level: () => silent,
  error: () => silent,
  warn: () => silent,
  info: () => silent,
  debug: () => silent,
};

/** A chart whose requests are answered, as Vega. @throws Error what Vega-Lite says, where it cannot be compiled */
export function compileChart(spec: JsonObject, { mode, width, height }: Look): Spec {
  const sized = {
    ...spec,
    config: configOf(mode),
    width: width ?? 'container',
    height: height ?? 'container',
    autosize: { type: 'fit', contains: 'padding' },
  };
  return compile(sized as unknown as TopLevelSpec, { logger: silent as never }).spec;
}

import { mkdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { SearchConnector } from '../../connectors/search.ts';
import { readSettings } from '../../connectors/settings.ts';
import type { Dashboard, Panel } from '../../dashboards/panel.ts';
import { panelPicture, usualSize } from '../../dashboards/panel-picture.ts';
import { dataDashboard } from '../../dashboards/panels/index.ts';
import { operationsDashboard } from '../../dashboards/panels/operations/dashboard.ts';
import { fitsPng, PNG_PIXELS, PNG_SIDE, pngOf } from '../../dashboards/png.ts';
import { inkOf, type Mode } from '../../dashboards/theme.ts';
import { didYouMean } from '../../definition/did-you-mean.ts';
import { SluiceError, sentenceOf } from '../../definition/errors.ts';
import { isForwards, LAST_DAY, type MomentRange } from '../../definition/moment.ts';
import { pipelineOf } from './pipelines.ts';
import { boldOut, count } from './screen.ts';
import { writeWhole } from './whole-files.ts';

export interface RenderFlags {
  readonly pipeline?: string;
  readonly operations?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly filter: Readonly<Record<string, readonly string[]>>;
  readonly mode: Mode;
  readonly width?: number;
  readonly height?: number;
  readonly scale: number;
  readonly format?: Format;
  readonly out?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

export const formats = ['svg', 'png'] as const;
type Format = (typeof formats)[number];

/** `sluice dashboards render`: panels as pictures. Nothing is written before all of them are drawn, and each file is there only once it is whole. */
export async function render(panels: readonly string[], flags: RenderFlags): Promise<number> {
  const dashboard = await dashboardOf(flags);
  if (flags.list) return listed(dashboard, flags.json === true);
  const chosen = panels.length === 0 ? dashboard.panels : panels.map((id) => panelOf(dashboard, id));
  requireFilters(dashboard, Object.keys(flags.filter));
  const range = rangeOf(dashboard, flags);
  const place = placeOf(chosen, flags, panels.length > 0);
  if (place.format === 'png') for (const panel of chosen) requireFit(panel, flags);
  const search = new SearchConnector(readSettings(process.env).elasticsearch);
  try {
    const pictures = new Map<string, Buffer>();
    for (const panel of chosen) {
      pictures.set(place.path(panel), await pictureOf(search, panel, place.format, { ...flags, ...range }));
    }
    await written(pictures, place.folder);
    if (flags.json) process.stdout.write(`${JSON.stringify({ written: filesOf(pictures) })}\n`);
    else for (const [path, bytes] of pictures) process.stdout.write(`${path}  ${count(bytes.length)} bytes\n`);
    return 0;
  } finally {
    await search.close();
  }
}

async function dashboardOf({ pipeline, operations }: RenderFlags): Promise<Dashboard> {
  if (operations && pipeline === undefined) return operationsDashboard();
  if (!operations && pipeline !== undefined) return dataDashboard(await pipelineOf(pipeline));
  throw new SluiceError('SettingsInvalid', 'Whose panels? Give either --pipeline, or --operations for those of runs.');
}

function listed({ id, title, panels }: Dashboard, json: boolean): number {
  if (json) {
    const all = panels.map(({ id: panel, kind, title: what, question }) => ({
      id: panel,
      kind,
      title: what,
      question,
    }));
    process.stdout.write(`${JSON.stringify({ dashboard: id, title, panels: all })}\n`);
    return 0;
  }
  const widest = Math.max(0, ...panels.map((panel) => panel.id.length));
  const lines = panels.map((panel) => `  ${panel.id.padEnd(widest)}  ${panel.title}: ${panel.question}`);
  process.stdout.write(`${[`${boldOut(title)} (${id})`, ...lines].join('\n')}\n`);
  return 0;
}

/** By its id; what all ids of the dashboard begin with may be left out. */
function panelOf({ id: dashboard, panels }: Dashboard, given: string): Panel {
  const own = dashboard.replace(/^data-/, '');
  const found = panels.find(({ id }) => id === given || id === `${own}-${given}`);
  if (found) return found;
  const ids = panels.map(({ id }) => id);
  const near = didYouMean(given, ids) || didYouMean(`${own}-${given}`, ids);
  throw new SluiceError(
    'SettingsInvalid',
    `No panel is called "${given}".${near} "--list" shows those that there are.`,
  );
}

function requireFilters({ filters }: Dashboard, given: readonly string[]): void {
  const fields = filters.map(({ field }) => field);
  for (const field of given) {
    if (fields.includes(field)) continue;
    const known = fields.length === 0 ? 'nothing' : fields.join(', ');
    throw new SluiceError(
      'SettingsInvalid',
      `--filter ${field}: this dashboard is filtered by ${known}.${didYouMean(field, fields)}`,
    );
  }
}

/** What is given, else what the dashboard shows at first. @throws SluiceError `SettingsInvalid` where it ends before it begins */
function rangeOf({ range = LAST_DAY }: Dashboard, { from = range.from, to = range.to }: RenderFlags): MomentRange {
  if (isForwards({ from, to }, Date.now())) return { from, to };
  throw new SluiceError('SettingsInvalid', `The time ends before it begins: --from is ${from}, and --to is ${to}.`);
}

interface Place {
  readonly format: Format;
  /** What has to be there. */
  readonly folder?: string;
  path(panel: Panel): string;
}

/** @throws SluiceError `SettingsInvalid` where several pictures would go to one file */
function placeOf(panels: readonly Panel[], { out, format }: RenderFlags, named: boolean): Place {
  if (out === undefined)
    throw new SluiceError('SettingsInvalid', 'Where to? Add --out FILE.svg, FILE.png or a folder.');
  const extension = formats.find((known) => extname(out).toLowerCase() === `.${known}`);
  // Whoever names one panel and such a file does not mean a folder of that name.
  if (extension === undefined && named && panels.length === 1 && /^\.[a-z]\w{1,4}$/i.test(extname(out))) {
    throw new SluiceError(
      'SettingsInvalid',
      `${out} is no picture that can be made: give --out FILE.svg, FILE.png or a folder.`,
    );
  }
  if (extension === undefined) {
    const as = format ?? 'svg';
    return { format: as, folder: resolve(out), path: ({ id }) => join(resolve(out), `${id}.${as}`) };
  }
  if (format !== undefined && format !== extension) {
    throw new SluiceError('SettingsInvalid', `--format ${format} and --out ${out} do not go together.`);
  }
  const [only, ...others] = panels;
  if (only === undefined || others.length > 0) {
    const what = named ? `${panels.length} panels` : 'all panels of a dashboard';
    throw new SluiceError('SettingsInvalid', `${out} is one file, and ${what} are several: give --out a folder.`);
  }
  return { format: extension, path: () => resolve(out) };
}

const sizeOf = (panel: Panel, { width, height }: RenderFlags): { width: number; height: number } => {
  const usual = usualSize(panel);
  return { width: width ?? usual.width, height: height ?? usual.height };
};

/** @throws SluiceError `SettingsInvalid` where a picture would be larger than can be drawn, before anything is asked */
function requireFit(panel: Panel, flags: RenderFlags): void {
  const { width, height } = sizeOf(panel, flags);
  const [across, down] = [width * flags.scale, height * flags.scale];
  if (fitsPng(across, down)) return;
  throw new SluiceError(
    'SettingsInvalid',
    `${panel.id} would be ${count(across)} by ${count(down)} pixels, and a PNG may have ${count(PNG_SIDE)} at a side and ${count(PNG_PIXELS)} in all: give a smaller --width, --height or --scale, or --format svg.`,
  );
}

async function pictureOf(
  search: SearchConnector,
  panel: Panel,
  format: Format,
  flags: RenderFlags & MomentRange,
): Promise<Buffer> {
  const { from, to, filter: filters, mode, scale } = flags;
  const look = { mode, ...sizeOf(panel, flags) };
  const svg = await panelPicture(search, panel, { from, to, filters }, look);
  return format === 'svg' ? Buffer.from(svg) : pngOf(svg, { scale, background: inkOf(mode).paper });
}

async function written(pictures: ReadonlyMap<string, Buffer>, folder: string | undefined): Promise<void> {
  if (folder !== undefined) {
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw new SluiceError('SettingsInvalid', `${folder} cannot be made: ${sentenceOf(error)}.`, { cause: error });
    });
  }
  for (const [path, bytes] of pictures) await writeWhole(path, bytes);
}

const filesOf = (pictures: ReadonlyMap<string, Buffer>): { path: string; bytes: number }[] =>
  [...pictures].map(([path, { length }]) => ({ path, bytes: length }));

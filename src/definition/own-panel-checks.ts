import { didYouMean } from './did-you-mean.ts';
import { fieldsIn, isMap, valuesIn, type Json, type JsonMap, type OwnPanel } from './own-panels.ts';
import type { Pipeline } from './pipeline.ts';
import type { Finding } from './problem.ts';
import { sizeChecks } from './own-panel-sizes.ts';
import { reservedIn } from './reserved.ts';
import { mainDataset } from './names.ts';
import { streamOf } from './streams.ts';

const MAX_CHARACTERS = 100_000;
/** What each renderer sets itself, so that a panel looks alike in all of them. */
const setElsewhere = ['config', 'width', 'height', 'autosize', 'datasets'] as const;
const inUrl = ['%context%', '%timefield%', 'index', 'body'];
const inBody = ['aggs', 'size', 'track_total_hits', 'sort', '_source', 'fields'];
/** Words of a search that read another index, hide what they ask, or run a script. */
const refused = /^_?index$|^indexed_shape$|^lookup$|^wrapper$|^runtime_mappings$|(^|_)script(s|ed)?(_|$)/;

type Path = readonly (string | number)[];

/** Panels written by hand: they ask the pipeline’s own index, and nothing else, for fields that it has. */
export function ownPanelChecks(pipeline: Pipeline): Finding[] {
  const panels = pipeline.dashboards.panels ?? [];
  const stream = streamOf({ ...pipeline, aggregate: [] }, mainDataset);
  const timeField = pipeline.dashboards.time ?? 'hour';
  const names = [...stream.output.map(({ name }) => name), ...reservedIn(pipeline.index.mode)];
  return panels.flatMap((panel, at): Finding[] => {
    const path = ['dashboards', 'panels', at];
    const twice = panels.findIndex(({ id }) => id === panel.id) < at;
    const known = { alias: stream.alias, timeField, names };
    return [
      ...(twice ? [{ path: [...path, 'id'], message: `"${panel.id}" is the id of a panel above` }] : []),
      ...specChecks(panel, known).map((finding) => ({ ...finding, path: [...path, 'spec', ...finding.path] })),
    ];
  });
}

interface Known {
  readonly alias: string;
  readonly timeField: string;
  readonly names: readonly string[];
}

function specChecks({ spec }: OwnPanel, known: Known): Finding[] {
  if (JSON.stringify(spec).length > MAX_CHARACTERS) {
    return [{ path: [], message: 'is longer than a hundred thousand characters: rows belong into the index' }];
  }
  const findings: Finding[] = setElsewhere
    .filter((key) => key in spec)
    .map((key) => ({
      path: [key],
      message: key === 'datasets' ? shapesAlone : 'is set where the panel is shown: leave it out',
    }));
  const schema = spec['$schema'];
  if (schema !== undefined && !/\/vega-lite\/v5(\.\d+)*\.json$/.test(typeof schema === 'string' ? schema : '')) {
    findings.push({ path: ['$schema'], message: 'must be that of Vega-Lite 5; it may be left out' });
  }
  let searches = 0;
  for (const { path, value } of valuesIn(spec)) {
    const key = path.at(-1);
    findings.push(...madeUp(path, value), ...markChecks(path, value));
    if (key === 'href') findings.push({ path, message: 'leads elsewhere: panels have no links' });
    if (key === 'values' && path.at(-2) === 'data' && isMap(value)) {
      findings.push({ path, message: 'must be a list of rows' });
    }
    if (key !== 'url') continue;
    if (!isMap(value) || path.at(-2) !== 'data') {
      findings.push({ path, message: 'must be a search of the pipeline’s index: `data: { url: { body: … } }`' });
      continue;
    }
    searches += 1;
    findings.push(...searchChecks(path, value, known));
    const { format, values, source } = valueAt(spec, path.slice(0, -1));
    if (values !== undefined || source !== undefined) {
      const message = `has ${values === undefined ? 'source' : 'values'} beside its url: leave one of them out`;
      findings.push({ path: path.slice(0, -1), message });
    }
    if (
      !isMap(format) ||
      !/^(aggregations|hits)\./.test(typeof format['property'] === 'string' ? format['property'] : '')
    ) {
      const message = 'needs format.property: where in the answer the rows are, like aggregations.days.buckets';
      findings.push({ path: path.slice(0, -1), message });
    }
  }
  if (searches === 0) findings.push({ path: [], message: 'asks nothing of the index: it needs data.url.body' });
  return findings;
}

/** Numbers of these count up rows, ticks or points that are in no index. */
const counted = ['steps', 'minsteps', 'maxsteps', 'maxbins', 'tickCount', 'nice'];
/** Texts for people, in which any word may stand. */
const words = ['title', 'subtitle', 'description'];
const MOST_COUNTED = 1_000;

/** Rows that a chart makes by itself: as many as it says, whoever looks at it and wherever it is drawn. */
function madeUp(path: Path, value: Json): Finding[] {
  const key = path.at(-1);
  if (path.includes('url') || path.includes('values')) return [];
  if (key === 'sequence' || key === 'graticule' || key === 'stop') {
    const message = 'is refused: a panel draws the rows of the index, and makes none up';
    return [{ path, atKey: true, message }];
  }
  if (typeof value === 'number' && counted.includes(String(key)) && value > MOST_COUNTED) {
    return [{ path, message: `must be ${MOST_COUNTED.toLocaleString('en-US')} at most` }];
  }
  if (typeof value === 'string' && !words.includes(String(key)) && /\bsequence\s*\(/.test(plainly(value))) {
    return [{ path, message: 'calls sequence(): a panel draws the rows of the index, and makes none up' }];
  }
  return [];
}

/** Names in an expression may be written in codes. */
const plainly = (expression: string): string =>
  expression.replaceAll(/\\u(?:\{0*([0-9a-f]{1,5})\}|([0-9a-f]{4}))/gi, (_, braced?: string, four?: string) =>
    String.fromCodePoint(Number.parseInt(braced ?? four ?? '', 16)),
  );

const marks = [
  ...['arc', 'area', 'bar', 'boxplot', 'circle', 'errorband', 'errorbar', 'geoshape', 'image', 'line'],
  ...['point', 'rect', 'rule', 'square', 'text', 'tick', 'trail'],
];

function markChecks(path: Path, value: Json): Finding[] {
  if (path.at(-1) !== 'mark' || path.includes('url') || path.includes('values')) return [];
  const type = isMap(value) ? value['type'] : value;
  if (type === undefined || (typeof type === 'string' && marks.includes(type))) return [];
  const named = typeof type === 'string' ? type : JSON.stringify(type);
  return [{ path, message: `"${named}" is no mark of Vega-Lite.${didYouMean(named, marks)}` }];
}

const shapesAlone = 'is filled by Sluice: `data: { name: us-states }` or `us-counties` is all that a map needs';

function searchChecks(path: Path, url: JsonMap, { alias, timeField, names }: Known): Finding[] {
  const findings: Finding[] = Object.keys(url)
    .filter((key) => !inUrl.includes(key))
    .map((key) => ({ path: [...path, key], atKey: true, message: `is no part of a search.${didYouMean(key, inUrl)}` }));
  const { index = alias, body, '%context%': context = true, '%timefield%': time = timeField } = url;
  if (index !== alias)
    findings.push({ path: [...path, 'index'], message: `must be the pipeline’s own, ${alias}; it may be left out` });
  if (context !== true) findings.push({ path: [...path, '%context%'], message: 'must be true; it may be left out' });
  if (time !== timeField) {
    findings.push({
      path: [...path, '%timefield%'],
      message: `must be ${timeField}, as dashboards.time says; it may be left out`,
    });
  }
  if (!isMap(body)) return [...findings, { path, message: 'needs a body: the search, with its aggregations' }];
  for (const key of Object.keys(body).filter((name) => !inBody.includes(name))) {
    const message =
      key === 'query'
        ? 'must be left out: the reader’s time range and filters stand there'
        : `is nothing that a panel may ask: ${inBody.join(', ')} are.${didYouMean(key, inBody)}`;
    findings.push({ path: [...path, 'body', key], atKey: true, message });
  }
  findings.push(...sizeChecks(body).map((finding) => ({ ...finding, path: [...path, 'body', ...finding.path] })));
  for (const { path: below } of valuesIn(body)) {
    const word = below.at(-1);
    if (typeof word === 'string' && refused.test(word)) {
      const message = 'is refused: a panel runs no scripts, and reads no other index';
      findings.push({ path: [...path, 'body', ...below], atKey: true, message });
    }
  }
  for (const { path: below, field } of fieldsIn(body)) {
    if (!names.includes(field)) {
      const message = `"${field}" is no field of the index.${didYouMean(field, names)}`;
      findings.push({ path: [...path, 'body', ...below], message });
    }
  }
  return findings;
}

/** What stands at a path that {@link valuesIn} gave. */
function valueAt(spec: JsonMap, path: Path): JsonMap {
  let found: unknown = spec;
  for (const key of path) found = (found as Record<string | number, unknown>)[key];
  return found as JsonMap;
}

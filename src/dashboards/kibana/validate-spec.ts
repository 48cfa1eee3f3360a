import { isObject } from '../../definition/is-object.ts';
import type { Json, JsonObject } from '../panel.ts';
import { SCHEMA } from '../panels/chart.ts';
import { shapeNames } from '../us.ts';
import { findingsOf, pathText, type Finding } from './finding.ts';
import type { DecodedVisualization } from './schemas.ts';
import { walk, type Path } from './walk.ts';

/** Where a spec is, for whoever looks for it. */
export const SPEC = 'attributes.visState.params.spec';

/** Whether a spec is one that Kibana and the page both take: its version, its requests, and nothing that one of the two lacks. */
export function checkSpec(object: DecodedVisualization): Finding[] {
  const { all, add } = findingsOf(object);
  const { spec } = object.attributes.visState.params;
  const say = (path: Path, what: string): void => add(pathText([SPEC, ...path]), what);
  if (spec['$schema'] !== SCHEMA) {
    say(['$schema'], `is ${shown(spec['$schema'])}: write ${SCHEMA}, which no Kibana 9 warns of`);
  }
  if (!isObject(spec['config'])) {
    say(['config'], 'is missing, and Kibana puts its own colours where a spec says nothing: take that of the theme');
  }
  for (const side of ['width', 'height']) {
    if (typeof spec[side] === 'number') say([side], 'is a number, and Kibana fits a chart to its panel: leave it out');
  }
  checkNames(spec, say);
  for (const [path, value] of walk(spec)) {
    if (path.at(-1) === 'data' && isObject(value) && 'url' in value) checkData(value, path, say);
    if (path.at(-1) === 'kibana' && path.at(-2) === 'config') {
      say(path, 'asks for what Kibana alone has, such as its map mode: leave it out, and draw with a projection');
    }
    const own = typeof value === 'string' ? /\bkibana[A-Z]\w*(?=\s*\()/.exec(value) : null;
    if (own) say(path, `calls ${own[0]}, which is there in Kibana alone: leave it out`);
  }
  return all;
}

/** What data is made of; where there is nothing but a name, it is that of other data. */
const contents = ['url', 'values', 'sequence', 'sphere', 'graticule'];

function checkNames(spec: JsonObject, say: (path: Path, what: string) => void): void {
  const named = [...walk(spec)].flatMap(([path, value]) => {
    const name = path.at(-1) === 'data' && isObject(value) ? value['name'] : undefined;
    return typeof name === 'string'
      ? [{ path, name, whole: contents.some((key) => key in (value as JsonObject)) }]
      : [];
  });
  const datasets = isObject(spec['datasets']) ? Object.keys(spec['datasets']) : [];
  const there = new Set([...datasets, ...named.filter(({ whole }) => whole).map(({ name }) => name)]);
  for (const { path, name, whole } of named) {
    if (whole || there.has(name)) continue;
    const has = there.size === 0 ? '' : ` (${[...there].join(', ')})`;
    say(
      [...path, 'name'],
      `"${name}" is no data of the spec: name what it has${has}, or ${shapeNames.join(' or ')} with the shapes in datasets`,
    );
  }
}

const searchKeys: ReadonlySet<string> = new Set(['%context%', '%timefield%', 'index', 'body']);

function checkData(data: JsonObject, path: Path, say: (path: Path, what: string) => void): void {
  const { url, format } = data;
  const place = [...path, 'url'];
  if (!isObject(url)) {
    say(
      place,
      `is the address ${shown(url)}, and Kibana fetches none unless it is told to: put what is there into the spec`,
    );
    return;
  }
  for (const key of ['values', 'source']) {
    if (key in data) say([...path, key], 'stands beside url, and Kibana takes one of them: remove it');
  }
  for (const key of Object.keys(url)) {
    if (!searchKeys.has(key))
      say([...place, key], 'is no part of a search: index, body, %context% and %timefield% are');
  }
  if (typeof url['index'] !== 'string' || url['index'] === '')
    say([...place, 'index'], 'is missing: name the alias to ask');
  if (url['%context%'] !== true) {
    say([...place, '%context%'], 'is not true, so that filters of the dashboard would not count: write true');
  }
  if (typeof url['%timefield%'] !== 'string') {
    say([...place, '%timefield%'], 'is missing, so that the time range would not count: name the date field');
  }
  if (isObject(format) && typeof format['property'] === 'string') {
    if (format['property'] === '')
      say([...path, 'format', 'property'], 'is empty: say where in the answer the rows are');
  } else say([...path, 'format', 'property'], 'is missing: say where in the answer the rows are');
  if (!isObject(url['body'])) say([...place, 'body'], 'is missing: write what to search for');
  else checkBody(url['body'], [...place, 'body'], say);
}

function checkBody(body: JsonObject, path: Path, say: (path: Path, what: string) => void): void {
  if ('query' in body) {
    say(
      [...path, 'query'],
      'stands beside %context%, which becomes the query: put the condition into a filter aggregation',
    );
  }
  for (const [place, value] of walk(body, path)) {
    const key = place.at(-1);
    if (key === '%timefilter%' && (value === 'min' || value === 'max')) continue;
    for (const mark of [key, value]) {
      if (typeof mark === 'string' && /^%[\w-]+%$/.test(mark)) {
        say(place, `has ${mark}, which the page does not know: write it out`);
      }
    }
    if (key === 'terms' && isObject(value) && 'field' in value && typeof value['size'] !== 'number') {
      say(place, 'has no size, and Elasticsearch gives ten where none is said: say how many there may be');
    }
  }
}

const shown = (value: Json | undefined): string => (value === undefined ? 'missing' : JSON.stringify(value));

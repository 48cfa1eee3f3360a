import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { search } from './bystander.ts';

// What panels must say, told from the documents themselves: plain searches for documents, and arithmetic on them. Nothing here is shared with what
// is tested, no aggregation of Elasticsearch either.

type Environment = Readonly<Record<string, string | undefined>>;
export type Doc = Readonly<Record<string, unknown>>;
export type Cell = string | number;

/** What a panel must say. */
export interface Expected {
  /** As its table has them, in any order. */
  readonly rows: readonly (readonly Cell[])[];
  /** The number of a tile. */
  readonly value?: number | null;
}

/** What is looked at. */
export interface Asked {
  readonly field: string;
  readonly from: string;
  readonly to: string;
  readonly terms?: Readonly<Record<string, readonly string[]>>;
}

/** Every document that fits, in pages. */
export async function documentsOf(
  environment: Environment,
  index: string,
  { field, from, to, terms = {} }: Asked,
): Promise<Doc[]> {
  await search(environment, `${index}/_refresh`);
  const opened = (await search(environment, `${index}/_pit?keep_alive=1m`, {})) as { id: string };
  const found: Doc[] = [];
  const filter = [
    { range: { [field]: { gte: from, lte: to } } },
    ...Object.entries(terms).map(([name, values]) => ({ terms: { [name]: values } })),
  ];
  for (let after: unknown[] | undefined; ;) {
    const answer = (await search(environment, '_search', {
      ...{ size: 10_000, pit: { id: opened.id, keep_alive: '1m' }, query: { bool: { filter } } },
      ...{ sort: ['_shard_doc'], ...(after === undefined ? {} : { search_after: after }) },
    })) as { hits: { hits: { _source: Doc; sort: unknown[] }[] } };
    const { hits } = answer.hits;
    found.push(...hits.map(({ _source }) => _source));
    after = hits.at(-1)?.sort;
    if (after === undefined) return found;
  }
}

const { resolve } = createRequire(import.meta.url);
const atlas = JSON.parse(await readFile(resolve('us-atlas/counties-10m.json'), 'utf8')) as {
  objects: Record<'counties' | 'states', { geometries: { id: string; properties: { name: string } }[] }>;
};
const namesOf = (kind: 'counties' | 'states'): Map<string, string> =>
  new Map(atlas.objects[kind].geometries.map(({ id, properties }) => [id, properties.name]));
const countyNames = namesOf('counties');
const stateNames = namesOf('states');

const num = (doc: Doc, field: string): number | undefined =>
  typeof doc[field] === 'number' ? (doc[field] as number) : undefined;
const numbers = (docs: readonly Doc[], field: string): number[] => docs.flatMap((doc) => num(doc, field) ?? []);
const sum = (of: readonly number[]): number => of.reduce((all, one) => all + one, 0);
const mean = (of: readonly number[]): number => sum(of) / of.length;
const by = (docs: readonly Doc[], key: (doc: Doc) => string | undefined): [string, Doc[]][] => {
  const groups = new Map<string, Doc[]>();
  for (const doc of docs) {
    const name = key(doc);
    if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), doc]);
  }
  return [...groups];
};
const text = (field: string) => (doc: Doc) => (typeof doc[field] === 'string' ? doc[field] : undefined);
const words = (doc: Doc, field: string): string => text(field)(doc) ?? '';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayOf = (at: string): string =>
  `${Number(at.slice(8, 10))} ${MONTHS[Number(at.slice(5, 7)) - 1] ?? ''} ${at.slice(0, 4)}`;
const timeOf = (at: string): string => `${dayOf(at)} ${at.slice(11, 16)}`;
const thousands = (value: number): string => value.toLocaleString('en');

/** The hours that the documents are of, the newest last. */
const hoursOf = (docs: readonly Doc[]): string[] => [...new Set(docs.map((doc) => words(doc, 'hour')))].toSorted();

const newestRecords = (docs: readonly Doc[]): Expected => {
  const newest = hoursOf(docs).at(-1);
  if (newest === undefined) return { rows: [] };
  const count = docs.filter(({ hour }) => hour === newest).length;
  return { rows: [[thousands(count), `${timeOf(newest)} UTC`]] };
};

function byPlace(docs: readonly Doc[], measure: string, place: (doc: Doc) => string | undefined): Expected {
  const rows = by(docs, place).flatMap(([name, of]) => {
    const values = numbers(of, measure);
    return values.length === 0 ? [] : [[name, mean(values), of.length]];
  });
  return { rows };
}

const stateOf = (doc: Doc): string | undefined => stateNames.get(words(doc, 'county_id').slice(0, 2));
const countyOf = (doc: Doc): string | undefined => {
  const name = countyNames.get(words(doc, 'county_id'));
  // By name alone two would be one: Baltimore is a county and a city.
  return name === undefined ? undefined : `${words(doc, 'county_id')} ${name}, ${stateOf(doc) ?? ''}`;
};

function byCounty(docs: readonly Doc[], measure: string): Expected {
  const { rows } = byPlace(docs, measure, countyOf);
  return { rows: rows.map(([name, ...rest]) => [String(name).slice(6), ...rest]) };
}

function distribution(
  docs: readonly Doc[],
  measure: string,
  step: number,
  last: number,
  span: (from: number, to: number) => string,
): Expected {
  const having = docs.filter((doc) => num(doc, measure) !== undefined);
  const hours = hoursOf(having).length;
  const rows = by(having, (doc) => String(Math.min(last, Math.floor(Number(doc[measure]) / step + 1e-6)))).map(
    ([bin, of]): Cell[] => [
      span(Number(bin) * step, (Number(bin) + 1) * step),
      of.length / hoursOf(docs).length,
      of.length / having.length,
    ],
  );
  return { rows: hours === 0 ? [] : rows };
}

const percentSpan = (from: number, to: number): string => `${Math.round(from * 100)}% to ${Math.round(to * 100)}%`;

const anHour = (docs: readonly Doc[], field: string, most = Number.POSITIVE_INFINITY): Expected => ({
  rows: by(docs, text(field))
    .map(([name, of]): [string, number] => [name, of.length / hoursOf(docs).length])
    .toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, most),
});

function trend(docs: readonly Doc[], measure: string, time: string, said: (at: string) => string): Expected {
  const rows = by(docs, text(time)).flatMap(([at, of]) => {
    const values = numbers(of, measure);
    return values.length === 0 ? [] : [[said(at), mean(values), of.length]];
  });
  return { rows };
}

/** Tiles of the web’s map, 512 by 512 of them over the world. */
function places(docs: readonly Doc[], measure: string): Expected {
  const tile = (doc: Doc): string | undefined => {
    const { lat, lon } = (doc['location'] ?? {}) as { lat?: number; lon?: number };
    if (lat === undefined || lon === undefined) return undefined;
    const north = (lat * Math.PI) / 180;
    const x = Math.floor(((lon + 180) / 360) * 512);
    return `${x}/${Math.floor(((1 - Math.asinh(Math.tan(north)) / Math.PI) / 2) * 512)}`;
  };
  const rows = by(docs, tile).map(([, of]) => {
    const where = of.map(({ location }) => location as { lat: number; lon: number });
    return [
      of.length / hoursOf(docs).length,
      mean(numbers(of, measure)),
      mean(where.map(({ lat }) => lat)),
      mean(where.map(({ lon }) => lon)),
    ];
  });
  return { rows };
}

function errorRange(docs: readonly Doc[], of: string, range: string): Expected {
  const rows = by(docs, (doc) => String(Math.floor((num(doc, of) ?? 0) / 0.05 + 1e-6))).flatMap(([bin, some]) => {
    const errors = numbers(some, range);
    if (errors.length === 0) return [];
    const middle = mean(errors);
    const deviation = Math.sqrt(mean(errors.map((error) => (error - middle) ** 2)));
    const [low, high] = [
      Math.max(Math.min(...errors), middle - deviation),
      Math.min(Math.max(...errors), middle + deviation),
    ];
    return [[`${(Number(bin) * 5).toFixed(1)}%`, middle, low, high, some.length]];
  });
  return { rows };
}

const tile = (value: number | null): Expected => ({ rows: [], value });
const tiles = (docs: readonly Doc[]): Record<string, Expected> => {
  const newest = hoursOf(docs).at(-1);
  return {
    records: newestRecords(docs),
    freshness: tile(newest === undefined ? null : Date.parse(newest)),
    hours: tile(hoursOf(docs).length),
    'usage-mean': tile(mean(numbers(docs, 'usage'))),
  };
};

/** What each panel of the broadband dashboard must say, by its id behind the pipeline’s name. */
export const ofBroadband = (docs: readonly Doc[]): Record<string, Expected> => ({
  ...tiles(docs),
  'usage-by-county-map': byCounty(docs, 'usage'),
  'usage-by-state': byPlace(docs, 'usage', stateOf),
  'usage-distribution': distribution(docs, 'usage', 0.05, 19, percentSpan),
  'simulated-mbps-distribution': distribution(
    docs,
    'simulated_mbps',
    50,
    18,
    (from, to) => `${from} to ${thousands(to)}`,
  ),
  'by-usage-band': anHour(docs, 'usage_band'),
  'usage-trend': trend(docs, 'usage', 'hour', timeOf),
  'simulated-mbps-trend': trend(docs, 'simulated_mbps', 'hour', timeOf),
  'hours-records': { rows: by(docs, text('hour')).map(([hour, of]) => [timeOf(hour), of.length]) },
  'top-state': anHour(docs, 'state', 15),
  'usage-by-state-map': byPlace(docs, 'usage', stateOf),
  places: places(docs, 'usage'),
  'error-95-against-usage': errorRange(docs, 'usage', 'error_95'),
});

/** The same of the counties. */
export const ofCounties = (docs: readonly Doc[]): Record<string, Expected> => ({
  ...tiles(docs),
  'usage-by-county-map': byCounty(docs, 'usage'),
  'usage-by-state': byPlace(docs, 'usage', stateOf),
  'usage-distribution': distribution(docs, 'usage', 0.05, 19, percentSpan),
  'availability-distribution': distribution(docs, 'availability', 0.05, 19, percentSpan),
  'usage-trend': trend(docs, 'usage', 'date', dayOf),
  'availability-trend': trend(docs, 'availability', 'date', dayOf),
  'top-state': anHour(docs, 'state', 15),
  'usage-by-state-map': byPlace(docs, 'usage', stateOf),
});

const ofKind = (docs: readonly Doc[], kind: string): Doc[] => docs.filter((doc) => doc['kind'] === kind);
const labelOf = (doc: Doc): string =>
  `${words(doc, 'pipeline')} ${words(doc, 'hour').slice(5, 10)} ${words(doc, 'hour').slice(11, 16)}`;
const said = (value: unknown): Cell => (typeof value === 'number' || typeof value === 'string' ? value : '–');

function spanOf(ms: number): string {
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)} min`;
  return ms < 172_800_000 ? `${(ms / 3_600_000).toFixed(1)} h` : `${(ms / 86_400_000).toFixed(1)} d`;
}

/** The same of runs: at most ten of them, and one of each hour of a pipeline. */
export function ofOperations(docs: readonly Doc[]): Record<string, Expected> {
  const runs = ofKind(docs, 'run');
  const count = (outcome: string): Expected => tile(runs.filter((run) => run['outcome'] === outcome).length);
  const datasets = ofKind(docs, 'dataset');
  const whole = datasets.filter((doc) => 'holds' in doc);
  const done = runs.flatMap((run) => (text('doneHour')(run) === undefined ? [] : Date.parse(words(run, 'doneHour'))));
  const hops = ['read', 'clean', 'duplicates', 'filtered', 'rejected', 'published', 'landed', 'indexed'];
  const utcOf = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
  const utc = (doc: Doc): string => utcOf(words(doc, 'at'));
  return {
    'runs-completed': count('completed'),
    'runs-unchanged': count('unchanged'),
    'runs-failed': count('failed'),
    'runs-cancelled': count('cancelled'),
    'broken-equations': tile(whole.filter(({ holds }) => holds === false).length),
    'newest-hour': tile(done.length === 0 ? null : Math.max(...done)),
    'rows-per-run': {
      rows: datasets
        .filter(({ dataset }) => dataset === 'main')
        .flatMap((doc) =>
          [
            ...['clean', 'duplicates', 'filtered', 'rejected'].map((name) => ['cleaned', name, doc[name]] as const),
            ...['published', 'landed', 'indexed'].map((name) => [name, 'clean', doc[name]] as const),
          ].flatMap(([stage, outcome, rows]) =>
            typeof rows === 'number' ? [[labelOf(doc), stage, outcome, rows]] : [],
          ),
        ),
    },
    'rejected-by-reason': {
      rows: by(ofKind(docs, 'rejection'), text('reason')).map(([reason, of]) => [
        reason,
        sum(numbers(of, 'rows')),
        of.length,
      ]),
    },
    durations: {
      rows: ofKind(docs, 'stage').map((doc) => [
        labelOf(doc),
        said(doc['stage']),
        Number(doc['ms']) / 1_000,
        said(doc['rows']),
      ]),
    },
    lag: {
      rows: runs.flatMap((doc) => (typeof doc['lag'] === 'number' ? [[labelOf(doc), utc(doc), doc['lag']]] : [])),
    },
    incidents: {
      rows: ofKind(docs, 'incident').map((doc) => [
        ...[words(doc, 'pipeline'), said(doc['rule']), said(doc['subject']), said(doc['severity'])],
        utcOf(words(doc, 'startedAt')),
        doc['endedAt'] === undefined ? 'still open' : utcOf(words(doc, 'endedAt')),
        typeof doc['ms'] === 'number' ? spanOf(doc['ms']) : '–',
        ...[said(doc['seen']), said(doc['sentence'])],
      ]),
    },
    anomalies: {
      rows: ofKind(docs, 'anomaly').map((doc) => [
        ...[labelOf(doc), said(doc['rule']), said(doc['subject'])],
        `${words(doc, 'severity')}${doc['muted'] === true ? ' (muted)' : ''}`,
        typeof doc['deviations'] === 'number' ? `${doc['deviations'].toFixed(1)} usual deviations` : '–',
        said(doc['sentence']),
      ]),
    },
    equations: {
      rows: whole.map((doc) => [
        labelOf(doc),
        said(doc['dataset']),
        ...hops.map((name) => said(doc[name])),
        doc['holds'] === true ? 'yes' : 'NO',
        said(doc['broken']),
      ]),
    },
  };
}

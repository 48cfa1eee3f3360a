/** What a reader looks at. All of it stands in the address, so that a link shows the same. */
export interface BoardAddress {
  readonly view: 'board';
  /** The first one where left out. */
  readonly dashboard?: string;
  /** As Elasticsearch takes dates; what the dashboard shows at first where left out. */
  readonly from?: string;
  readonly to?: string;
  /** Seconds; 0 for never. */
  readonly refresh: number;
  readonly filters: Readonly<Record<string, readonly string[]>>;
}

/** From when to when, as Elasticsearch takes dates. */
export interface Range {
  readonly from: string;
  readonly to: string;
}

export type Address =
  | BoardAddress
  | { readonly view: 'runs'; readonly pipeline?: string; readonly outcome?: string }
  | { readonly view: 'run'; readonly pipeline: string; readonly hour: string; readonly run?: string }
  | { readonly view: 'incidents'; readonly pipeline?: string; readonly over?: 'shown' }
  | { readonly view: 'quarantine'; readonly pipeline?: string; readonly hour?: string; readonly offset: number }
  | { readonly view: 'consumers' };

export const PATH = '/dashboard';
export const refreshes = [0, 10, 60, 300] as const;
const FILTER = 'filter.';

/** @param search of the page’s address; what it does not say, or not well, is as usual */
export function readAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const said = <Name extends string>(name: Name): Partial<Record<Name, string>> => {
    const value = query.get(name);
    return value === null || value === '' ? {} : ({ [name]: value } as Record<Name, string>);
  };
  const [pipeline, hour] = [query.get('pipeline'), query.get('hour')];
  switch (query.get('view')) {
    case 'runs':
      return { view: 'runs', ...said('pipeline'), ...said('outcome') };
    case 'run':
      return pipeline && hour ? { view: 'run', pipeline, hour, ...said('run') } : { view: 'runs' };
    case 'incidents':
      return { view: 'incidents', ...said('pipeline'), ...(query.get('over') === 'shown' ? { over: 'shown' } : {}) };
    case 'quarantine': {
      const offset = Math.max(0, Math.trunc(Number(query.get('offset')))) || 0;
      return { view: 'quarantine', ...said('pipeline'), ...said('hour'), offset };
    }
    case 'consumers':
      return { view: 'consumers' };
    default:
      return readBoard(query, { ...said('dashboard'), ...said('from'), ...said('to') });
  }
}

function readBoard(query: URLSearchParams, said: Pick<BoardAddress, 'dashboard' | 'from' | 'to'>): BoardAddress {
  // Without a prototype: a field may be called `constructor`.
  const filters = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of query) {
    if (name.startsWith(FILTER)) (filters[name.slice(FILTER.length)] ??= []).push(value);
  }
  const refresh = refreshes.find((seconds) => String(seconds) === query.get('refresh')) ?? 0;
  return { view: 'board', ...said, refresh, filters };
}

/** The page’s address for it: what is as usual is left out. */
export function writeAddress(address: Address): string {
  const query = new URLSearchParams();
  if (address.view === 'board') {
    const { dashboard, from, to, refresh } = address;
    if (dashboard !== undefined) query.set('dashboard', dashboard);
    if (from !== undefined) query.set('from', from);
    if (to !== undefined) query.set('to', to);
    if (refresh !== 0) query.set('refresh', String(refresh));
    addFilters(query, address);
  } else {
    for (const [name, value] of Object.entries(address)) {
      if (value !== undefined && value !== 0) query.set(name, String(value));
    }
  }
  const text = query.toString();
  return text === '' ? PATH : `${PATH}?${text}`;
}

/** The query of a panel’s request; the dashboard’s own time is left to the API. */
export function panelQuery(address: BoardAddress, mode: string): string {
  const { from, to } = address;
  const query = new URLSearchParams({ mode });
  if (from !== undefined) query.set('from', from);
  if (to !== undefined) query.set('to', to);
  addFilters(query, address);
  return query.toString();
}

function addFilters(query: URLSearchParams, { filters }: BoardAddress): void {
  for (const [field, values] of Object.entries(filters)) {
    for (const value of values) query.append(`${FILTER}${field}`, value);
  }
}

import type { Address } from './address.ts';
import { answer, get, messageOf } from './api.ts';
import { button, element, failed, say } from './dom.ts';
import { counted, number } from './format.ts';
import type { Room } from './room.ts';
import { tableOf } from './table.ts';
import { hourKey, hourWords, link } from './words.ts';

type QuarantineAddress = Extract<Address, { view: 'quarantine' }>;

/** An hour with rejected rows. */
interface Hour {
  readonly hour: string;
  readonly rows: { readonly read: number; readonly rejected: number };
  readonly rejectedBy: Readonly<Record<string, number>>;
}

interface RejectedRow {
  readonly file: string;
  readonly line: number;
  readonly column?: string;
  readonly rule: string;
  readonly value?: string;
  readonly reason?: string;
  readonly raw: string;
}

const PAGE = 50;
/** So many of a pipeline are listed. */
const HOURS = 100;

/** Rows that were rejected: hours of a pipeline, and the rows of one of them, each with its reason. */
export async function quarantine(room: Room, address: QuarantineAddress): Promise<void> {
  const { pipeline, hour } = address;
  if (pipeline !== undefined && hour !== undefined) return rowsOf(room, { ...address, pipeline, hour });
  const input = element('input', {
    ...{ id: 'quarantine-pipeline', list: 'quarantines', value: pipeline ?? '', required: true, autocomplete: 'off' },
  });
  const look = (event: Event): void => {
    event.preventDefault();
    room.go({ view: 'quarantine', pipeline: input.value.trim(), offset: 0 });
  };
  const form = element(
    'form',
    { class: 'controls', 'aria-label': 'Whose rejected rows', onsubmit: look },
    element('label', { class: 'field' }, element('span', {}, 'Pipeline'), input),
    element('button', { type: 'submit', id: 'quarantine-show' }, 'Show'),
  );
  const names = element('datalist', { id: 'quarantines' });
  room.element.replaceChildren(element('h1', { tabindex: -1 }, 'Quarantine'), lead(), form, names);
  await Promise.all([suggest(names, room, pipeline), pipeline === undefined ? undefined : listed(room, pipeline)]);
}

const lead = (): HTMLElement =>
  element('p', { class: 'lead' }, 'Rows that no rule let in. Each is kept as it came, with the reason; none is lost.');

/** Pipelines that have run: as suggestions, and as links where none is chosen. */
async function suggest(names: HTMLElement, { signal, element: view }: Room, chosen?: string): Promise<void> {
  // What is rejected can be looked at without Temporal, which knows what has run.
  const { runs } = await get<{ runs: { pipeline: string }[] }>('/runs?limit=200', signal).catch(() => ({
    runs: undefined,
  }));
  if (signal.aborted) return;
  if (runs === undefined) {
    if (chosen === undefined)
      view.append(element('p', { class: 'nothing' }, 'Write whose: which pipelines there are cannot be had now.'));
    return;
  }
  const found = [...new Set(runs.map(({ pipeline }) => pipeline))].toSorted();
  names.replaceChildren(...found.map((value) => element('option', { value })));
  if (chosen !== undefined) return;
  const links = found.map((pipeline) => element('li', {}, link({ view: 'quarantine', pipeline, offset: 0 }, pipeline)));
  view.append(
    links.length === 0
      ? element('p', { class: 'nothing' }, 'No pipeline has run yet.')
      : element('ul', { class: 'names' }, ...links),
  );
}

/** An error stands below the form, where another pipeline can be asked for. */
const listed = (room: Room, pipeline: string): Promise<void> =>
  list(room, pipeline).catch((error: unknown) => {
    if (!room.signal.aborted) room.element.append(failed(messageOf(error), room.again));
  });

async function list(room: Room, pipeline: string): Promise<void> {
  const found = await get<{ hours: Hour[]; lookedBackTo?: string }>(
    `/quarantine/${encodeURIComponent(pipeline)}?limit=${HOURS + 1}`,
    room.signal,
  );
  const { lookedBackTo } = found;
  if (found.hours.length === 0) {
    const since =
      lookedBackTo === undefined ? '' : ` since ${hourWords(lookedBackTo)}; earlier ones were not looked at`;
    room.element.append(element('p', { class: 'nothing' }, `No hour of ${pipeline} has rejected rows${since}.`));
    return;
  }
  const columns = [
    { title: 'Hour (UTC)' },
    { title: 'Rejected', numeric: true },
    { title: 'Of', numeric: true },
    { title: 'Why, most of all' },
  ];
  const rows = found.hours
    .slice(0, HOURS)
    .map(({ hour, rows: { read, rejected }, rejectedBy }) => [
      link({ view: 'quarantine', pipeline, hour: hourKey(hour), offset: 0 }, hourWords(hour)),
      rejected,
      read,
      whys(rejectedBy, 3),
    ]);
  room.element.append(tableOf({ columns, rows }, `Hours of ${pipeline} with rejected rows`));
  if (found.hours.length > HOURS)
    room.element.append(
      element(
        'p',
        { class: 'note' },
        `These are the newest ${HOURS}; there are more, which “sluice quarantine list ${pipeline} --limit 1000” has.`,
      ),
    );
}

const whys = (rejectedBy: Readonly<Record<string, number>>, most: number): string =>
  Object.entries(rejectedBy)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([why, count]) => `${why} ${number(count)}`)
    .join(', ');

async function rowsOf(room: Room, address: QuarantineAddress & { pipeline: string; hour: string }): Promise<void> {
  const { pipeline, hour, offset } = address;
  const path = `/quarantine/${encodeURIComponent(pipeline)}/${encodeURIComponent(hour)}`;
  const found = await get<{ rows: RejectedRow[]; total: number }>(
    `${path}?offset=${offset}&limit=${PAGE}`,
    room.signal,
  );
  const { rows, total } = found;
  const last = offset + rows.length;
  const to = (at: number, text: string): HTMLElement => link({ ...address, offset: at }, text);
  const trouble = element('div');
  room.element.replaceChildren(
    element('p', { class: 'back' }, link({ view: 'quarantine', pipeline, offset: 0 }, `← Hours of ${pipeline}`)),
    element('h1', { tabindex: -1 }, `Rejected rows of ${pipeline}, ${hourWords(`${hour}:00:00Z`)}`),
    rows.length === 0
      ? element(
          'p',
          { class: 'nothing' },
          total === 0 ? 'No row of this hour was rejected.' : 'There are no more rows.',
        )
      : element('p', { class: 'lead' }, `${number(offset + 1)} to ${number(last)} of ${counted(total, 'row')}.`),
    element(
      'div',
      { class: 'actions' },
      offset > 0 ? to(Math.max(0, offset - PAGE), '← Before') : undefined,
      last < total ? to(last, 'Next →') : undefined,
      total > 0
        ? button(
            'Download all as CSV',
            () => void save(`${path}/export.csv`, trouble, `${pipeline}-${hour}-rejected.csv`),
          )
        : undefined,
    ),
    trouble,
    ...(rows.length === 0 ? [] : [tableOf({ columns, rows: rows.map(cells) }, 'Rejected rows')]),
  );
}

const columns = [
  { title: 'Line', numeric: true },
  { title: 'Why' },
  { title: 'Value' },
  { title: 'The row as it came' },
];

function cells({ line, column, rule, value, reason, raw }: RejectedRow): unknown[] {
  const why = reason ?? (column === undefined ? rule : `${column}: ${rule}`);
  return [line, why, mono(value ?? '–'), mono(raw)];
}

const mono = (text: string): HTMLElement => element('span', { class: 'raw' }, text);

/** By `fetch`, as a link could not send the token. */
async function save(path: string, trouble: HTMLElement, name: string): Promise<void> {
  try {
    const blob = await (await answer(path, {})).blob();
    const href = URL.createObjectURL(blob);
    element('a', { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
    trouble.replaceChildren();
    say('The rejected rows are downloaded.');
  } catch (error) {
    trouble.replaceChildren(failed(messageOf(error), () => void save(path, trouble, name)));
  }
}

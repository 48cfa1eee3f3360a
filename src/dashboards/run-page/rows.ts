import type { Equation, RowCounts } from '../../definition/refs.ts';
import { html, type Markup } from '../../formats/markup.ts';
import type { ReportOnPage } from './report-on-page.ts';
import { clipped, count, section, table } from './tables.ts';

type Counts = RowCounts & Partial<Pick<Equation['rows'], 'published' | 'landed' | 'indexed'>>;

interface Account {
  readonly dataset: string;
  readonly rows: Counts;
  /** Absent where the run was not brought so far that it could be said. */
  readonly holds?: boolean;
  readonly broken?: string;
}

const lines = [
  ['read', 'read'],
  ['= clean', 'clean'],
  ['+ duplicates', 'duplicates'],
  ['+ filtered', 'filtered'],
  ['+ rejected', 'rejected'],
  ['clean', 'clean'],
  ['= published', 'published'],
  ['= landed', 'landed'],
  ['= indexed', 'indexed'],
] as const;

/** The row equation of each data set; where the run did not come so far, what is known of its rows, and that it is no more. */
export function rowsSection(report: ReportOnPage): Markup {
  const { equations = [], clean } = report;
  const accounts: readonly Account[] =
    equations.length > 0
      ? equations
      : Object.entries(clean?.datasets ?? {}).map(([dataset, { rows }]) => ({ dataset, rows }));
  if (accounts.length === 0) return section('rows', 'Rows', html`<p>${nothingCounted(report)}</p>`);
  const broken = accounts.filter(({ holds }) => holds === false);
  const body = [
    ...lines.map(([title, member], at) => [title, ...accounts.map((account) => cell(account, member, at))]),
    ['equation', ...accounts.map(({ holds }) => verdict(holds))],
  ];
  return section(
    'rows',
    'Rows',
    ...broken.map(
      ({ dataset, broken: hop }) =>
        html`<p class="bad">
          <b>${dataset}: the equation does not hold.</b> ${clipped(hop ?? 'Which hop is not known.')}
        </p>`,
    ),
    ...(equations.length === 0 ? [html`<p>${notYetProved(report)}</p>`] : []),
    table(
      'What became of every row that was read, by data set',
      [{ title: 'rows' }, ...accounts.map(({ dataset }) => ({ title: dataset, numeric: true }))],
      body,
    ),
  );
}

function cell({ rows, holds }: Account, member: keyof Counts, line: number): Markup | string {
  const found = rows[member];
  if (found === undefined) return '–';
  const { read, clean, duplicates, filtered, rejected } = rows;
  const wrong = line === 0 ? read !== clean + duplicates + filtered + rejected : line > 5 && found !== clean;
  return holds === false && wrong ? html`<span class="bad">≠ ${count(found)}</span>` : count(found);
}

function verdict(holds: boolean | undefined): Markup {
  if (holds === undefined) return html`<span class="quiet">not proved</span>`;
  return holds ? html`<span class="good">✓ holds</span>` : html`<span class="bad">✗ does not hold</span>`;
}

function nothingCounted({ outcome, error, sameAs }: ReportOnPage): string {
  if (sameAs !== undefined) return `Nothing was published: file and definition are those of ${sameAs}.`;
  if (outcome === undefined) return 'No row has been cleaned yet: the run is on its way.';
  return `No row was cleaned: the run ended ${error === undefined ? 'before that' : `in ${error.stage}`}.`;
}

function notYetProved({ outcome, error }: ReportOnPage): string {
  if (outcome === undefined) return 'The equation is not proved yet: the run is on its way.';
  return `The equation was not proved: the run ended ${error === undefined ? 'before that' : `in ${error.stage}`}. These are the rows as they were cleaned.`;
}

/** Why rows were rejected; no row itself. */
export function rejectedSection({ clean, equations = [], pipeline, hour }: ReportOnPage): Markup | undefined {
  const found = Object.entries(clean?.rejectedBy ?? {}).toSorted(([, a], [, b]) => b - a);
  if (found.length === 0) return undefined;
  const main = equations.find(({ dataset }) => dataset === 'main')?.rows ?? clean?.datasets?.['main']?.rows;
  const all = found.reduce((sum, [, n]) => sum + n, 0);
  const shown = found.slice(0, MOST);
  const rows = shown.map(([what, n]) => [
    clipped(what, 200),
    count(n),
    main && main.read > 0 ? `${((n / main.read) * 100).toFixed(2)} %` : '',
    html`<span class="bar" style="width:${((n / all) * 100).toFixed(1)}%"></span>`,
  ]);
  const columns = [
    { title: 'column and rule' },
    { title: 'rows', numeric: true },
    { title: 'of those read', numeric: true },
    { title: 'share' },
  ];
  return section(
    'rejected',
    'Rejected rows',
    table('Rejected rows by reason', columns, rows),
    found.length > MOST ? html`<p>… and ${count(found.length - MOST)} more reasons.</p>` : '',
    html`<p class="quiet">
      The rows themselves: <code>sluice quarantine show ${pipeline} --hour ${hour.slice(0, 13)}</code>
    </p>`,
  );
}

const MOST = 50;

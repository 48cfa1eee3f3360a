import type { DuckDBConnection } from '@duckdb/node-api';
import type { OutputColumn } from '../../definition/columns.ts';
import type { StageContext } from '../deps.ts';
import { withDuckDb } from './duckdb/duckdb.ts';
import type { ColumnProfile } from './clean-report.ts';
import { duckdbDialect as sql } from './sql/duckdb-dialect.ts';

/** Up to so many rows different values are counted exactly; above, estimated (HyperLogLog, a few percent off). */
const COUNTED_ROWS = 1_000_000;
/** Sums of numbers with more digits may not fit into the 38 that there are. */
const SUMMED_DIGITS = 28;
const TOP = 10;
/** Of columns with no more different values than these, each is counted: the monitors miss one that is gone. */
const ALL = 30;
const BINS = 20;
const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95];

/** What the columns of a clean.csv hold. @param header Of the file; `columns` are those of it that are looked at. */
export async function profileColumns(
  path: string,
  header: readonly string[],
  columns: readonly OutputColumn[],
  rows: number,
  folder: string,
  context: StageContext,
): Promise<ColumnProfile[]> {
  if (rows === 0) return columns.map(({ name, type }) => ({ name, type, missing: 0, distinct: 0, top: [] }));
  return withDuckDb(folder, context, async (connection) => {
    const listed = header.map((name) => `${sql.text(name)}: 'VARCHAR'`).join(', ');
    const types = columns.map((column) => `${castSql(column)} AS ${sql.name(column.name)}`);
    await connection.run(`CREATE VIEW clean AS SELECT ${types.join(', ')} FROM read_csv(${sql.text(path)}, header = true, auto_detect = false,
      delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, strict_mode = true, columns = {${listed}})`);
    const profiles: ColumnProfile[] = [];
    for (const [at, column] of columns.entries()) {
      context.progress({ rows, note: `profile of column ${at + 1} of ${columns.length}` });
      profiles.push(await profileColumn(connection, column, rows));
    }
    return profiles;
  });
}

async function profileColumn(connection: DuckDBConnection, column: OutputColumn, rows: number): Promise<ColumnProfile> {
  const { name, type } = column;
  const value = sql.name(name);
  const numeric = type === 'integer' || type === 'decimal';
  const summed = (column.precision ?? 0) <= SUMMED_DIGITS;
  const exact = rows <= COUNTED_ROWS;
  const asked = [
    `count(*) - count(${value})`,
    exact ? `count(DISTINCT ${value})` : `approx_count_distinct(${value})`,
    `CAST(min(${value}) AS VARCHAR)`,
    `CAST(max(${value}) AS VARCHAR)`,
    // Not avg(): doubles added in another order give another last digit.
    ...(numeric
      ? [
          summed ? `CAST(sum(${value}) AS VARCHAR)` : 'NULL',
          `CAST(quantile_disc(${value}, [${QUANTILES.join(', ')}]) AS VARCHAR[])`,
        ]
      : []),
  ];
  const [facts = []] = (await connection.runAndReadAll(`SELECT ${asked.join(', ')} FROM clean`)).getRowsJS();
  const [missing, distinct, min, max, sum, quantiles] = facts;
  const top = (
    await connection.runAndReadAll(
      `SELECT CAST(${value} AS VARCHAR), count(*) FROM clean WHERE ${value} IS NOT NULL GROUP BY ${value} ORDER BY count(*) DESC, ${value} LIMIT ${Number(distinct) <= ALL ? ALL : TOP}`,
    )
  ).getRowsJS();
  const text = (found: unknown): string => (numeric ? trimmed(String(found)) : String(found));
  return {
    name,
    type,
    missing: Number(missing),
    distinct: Number(distinct),
    ...(exact ? {} : { distinctIsEstimate: true }),
    top: top.map(([found, times]) => ({ value: text(found).slice(0, 200), rows: Number(times) })),
    ...(min === null ? {} : { min: text(min).slice(0, 200), max: text(max).slice(0, 200) }),
    ...(numeric && min !== null
      ? {
          ...(sum === null ? {} : { mean: Number(sum) / (rows - Number(missing)) }),
          quantiles: Object.fromEntries(
            (quantiles as string[]).map((found, at) => [String(QUANTILES[at]), text(found)]),
          ),
          histogram: await histogram(connection, value, Number(min), Number(max)),
        }
      : {}),
  };
}

/** Rows in bins of equal width between the smallest and the largest value. */
async function histogram(
  connection: DuckDBConnection,
  value: string,
  min: number,
  max: number,
): Promise<{ from: number; to: number; rows: number }[]> {
  if (min === max) return [];
  const width = (max - min) / BINS;
  const bin = `least(${BINS - 1}, CAST(floor((CAST(${value} AS DOUBLE) - (${min})) / ${width}) AS INTEGER))`;
  const found = (
    await connection.runAndReadAll(`SELECT ${bin}, count(*) FROM clean WHERE ${value} IS NOT NULL GROUP BY 1`)
  ).getRowsJS();
  const rows = new Map(found.map(([at, times]) => [Number(at), Number(times)]));
  return Array.from({ length: BINS }, (_, at) => ({
    from: min + at * width,
    to: min + (at + 1) * width,
    rows: rows.get(at) ?? 0,
  }));
}

function castSql({ name, type, precision, scale }: OutputColumn): string {
  const value = sql.name(name);
  if (type === 'integer') return `CAST(${value} AS BIGINT)`;
  return type === 'decimal' ? `CAST(${value} AS DECIMAL(${precision ?? 38}, ${scale ?? 0}))` : value;
}

const trimmed = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

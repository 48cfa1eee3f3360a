import { join } from 'node:path';
import type { OutputColumn } from '../../definition/columns.ts';
import type { Aggregate } from '../../definition/cleaning.ts';
import { plainDigits } from '../../formats/decimal.ts';
import type { Stream } from '../../definition/streams.ts';
import type { StageContext } from '../deps.ts';
import { withDuckDb } from './duckdb/duckdb.ts';
import { duckdbDialect } from './sql/duckdb-dialect.ts';

const { text: sqlText, name: quoted } = duckdbDialect;

const MEAN_SCALE = 9;
/** Of whole numbers, half up, in steps that do not overflow. */
const ROUNDED_MEAN = `CREATE MACRO rounded_mean(total, parts, more) AS
  (total // parts) * more + (2 * (total % parts) * more + parts) // (2 * parts)`;

/**
 * Computes an aggregate of clean.csv with DuckDB, whichever engine cleaned: groups in order of their key, decimals exact,
 * means rounded half away from zero at their scale. @returns the path of the aggregate's own clean.csv
 */
export async function aggregateCleanCsv(
  cleanPath: string,
  main: Stream,
  aggregate: Aggregate,
  of: Stream,
  folder: string,
  context: StageContext,
): Promise<string> {
  // Not by its bare name: what is cleaned stands in clean.csv, derived.csv or unseen.csv of the same folder.
  const path = join(folder, `aggregate-${aggregate.name}.csv`);
  const types = new Map(main.clean.map((column) => [column.name, column]));
  const target = new Map(of.clean.map((column) => [column.name, column]));
  const identity = main.key.length === 0 ? { _file: 'VARCHAR', _row: 'VARCHAR' } : {};
  const columns = { ...identity, ...Object.fromEntries(main.clean.map(({ name }) => [name, 'VARCHAR'])) };
  const listed = Object.entries(columns).map(([name, type]) => `${sqlText(name)}: ${sqlText(type)}`);
  const measures = Object.entries(aggregate.measures).map(([name, measure]) => {
    const column = target.get(name);
    return `${column ? canonical(column, valueSql(measure, types)) : 'NULL'} AS ${quoted(name)}`;
  });
  const keys = aggregate.groupBy.map(quoted);
  await withDuckDb(folder, context, async (connection) => {
    await connection.run(ROUNDED_MEAN);
    await connection.run(`COPY (
      SELECT ${[...keys, ...measures].join(', ')}
      FROM read_csv(${sqlText(cleanPath)}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"',
        nullstr = '', allow_quoted_nulls = false, strict_mode = true, columns = {${listed.join(', ')}})
      GROUP BY ${keys.join(', ')} ORDER BY ${keys.join(', ')}
    ) TO ${sqlText(path)} (FORMAT csv, HEADER, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`);
  });
  return path;
}

function valueSql(measure: Aggregate['measures'][string], types: ReadonlyMap<string, OutputColumn>): string {
  if ('count' in measure) return 'count(*)';
  const [rule, name] = Object.entries(measure)[0] ?? [];
  const column = types.get(String(name));
  const value = column === undefined ? quoted(String(name)) : castSql(column);
  const count = `count(${value})`;
  const sorted = `list_sort(list(${value}) FILTER (${quoted(String(name))} IS NOT NULL))`;
  switch (rule) {
    case 'distinct':
      return `count(DISTINCT ${quoted(String(name))})`;
    case 'mean': {
      const scale = column?.type === 'decimal' ? (column.scale ?? 0) : 0;
      const total = `CAST(replace(CAST(sum(${value}) AS VARCHAR), '.', '') AS HUGEINT)`;
      const [more, less] = [Math.max(MEAN_SCALE - scale, 0), Math.max(scale - MEAN_SCALE, 0)];
      const rounded = `rounded_mean(abs(${total}), ${count} * ${10n ** BigInt(less)}, ${10n ** BigInt(more)})`;
      // Not by a division: DuckDB's own of decimals is done in doubles.
      const exact = `CAST(sign(${total}) * ${rounded} AS DECIMAL(38, 0)) * CAST('0.000000001' AS DECIMAL(9, 9))`;
      return `CASE WHEN ${count} > 0 THEN ${exact} END`;
    }
    case 'median': {
      // The two in the middle, one of them twice where there is only one; exact, as half of a whole number has one digit.
      const middle = (of: string): string => `CAST(${sorted}[${of}] AS DECIMAL(37, ${column?.scale ?? 0}))`;
      const sum = `(${middle(`(${count} + 1) // 2`)} + ${middle(`${count} // 2 + 1`)})`;
      return `CAST(${sum} AS DECIMAL(37, ${column?.scale ?? 0})) * CAST('0.5' AS DECIMAL(1, 1))`;
    }
    case 'quantile': {
      const share = 'at' in measure ? plainDigits(measure.at) : '1';
      return `${sorted}[CAST(ceil(CAST('${share}' AS DECIMAL(18, 17)) * ${count}) AS BIGINT)]`;
    }
    default:
      return `${rule}(${value})`;
  }
}

function castSql(column: OutputColumn): string {
  const name = quoted(column.name);
  if (column.type === 'integer') return `CAST(${name} AS HUGEINT)`;
  if (column.type === 'decimal') return `CAST(${name} AS DECIMAL(${column.precision ?? 38}, ${column.scale ?? 0}))`;
  return name;
}

/** Canonical text: decimals without superfluous zeros. */
function canonical(column: OutputColumn, value: string): string {
  // A sum may be too large for the 64 bits that it has everywhere else; better told here than by the consumer.
  if (column.type === 'integer') return `CAST(CAST(${value} AS BIGINT) AS VARCHAR)`;
  if (column.type !== 'decimal') return `CAST(${value} AS VARCHAR)`;
  const exact = `CAST(CAST(${value} AS DECIMAL(38, ${column.scale ?? 9})) AS VARCHAR)`;
  return `regexp_replace(regexp_replace(${exact}, '(\\.\\d*?)0+$', '\\1'), '\\.$', '')`;
}

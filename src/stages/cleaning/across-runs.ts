import { join } from 'node:path';
import { duckdbDialect as sql } from './sql/duckdb-dialect.ts';
import type { CleanJob } from './engine.ts';
import { withDuckDb } from './duckdb/duckdb.ts';

/**
 * Takes the rows out whose key stands in a clean.csv of an earlier hour. What is left keeps its order.
 * @param cleanPath A clean.csv that begins with `_row`.
 * @param earlier Paths of the earlier ones. One without a column of the key, as an older definition had it, holds no such key.
 * @param keepRow Whether what is left begins with `_row` too.
 * @returns the path of what is left
 */
export async function dropSeenKeys(
  { folder, context }: Pick<CleanJob, 'folder' | 'context'>,
  key: readonly string[],
  cleanPath: string,
  earlier: readonly string[],
  keepRow: boolean,
): Promise<{ path: string; rows: number }> {
  const path = join(folder, 'unseen.csv');
  const csv = (paths: readonly string[]): string =>
    `read_csv([${paths.map((one) => sql.text(one)).join(', ')}], header = true, all_varchar = true, union_by_name = true, auto_detect = false,
      delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, strict_mode = true)`;
  return withDuckDb(folder, context, async (connection) => {
    const columns = async (of: string): Promise<string[]> =>
      (await connection.runAndReadAll(`SELECT column_name FROM (DESCRIBE SELECT * FROM ${csv([of])})`))
        .getRowsJS()
        .map(([name]) => name as string);
    const comparable: string[] = [];
    for (const one of earlier) {
      const names = await columns(one);
      if (key.every((name) => names.includes(name))) comparable.push(one);
    }
    const same = key.map((name) => `seen.${sql.name(name)} = now.${sql.name(name)}`).join(' AND ');
    const unseen =
      comparable.length === 0 ? '' : `WHERE NOT EXISTS (SELECT 1 FROM ${csv(comparable)} AS seen WHERE ${same})`;
    const { rowsChanged } = await connection.run(`COPY (
      SELECT ${keepRow ? '*' : '* EXCLUDE (_row)'} FROM ${csv([cleanPath])} AS now ${unseen} ORDER BY CAST(_row AS BIGINT)
    ) TO ${sql.text(path)} (FORMAT csv, HEADER, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '')`);
    return { path, rows: rowsChanged };
  });
}

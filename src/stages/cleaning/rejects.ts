import type { DuckDBConnection } from '@duckdb/node-api';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { csvLine } from '../../formats/csv-writer.ts';
import type { CleanJob } from './engine.ts';
import { withDuckDb } from './duckdb/duckdb.ts';
import type { CleanRules, RejectRule } from './rules.ts';
import { duckdbDialect as sql } from './sql/duckdb-dialect.ts';

/** A row that cleaning rejected, as it stands in `rejects.ndjson`. */
export interface RuleReject {
  /** sha256 of the file; with `#n` behind it for the nth time of the same bytes. */
  readonly file: string;
  readonly row: number;
  readonly line: number;
  readonly byteOffset: number;
  /** The clean or derived column that broke its rule; of a column that nobody declared the name in the file. */
  readonly column: string;
  readonly rule: RejectRule;
  /** The text of that column as it stands in the file, or the file's name; empty for a derived one. */
  readonly value: string;
  /** The whole row as CSV; quotes may stand otherwise than in the file. */
  readonly raw: string;
}

/**
 * Appends what is to be known of each rejected row to a file, and counts them by `column rule`. One way for all engines:
 * they name the rows, and the rest stands in the parsed object.
 * @param derived Names of derived columns: their rejects go on counting behind columns and strangers.
 * @param rejectsPath An engine's rejects: `row,at,rule` lines.
 * @param to Lines of {@link RuleReject} are appended here.
 */
export async function describeRejects(
  { rules, parts, files, folder, context }: CleanJob,
  derived: readonly string[],
  rejectsPath: string,
  to: string,
): Promise<Record<string, number>> {
  const output = createWriteStream(to, { flags: 'a' });
  const done = finished(output);
  const rejectedBy: Record<string, number> = {};
  if ((await stat(rejectsPath)).size > 0) {
    const local = await parts.local();
    await withDuckDb(folder, context, async (connection) => {
      for await (const reject of rowsOf(connection, rules, local, rejectsPath)) {
        const { file, at, cells, ...rest } = reject;
        const own = rules.columns[at];
        const stranger = rules.strangers[at - rules.columns.length];
        const column = own?.name ?? stranger?.name ?? derived[at - rules.columns.length - rules.strangers.length] ?? '';
        const position = own?.position ?? stranger?.position ?? -1;
        const counted = `${column} ${rest.rule}`;
        rejectedBy[counted] = (rejectedBy[counted] ?? 0) + 1;
        const line: RuleReject = {
          file: files[file] ?? '',
          row: rest.row,
          line: rest.line,
          byteOffset: rest.byteOffset,
          column,
          rule: rest.rule,
          value: cells[position] ?? '',
          // Nothing where a cell is empty: that is how it mostly stands in a file.
          raw: csvLine(cells.slice(0, rules.own).map((cell) => (cell === '' ? null : cell))),
        };
        if (!output.write(`${JSON.stringify(line)}\n`)) await once(output, 'drain');
      }
    });
  }
  output.end();
  await done;
  return rejectedBy;
}

interface Found {
  readonly file: number;
  readonly row: number;
  readonly line: number;
  readonly byteOffset: number;
  readonly at: number;
  readonly rule: RejectRule;
  readonly cells: readonly (string | null)[];
}

async function* rowsOf(
  connection: DuckDBConnection,
  { width }: CleanRules,
  parts: readonly string[],
  rejectsPath: string,
): AsyncGenerator<Found> {
  const names = Array.from({ length: width }, (_, at) => `c${at}`);
  const parsed = `read_parquet([${parts.map((part) => sql.text(part)).join(', ')}]) AS parsed(${[...names, '_file', '_row', '_line', '_offset'].join(', ')})`;
  const rejects = `read_csv(${sql.text(rejectsPath)}, header = false, columns = {'row': 'BIGINT', 'at': 'INTEGER', 'rule': 'VARCHAR'})`;
  const rows = await connection.stream(
    // As hex: the library takes U+FEFF off the beginning of a text.
    `SELECT _file, _row, _line, _offset, r.at, r.rule, ${names.map((name) => `hex(${name})`).join(', ')}
      FROM ${rejects} AS r JOIN ${parsed} ON _row = r.row ORDER BY _row`,
  );
  for await (const chunk of rows.yieldRowsJs()) {
    for (const [file, row, line, offset, at, rule, ...cells] of chunk) {
      const [byteOffset, number] = [Number(offset), Number(row)];
      const texts = cells.map((cell) => (cell === null ? null : Buffer.from(cell as string, 'hex').toString()));
      yield {
        file: Number(file),
        row: number,
        line: Number(line),
        byteOffset,
        at: Number(at),
        rule: rule as RejectRule,
        cells: texts,
      };
    }
  }
}

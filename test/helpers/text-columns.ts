import { TextColumns } from '../../src/formats/text-columns.ts';

import type { TextColumn } from '../../src/formats/parquet.ts';

/** Columns that stand in the file as they do in the table. */
export const named = (names: readonly string[]): TextColumn[] => names.map((name, position) => ({ name, position }));

/** Rows as the parser would have written them: row n on line n + 1, at byte 10 n. */
export function textColumns(width: number, rows: readonly (readonly string[])[]): TextColumns {
  const cells = new TextColumns(width);
  for (const [at, row] of rows.entries()) {
    for (let column = 0; column < width; column++) {
      const bytes = Buffer.from(row[column] ?? '');
      cells.write(column, bytes, 0, bytes.length);
      cells.close(column, false);
    }
    cells.commit(at + 1, at + 1, (at + 1) * 10, width, 10);
  }
  return cells;
}

import { TextColumns } from '../../src/formats/text-columns.ts';

import type { TextColumn } from '../../src/formats/parquet.ts';

/** Columns that stand in the file as they do in the table. */
export const named = (names: readonly string[]): TextColumn[] => names.map((name, position) => ({ name, position }));

/** Rows as the parser would have written them: row n on line n, at byte 10 n. @param before How many rows there are before them. */
export function textColumns(width: number, rows: readonly (readonly string[])[], before = 0): TextColumns {
  const cells = new TextColumns(width);
  for (const [at, texts] of rows.entries()) {
    for (let column = 0; column < width; column++) {
      const bytes = Buffer.from(texts[column] ?? '');
      cells.write(column, bytes, 0, bytes.length);
      cells.close(column, false);
    }
    const row = before + at + 1;
    cells.commit(row, row, row * 10, width, 10);
  }
  return cells;
}

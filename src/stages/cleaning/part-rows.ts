import { writeFile } from 'node:fs/promises';
import { textReader } from '../../formats/arrow-columns.ts';
import { arrowBatches, encodeTextParquet } from '../../formats/parquet.ts';
import { TextColumns } from '../../formats/text-columns.ts';

/** One row of a parsed object. */
export interface PartRow {
  readonly file: number;
  readonly row: number;
  readonly line: number;
  readonly byteOffset: number;
  readonly cells: readonly string[];
}

/** The rows of a part. @param width Columns before `_file, _row, _line, _offset`. @throws SluiceError `ObjectCorrupt` */
export function* readPart(bytes: Uint8Array, width: number): Generator<PartRow> {
  for (const batch of arrowBatches(bytes)) {
    const cells = Array.from({ length: width }, (_, at) => {
      const column = batch.getChildAt(at);
      return column ? textReader(column) : () => null;
    });
    const origins = [0, 1, 2, 3].map((place) => batch.getChildAt(width + place));
    for (let at = 0; at < batch.numRows; at += 1) {
      const [file = 0, row = 0, line = 0, byteOffset = 0] = origins.map((column) => Number(column?.get(at)));
      yield { file, row, line, byteOffset, cells: cells.map((read) => read(at) ?? '') };
    }
  }
}

/**
 * Writes rows as parts like those of the import, one for each file that they are of: an engine that reads several parts
 * looks for the same columns in all of them.
 * @param path Of the parts, without what tells them apart.
 * @returns their paths
 */
export async function writeParts(header: readonly string[], rows: readonly PartRow[], path: string): Promise<string[]> {
  const columns = header.map((name, position) => ({ name, position }));
  const paths: string[] = [];
  for (const [file, own] of Map.groupBy(rows, (row) => row.file)) {
    const cells = new TextColumns(header.length);
    for (const { row, line, byteOffset, cells: texts } of own.toSorted((a, b) => a.row - b.row)) {
      for (const [at, text] of texts.entries()) {
        const bytes = Buffer.from(text);
        cells.write(at, bytes, 0, bytes.length);
        cells.close(at, false);
      }
      cells.commit(row, line, byteOffset, header.length, 0);
    }
    const part = `${path}-${file}.parquet`;
    await writeFile(part, encodeTextParquet(columns, cells, file));
    paths.push(part);
  }
  return paths;
}

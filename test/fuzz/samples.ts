import { gzipSync, zstdCompressSync } from 'node:zlib';

const rows = Array.from({ length: 40 }, (_, n) => [
  String(n),
  `name ${n}`,
  n % 7 === 0 ? 'a "quoted", text\nin two lines' : `é${n}`,
  `${n}.5`,
]);
const line = (cells: readonly string[], delimiter: string, eol: string): string =>
  cells.map((cell) => (/["\n,;\t|]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter) + eol;
const text = (delimiter: string, eol: string): string =>
  [['id', 'name', 'remark', 'value'], ...rows].map((cells) => line(cells, delimiter, eol)).join('');

/** Valid files of several dialects and encodings. */
export function samples(): Buffer[] {
  return [
    Buffer.from(text(',', '\n')),
    Buffer.from(`\uFEFF${text(',', '\r\n')}`),
    Buffer.from(text(';', '\r\n'), 'latin1'),
    Buffer.from(text('\t', '\r')),
    Buffer.from(text('|', '\n')),
    Buffer.from(`\uFEFF${text(',', '\r\n')}`, 'utf16le'),
    Buffer.from(`\uFEFF${text('\t', '\n')}`, 'utf16le').swap16(),
    Buffer.from(`A title,,,\nA note,,,\n\n${text(',', '\n')}`),
    Buffer.from(`# a comment\n${text(',', '\n')}`),
  ];
}

export const gzip = (bytes: Buffer): Buffer => gzipSync(bytes);
export const zstd = (bytes: Buffer): Buffer => zstdCompressSync(bytes);

/** `a,b\n1,2\n3,4\n` as bzip2 writes it: Node cannot. */
export const bzip2 = Buffer.from(
  '425a6839314159265359030c1f1b0000055900001000043c0030002000221ea18843022734e3801e2ee48a70a12006183e36',
  'hex',
);

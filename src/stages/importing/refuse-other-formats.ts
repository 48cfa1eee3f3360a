import { SluiceError } from '../../definition/errors.ts';
import { sniffEncoding } from '../../formats/sniff-encoding.ts';
import { bytesDecoder } from '../../formats/text-decoder.ts';
import { rawAddressOf } from './raw-address.ts';

/** How many bytes {@link refuseOtherFormats} looks at. */
export const SNIFF_BYTES = 4_096;

const MAGIC: readonly (readonly [string, Buffer])[] = [
  ['a PDF', Buffer.from('%PDF')],
  ['Parquet', Buffer.from('PAR1')],
  ['an old spreadsheet', Buffer.from([0xd0, 0xcf, 0x11, 0xe0])],
  ['a 7z archive', Buffer.from([0x37, 0x7a, 0xbc, 0xaf])],
  ['a RAR archive', Buffer.from('Rar!')],
  ['xz (gzip, zstd, bzip2 and zip can be read)', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ['a PNG picture', Buffer.from([0x89, 0x50, 0x4e, 0x47])],
  ['a JPEG picture', Buffer.from([0xff, 0xd8, 0xff])],
  ['a SQLite database', Buffer.from('SQLite format 3\u0000')],
];

/**
 * Refuses a file whose first bytes are those of something that is no CSV.
 * @param head The first {@link SNIFF_BYTES} bytes without compression, or all there are.
 * @param where For sentences.
 * @param url Where it came from, for the likely fix.
 * @throws SluiceError `SourceEmpty`, `SourceNotCsv`
 */
export function refuseOtherFormats(head: Buffer, where: string, url: URL | undefined): void {
  const first = head.subarray(0, SNIFF_BYTES);
  for (const [name, magic] of MAGIC) {
    if (first.subarray(0, magic.length).equals(magic)) {
      throw new SluiceError('SourceNotCsv', `${where} is ${name}, not CSV: give the address of the CSV itself.`);
    }
  }
  const { encoding, bom } = sniffEncoding(first, false);
  const text = bytesDecoder(encoding, bom).push(
    Buffer.concat([first.subarray(bom), Buffer.from([10, 0, 10, 0])]),
  ).bytes;
  const start = text.toString().trimStart();
  if (first.length === 0 || (start.replaceAll('\0', '').trim() === '' && first.length < SNIFF_BYTES)) {
    throw new SluiceError('SourceEmpty', `${where} is empty (${first.length} bytes, none of them a character).`);
  }
  if (/^<(?:!doctype|html|head|body|script|\?xml|!--|[a-z]+[\s>])/i.test(start)) {
    const title = /<title[^>]*>([^<]{1,80})/i.exec(start)?.[1]?.trim().replaceAll(/\s+/g, ' ');
    const seen = `${/^<\?xml/i.test(start) ? 'XML' : 'an HTML page'}${title ? ` ("${title}")` : ''}`;
    throw new SluiceError('SourceNotCsv', `${where} is ${seen}, not CSV: ${fixFor(url)}.`);
  }
  if (/^(?:\{\s*["}]|\[\s*[{["\]])/.test(start)) {
    const begins = start.slice(0, 60).replaceAll(/\s+/g, ' ');
    throw new SluiceError(
      'SourceNotCsv',
      `${where} is JSON (it begins with ${begins}), not CSV: give the address of the CSV itself, or set source.answer.format to json.`,
    );
  }
  if (start.startsWith('version https://git-lfs.github.com/spec/')) {
    throw new SluiceError(
      'SourceNotCsv',
      `${where} is a Git LFS pointer, not the CSV it stands for: use the media address.`,
    );
  }
  const controls = Array.from(first).filter((byte) => byte < 32 && byte !== 9 && byte !== 10 && byte !== 13).length;
  if (!encoding.startsWith('utf-16') && controls > first.length / 10) {
    throw new SluiceError('SourceNotCsv', `${where} is binary, not text: give the address of the CSV itself.`);
  }
}

function fixFor(url: URL | undefined): string {
  const raw = url && rawAddressOf(url);
  return raw === undefined
    ? 'give the address that the download button uses, or sign-in may be needed'
    : `this is the page about the file; the file itself is at ${raw}`;
}

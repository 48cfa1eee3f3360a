import { SluiceError } from '../../definition/errors.ts';
import { rawAddressOf, shownAddress } from './address.ts';

/** How many bytes {@link refuseOtherFormats} looks at. */
export const SNIFF_BYTES = 4_096;

const MAGIC: readonly (readonly [string, Buffer])[] = [
  ['a zip archive or a spreadsheet', Buffer.from('PK\u0003\u0004')],
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['bzip2', Buffer.from('BZh')],
  ['a PDF', Buffer.from('%PDF')],
  ['Parquet', Buffer.from('PAR1')],
  ['an old spreadsheet', Buffer.from([0xd0, 0xcf, 0x11, 0xe0])],
];

/**
 * Refuses a file whose first bytes are those of something that is no CSV.
 * @param head The first {@link SNIFF_BYTES} bytes, or all there are.
 * @throws SluiceError `SourceEmpty`, `SourceNotCsv`, `SourceMalformed`
 */
export function refuseOtherFormats(head: Buffer, url: URL): void {
  const where = shownAddress(url);
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text === '')
    throw new SluiceError('SourceEmpty', `${where} is empty (${head.length} bytes, none of them a character).`);
  for (const [name, magic] of MAGIC) {
    if (head.subarray(0, magic.length).equals(magic)) {
      throw new SluiceError('SourceNotCsv', `${where} is ${name}, not CSV: give the address of the CSV itself.`);
    }
  }
  if (head.subarray(0, 2).equals(Buffer.from([0xff, 0xfe])) || head.subarray(0, 2).equals(Buffer.from([0xfe, 0xff]))) {
    throw new SluiceError('SourceMalformed', `${where} is UTF-16 (its first bytes say so); publish it as UTF-8.`);
  }
  const nul = head.indexOf(0);
  if (nul !== -1) {
    throw new SluiceError('SourceMalformed', `${where} holds a NUL byte at byte ${nul}: it is not UTF-8 text.`);
  }
  if (/^<(?:!doctype|html|head|body|script|\?xml|!--|[a-z]+[\s>])/i.test(text)) {
    const title = /<title[^>]*>([^<]{1,80})/i.exec(text)?.[1]?.trim().replaceAll(/\s+/g, ' ');
    const seen = `${/^<\?xml/i.test(text) ? 'XML' : 'an HTML page'}${title ? ` ("${title}")` : ''}`;
    throw new SluiceError('SourceNotCsv', `${where} is ${seen}, not CSV: ${fixFor(url)}.`);
  }
  if (/^(?:\{\s*["}]|\[\s*[{["\]])/.test(text)) {
    const start = text.slice(0, 60).replaceAll(/\s+/g, ' ');
    throw new SluiceError(
      'SourceNotCsv',
      `${where} is JSON (it begins with ${start}), not CSV: give the address of the CSV itself.`,
    );
  }
  if (text.startsWith('version https://git-lfs.github.com/spec/')) {
    throw new SluiceError(
      'SourceNotCsv',
      `${where} is a Git LFS pointer, not the CSV it stands for: use the media address.`,
    );
  }
}

function fixFor(url: URL): string {
  const raw = rawAddressOf(url);
  return raw === undefined
    ? 'give the address that the download button uses, or sign-in may be needed'
    : `this is the page about the file; the file itself is at ${raw}`;
}

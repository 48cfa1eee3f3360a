import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { SluiceError, sentenceOf } from '../definition/errors.ts';
import { ExpansionMeter, type ExpansionLimits } from './decompress.ts';

/**
 * The one member of a zip file, its checksum compared. Folders and what macOS puts beside files do not count.
 * @param path The file; zip is read from its end, so it cannot be read as it comes.
 * @throws SluiceError `SourceNotCsv` where it has none or several, `SourceMalformed`, `SourceTooLarge`
 */
export async function* zipMember(path: string, limits: ExpansionLimits, where: string): AsyncGenerator<Buffer> {
  let zip: ZipFile;
  try {
    zip = await openPromise(path, { autoClose: false, lazyEntries: true });
  } catch (error) {
    throw broken(where, error);
  }
  try {
    const entry = await onlyEntry(zip, where);
    if (entry.isEncrypted()) {
      throw new SluiceError('SourceNotCsv', `${where} is a zip with a password: publish it without one.`);
    }
    const meter = new ExpansionMeter(limits, where);
    meter.takeIn(entry.compressedSize);
    let sum = 0;
    const stream = (await zip.openReadStreamPromise(entry)) as Readable;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      meter.giveOut(chunk.length);
      sum = crc32(chunk, sum);
      yield chunk;
    }
    if (sum !== entry.crc32) throw new Error(`the checksum of ${entry.fileName} is wrong`);
  } catch (error) {
    throw error instanceof SluiceError ? error : broken(where, error);
  } finally {
    zip.close();
  }
}

async function onlyEntry(zip: ZipFile, where: string): Promise<Entry> {
  const entries: Entry[] = [];
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/') || entry.fileName.startsWith('__MACOSX/')) continue;
    if (/^(?:\[Content_Types\]\.xml|xl\/workbook\.(?:xml|bin)|mimetype)$/.test(entry.fileName)) {
      throw new SluiceError('SourceNotCsv', `${where} is a spreadsheet, not CSV: export it as CSV.`);
    }
    entries.push(entry);
    if (entries.length > 20) break;
  }
  const [entry] = entries;
  if (entry && entries.length === 1) return entry;
  const names = entries.slice(0, 3).map(({ fileName }) => `"${fileName}"`);
  const found =
    entries.length === 0
      ? 'no file'
      : `${entries.length > 20 ? 'more than 20' : entries.length} files (${names.join(', ')} …)`;
  throw new SluiceError('SourceNotCsv', `${where} is a zip with ${found}; one is needed: publish each by itself.`);
}

function broken(where: string, error: unknown): SluiceError {
  return new SluiceError('SourceMalformed', `${where} is a zip, and broken or cut: ${sentenceOf(error)}.`, {
    cause: error,
  });
}

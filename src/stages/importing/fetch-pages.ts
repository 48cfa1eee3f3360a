import { createHash } from 'node:crypto';
import { SluiceError } from '../../definition/errors.ts';
import type { RawFile } from '../../definition/refs.ts';
import type { Source } from '../../definition/source.ts';
import { parseJson, rowsOf, textOf, valueAt } from '../../formats/json-table.ts';
import { nameOf, openSource, type FileFetch } from './fetch-file.ts';
import { PAGE_BYTES } from './json-pages.ts';
import { RawWriter } from './raw-writer.ts';
import { refuseOtherFormats } from './refuse-other-formats.ts';

interface Page {
  readonly url: URL;
  readonly query: Readonly<Record<string, string>>;
}

/**
 * Fetches an answer that comes in pages. Pages of JSON become one file; pages of CSV a file each, since each has a header.
 * An attempt that fails begins with the first page again: pages may have shifted.
 * @throws SluiceError `Source…`; `SourceMalformed` where the same page or cursor comes again
 */
export async function fetchPages(input: FileFetch): Promise<RawFile[]> {
  const { deps, pipeline, session, context, at, url, name } = input;
  const { source } = pipeline;
  const { limits } = source;
  const json = source.answer.format === 'json';
  const seen = new Set<string>();
  const files: RawFile[] = [];
  const lengths: number[] = [];
  const writerOf = (file: number): RawWriter =>
    new RawWriter(deps.store, pipeline.name, session.partsPrefix(file), () => {});
  let writer = writerOf(at);
  let page: Page | undefined = firstPage(source, url);
  for (let n = 1; page !== undefined; n++) {
    if (n > limits.pages) {
      throw new SluiceError('SourceTooLarge', `${name} has more than ${limits.pages} pages (source.limits.pages).`);
    }
    const opened = await openSource({
      url: page.url,
      source,
      settings: deps.settings,
      signal: context.signal,
      extra: { headers: input.extra?.headers ?? {}, query: page.query },
    });
    const body = await whole(opened.bytes, name, n);
    const { rows, next } = read(source, body, `${name}, page ${n}`, opened.next, page, url);
    if (rows === 0 && n > 1) break;
    const sha256 = createHash('sha256').update(body).digest('hex');
    if (rows > 0 && seen.has(sha256)) {
      throw new SluiceError(
        'SourceMalformed',
        `${name}: page ${n} is one that came before, so the pages have no end; correct source.paging.`,
      );
    }
    seen.add(sha256);
    await writer.write(body);
    lengths.push(body.length);
    session.progress(writer.bytes, `fetched page ${n}`);
    if (!json) {
      if (files.length >= limits.files) {
        throw new SluiceError(
          'SourceTooLarge',
          `${name} has more than ${limits.files} pages of CSV (source.limits.files).`,
        );
      }
      files.push({ name: `${name}, page ${n}`, raw: await writer.finish() });
      writer = writerOf(at + n);
    }
    page = next;
  }
  return json ? [{ name, raw: await writer.finish(), pages: lengths }] : files;
}

function firstPage({ paging }: Source, url: URL): Page {
  return { url, query: paging?.kind === 'page' ? { [paging.parameter]: String(paging.first) } : {} };
}

function read(
  source: Source,
  body: Buffer,
  where: string,
  link: URL | undefined,
  page: Page,
  first: URL,
): { rows: number; next: Page | undefined } {
  const { paging, answer, format } = source;
  const parsed = answer.format === 'json' ? parseJson(body, where) : undefined;
  if (answer.format === 'csv') refuseOtherFormats(body, where, page.url);
  const rows = answer.format === 'json' ? rowsOf(parsed, answer.rows, where).length : linesIn(body) - format.headerRows;
  if (paging?.kind === 'link') return { rows, next: link && { url: ofSameHost(link, first, where), query: {} } };
  if (paging?.kind === 'cursor') {
    const cursor = textOf(valueAt(parsed, paging.field));
    if (cursor === undefined || cursor === '') return { rows, next: undefined };
    if (/^https?:\/\//.test(cursor))
      return { rows, next: { url: ofSameHost(new URL(cursor), first, where), query: {} } };
    if (page.query[paging.parameter] === cursor) {
      throw new SluiceError(
        'SourceMalformed',
        `${where} gives its own cursor as the next one, so the pages have no end; correct source.paging.`,
      );
    }
    return { rows, next: { url: first, query: { [paging.parameter]: cursor } } };
  }
  if (paging?.kind === 'page') {
    const number = Number(page.query[paging.parameter]) + 1;
    return { rows, next: rows > 0 ? { url: first, query: { [paging.parameter]: String(number) } } : undefined };
  }
  return { rows, next: undefined };
}

function ofSameHost(next: URL, first: URL, where: string): URL {
  if (next.origin === first.origin) return next;
  throw new SluiceError(
    'SourceAddressRefused',
    `${where} names a next page at ${nameOf(new URL(next.origin))}, another host than its own.`,
  );
}

const linesIn = (body: Buffer): number =>
  body
    .toString('latin1')
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '').length;

async function whole(bytes: AsyncIterable<Buffer>, name: string, n: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > PAGE_BYTES) {
      throw new SluiceError(
        'SourceTooLarge',
        `${name}, page ${n} has more than ${PAGE_BYTES} bytes: ask for smaller pages.`,
      );
    }
  }
  return Buffer.concat(chunks);
}

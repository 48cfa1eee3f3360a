import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { createGzip, gzipSync, zstdCompressSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SluiceError } from '../../src/definition/errors.ts';
import type { DeclaredFormat } from '../../src/definition/format.ts';
import { parseDefinition } from '../../src/definition/parse.ts';
import { columnNames, definitionText, pipelineName } from '../../src/inspecting/definition-text.ts';
import { bzip2, samples } from '../fuzz/samples.ts';
import { runSluice } from '../helpers/cli.ts';
import { look } from '../helpers/inspecting.ts';
import { mutate, seeded } from '../helpers/mutate.ts';

const data = join(import.meta.dirname, '..', '..', 'pipelines', 'data');
const spectrum = dirname(createRequire(import.meta.url).resolve('csv-spectrum'));
const bytes = (text: string) => Buffer.from(text);

describe('csv-spectrum', () => {
  test.each(readdirSync(join(spectrum, 'csvs')))('%s is what its JSON says', async (file) => {
    const json = readFileSync(join(spectrum, 'json', file.replace('.csv', '.json')), 'utf8');
    // One of them is an object, and its telephone number was made up for the JSON alone.
    const expected = [JSON.parse(json.replace('1234567890', '2095257564')) as object].flat();
    const { header, texts } = await look(readFileSync(join(spectrum, 'csvs', file)));
    expect(texts.map((row) => Object.fromEntries(row.map((text, at) => [header[at] ?? '', text])))).toEqual(expected);
  });
});

describe('real files', () => {
  test.each([
    ['broadband_data_zipcode.csv', 32_735, 'ST', 0, [['COUNTY ID', 'POSTAL CODE']]],
    ['broadband_data_2019November.csv', 3_143, 'ST', 0, [['COUNTY ID']]],
    ['broadband_data_2020October.csv', 3_142, 'ST', 0, [['COUNTY ID']]],
    ['broadband_data_2020October_with_title_rows_44bb4ab.csv', 3_142, 'ST', 18, [['COUNTY ID']]],
  ])('%s', async (file, rows, first, preamble, keys) => {
    const found = await look(readFileSync(join(data, file)));
    expect(found.rows).toEqual({ read: rows, parsed: rows, rejected: 0 });
    expect(found.header[0]).toBe(first);
    expect(found.format.skipRows).toBe(preamble);
    expect(found.keys).toEqual(keys);
    const usage = found.columns.find(({ source }) => source === 'BROADBAND USAGE');
    expect(usage?.type).toBe('decimal');
    expect(found.columns[0]?.type).toBe('string');
  });

  test('its words for nothing are proposed, and codes are no numbers', async () => {
    const { columns } = await look(readFileSync(join(data, 'broadband_data_2019November.csv')));
    expect(columns.at(-1)).toMatchObject({ type: 'decimal', missing: ['', '-'], missingCount: 9 });
    const zips = await look(readFileSync(join(data, 'broadband_data_zipcode.csv')));
    expect(zips.columns[3]).toMatchObject({ source: 'POSTAL CODE', type: 'string', remark: 'a code by its name' });
  });
});

/** What so many blocks become, without ever holding them all. */
async function createGzipOf(times: number, block: Buffer): Promise<Buffer[]> {
  const blocks = function* (): Generator<Buffer> {
    for (let n = 0; n < times; n++) yield block;
  };
  return (await Readable.from(blocks()).pipe(createGzip()).toArray()) as Buffer[];
}

describe('what a file may be', () => {
  const swap = (text: string) => Buffer.from(text, 'utf16le').swap16();
  test.each<[string, Buffer, object, string[], string[][]]>([
    [
      'windows-1252 with semicolons',
      Buffer.from('Name;Größe\r\nÄpfel;1,5\r\nNüsse;2,25\r\n', 'latin1'),
      { encoding: 'windows-1252', dialect: { delimiter: ';' } },
      ['Name', 'Größe'],
      [
        ['Äpfel', '1,5'],
        ['Nüsse', '2,25'],
      ],
    ],
    [
      'macintosh with CR',
      Buffer.concat([bytes('name,city\rJos'), Buffer.from([0x8e]), bytes(',K'), Buffer.from([0x9a]), bytes('ln\r')]),
      { encoding: 'macintosh' },
      ['name', 'city'],
      [['José', 'Köln']],
    ],
    [
      'UTF-16 with a mark and tabs',
      Buffer.from('\uFEFFa\tb\n1\t漢\n', 'utf16le'),
      { encoding: 'utf-16le', bom: 2 },
      ['a', 'b'],
      [['1', '漢']],
    ],
    [
      'UTF-16 without a mark',
      swap('a,b\n1,y\n2,z\n'),
      { encoding: 'utf-16be', bom: 0 },
      ['a', 'b'],
      [
        ['1', 'y'],
        ['2', 'z'],
      ],
    ],
    ['pipes', bytes('a|b\n1|"x|y"\n'), { dialect: { delimiter: '|' } }, ['a', 'b'], [['1', 'x|y']]],
    [
      'single quotes',
      bytes("id,t\n1,'a, b'\n2,'c'\n3,'d, e'\n"),
      { dialect: { quote: "'" } },
      ['id', 't'],
      [
        ['1', 'a, b'],
        ['2', 'c'],
        ['3', 'd, e'],
      ],
    ],
    [
      'backslashes',
      bytes('id,t\n1,"say \\"hi\\", ok"\n'),
      { dialect: { escape: '\\' } },
      ['id', 't'],
      [['1', 'say "hi", ok']],
    ],
    [
      'comments',
      bytes('# one\na,b\n1,2\n# two\n3,4\n'),
      { dialect: { comment: '#' } },
      ['a', 'b'],
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'data that begins with #',
      bytes('#,b\n#1,2\n#2,4\n'),
      { dialect: { comment: '' } },
      ['#', 'b'],
      [
        ['#1', '2'],
        ['#2', '4'],
      ],
    ],
    ['gzip', gzipSync('a,b\n1,2\n'), { compression: 'gzip' }, ['a', 'b'], [['1', '2']]],
    [
      'two gzip members',
      Buffer.concat([gzipSync('a,b\n1,2\n'), gzipSync('3,4\n')]),
      { compression: 'gzip' },
      ['a', 'b'],
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['zstd', zstdCompressSync('a,b\n1,2\n'), { compression: 'zstd' }, ['a', 'b'], [['1', '2']]],
    [
      'bzip2',
      bzip2,
      { compression: 'bzip2' },
      ['a', 'b'],
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'no line end at the end',
      bytes('a,b\n1,2\n3,4'),
      {},
      ['a', 'b'],
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['a header alone', bytes('a,b\n'), {}, ['a', 'b'], []],
    ['one column', bytes('a\n1\n2\n'), { dialect: { delimiter: ',' } }, ['a'], [['1'], ['2']]],
    [
      'names twice, empty, and of JavaScript',
      bytes('a,a,,__proto__,constructor\n1,2,3,4,5\n'),
      {},
      ['a', 'a_2', 'column_3', '__proto__', 'constructor'],
      [['1', '2', '3', '4', '5']],
    ],
    [
      'formulas, large numbers, odd days',
      bytes('a,b,c\n=cmd(),9007199254740993,29/02/2024\nNaN,1e309,x\n'),
      {},
      ['a', 'b', 'c'],
      [
        ['=cmd()', '9007199254740993', '29/02/2024'],
        ['NaN', '1e309', 'x'],
      ],
    ],
    ['a mark in the middle', bytes('a,b\n\uFEFF1,2\n'), {}, ['a', 'b'], [['\uFEFF1', '2']]],
    [
      'titles above a header of words',
      bytes('Report\n\nMade by,me,,,\nid,name,city,land,note\n1,a,b,c,d\n2,e,f,g,h\n'),
      { skipRows: 3 },
      ['id', 'name', 'city', 'land', 'note'],
      [
        ['1', 'a', 'b', 'c', 'd'],
        ['2', 'e', 'f', 'g', 'h'],
      ],
    ],
  ])('%s', async (_name, file, found, header, texts) => {
    for (const size of [3, 65_536]) {
      const { compression, format, ...inspection } = await look(file, {}, {}, size);
      expect({ compression, ...format }).toMatchObject(found);
      expect(inspection.header).toEqual(header);
      expect(inspection.texts).toEqual(texts);
    }
  });

  test('ten thousand columns, and one more than allowed', async () => {
    const wide = bytes(
      `${Array.from({ length: 10_000 }, (_, at) => `c${at}`).join(',')}\n${Array.from({ length: 10_000 }, (_, at) => at).join(',')}\n`,
    );
    expect((await look(wide, {}, { columns: 10_000 })).texts[0]?.at(-1)).toBe('9999');
    await expect(look(wide, {}, { columns: 9_999 })).rejects.toThrow(
      /10000 columns, and source.limits.columns is 9999/,
    );
  });

  test('two header rows are joined; none is made up', async () => {
    const two = bytes('2019,,2020,\na,b,a,b\n1,2,3,4\n');
    const found = await look(two, { headerRows: 2 });
    expect(found.header).toEqual(['2019 a', '2019 b', '2020 a', '2020 b']);
    expect(found.texts).toEqual([['1', '2', '3', '4']]);
    const none = await look(bytes('1,2\n3,4\n'), { headerRows: 0 });
    expect(none.header).toEqual(['column_1', 'column_2']);
    expect(none.texts).toHaveLength(2);
    const named = await look(bytes('1,2\n3,4\n'), { headerRows: 0, header: ['x', 'y'] });
    expect(named.header).toEqual(['x', 'y']);
  });

  test('a header with fewer names than its rows is not passed over: the rows are rejected', async () => {
    const { rows, rejectedBy, header } = await look(bytes('id,name\n1,2,3\n4,5,6\n'));
    expect(header).toEqual(['id', 'name']);
    expect(rows).toEqual({ read: 2, parsed: 0, rejected: 2 });
    expect(rejectedBy).toEqual({ width: 2 });
  });

  test('an open quote near the end costs its own line', async () => {
    const { rows, rejects } = await look(bytes('a,b\n1,2\n3,"oops\n5,6\n7,8\n'));
    expect(rows).toEqual({ read: 4, parsed: 3, rejected: 1 });
    expect(rejects[0]).toMatchObject({ line: 3, offset: 8, reason: 'a quote is not closed', raw: '3,"oops' });
  });

  test.each<[string, Buffer, Partial<DeclaredFormat>, string, RegExp]>([
    ['nothing', bytes(''), {}, 'SourceEmpty', /is empty \(0 bytes/],
    ['blank lines', bytes('\n\r\n \n'), {}, 'SourceEmpty', /empty/],
    ['a page', bytes('<!doctype html><title>Sign in</title>'), {}, 'SourceNotCsv', /HTML page \("Sign in"\)/],
    ['a page, compressed', gzipSync('<html></html>'), {}, 'SourceNotCsv', /HTML page/],
    ['JSON', bytes('[{"a":1}]'), {}, 'SourceNotCsv', /source.answer.format/],
    ['a cut gzip', gzipSync('a,b\n'.repeat(5_000)).subarray(0, 60), {}, 'SourceMalformed', /gzip, and broken or cut/],
    ['a cut bzip2', bzip2.subarray(0, -6), {}, 'SourceMalformed', /bzip2, and broken or cut/],
    ['gzip within zstd', zstdCompressSync(gzipSync('a')), {}, 'SourceNotCsv', /is gzip, and stands within zstd/],
    [
      'gzip that is declared not to be',
      gzipSync('a'),
      { compression: 'none' },
      'SourceNotCsv',
      /source.format.compression is none/,
    ],
    [
      'a header with an open quote',
      bytes('a,"b\n1,2\n'),
      {},
      'SourceMalformed',
      /header of the file \(line 1\) cannot be read: a quote is not closed/,
    ],
    ['no zip', bytes('PK\u0003\u0004 nothing more'), {}, 'SourceMalformed', /is a zip, and broken or cut/],
    [
      'another mark than declared',
      bytes('\uFEFFa,b\n'),
      { encoding: 'windows-1252' },
      'SourceMalformed',
      /byte order mark of utf-8/,
    ],
    [
      'bad bytes that shall fail',
      Buffer.from([97, 10, 0xff, 10]),
      { invalidBytes: 'fail', encoding: 'utf-8' },
      'SourceBytesInvalid',
      /line 2: the bytes ff at byte 2 are no text/,
    ],
  ])('%s is refused in a sentence', async (_name, file, format, code, message) => {
    await expect(look(file, format)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });

  test('a bomb stops at its limit, in little memory', async () => {
    const bombOf = async (line: string): Promise<Buffer> =>
      Buffer.concat([gzipSync('a,b\n'), ...(await createGzipOf(100, Buffer.alloc(3_000_000, line)))]);
    const [lines, oneLine] = [await bombOf(`${'x'.repeat(99_999)}\n`), await bombOf('x')];
    const before = process.memoryUsage().rss;
    await expect(look(lines)).rejects.toThrow(/grows to more than 250 times its size.*source.limits.expansion/);
    await expect(look(oneLine, {}, { expandedBytes: 1_000_000, expansion: 100_000 })).rejects.toThrow(
      /more than 1000000 bytes.*source.limits.expandedBytes/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(250_000_000);
  });
});

describe('any table', () => {
  const encodingsToWrite = {
    'utf-8': (text: string) => Buffer.from(text),
    'utf-8 with a mark': (text: string) => Buffer.from(`\uFEFF${text}`),
    'utf-16le with a mark': (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
    'utf-16be': (text: string) => Buffer.from(text, 'utf16le').swap16(),
    latin1: (text: string) => Buffer.from(text, 'latin1'),
  } as const;
  const dialect = fc.record({
    delimiter: fc.constantFrom(',', ';', '\t', '|', '||', '¦', ' :: '),
    quote: fc.constantFrom('"', "'"),
    escape: fc.constantFrom('quote', '\\'),
    eol: fc.constantFrom('\n', '\r\n', '\r'),
    encoding: fc.constantFrom(...(Object.keys(encodingsToWrite) as (keyof typeof encodingsToWrite)[])),
    comment: fc.constantFrom('', '#'),
    preamble: fc.integer({ min: 0, max: 3 }),
    compressed: fc.constantFrom('no', 'gzip', 'zstd'),
    size: fc.integer({ min: 1, max: 100 }),
  });
  const cell = fc.string({
    unit: fc.constantFrom(
      'a',
      'Z',
      '0',
      ' ',
      'é',
      'ÿ',
      ',',
      ';',
      '|',
      '\t',
      ':',
      '"',
      "'",
      '\\',
      '\n',
      '\r\n',
      '\r',
      '#',
      '¦',
    ),
    maxLength: 8,
  });
  const rows = fc
    .integer({ min: 2, max: 4 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }));

  test('written in any dialect and encoding is read back equal, and each row knows its place', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        dialect,
        async (table, { delimiter, quote, escape, eol, encoding, comment, preamble, compressed, size }) => {
          const mark = escape === 'quote' ? quote : escape;
          const written = (text: string): string => {
            const inner =
              mark === quote
                ? text.replaceAll(quote, quote + quote)
                : text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`);
            return quote + inner + quote;
          };
          const header = (table[0] ?? []).map((_, at) => `column ${at}`);
          const lines = [
            ...Array.from({ length: preamble }, () => 'a title'),
            ...[header, ...table].map((row) => row.map(written).join(delimiter)),
          ];
          const text = lines.join(eol) + eol;
          const file = encodingsToWrite[encoding](text);
          const declared =
            encoding === 'latin1'
              ? { encoding: 'latin1' as const }
              : encoding === 'utf-16be'
                ? { encoding: 'utf-16be' as const }
                : {};
          const found = await look(
            compressed === 'no' ? file : compressed === 'gzip' ? gzipSync(file) : zstdCompressSync(file),
            { ...declared, delimiter, quote, escape: mark, comment, skipRows: preamble },
            {},
            size,
          );
          expect(found.header).toEqual(header);
          expect(found.texts).toEqual(table);
          expect(found.rows).toEqual({ read: table.length, parsed: table.length, rejected: 0 });
        },
      ),
      { numRuns: 400 },
    );
  });

  test('with bytes changed in any way adds up, or is refused in a sentence', async () => {
    const files = [...samples(), gzipSync(samples()[0] ?? ''), bzip2];
    let rounds = 0;
    for (let round = 0; round < 2_000; round++) {
      const random = seeded(20_261_124 + round);
      const file = mutate(files[random(files.length)] ?? Buffer.alloc(0), random);
      const found = await look(file, {}, {}, 1 + random(4_096)).catch((error: unknown) => error);
      if (found instanceof SluiceError) continue;
      if (found instanceof Error) throw found;
      const { rows: counts, texts, rejectedBy } = found as Awaited<ReturnType<typeof look>>;
      const rejected = Object.values(rejectedBy).reduce((sum, n) => sum + n, 0);
      expect([counts.parsed + counts.rejected, texts.length, rejected]).toEqual([
        counts.read,
        counts.parsed,
        counts.rejected,
      ]);
      rounds++;
    }
    expect(rounds).toBeGreaterThan(50);
  });
});

describe('a definition that was made', () => {
  test('is sound, whatever the header says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 6 }),
        async (names) => {
          const file = bytes(
            `${names.map((name) => `"${name.replaceAll('"', '""')}"`).join(',')}\n${names.map((_, at) => at).join(',')}\n`,
          );
          const found = await look(file, { delimiter: ',', quote: '"', comment: '', skipRows: 0 }).catch(
            () => undefined,
          );
          if (!found || found.header.some((name) => /[\0\uFFFD]/.test(name))) return;
          const text = definitionText(found, 'made', 'https://a.example/x.csv', 'x');
          expect(parseDefinition(text)).toMatchObject({ pipeline: { name: 'made' } });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('says what was found, and names things well', async () => {
    const file = bytes('Preis €;Ort;PLZ;PLZ\n1.234,50;Köln;01234;x\n12,00;N/A;04321;-\n');
    const text = definitionText(await look(file), 'preise', 'https://a.example/preise.csv', 'there');
    const parsed = parseDefinition(text);
    expect(parsed).toMatchObject({
      pipeline: {
        source: { format: { delimiter: ';', decimal: ',', thousands: '.', encoding: 'utf-8' } },
        columns: {
          'Preis €': { name: 'preis', type: 'decimal' },
          PLZ: { name: 'plz', type: 'string' },
          PLZ_2: { name: 'plz_2' },
        },
      },
    });
    expect(text).toContain('a code: some values begin with zero');
    expect(columnNames(['A b', 'a-b', '', '1st', 'hour', 'ÄÖ'])).toEqual([
      'a_b',
      'a_b_2',
      'column_3',
      'c_1st',
      'hour_value',
      'ao',
    ]);
    expect(pipelineName('2024 Data (final).csv.gz')).toBe('data-final');
    expect(pipelineName('...')).toBe('pipeline');
  });
});

describe('sluice inspect and init', () => {
  let folder: string;
  const environment = { ...process.env, NODE_OPTIONS: '' };
  const run = (...args: string[]) => runSluice(args, environment);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-look-'));
    await writeFile(join(folder, 'a.csv'), 'id;t\n1;"x, ""y"""\n2;é\n3\n');
    await writeFile(join(folder, 'b.csv'), '');
    await writeFile(join(folder, 'c.csv.gz'), gzipSync('p\tq\r\n1\t"two\r\nlines"\r\n'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('tell what they find as JSON', async () => {
    const { code, out } = await run('inspect', '--json', join(folder, 'a.csv'));
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      encoding: 'utf-8',
      delimiter: ';',
      header: ['id', 't'],
      rows: { read: 3, parsed: 2, rejected: 1 },
      rejects: [{ line: 4, byteOffset: 23, reason: 'the record has 1 field and the header 2', raw: '3' }],
    });
  });

  test('write plain CSV, many files in one call, one bad file not stopping the rest', async () => {
    const out = join(folder, 'out');
    const files = ['a.csv', 'b.csv', 'c.csv.gz'].map((name) => join(folder, name));
    const { code, err } = await run('inspect', '--as', 'csv', '--out', out, ...files);
    expect(code).toBe(1);
    expect(err).toContain('b.csv is empty');
    expect(await readdir(out)).toEqual(['a.csv', 'c.csv.gz']);
    expect(await readFile(join(out, 'a.csv'), 'utf8')).toBe('id,t\r\n1,"x, ""y"""\r\n2,é\r\n');
    expect(parse(await readFile(join(out, 'c.csv.gz')))).toEqual([
      ['p', 'q'],
      ['1', 'two\r\nlines'],
    ]);
    const one = await run('inspect', '--as', 'csv', join(folder, 'a.csv'));
    expect(one.out).toBe('id,t\r\n1,"x, ""y"""\r\n2,é\r\n');
    expect((await run('inspect', '--as', 'csv', '--out', folder, join(folder, 'a.csv'))).err).toContain(
      'that is the file itself',
    );
  });

  test('do as they are told instead of what they would find', async () => {
    const { out } = await run(
      'inspect',
      '--as',
      'csv',
      '--delimiter',
      'comma',
      '--header-rows',
      '0',
      '--skip-rows',
      '1',
      join(folder, 'a.csv'),
    );
    // As commas see it, the first row has two fields, and the quotes in them stand for themselves.
    expect(out).toBe('2;é\r\n3\r\n');
    const wrong = await run('inspect', '--encoding', 'ebcdic', join(folder, 'a.csv'));
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('--encoding ebcdic is not known') as unknown });
    expect((await run('inspect', '--header-rows', '7', join(folder, 'a.csv'))).err).toContain('--header-rows');
    expect((await run('inspect', '--as', 'csv', join(folder, 'a.csv'), join(folder, 'b.csv'))).code).toBe(2);
  });

  test('make a definition that validate takes, and never write over one', async () => {
    const file = join(folder, 'made.yaml');
    expect(await run('init', join(folder, 'a.csv'), '--out', file)).toMatchObject({ code: 0 });
    expect(await run('validate', file)).toMatchObject({ code: 0 });
    const again = await run('init', join(folder, 'a.csv'), '--out', file);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('is there already') as unknown });
    expect((await run('init', join(folder, 'a.csv'), '--out', '-', '--name', 'named')).out).toContain('name: named');
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pipelineSchema, type PipelineInput } from '../../src/definition/pipeline.ts';
import { guardedLookup, isInternal } from '../../src/stages/importing/address-guard.ts';
import { addressFor, isPast, namesItsHour, shownAddress } from '../../src/stages/importing/address.ts';
import { checkHeader, positionOf, uniqueHeader } from '../../src/stages/importing/header.ts';
import { rawAddressOf } from '../../src/stages/importing/raw-address.ts';
import { refuseOtherFormats } from '../../src/stages/importing/refuse-other-formats.ts';

describe('address', () => {
  test('the hour stands where the placeholder was, in any arrangement', () => {
    const hour = '2026-11-24T03:00:00Z';
    expect(addressFor('https://a.example/${hour:YYYY-MM-DD-HH}.csv', hour)).toBe('https://a.example/2026-11-24-03.csv');
    expect(addressFor('https://a.example/${hour:YYYY/MM}/${hour:DD}?h=${hour:HH}', hour)).toBe(
      'https://a.example/2026/11/24?h=03',
    );
    expect(namesItsHour('https://a.example/${hour:HH}.csv')).toBe(true);
    expect(namesItsHour('https://a.example/x.csv')).toBe(false);
  });

  test('what is shown has no user, password, query or fragment', () => {
    expect(shownAddress(new URL('https://me:secret@a.example:8443/x.csv?token=t#f'))).toBe(
      'https://a.example:8443/x.csv',
    );
  });

  test('an hour is past once the clock has left it', () => {
    expect(isPast('2026-11-24T03:00:00Z', new Date('2026-11-24T03:59:59.999Z'))).toBe(false);
    // A run that began at the end of its hour is not late.
    expect(isPast('2026-11-24T03:00:00Z', new Date('2026-11-24T04:04:59Z'))).toBe(false);
    expect(isPast('2026-11-24T03:00:00Z', new Date('2026-11-24T04:05:00Z'))).toBe(true);
    expect(isPast('2026-11-24T05:00:00Z', new Date('2026-11-24T04:00:00Z'))).toBe(false);
  });

  test.each([
    ['https://github.com/o/r/blob/main/a/b.csv', 'https://raw.githubusercontent.com/o/r/main/a/b.csv'],
    ['https://gitlab.com/g/o/r/-/blob/main/b.csv', 'https://gitlab.com/g/o/r/-/raw/main/b.csv'],
    ['https://codeberg.org/o/r/src/branch/main/b.csv', 'https://codeberg.org/o/r/raw/branch/main/b.csv'],
    [
      'https://docs.google.com/spreadsheets/d/abc/edit#gid=0',
      'https://docs.google.com/spreadsheets/d/abc/export?format=csv&gid=0',
    ],
    [
      'https://docs.google.com/spreadsheets/d/abc/edit#gid=7',
      'https://docs.google.com/spreadsheets/d/abc/export?format=csv&gid=7',
    ],
    [
      'https://drive.google.com/file/d/abc/view?usp=sharing',
      'https://drive.usercontent.google.com/download?id=abc&export=download&confirm=t',
    ],
    ['https://www.dropbox.com/scl/fi/x/b.csv?rlkey=k&dl=0', 'https://www.dropbox.com/scl/fi/x/b.csv?rlkey=k&dl=1'],
    ['https://o.sharepoint.com/:x:/s/t/E?e=1', 'https://o.sharepoint.com/:x:/s/t/E?e=1&download=1'],
    ['https://cloud.example/s/AbCdEfGhIjKlMnO', 'https://cloud.example/s/AbCdEfGhIjKlMnO/download'],
    ['https://huggingface.co/datasets/o/r/blob/main/b.csv', 'https://huggingface.co/datasets/o/r/resolve/main/b.csv'],
    ['https://gist.github.com/o/0123456789abcdef0123', 'https://gist.githubusercontent.com/o/0123456789abcdef0123/raw'],
    ['https://a.example/b.csv', undefined],
    ['https://www.dropbox.com/s/x/b.csv?dl=1', undefined],
  ])('the raw address of %s', (page, raw) => {
    expect(rawAddressOf(new URL(page))).toBe(raw);
  });
});

describe('address guard', () => {
  test.each([
    '127.0.0.1',
    '127.9.9.9',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '0.0.0.0',
    '100.64.0.1',
    '100.127.255.255',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    'fd00:ec2::254',
    'fe80::1',
    'ff02::1',
    '2002:7f00:1::',
    'no address',
  ])('%s is internal', (address) => {
    expect(isInternal(address)).toBe(true);
  });

  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '11.0.0.1'])('%s is not', (address) => {
    expect(isInternal(address)).toBe(false);
  });

  test.each([
    'http://127.0.0.1/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
  ])('%s is refused before a socket is opened', (address) => {
    expect(() => guardedLookup(new URL(address), [])).toThrow(/SLUICE_SOURCE_ALLOW/);
  });

  const look = (address: string, allow: string[]) =>
    new Promise<unknown>((resolve, reject) => {
      const url = new URL(address);
      guardedLookup(url, allow)(url.hostname, { all: true }, (error, found) =>
        error ? reject(error) : resolve(found),
      );
    });

  test('a name that resolves to an internal address is refused, unless host and port are allowed', async () => {
    await expect(look('http://localhost:8080/x', [])).rejects.toMatchObject({ code: 'SourceAddressRefused' });
    await expect(look('http://localhost:8080/x', ['localhost:8081'])).rejects.toMatchObject({
      code: 'SourceAddressRefused',
    });
    await expect(look('http://localhost:8080/x', ['localhost:8080'])).resolves.toBeInstanceOf(Array);
    await expect(look('http://localhost/x', ['localhost:80'])).resolves.toBeInstanceOf(Array);
  });
});

describe('sniffing', () => {
  const page = new URL('https://github.com/o/r/blob/main/b.csv?token=t');
  const refusal = (bytes: string | Buffer, url = page) => {
    try {
      refuseOtherFormats(Buffer.from(bytes), shownAddress(url), url);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test('an HTML page of a code host says where the file itself is', () => {
    expect(refusal('\n<!DOCTYPE html><html><head><title>b.csv at\n main</title>')).toMatchObject({
      code: 'SourceNotCsv',
      message:
        'https://github.com/o/r/blob/main/b.csv is an HTML page ("b.csv at main"), not CSV: this is the page about the file; ' +
        'the file itself is at https://raw.githubusercontent.com/o/r/main/b.csv.',
    });
  });

  test.each([
    ['{"error": "no"}', 'SourceNotCsv', /JSON \(it begins with \{"error"/],
    ['[{"a":1}]', 'SourceNotCsv', /JSON/],
    ['<?xml version="1.0"?><Error/>', 'SourceNotCsv', /XML/],
    ['%PDF-1.7', 'SourceNotCsv', /a PDF/],
    [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), 'SourceNotCsv', /xz \(gzip, zstd, bzip2 and zip can be read\)/],
    [Buffer.from([1, 2, 3, 0x61, 4, 5]), 'SourceNotCsv', /binary/],
    ['version https://git-lfs.github.com/spec/v1\noid', 'SourceNotCsv', /LFS/],
    ['', 'SourceEmpty', /empty/],
    ['\uFEFF \r\n\n', 'SourceEmpty', /empty/],
    [Buffer.from('<html><title>x</title>', 'utf16le'), 'SourceNotCsv', /HTML page \("x"\)/],
  ])('%j', (bytes, code, message) => {
    expect(refusal(bytes)).toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });

  test.each([
    ...['a,b\n1,2', '"a","b"', 'x', '<5,>5\n1,2', '[a],b\n1,2', '{id},b', 'BZh,a\n'],
    ...[Buffer.from('\uFEFFa,b\n', 'utf16le'), Buffer.from('a,b\n', 'utf16le'), Buffer.from([0xe9, 0x2c, 0x62])],
  ])('%j passes for CSV', (text) => {
    expect(refusal(text)).toBeUndefined();
  });
});

describe('header', () => {
  test('names are trimmed and unique, and keep what stands in the file', () => {
    expect(uniqueHeader([' a ', 'a', '', 'a_2', '_row', '__proto__', '__proto__', ''])).toEqual([
      'a',
      'a_3',
      'column_3',
      'a_2',
      '_row_2',
      '__proto__',
      '__proto___2',
      'column_8',
    ]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'a_2', 'a_3', '', 'column_1', '_row', 'b ')), (names) => {
        expect(new Set(uniqueHeader(names)).size).toBe(names.length);
      }),
    );
    expect(positionOf(['x', 'A'], ' A ')).toBe(1);
  });

  const pipeline = (more: Partial<PipelineInput> = {}) =>
    pipelineSchema.parse({
      name: 'p',
      source: { url: 'https://a.example/x.csv' },
      columns: { 'POSTAL CODE': { name: 'zip' }, ST: { name: 'state' } },
      ...more,
    });

  test('a missing column is named with the header that was found and the nearest name', () => {
    expect(() => checkHeader(pipeline(), ['ST', 'Postal_Code', 'other'], 'https://a.example/x.csv')).toThrow(
      'https://a.example/x.csv has no column "POSTAL CODE" (did it become "Postal_Code"?); its header is "ST", "Postal_Code", "other".',
    );
  });

  test('an unknown column is reported, or refused where the contract is frozen', () => {
    expect(checkHeader(pipeline(), ['ST', 'new', 'POSTAL CODE'], 'x')).toEqual(['new']);
    expect(() => checkHeader(pipeline({ contract: { columns: 'freeze' } }), ['ST', 'new', 'POSTAL CODE'], 'x')).toThrow(
      expect.objectContaining({ code: 'SchemaDrift' }) as Error,
    );
  });
});

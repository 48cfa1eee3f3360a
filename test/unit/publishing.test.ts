import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputColumn } from '../../src/definition/columns.ts';
import type { Stream } from '../../src/definition/streams.ts';
import { decodeValues, valueEncoder, type TextRow } from '../../src/stages/record-value.ts';
import { generatorsOf } from '../../src/stages/publishing/generate.ts';
import { zipLocation } from '../../src/stages/publishing/zip-location.ts';

const hour = '2026-11-24T03:00:00Z';

function stream(generated: Stream['generated']): Stream {
  return {
    pipeline: 'p',
    dataset: 'main',
    name: 'p',
    topic: 'p',
    alias: 'p',
    key: [],
    clean: [],
    generated,
    seed: 's',
    output: [],
  };
}

const generate = (of: Stream, at: string, id: string, row: TextRow) =>
  Object.fromEntries([...generatorsOf(of, at)].map(([name, value]) => [name, value(id, row)]));

describe('generated fields', () => {
  const bands = [{ below: 0.2, label: 'low' }, { below: 0.8, label: 'middle' }, { label: 'high' }];

  it('puts a number into its band, the bound belonging to the upper one', () => {
    const fields = stream({ band: { kind: 'band', of: 'usage', bands } });
    const band = (usage: string | null) => generate(fields, hour, 'id', { usage })['band'];
    expect([band('0'), band('0.1999'), band('0.2'), band('0.8'), band('1'), band(null)]).toEqual([
      'low',
      'low',
      'middle',
      'high',
      'high',
      null,
    ]);
  });

  it('simulates the same value on every attempt, another one for another record or hour, and stays in range', () => {
    const fields = stream({ mbps: { kind: 'simulated', min: 1, max: 940, scale: 1, around: 'usage' } });
    const value = (id: string, at = hour) => Number(generate(fields, at, id, { usage: '0.5' })['mbps']);
    expect(value('a')).toBe(value('a'));
    expect(value('a')).not.toBe(value('b'));
    expect(value('a')).not.toBe(value('a', '2026-11-24T04:00:00Z'));
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0, max: 1, noNaN: true }), (id, usage) => {
        const mbps = Number(generate(fields, hour, id, { usage: String(usage) })['mbps']);
        expect(mbps).toBeGreaterThanOrEqual(1);
        expect(mbps).toBeLessThanOrEqual(940);
      }),
    );
  });

  it('knows where ZIP codes are, says which table knew, and leaves unknown ones empty', () => {
    expect(zipLocation('10001')).toEqual({ latitude: 40.75065, longitude: -73.997293, source: 'census' });
    expect(zipLocation('99999')).toBeUndefined();
    const fields = stream({
      lat: { kind: 'zipLocation', of: 'zip', part: 'latitude' },
      from: { kind: 'zipLocation', of: 'zip', part: 'source' },
    });
    expect(generate(fields, hour, 'id', { zip: '10001' })).toMatchObject({ lat: '40.75065', from: 'census' });
    expect(generate(fields, hour, 'id', { zip: 'nonsense' })).toMatchObject({ lat: null, from: null });
    expect(generate(fields, hour, 'id', { zip: 'constructor' })).toMatchObject({ lat: null });
  });

  it('gives the logical hour, whatever the clock says', () => {
    expect(generate(stream({ at: { kind: 'logicalHour' } }), hour, 'id', {})).toEqual({
      at: '2026-11-24T03:00:00.000Z',
    });
  });
});

describe('a record’s value', () => {
  const output: OutputColumn[] = [
    { name: 'text', type: 'string' },
    { name: 'small', type: 'decimal', precision: 15, scale: 9 },
    { name: 'large', type: 'decimal', precision: 38, scale: 18 },
    { name: 'whole', type: 'integer' },
  ];

  const encode = (row: TextRow): string => valueEncoder(output)('id', row);

  const decode = (bytes: string, numbers?: 'exact') => {
    const values = decodeValues(output, Buffer.from(bytes), numbers);
    return values && Object.fromEntries(output.map(({ name }, at) => [name, values[at] ?? null]));
  };

  it('keeps every text and number exactly (property)', () => {
    const digits = fc.integer({ min: -999_999, max: 999_999 });
    const decimal = fc
      .tuple(digits, fc.integer({ min: 0, max: 999_999_999 }))
      .map(([whole, part]) => `${whole}.${String(part).padStart(9, '0')}`.replace(/\.?0+$/, '') || '0');
    const row = fc.record({
      text: fc.option(fc.string({ unit: 'binary' })),
      small: fc.option(decimal),
      large: fc.option(fc.bigInt().map(String)),
      whole: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
    });
    fc.assert(
      fc.property(row, (values) => {
        const small = values.small?.startsWith('-0') && Number(values.small) === 0 ? '0' : values.small;
        const given = { ...values, small: small?.includes('.') ? small : (small ?? null) };
        const back = decode(encode(given));
        expect(back).toMatchObject(given);
      }),
    );
  });

  it('writes numbers as JSON numbers where any reader gets them back, else as text', () => {
    const text = encode({ text: 'a"b', small: '0.0000001', large: '1.5', whole: '9007199254740993' });
    expect(text).toBe('{"text":"a\\"b","small":0.0000001,"large":"1.5","whole":"9007199254740993"}');
    expect(decode(text)).toMatchObject({ small: '0.0000001', whole: '9007199254740993' });
  });

  it('takes what is computed in place of what stands in the row', () => {
    const stamped = valueEncoder(output, new Map([['text', (id, row) => `${id} ${row['whole']}`]]));
    expect(stamped('r1', { text: 'a', small: null, whole: '7' })).toBe(
      '{"text":"r1 7","small":null,"large":null,"whole":7}',
    );
  });

  it('leaves a number what it is where asked to, but for one that its column would not hold as it stands', () => {
    const given = '{"text":5,"small":0.29,"large":0.1,"whole":9007199254740991}';
    expect(decode(given)).toEqual({ text: '5', small: '0.29', large: '0.1', whole: '9007199254740991' });
    expect(decode(given, 'exact')).toEqual({ text: '5', small: 0.29, large: '0.1', whole: 9007199254740991 });
    const odd = '{"text":true,"small":0.00000000001,"large":1e30,"whole":1.5}';
    expect(decode(odd, 'exact')).toEqual(decode(odd));
  });

  it('takes nothing but an object with fitting members', () => {
    for (const bytes of ['', '{', '[]', '1', 'null', '{"text":{}}']) {
      expect(decode(bytes)).toBeUndefined();
    }
  });
});

import fc from 'fast-check';
import type { PipelineInput } from '../../src/definition/pipeline.ts';

// Random tables with dirt, and random specifications for them.

/** Columns of every table. */
export const anyHeader = ['ID', 'A', 'B', 'EXTRA'] as const;

const numbers = [
  '0',
  '00',
  '-0',
  '1',
  '01',
  '1.50',
  '.5',
  '-7.25',
  '1e3',
  '12345678901234567890',
  '2',
  '2.0',
  '7',
  '1,5',
  '1.234,5',
  "1'000",
  '(5)',
];
const times = [
  ...['2024-02-29', '2023-02-29', '2024-01-01T10:00:00+02:00', '2024-01-01 10:00Z', '31/12/2023', '1.2.24', '12/31/99'],
  ...[
    '3 Mar 2021 1:05 pm',
    '03 MARCH 1969 12:00 AM',
    '2024-03-31T02:30:00',
    '2024-10-27 02:30:00.25',
    '2024-10-27 03:00',
    '1700000000',
    '-5',
    '0001-01-01T00:30:00+01:00',
  ],
];
const words = [
  '',
  ' ',
  'NA',
  'null',
  'NaN',
  'undefined',
  'true',
  'No',
  'a',
  'A',
  'b',
  'ä',
  'Ä',
  'ß',
  'a\u0308',
  'ﬁ',
  'İ',
  'ǆ',
  'σς',
  '𐐨',
];
const texts = [
  'a,b',
  'say "x"',
  'two\nlines',
  'cr\rlf\n',
  "it's",
  ' lead',
  'trail ',
  '\u00a0nbsp',
  '\uFEFF1',
  '😀',
  '__proto__',
  "''",
  '\\',
  '$1',
  '\\1',
  'a.b',
  'aaa',
  '#c',
];

export const anyCell = fc.oneof(
  fc.constantFrom(...numbers),
  fc.constantFrom(...times),
  fc.constantFrom(...words),
  fc.constantFrom(...texts),
  fc.string({ unit: 'grapheme', maxLength: 6 }).filter((text) => text.isWellFormed() && !text.includes('\0')),
);

export const anyRows = fc.array(fc.tuple(anyCell, anyCell, anyCell, fc.constantFrom('', '', '', 'x')), {
  maxLength: 40,
});

const replace = fc.constantFrom(
  undefined,
  [{ find: "'", with: '' }],
  [
    { pattern: '[()]', with: '' },
    { find: ',', with: '.' },
  ],
  [{ pattern: '\\s+', with: ' ' }],
  [{ pattern: 'a+|\\$[0-9]', with: '$1\\1' }],
);
const formats = fc.constantFrom(
  undefined,
  ['ISO'],
  ['DD/MM/YYYY', 'D.M.YY'],
  ['D MMM YYYY h:mm A', 'DD MMMM YYYY hh:mm A', 'ISO'],
  ['unix', 'MM/DD/YY'],
  ['unix-ms'],
);

/** One column's rules, of any type; what does not belong to the type is taken off. */
function anyColumn(name: string, others: readonly string[]) {
  return fc
    .record({
      type: fc.constantFrom('string', 'integer', 'decimal', 'boolean', 'date', 'timestamp'),
      trim: fc.boolean(),
      missing: fc.constantFrom([''], ['', 'NA', 'null'], [], ['', 'NA', 'null', '-', 'x']),
      normalise: fc.boolean(),
      replace,
      case: fc.constantFrom(undefined, undefined, 'upper', 'lower'),
      pad: fc.constantFrom(undefined, undefined, 3),
      decimal: fc.constantFrom(undefined, undefined, ','),
      formats,
      zone: fc.constantFrom(undefined, 'UTC', 'Europe/Berlin', 'America/New_York'),
      length: fc.constantFrom(undefined, undefined, { min: 1 }, { max: 3 }),
      pattern: fc.constantFrom(undefined, undefined, undefined, '[a-c0-9 .-]*', '\\w+', '.*', 'a\\b.*', '[^&#]*'),
      values: fc.constantFrom(undefined, undefined, undefined, ['a', 'b', '1']),
      range: fc.constantFrom(undefined, undefined, { min: 0 }, { min: -1, max: 1.5 }),
      onMissing: fc.oneof(
        fc.constantFrom('null', 'reject', 'drop', 'mean', 'median', 'mode'),
        fc.constantFrom({ default: '1' }, ...others.map((copy) => ({ copy }))),
        fc.constantFrom(
          { forwardFill: { order: ['id'] } },
          { forwardFill: { within: [others[1] ?? ''], order: others } },
        ),
      ),
    })
    .map((any) => {
      const number = any.type === 'integer' || any.type === 'decimal';
      const timed = any.type === 'date' || any.type === 'timestamp';
      const { onMissing } = any;
      const numeric = onMissing === 'mean' || onMissing === 'median';
      const selfish = typeof onMissing === 'object' && JSON.stringify(onMissing).includes(`"${name}"`);
      const foreign = typeof onMissing === 'object' && 'default' in onMissing && (timed || any.type === 'boolean');
      return {
        ...any,
        name,
        precision: 10,
        scale: 3,
        pad: any.type === 'string' ? any.pad : undefined,
        decimal: number ? any.decimal : undefined,
        formats:
          !timed || (any.type === 'date' && any.formats?.[0]?.startsWith('unix') === true) ? undefined : any.formats,
        zone: any.type === 'timestamp' ? any.zone : undefined,
        range: number ? any.range : undefined,
        onMissing: (numeric && !number) || selfish || foreign ? 'null' : onMissing,
      };
    });
}

const filter = fc.constantFrom(
  undefined,
  undefined,
  { missing: 'a' },
  { not: { column: 'b', is: 'eq', value: 'a' } },
  { any: [{ column: 'a', matches: '[a-c].*' }, { missing: 'b' }] },
  { column: 'a', between: ['a', 'b'] },
);

/** A definition for tables with {@link anyHeader}. */
export const anyDefinition = fc
  .record({
    columns: fc.record({
      ID: anyColumn('id', ['a', 'b']),
      A: anyColumn('a', ['id', 'b']),
      '#3': anyColumn('b', ['id', 'a']),
    }),
    key: fc.constantFrom([], ['id'], ['id', 'a']),
    duplicates: fc.record({
      keep: fc.constantFrom('first', 'last', 'reject', { newest: 'a' }),
      exact: fc.boolean(),
    }),
    contract: fc.record({
      columns: fc.constantFrom('discard_value', 'discard_row'),
      types: fc.constantFrom('discard_row', 'discard_value', 'evolve'),
    }),
    filter,
    derive: fc.constantFrom(undefined, { c: { expression: '1' } }),
  })
  .map((any) => {
    const columns = Object.values(any.columns);
    // The conditions compare texts: with other types they are no definition.
    const typed = columns.every(({ type }) => type === 'string');
    return { ...any, filter: typed ? any.filter : undefined } as unknown as Partial<PipelineInput>;
  });

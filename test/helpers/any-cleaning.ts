import fc from 'fast-check';
import type { ColumnType } from '../../src/definition/columns.ts';
import type { Condition } from '../../src/definition/condition.ts';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import { awkwardTexts } from './awkward-texts.ts';

// Random tables with dirt, and random specifications for them.

type Column = PipelineInput['columns'][string];

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
  '0.',
  '-0.00',
  '-3.10',
  ' 2.50 ',
  '\t1.0',
  '7',
  '1,5',
  '1.234,5',
  "1'000",
  '1 000.5',
  '-9223372036854775808',
  '9223372036854775808',
  '0.0000001',
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
const texts = [...awkwardTexts, 'a.b', 'aaa', ' lead', 'trail ', '\uFEFF1'];

const anyCell = fc.oneof(
  fc.constantFrom(...numbers),
  fc.constantFrom(...times),
  fc.constantFrom(...words),
  fc.constantFrom(...texts),
  fc.string({ unit: 'grapheme', maxLength: 6 }).filter((text) => text.isWellFormed() && !text.includes('\0')),
);

/** One of these now and then, or no row would be left of a table. */
const seldom = <T>(...of: T[]): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...of) });

const replace = fc.constantFrom(
  undefined,
  undefined,
  undefined,
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
      shape: fc.constantFrom([10, 3], [10, 3], [18, 6], [5, 0], [1, 1], [28, 14], [38, 37], [38, 0]),
      marks: fc.constantFrom(
        {},
        {},
        { decimal: ',' },
        { decimal: ',', thousands: '.' },
        { thousands: ' ' },
        { thousands: "'" },
      ),
      formats,
      zone: fc.constantFrom(undefined, 'UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'),
      length: seldom({ min: 1 }, { max: 3 }),
      pattern: seldom('[a-c0-9 .-]*', '\\w+', '.*', 'a\\b.*', '[^&#]*'),
      values: seldom(['a', 'b', '1']),
      range: seldom({ min: 0 }, { min: -1, max: 1.5 }, { min: 1e-7, max: 1e21 }),
      onMissing: fc.oneof(
        fc.constantFrom('null', 'reject', 'drop', 'mean', 'median', 'mode'),
        fc.constantFrom({ default: '' }, ...others.map((copy) => ({ copy }))),
        fc.constantFrom(
          { forwardFill: { order: ['id'] } },
          { forwardFill: { within: [others[1] ?? ''], order: others } },
        ),
      ),
    })
    .map(({ shape: [precision = 10, scale = 3], marks, ...any }) => {
      const number = any.type === 'integer' || any.type === 'decimal';
      const timed = any.type === 'date' || any.type === 'timestamp';
      const summed = any.onMissing === 'mean' || any.onMissing === 'median';
      const fits = !summed || any.type === 'integer' || (any.type === 'decimal' && precision <= 28);
      const policy =
        typeof any.onMissing === 'object' && 'default' in any.onMissing
          ? { default: defaults[any.type] }
          : any.onMissing;
      const selfish = typeof policy === 'object' && JSON.stringify(policy).includes(`"${name}"`);
      return {
        ...any,
        ...(number ? marks : {}),
        name,
        precision,
        scale,
        pad: any.type === 'string' ? any.pad : undefined,
        formats:
          !timed || (any.type === 'date' && any.formats?.[0]?.startsWith('unix') === true) ? undefined : any.formats,
        // What is written without a zone is none without one.
        zone: any.type !== 'timestamp' ? undefined : any.formats === undefined ? any.zone : (any.zone ?? 'UTC'),
        range: number ? any.range : undefined,
        onMissing: !fits || selfish ? 'null' : policy,
      };
    });
}

/** A value of each type that stands for a missing one. */
const defaults: Readonly<Record<string, string>> = {
  ...{ string: 'none', integer: '-1', decimal: '0', boolean: 'No' },
  ...{ date: '2024-02-29', timestamp: '2024-02-29T01:00:00+02:00' },
};

/** Values that a column of a type can be compared with. */
const compared: Readonly<Record<ColumnType, readonly [string | number, string | number]>> = {
  string: ['a', 'b'],
  integer: [0, 2.5],
  decimal: [-7.25, '1.5'],
  boolean: ['no', 'TRUE'],
  date: ['2023-12-31', '2024-02-29'],
  timestamp: ['1969-03-03T00:00:00Z', '2024-03-31T01:00:00+01:00'],
};

function anyCondition(types: Readonly<Record<string, ColumnType>>): fc.Arbitrary<Condition> {
  const one = fc
    .record({
      column: fc.constantFrom(...Object.keys(types)),
      is: fc.constantFrom('eq', 'ne', 'lt', 'lte', 'gt', 'gte'),
      kind: fc.nat(4),
    })
    .map(({ column, is, kind }): Condition => {
      const [low, high] = compared[types[column] ?? 'string'];
      if (kind === 0) return { missing: column };
      if (kind === 1) return { column, matches: '[a-c0-9].*' };
      if (kind === 2) return { column, in: [low, high] };
      return kind === 3 ? { column, between: [low, high] } : { column, is: is as 'eq', value: high };
    });
  return fc.oneof(
    one,
    one.map((not): Condition => ({ not })),
    fc.array(one, { minLength: 1, maxLength: 3 }).map((any): Condition => ({ any })),
    fc
      .array(
        one.map((not): Condition => ({ not })),
        { minLength: 1, maxLength: 3 },
      )
      .map((all): Condition => ({ all })),
  );
}

/** A definition for tables with {@link anyHeader}. */
const anyDefinition = fc
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
    derive: fc.constantFrom(undefined, { c: { expression: '1' } }),
  })
  .chain((any) => {
    const types = Object.fromEntries(Object.values(any.columns).map(({ name, type }) => [name, type as ColumnType]));
    return fc.option(anyCondition(types), { nil: undefined, freq: 2 }).map((filter) => ({ ...any, filter }));
  })
  .map((any) => any as unknown as Partial<PipelineInput>);

const written: Readonly<Record<string, readonly string[]>> = {
  plain: ['0', '1', '01', '-0', '2', '3', '7', '+7', '12', '-7.25', '.5', '0.5', '1.50', '2.0', '1.234'],
  ',': ['0', '1', '1,5', '0,5', '-7,25', '2', '12', '7,0'],
  '.,': ['0', '1', '1.234,5', '12.345', '0,5', '-1.000'],
  ' ': ['0', '1 234', '12', '-1 000.5', '7'],
  "'": ["1'000", '0', "12'345.5", '7', '.5'],
  iso: ['2024-02-29', '2023-02-29', '2024-01-01', '1969-12-31', '2024-02-29'],
  moments: ['2024-01-01T10:00:00+02:00', '2024-01-01 10:00Z', '0001-01-01T00:30:00+01:00', '2024-01-01T08:00:00.0009Z'],
  local: ['2024-03-31T02:30:00', '2024-10-27 02:30:00.25', '2024-10-27 03:00', '2024-01-01 08:00', '2024-04-07 01:45'],
  days: ['31/12/2023', '01/02/2024', '1.2.24', '31.12.68', '29.2.23'],
  spoken: ['3 Mar 2021 1:05 pm', '03 MARCH 1969 12:00 AM', '3 mar 2021 13:05 PM', '1 Jan 1970 12:00 pm'],
  unix: ['1700000000', '-5', '0', '00', '12/31/99', '1700000000123'],
  booleans: ['true', 'No', 'T', '0', '1', 'FALSE', 'y'],
};

/** Texts that a column may take for values. */
function fitting({ type = 'string', decimal, thousands, formats, zone }: Column): readonly string[] {
  switch (type) {
    case 'string':
      return [...words, ...texts, '1', '01', 'b', 'b', 'c'];
    case 'integer':
    case 'decimal':
      return written[`${thousands ?? ''}${decimal ?? ''}`] ?? written['plain'] ?? [];
    case 'boolean':
      return written['booleans'] ?? [];
    case 'date':
    case 'timestamp': {
      const iso = type === 'date' ? ['iso'] : zone === undefined ? ['moments'] : ['moments', 'local', 'local'];
      const asked = formats?.[0] ?? 'ISO';
      const own = asked.startsWith('unix')
        ? 'unix'
        : asked.includes('MMM')
          ? 'spoken'
          : asked === 'ISO'
            ? undefined
            : 'days';
      return [...(own === undefined ? iso : [own]), ...(formats?.includes('ISO') === true ? iso : [])].flatMap(
        (name) => written[name] ?? [],
      );
    }
  }
}

const cellOf = (column: Column): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 16, arbitrary: fc.constantFrom(...fitting(column)) },
    { weight: 3, arbitrary: fc.constantFrom('', ' ', 'NA') },
    { weight: 1, arbitrary: anyCell },
  );

/** A definition, and a table with {@link anyHeader} of which many rows fit it. @param most Rows. */
export function anyTable(most: number): fc.Arbitrary<[Partial<PipelineInput>, string[][]]> {
  return anyDefinition.chain((definition) => {
    const [first, second, third] = Object.values(definition.columns ?? {}).map(cellOf);
    const stranger = fc.constantFrom(...Array.from({ length: 15 }, () => ''), 'x');
    const row = fc.tuple(first ?? anyCell, second ?? anyCell, third ?? anyCell, stranger);
    return fc.tuple(fc.constant(definition), fc.array(row, { maxLength: most, size: 'max' }));
  });
}

import { textCases, type NamedCase } from './awkward-texts.ts';
import { seeded } from './mutate.ts';

const plain = ['ID', 'A', 'B'];
const id = { name: 'id', required: true } as const;

const policies = (['mean', 'median', 'mode'] as const).flatMap((onMissing) => [
  { name: `decimal_${onMissing}`, type: 'decimal', precision: 10, scale: 3, onMissing } as const,
  { name: `integer_${onMissing}`, type: 'integer', onMissing, replace: [{ pattern: '[.].*' }] } as const,
]);

const missing: NamedCase[] = [
  {
    name: 'normalise of a missing value (Spark’s reflect fails on NULL)',
    header: plain,
    definition: {
      columns: {
        ID: id,
        A: { name: 'a', normalise: true, replace: [{ find: 'x' }] },
        B: { name: 'b', normalise: true, case: 'upper', onMissing: { default: 'none' } },
      },
      key: ['id'],
    },
    parts: [
      [
        ['1', '', ''],
        ['2', 'e\u0301', 'e\u0301'],
        ['3', 'x', ' '],
      ],
    ],
    clean: 'id,a,b\n1,,none\n2,é,É\n3,,none\n',
  },
  ...[
    ['5', '5'],
    ['1', '5', '5', '9'],
    ['-1', '-2'],
    ['1', '2', '2', '2', '3'],
    ['0.001', '0.002'],
    [],
    ['9999999.999', '9999999.999'],
  ].map((values): NamedCase => ({
    name: `mean, median and mode of ${values.join(' and ') || 'nothing'}`,
    header: ['ID', ...policies.map(({ name }) => name)],
    definition: {
      columns: { ID: id, ...Object.fromEntries(policies.map((column) => [column.name, column])) },
      key: ['id'],
    },
    parts: [
      [...values.map((value, at) => [String(at), ...policies.map(() => value)]), ['x', ...policies.map(() => '')]],
    ],
  })),
];

const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'UTC',
];
const local = [
  ...['2024-03-31 01:59:59', '2024-03-31 02:00', '2024-03-31 02:59:59.999', '2024-03-31 03:00', '2024-10-27 01:59'],
  ...['2024-10-27 02:00', '2024-10-27 02:59:59', '2024-10-27 03:00', '2024-03-10 02:30', '2024-11-03 01:30'],
  ...['2024-10-06 02:15', '2024-04-07 01:45', '2011-12-29 23:59:59', '2011-12-30 12:00', '2011-12-31 00:00'],
  ...['2018-11-04 00:30', '2018-02-17 23:30', '2024-03-10 02:00', '2024-04-14 03:00', '1969-12-31 23:59:59'],
  ...[
    '1900-01-01 00:00',
    '2150-07-01 00:00',
    '0001-01-01 00:00',
    '9999-12-31 23:59:59',
    '2024-02-29T12:00Z',
    '2024-07-01 00:00+05:30',
  ],
];
const times: NamedCase = {
  name: 'local times where the clock is changed',
  header: ['ID', ...zones],
  definition: {
    columns: {
      ID: id,
      ...Object.fromEntries(
        zones.map((zone, at) => {
          const formats = at % 2 === 0 ? { formats: ['YYYY-MM-DD HH:mm:ss.SSS', 'ISO'] } : {};
          return [zone, { name: `zone_${at}`, type: 'timestamp', zone, ...formats } as const];
        }),
      ),
    },
    key: ['id'],
    contract: { types: 'evolve' },
  },
  parts: [local.map((time, at) => [String(at), ...zones.map(() => time)])],
};

const empty: NamedCase[] = [[], [[]], [[], [['1', 'a', 'b']], []], [[['1', 'a', 'b']], [], [['1', 'c', 'd']]]].flatMap(
  (parts) =>
    (['first', 'reject'] as const).map((keep): NamedCase => ({
      name: `parts of ${parts.map(({ length }) => length).join(', ') || 'no'} rows, keep ${keep}`,
      header: plain,
      definition: {
        columns: {
          ID: id,
          A: { name: 'a', onMissing: 'mode' },
          B: { name: 'b', onMissing: { forwardFill: { order: ['a'] } } },
        },
        key: ['id'],
        duplicates: { keep, exact: true },
      },
      parts,
    })),
);

const awkwardNames = [
  ['id', 'ID', 'Id', 'iD', 'a.b', 'a', 'b', 'a.b.c'],
  ['`', '``', 'a`b', '`a`', '"', '""', 'a"b', '"a"'],
  ["'", 'a(b)', '(%) [+/-]', '{a}', 'select', 'from', 'order', 'group'],
  ['c0', 'c1', 't0', 'k0', '_rows', 'row', '_FILE', '_Row'],
  ['ROW', 'rule', 'dropped', 'stranger', '', ' lead', 'trail ', 'two\nlines'],
  ['ä', 'A\u0308', 'Ä', 'a\u0308', 'x'.repeat(300), 'x'.repeat(301), '😀', '\\'],
  ['${env:HOME}', 'a=b', 'a;b', 'a,b', '1', '2.5', '-1', 'NULL'],
];
/** The columns are found by their place; those behind them have to be empty. */
const names = awkwardNames.map((header): NamedCase => ({
  name: `columns called ${header.map((one) => JSON.stringify(one.slice(0, 12))).join(', ')}`,
  header,
  definition: {
    columns: {
      '#1': id,
      '#2': { name: 'a', type: 'integer', onMissing: 'mean' },
      '#3': { name: 'b', onMissing: { forwardFill: { within: ['a'], order: ['id'] } } },
    },
    key: ['id'],
    contract: { columns: 'discard_row' },
  },
  parts: [
    [
      ['1', '4', 'x', ''],
      ['2', '', '', ''],
    ],
    [
      ['3', '6', 'y', 'stranger'],
      ['1', '8', 'z', ''],
    ],
    [
      ['4', 'q', 'y', ''],
      ['5', '5', '', ''],
    ],
  ],
  clean: 'id,a,b\n1,4,x\n2,6,\n5,5,\n',
}));

/** Parts of so different sizes that Spark, which takes the largest first, reads them in another order. */
function manyParts(
  rows: (at: number, pick: (n: number) => number) => string[],
  sizes: readonly number[],
): string[][][] {
  const pick = seeded(7);
  let at = 0;
  return sizes.map((size) => Array.from({ length: size }, () => rows(at++, pick)));
}
/** Text that does not compress: Spark puts what is small together. */
const noise = (pick: (n: number) => number): string =>
  Array.from({ length: 20 + pick(20) }, () => pick(2 ** 31).toString(36)).join(' ');
const sizes = [40, 3_000, 1, 700, 2_500, 12, 1_800, 300, 5, 900];

const order: NamedCase[] = (
  [
    ['first', false],
    ['last', true],
    ['reject', true],
    [{ newest: 'b' }, false],
  ] as const
).map(([keep, exact]): NamedCase => ({
  name: `keep ${JSON.stringify(keep)}${exact ? ', exact' : ''}, with ties, in ten parts that Spark reads in another order`,
  header: plain,
  definition: {
    columns: { ID: { ...id, type: 'integer' }, A: { name: 'a' }, B: { name: 'b', type: 'integer' } },
    key: ['id'],
    duplicates: { keep, exact },
  },
  parts: manyParts(
    (_, pick) => [`${'0'.repeat(pick(3))}${pick(4_000)}`, `v${pick(3)}`, pick(5) === 0 ? '' : String(pick(4))],
    sizes,
  ),
}));

const large: NamedCase[] = [
  {
    name: 'so many bytes that Spark writes several files, without a key and in the order of the source',
    header: plain,
    definition: {
      columns: {
        ID: { name: 'id' },
        A: { name: 'a', onMissing: { forwardFill: { within: ['id'], order: ['id'] } } },
        B: { name: 'b', trim: false, values: undefined, pattern: '[^!]*' },
      },
    },
    parts: manyParts(
      (at, pick) => [
        String(pick(1_000)),
        pick(3) === 0 ? '' : `a${at}`,
        `${noise(pick)}${pick(50) === 0 ? '!' : '\n'}`,
      ],
      sizes.map((size) => size * 2),
    ),
  },
];

export const namedCases: readonly NamedCase[] = [
  ...textCases,
  ...missing,
  times,
  ...empty,
  ...names,
  ...order,
  ...large,
];

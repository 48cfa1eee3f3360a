import type { PipelineInput } from '../../src/definition/pipeline.ts';

/** A table and rules that an engine once got wrong, or easily might; run by all of them. */
export interface NamedCase {
  readonly name: string;
  readonly header: readonly string[];
  readonly definition: Partial<PipelineInput>;
  readonly parts: readonly (readonly (readonly string[])[])[];
  /** The clean.csv, where it can be seen at a glance. */
  readonly clean?: string;
}

const plain = ['ID', 'A', 'B'];
const id = { name: 'id', required: true } as const;

/** Texts that a writer of CSV, a literal of SQL or a regular expression may take for something else. */
export const awkwardTexts: readonly string[] = [
  ...['two\nlines', 'two\r\nlines', '\rcr', 'lf\n', '\u2028ls', '\u0085nel', '\vvt', '\ttab\t', '\u001f\u007f\u0001\b'],
  ...['"', '""', '"quoted"', 'a "b" c', ',', 'a,b', '#', '#c', 'c#', "'", "''", "it's", "';--", '/* */', '--'],
  ...[
    '\\',
    '\\\\',
    '\\n',
    "\\'",
    '\\"',
    'C:\\new',
    '$1',
    '\\1',
    '$0',
    '${x}',
    '${env:HOME}',
    '${spark.app.name}',
    '{}',
  ],
  ...[
    '\uFEFF',
    '\uFEFFbom',
    'bom\uFEFF',
    '\u200b',
    '\u00a0nbsp',
    '\u3000',
    '😀',
    '👩‍👩‍👧',
    '🇩🇪',
    'é',
    'e\u0301',
    '\u{10ffff}',
    '\uffff',
    'ﬁ',
  ],
  ...[
    '%',
    '_',
    '*',
    '?',
    ':a',
    ':1',
    '@a',
    '`',
    '``',
    '[',
    ']',
    '(',
    ')',
    '{',
    '}',
    '|',
    '^',
    '.',
    '&&',
    '~',
    ';',
    '!',
    '<',
    '=',
  ],
  ...[
    'null',
    'NULL',
    'NaN',
    'true',
    'undefined',
    '__proto__',
    'constructor',
    'toString',
    '0',
    '-0',
    '1e3',
    ' ',
    '',
    '  two  ',
  ],
];

/** Rows of a number and the text, twice. */
const rowsOf = (texts: readonly string[]): string[][] => texts.map((text, at) => [String(at), text, text]);

/** Texts as values, as keys, within rules, and as what is put in. */
export const textCases: readonly NamedCase[] = [
  {
    name: 'awkward texts as values, and as file and row where there is no key',
    header: plain,
    definition: { columns: { ID: { name: 'id' }, A: { name: 'a', trim: false, missing: [] }, B: { name: 'b' } } },
    parts: [rowsOf(awkwardTexts)],
  },
  {
    name: 'awkward texts as keys, each twice',
    header: plain,
    definition: {
      columns: { A: { ...id, trim: false, missing: [] }, B: { name: 'b' }, ID: { name: 'nr' } },
      key: ['id'],
      duplicates: { keep: 'last' },
    },
    parts: [rowsOf(awkwardTexts), rowsOf(awkwardTexts.toReversed())],
  },
  {
    name: 'awkward texts in the rules',
    header: plain,
    definition: {
      columns: {
        ID: id,
        A: {
          name: 'a',
          trim: false,
          missing: awkwardTexts.filter((_, at) => at % 3 === 0),
          onMissing: { default: "${env:HOME} '\\'" },
        },
        B: { name: 'b', trim: false, missing: [], values: awkwardTexts.filter((_, at) => at % 3 > 0) },
      },
      key: ['id'],
      filter: { not: { any: awkwardTexts.slice(0, 9).map((value) => ({ column: 'b', is: 'eq', value }) as const) } },
    },
    parts: [rowsOf(awkwardTexts)],
  },
  ...['\\', '${env:HOME}', "'", '"', '\n', '$', '#', '\uFEFF', '😀', '`', '%'].map((find): NamedCase => ({
    name: `${JSON.stringify(find)} replaced by text and by pattern, and put in`,
    header: plain,
    definition: {
      columns: {
        ID: id,
        A: { name: 'a', trim: false, missing: [], replace: [{ find, with: '<\\1$1>' }] },
        B: { name: 'b', trim: false, missing: [], replace: [{ pattern: '[^a-zA-Z0-9]', with: find }] },
      },
      key: ['id'],
    },
    parts: [rowsOf(awkwardTexts)],
  })),
  {
    name: 'an awkward text as the most frequent value',
    header: plain,
    definition: {
      columns: {
        ID: id,
        A: { name: 'a', trim: false, missing: ['x'], onMissing: 'mode' },
        B: { name: 'b', trim: false, missing: ['x'], onMissing: { copy: 'a' } },
      },
      key: ['id'],
    },
    parts: [
      [
        ['1', '\uFEFFb\n', 'x'],
        ['2', '\uFEFFb\n', 'y'],
        ['3', 'x', 'x'],
        ['4', 'a', 'x'],
      ],
    ],
    clean: 'id,a,b\n1,"\uFEFFb\n","\uFEFFb\n"\n2,"\uFEFFb\n",y\n3,"\uFEFFb\n",\n4,a,a\n',
  },
];

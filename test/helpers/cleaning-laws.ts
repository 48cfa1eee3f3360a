import fc from 'fast-check';
import type { PipelineInput } from '../../src/definition/pipeline.ts';
import { variantName } from '../../src/definition/streams.ts';
import { anyHeader, anyTable } from './any-cleaning.ts';
import { fieldsOf, readCsv } from './csv.ts';
import type { Told } from './engine-lab.ts';

type Definition = Partial<PipelineInput>;
type Column = PipelineInput['columns'][string];
type Rows = readonly (readonly string[])[];

/** Cleans a table in parts with some engine. */
export type Clean = (definition: Definition, parts: readonly Rows[], header: readonly string[]) => Promise<Told>;

/** What holds for every table and every specification, whoever cleans. */
export interface Law {
  readonly name: string;
  /** Throws, or resolves to false, where it does not hold. */
  holds(clean: Clean): fc.IAsyncProperty<unknown>;
}

interface Found {
  readonly row: number;
  readonly at: number;
  readonly rule: string;
}

const columnsOf = ({ columns }: Definition): Column[] => Object.values(columns ?? {});
const keyed = ({ key }: Definition): boolean => (key ?? []).length > 0;
const keepOf = ({ duplicates }: Definition) => duplicates?.keep ?? 'first';

/** Lines of clean.csv as one text each, without what says where a row stood. */
function lines(definition: Definition, { clean }: Told): string[] {
  const prefix = keyed(definition) ? (definition.derive === undefined ? 0 : 1) : 2;
  return readCsv(clean)
    .slice(1)
    .map((item) => ('fields' in item ? JSON.stringify([item.fields.slice(prefix), item.blank.slice(prefix)]) : ''));
}

/** What a clean.csv holds, to be cleaned once more. */
const cellsOf = (definition: Definition, told: Told): string[][] =>
  lines(definition, told).map((line) => (JSON.parse(line) as [string[]])[0]);

const rejectsOf = ({ rejects }: Told): Found[] =>
  fieldsOf(readCsv(rejects)).map(([row, at, rule = '']) => ({ row: Number(row), at: Number(at), rule }));

function equal(found: unknown, wanted: unknown, what: string): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left} is not ${right}`);
}

const sorted = (texts: readonly string[]): string[] => texts.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));

const tables = anyTable(40);

const forwards = (definition: Definition): boolean =>
  columnsOf(definition).some(({ onMissing }) => typeof onMissing === 'object' && 'forwardFill' in onMissing);

/** The value of the row before is another one where rows come in another order, or twice. */
const unordered = tables.filter(([definition]) => !forwards(definition));

const accounted: Law = {
  name: 'every row is clean, a duplicate, filtered or rejected, and stands in the files as often as it is counted',
  holds: (clean) =>
    fc.asyncProperty(tables, async ([definition, rows]) => {
      const told = await clean(definition, [rows], anyHeader);
      const { clean: kept, duplicates, filtered, rejected } = told.rows;
      equal(kept + duplicates + filtered + rejected, rows.length, 'rows');
      equal([lines(definition, told).length, rejectsOf(told).length], [kept, rejected], 'lines');
      return [kept, duplicates, filtered, rejected].every((count) => count >= 0);
    }),
};

/**
 * The same types and rules for a table that is clean already. Left out is what is not the same a second time by its nature:
 * - `replace`: it may find what it has written, and what it leaves at the ends is trimmed next time;
 * - `formats`, `zone`, marks of numbers: clean.csv is written in one way only;
 * - words for missing values: a default, a copy or a padded text may be such a word; nothing is still nothing;
 * - `length`, `pattern` and `values` of what is no string: they are asked of a number as it is written, `007` and not `7`;
 * - steps of a column with a default or copy: none is taken with what is put in; and `case` of what is no string: `t` for `T`;
 * - `copy` and `forwardFill`: what was put into one column by the end is there for another one next time.
 */
function again(definition: Definition): Definition {
  const columns = columnsOf(definition).map((column): [string, Column] => {
    const { name, type, precision, scale, normalise, range, required } = column;
    const text = type === 'string';
    const rules = text ? { length: column.length, pattern: column.pattern, values: column.values } : {};
    const { onMissing } = column;
    const taken = typeof onMissing !== 'object' || 'forwardFill' in onMissing;
    const trim = taken && column.trim === true && column.replace === undefined;
    const steps = taken && text ? { trim, normalise, case: column.case, pad: column.pad } : { trim: false };
    const put = onMissing === undefined || typeof onMissing !== 'object' || 'default' in onMissing ? onMissing : 'null';
    return [
      name,
      { ...{ name, type, precision, scale, range, required }, ...rules, ...steps, onMissing: put, missing: [''] },
    ];
  });
  const evolves = definition.contract?.types === 'evolve';
  const variants = evolves
    ? columns.filter(([, { type }]) => type !== 'string').map(([name]) => variantName(name))
    : [];
  const kept = variants.map((name): [string, Column] => [name, { name, trim: false, missing: [''] }]);
  const { key, duplicates, filter } = definition;
  return { key, duplicates, filter, columns: Object.fromEntries([...columns, ...kept]) };
}

/**
 * As `validate` would have it, a key is not made of other values. And clean.csv tells an empty text from nothing, an
 * imported table does not: no column may have an empty text as its value.
 */
function repeatable(definition: Definition): Definition {
  const columns = Object.entries(definition.columns ?? {}).map(([source, column]) => {
    const made = definition.key?.includes(column.name) === true && column.onMissing !== 'drop';
    const missing = [...new Set(['', ...(column.missing ?? [])])];
    return [source, { ...column, missing, ...(made ? { onMissing: 'reject' } : {}) }] as const;
  });
  return { ...definition, columns: Object.fromEntries(columns) as NonNullable<Definition['columns']> };
}

const idempotent: Law = {
  name: 'what is clean is clean: cleaned once more by the same types, it stays as it is, and nothing is rejected',
  holds: (clean) =>
    fc.asyncProperty(tables, async ([any, rows]) => {
      const definition = repeatable(any);
      const once = await clean(definition, [rows], anyHeader);
      const second = again(definition);
      const twice = await clean(second, [cellsOf(definition, once)], Object.keys(second.columns ?? {}));
      equal(rejectsOf(twice), [], 'rejected');
      equal(lines(second, twice), lines(definition, once), 'clean rows');
    }),
};

const shuffled: Law = {
  name: 'another order of rows: the same rows in each bucket where order is not asked for, as many where it is',
  holds: (clean) =>
    fc.asyncProperty(unordered, fc.infiniteStream(fc.nat()), async ([definition, rows], random) => {
      const order = rows.map((row) => ({ row, place: random.next().value as number }));
      const other = order.toSorted((a, b) => a.place - b.place).map(({ row }) => row);
      const [first, second] = [await clean(definition, [rows], anyHeader), await clean(definition, [other], anyHeader)];
      equal(second.rows, first.rows, 'counts');
      equal([second.fills, second.missing], [first.fills, first.missing], 'facts');
      const rejected = (told: Told, table: Rows): string[] =>
        sorted(
          rejectsOf(told)
            // Of rows that come to the same, another one is the first now, and that one is rejected.
            .filter(({ rule }) => rule !== 'duplicate' || definition.duplicates?.exact !== true)
            .map(({ row, at, rule }) => JSON.stringify([table[row - 1], at, rule])),
        );
      equal(rejected(second, other), rejected(first, rows), 'rejected rows');
      // Which row of a key stays is a matter of order; that one does is not.
      if (keyed(definition) && keepOf(definition) !== 'reject') return;
      equal(sorted(lines(definition, second)), sorted(lines(definition, first)), 'clean rows');
    }),
};

const indifferent: Law = {
  name: 'rows that break a rule of their own change nothing for the others, means and fills included',
  holds: (clean) =>
    fc.asyncProperty(tables, async ([definition, rows]) => {
      const all = await clean(definition, [rows], anyHeader);
      const broken = new Set(rejectsOf(all).flatMap(({ row, rule }) => (rule === 'duplicate' ? [] : [row])));
      const sound = rows.filter((_, at) => !broken.has(at + 1));
      const others = await clean(definition, [sound], anyHeader);
      equal(lines(definition, others), lines(definition, all), 'clean rows');
      equal({ ...others.rows, rejected: others.rows.rejected + broken.size }, all.rows, 'counts');
      equal([others.sound, others.missing, others.fills], [all.sound, all.missing, all.fills], 'facts');
    }),
};

const parted: Law = {
  name: 'where a table is cut into parts is not to be seen',
  holds: (clean) =>
    fc.asyncProperty(tables, fc.array(fc.nat(40), { maxLength: 4 }), async ([definition, rows], cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), rows.length];
      const parts = at.slice(1).map((end, nth) => rows.slice(at[nth], Math.max(end, at[nth] ?? 0)));
      const [one, several] = [await clean(definition, [rows], anyHeader), await clean(definition, parts, anyHeader)];
      const { clean: _clean, ...facts } = several;
      const { clean: _one, ...wanted } = one;
      equal(lines(definition, several), lines(definition, one), 'clean rows');
      equal(facts, wanted, 'facts');
    }),
};

const doubled: Law = {
  name: 'a table twice, exact duplicates taken out, is the table once',
  holds: (clean) =>
    fc.asyncProperty(unordered, async ([any, rows]) => {
      const definition = { ...any, duplicates: { ...any.duplicates, exact: true } };
      const once = await clean(definition, [rows], anyHeader);
      const twice = await clean(definition, [rows, rows], anyHeader);
      equal(lines(definition, twice), lines(definition, once), 'clean rows');
      equal(
        [twice.fills, twice.sound, twice.rows.filtered],
        [once.fills, once.sound * 2, once.rows.filtered * 2],
        'facts',
      );
    }),
};

const halved: Law = {
  name: 'a row passes either a filter or its opposite',
  holds: (clean) =>
    fc.asyncProperty(
      tables.filter(([{ filter }]) => filter !== undefined),
      async ([{ filter, ...any }, rows]) => {
        if (filter === undefined) return;
        const filtered = async (definition: Definition): Promise<number> =>
          (await clean(definition, [rows], anyHeader)).rows.filtered;
        const none = await clean(any, [rows], anyHeader);
        const [failing, passing] = [
          await filtered({ ...any, filter }),
          await filtered({ ...any, filter: { not: filter } }),
        ];
        const own = rejectsOf(none).filter(({ rule }) => rule !== 'duplicate').length;
        equal(failing + passing, rows.length - own + none.rows.filtered, 'filtered');
      },
    ),
};

export const cleaningLaws: readonly Law[] = [accounted, idempotent, shuffled, indifferent, parted, doubled, halved];

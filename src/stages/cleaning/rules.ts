import { variantName } from '../../definition/streams.ts';
import { SluiceError } from '../../definition/errors.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { addedColumns, positionOf } from '../importing/header.ts';
import { rowIdentity } from './clean-csv.ts';
import { compileColumn, type ColumnRule } from './column-rule.ts';
import { compileCondition, type Test } from './condition.ts';

/** How a parsed object becomes clean.csv: what every engine works from. Engines must agree to the byte. */
export interface CleanRules {
  /** In definition order, which is the order of blame and of clean.csv. */
  readonly columns: readonly ColumnRule[];
  /** Columns of the parsed object in all. */
  readonly width: number;
  /** Of these, the ones that stand in the file: the first so many. */
  readonly own: number;
  /** Columns that nobody declared and that must be without a value, or the row is rejected. */
  readonly strangers: readonly { readonly name: string; readonly position: number }[];
  /** Positions in `columns` of the key; rows are all different where it is empty. */
  readonly key: readonly number[];
  /** Which row of a key stays; `reject` takes none of them. */
  readonly keep: 'first' | 'last' | 'newest' | 'reject';
  /** Position of the column of which the greatest value is the newest. */
  readonly newest: number | undefined;
  /** Rows that are equal in every output column are duplicates of the first. */
  readonly exact: boolean;
  readonly filter: Test | undefined;
  /** Positions in `columns` of those whose texts that are no values stand in a column of their own, behind the others. */
  readonly variants: readonly number[];
  /** What stands before the columns in the engine's clean.csv. */
  readonly prefix: readonly ('_file' | '_row')[];
  /** Of the engine's clean.csv. */
  readonly header: readonly string[];
}

/** What breaks a row's rules, in the order in which it is looked for; then what is wrong between rows. */
export const rejectRules = [
  'required',
  'type',
  'scale',
  'precision',
  'length',
  'pattern',
  'values',
  'range',
  'contract',
  'duplicate',
  'derive',
] as const;
export type RejectRule = (typeof rejectRules)[number];

/**
 * Makes the rules of a pipeline for a header.
 * @throws SluiceError `DefinitionInvalid` where a rule cannot be; `SourceColumnMissing` where a column is not there.
 */
export function compileRules(pipeline: Pipeline, header: readonly string[]): CleanRules {
  const { contract, duplicates } = pipeline;
  const names = Object.values(pipeline.columns).map(({ name }) => name);
  const at = (name: string, what: string): number => {
    const found = names.indexOf(name);
    if (found === -1) throw new SluiceError('DefinitionInvalid', `${what} ${name} is none of the columns.`);
    return found;
  };
  const added = addedColumns(pipeline);
  const columns = Object.entries(pipeline.columns).map(([source, column]) => {
    const position = positionOf(header, source, added);
    if (position === -1) throw new SluiceError('SourceColumnMissing', `The parsed object has no column "${source}".`);
    return compileColumn(pipeline, column, position, (name) => at(name, `Column ${column.name}:`));
  });
  const known = new Set(columns.map(({ position }) => position));
  const strangers = header.map((name, position) => ({ name, position })).filter(({ position }) => !known.has(position));
  const { keep } = duplicates;
  const newest = typeof keep === 'object' ? at(keep.newest, 'duplicates.keep:') : undefined;
  const variants =
    contract.types === 'evolve' ? columns.flatMap(({ lexical }, n) => (lexical.type === 'string' ? [] : [n])) : [];
  // What comes after the engine has to know the order of rows, and where one stood.
  const later = pipeline.derive !== undefined || duplicates.acrossRuns === true;
  const prefix = pipeline.key.length === 0 ? rowIdentity : later ? (['_row'] as const) : [];
  return {
    columns,
    width: header.length,
    own: header.length - added,
    strangers: contract.columns === 'discard_row' ? strangers : [],
    key: pipeline.key.map((name) => at(name, 'The key column')),
    keep: typeof keep === 'object' ? 'newest' : keep,
    newest,
    exact: duplicates.exact ?? false,
    filter: pipeline.filter === undefined ? undefined : compileCondition(pipeline.filter, columns),
    variants,
    prefix,
    header: [...prefix, ...names, ...variants.map((n) => variantName(names[n] ?? ''))],
  };
}

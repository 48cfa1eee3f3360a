import type { Column } from '../../definition/columns.ts';
import { SluiceError } from '../../definition/errors.ts';
import { canonicalText, type LexicalType } from '../../definition/lexical.ts';
import { mainDataset } from '../../definition/names.ts';
import { compilePattern, type Pattern } from '../../definition/pattern.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { streamOf } from '../../definition/streams.ts';
import { plainDigits } from '../../formats/decimal.ts';
import { positionOf } from '../importing/header.ts';
import { cleanHeader } from './clean-csv.ts';
import { compileCondition, type Test } from './condition.ts';
import { numberShape, numericBound, type NumericBound } from './numeric-bound.ts';
import { writtenNumber, type WrittenNumber } from './written-number.ts';

/** How one column is cleaned, everything decided. */
export interface ColumnRule {
  readonly name: string;
  readonly lexical: LexicalType;
  /** 0-based position in the header of the parsed object. */
  readonly position: number;
  readonly trim: boolean;
  readonly missing: readonly string[];
  /** How a number is written, where that is not the plain way. */
  readonly number: WrittenNumber | undefined;
  readonly pad: number | undefined;
  readonly onMissing: 'reject' | 'drop' | 'null' | 'default';
  /** The text that stands for a missing one. */
  readonly fallback: string | undefined;
  readonly pattern: Pattern | undefined;
  readonly values: readonly string[] | undefined;
  readonly range: readonly NumericBound[];
}

/** How a parsed object becomes clean.csv: what every engine works from. Engines must agree to the byte. */
export interface CleanRules {
  /** In definition order, which is the order of blame and of clean.csv. */
  readonly columns: readonly ColumnRule[];
  /** Columns of the parsed object in all. */
  readonly width: number;
  /** Positions in `columns` of the key; rows are all different where it is empty. */
  readonly key: readonly number[];
  readonly keep: 'first' | 'last';
  readonly filter: Test | undefined;
  readonly header: readonly string[];
}

/** What breaks a column's rule, in the order in which it is looked for. */
export type RejectRule = 'required' | 'type' | 'scale' | 'precision' | 'pattern' | 'values' | 'range';

/**
 * Makes the rules of a pipeline for a header.
 * @throws SluiceError `DefinitionInvalid` where a rule cannot be; `SourceColumnMissing` where a column is not there.
 */
export function compileRules(pipeline: Pipeline, header: readonly string[]): CleanRules {
  const columns = Object.entries(pipeline.columns).map(([source, column]) => {
    const position = positionOf(header, source);
    if (position === -1) throw new SluiceError('SourceColumnMissing', `The parsed object has no column "${source}".`);
    return compileColumn(column, pipeline.source.format, position, pipeline.key.includes(column.name));
  });
  const byName = new Map(columns.map((rule, at) => [rule.name, at]));
  const key = pipeline.key.map((name) => {
    const at = byName.get(name);
    if (at === undefined) throw new SluiceError('DefinitionInvalid', `The key column ${name} is none of the columns.`);
    return at;
  });
  return {
    columns,
    width: header.length,
    key,
    keep: pipeline.duplicates.keep,
    filter: pipeline.filter === undefined ? undefined : compileCondition(pipeline.filter, columns),
    header: cleanHeader(streamOf(pipeline, mainDataset)),
  };
}

function compileColumn(
  column: Column,
  format: Pipeline['source']['format'],
  position: number,
  inKey: boolean,
): ColumnRule {
  const { name, type, precision, scale, trim, pad, pattern, values, range } = column;
  if (type === 'decimal' && scale > precision) {
    throw new SluiceError(
      'DefinitionInvalid',
      `Column ${name} has scale ${scale}, more than its precision ${precision}.`,
    );
  }
  const lexical = { type, precision, scale };
  const shape = numberShape(lexical);
  if (range && !shape) throw new SluiceError('DefinitionInvalid', `Column ${name} has a range and is no number.`);
  const policy = column.required ? 'reject' : column.onMissing;
  const fallback = typeof policy === 'object' ? fallbackText(name, policy.default, lexical) : undefined;
  const onMissing = typeof policy === 'object' ? 'default' : policy;
  return {
    name,
    lexical,
    position,
    trim,
    missing: column.missing ?? format.missing,
    number: shape && writtenNumber(column.decimal ?? format.decimal, column.thousands ?? format.thousands),
    pad,
    // A record without a key value has no identity.
    onMissing: inKey && onMissing === 'null' ? 'reject' : onMissing,
    fallback,
    pattern: pattern === undefined ? undefined : compilePattern(pattern),
    values,
    range: shape
      ? [
          ...(range?.min === undefined ? [] : [numericBound('gte', range.min, shape)]),
          ...(range?.max === undefined ? [] : [numericBound('lte', range.max, shape)]),
        ]
      : [],
  };
}

function fallbackText(name: string, value: string | number | boolean, lexical: LexicalType): string {
  const text = typeof value === 'number' ? plainDigits(value) : String(value);
  const found = canonicalText(lexical, text);
  if (typeof found !== 'string') return found.value;
  throw new SluiceError(
    'DefinitionInvalid',
    `The default "${text}" of column ${name} is no ${lexical.type} (${found}).`,
  );
}

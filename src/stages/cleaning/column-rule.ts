import type { Column } from '../../definition/columns.ts';
import { SluiceError } from '../../definition/errors.ts';
import { canonicalText, type LexicalType } from '../../definition/lexical.ts';
import { compilePattern, compileReplaced, type Pattern } from '../../definition/pattern.ts';
import type { Pipeline } from '../../definition/pipeline.ts';
import { compileTimeFormat } from '../../definition/time-format.ts';
import { localOffsets } from '../../definition/zone-offsets.ts';
import { plainDigits } from '../../formats/decimal.ts';
import { numberShape, numericBound, type NumericBound } from './numeric-bound.ts';
import type { TextStep } from './text-step.ts';
import { writtenNumber } from './written-number.ts';

/** What is put in for a missing value once all rows are known: made of the rows that are neither rejected nor dropped. */
export type Fill =
  | { readonly kind: 'mean' | 'median' | 'mode' }
  /** Positions of columns. */
  | { readonly kind: 'forward'; readonly within: readonly number[]; readonly order: readonly number[] };

/** How one column is cleaned, everything decided. */
export interface ColumnRule {
  readonly name: string;
  readonly lexical: LexicalType;
  /** 0-based position in the header of the parsed object. */
  readonly position: number;
  readonly steps: readonly TextStep[];
  /** A text that is no value of the type: rejects its row, is taken for a missing value, or that and kept beside. */
  readonly mismatch: 'reject' | 'discard' | 'variant';
  readonly onMissing: 'reject' | 'drop' | 'keep';
  /** The text that stands for a missing one. */
  readonly fallback: string | undefined;
  /** The column (a position) whose text stands for a missing one. */
  readonly copy: number | undefined;
  readonly fill: Fill | undefined;
  readonly length: { readonly min: number; readonly max: number } | undefined;
  readonly pattern: Pattern | undefined;
  readonly values: readonly string[] | undefined;
  readonly range: readonly NumericBound[];
}

/**
 * @param at The position of another column, by name.
 * @throws SluiceError `DefinitionInvalid` where a rule cannot be
 */
export function compileColumn(
  { source: { format }, contract, key }: Pipeline,
  column: Column,
  position: number,
  at: (name: string) => number,
): ColumnRule {
  const { name, type, precision, scale, length, pattern, values, range } = column;
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
  // A record without a key value has no identity.
  const strict = policy === 'reject' || (policy === 'null' && key.includes(name));
  return {
    name,
    lexical,
    position,
    steps: stepsOf(column, format),
    mismatch:
      contract.types === 'evolve' && type !== 'string'
        ? 'variant'
        : contract.types === 'discard_value'
          ? 'discard'
          : 'reject',
    onMissing: strict ? 'reject' : policy === 'drop' ? 'drop' : 'keep',
    fallback:
      typeof policy === 'object' && 'default' in policy ? fallbackText(name, policy.default, lexical) : undefined,
    copy: typeof policy === 'object' && 'copy' in policy ? at(policy.copy) : undefined,
    fill: fillOf(policy, key, at),
    length: length && { min: length.min ?? 0, max: length.max ?? Number.MAX_SAFE_INTEGER },
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

function stepsOf(column: Column, format: Pipeline['source']['format']): TextStep[] {
  const { type } = column;
  const words = column.missing ?? format.missing;
  const missing: TextStep[] = words.length === 0 ? [] : [{ kind: 'missing', words }];
  const rewritten: TextStep[] = [
    ...(column.normalise === true ? [{ kind: 'normalise' } as const] : []),
    ...(column.replace ?? []).map((one): TextStep =>
      'find' in one
        ? { kind: 'find', find: one.find, by: one.with }
        : { kind: 'pattern', pattern: compileReplaced(one.pattern), by: one.with },
    ),
    ...(column.case === undefined ? [] : [{ kind: 'case', to: column.case } as const]),
  ];
  const number =
    type === 'integer' || type === 'decimal'
      ? writtenNumber(column.decimal ?? format.decimal, column.thousands ?? format.thousands)
      : undefined;
  const time = type === 'date' || type === 'timestamp' ? type : undefined;
  return [
    ...(column.trim ? [{ kind: 'trim' } as const] : []),
    ...missing,
    ...rewritten,
    // Replacing may leave such a text, or nothing at all.
    ...(rewritten.length > 0 ? missing : []),
    ...(number ? [{ kind: 'number', written: number } as const] : []),
    ...(time && column.formats
      ? [{ kind: 'time', forms: column.formats.map((written) => compileTimeFormat(written, time)) } as const]
      : []),
    ...(column.zone === undefined ? [] : [{ kind: 'zone', offsets: localOffsets(column.zone) } as const]),
    ...(column.pad === undefined ? [] : [{ kind: 'pad', width: column.pad } as const]),
  ];
}

function fillOf(policy: Column['onMissing'], key: readonly string[], at: (name: string) => number): Fill | undefined {
  if (policy === 'mean' || policy === 'median' || policy === 'mode') return { kind: policy };
  if (typeof policy !== 'object' || !('forwardFill' in policy)) return undefined;
  const { within, order } = policy.forwardFill;
  return { kind: 'forward', within: within.map(at), order: (order.length > 0 ? order : key).map(at) };
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

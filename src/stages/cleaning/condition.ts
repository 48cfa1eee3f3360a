import type { Condition } from '../../definition/condition.ts';
import { SluiceError } from '../../definition/errors.ts';
import { canonicalText, type LexicalType } from '../../definition/lexical.ts';
import { compilePattern, type Pattern } from '../../definition/pattern.ts';
import { plainDigits, toScaled } from '../../formats/decimal.ts';
import { boundHolds, numberShape, numericBound, type Comparison, type NumericBound } from './numeric-bound.ts';

/** A condition with its columns found and its values in canonical form. */
export type Test =
  | { readonly kind: 'all'; readonly of: readonly Test[] }
  | { readonly kind: 'any'; readonly of: readonly Test[] }
  | { readonly kind: 'not'; readonly of: Test }
  | { readonly kind: 'missing'; readonly at: number }
  | { readonly kind: 'number'; readonly at: number; readonly lexical: LexicalType; readonly bound: NumericBound }
  | { readonly kind: 'text'; readonly at: number; readonly is: Comparison; readonly value: string }
  | { readonly kind: 'matches'; readonly at: number; readonly pattern: Pattern };

/**
 * Compiles a condition over clean columns. A comparison with a missing value is false, and so its `not` is true: every
 * condition is true or false. Numbers compare as numbers, the rest as canonical texts by code point.
 * @throws SluiceError `DefinitionInvalid`
 */
export function compileCondition(
  condition: Condition,
  columns: readonly { readonly name: string; readonly lexical: LexicalType }[],
): Test {
  const compile = (inner: Condition): Test => compileCondition(inner, columns);
  if ('all' in condition) return { kind: 'all', of: condition.all.map(compile) };
  if ('any' in condition) return { kind: 'any', of: condition.any.map(compile) };
  if ('not' in condition) return { kind: 'not', of: compile(condition.not) };
  const name = 'missing' in condition ? condition.missing : condition.column;
  const at = columns.findIndex((column) => column.name === name);
  const column = columns[at];
  if (!column) throw new SluiceError('DefinitionInvalid', `The filter names ${name}, which is none of the columns.`);
  if ('missing' in condition) return { kind: 'missing', at };
  if ('matches' in condition) return { kind: 'matches', at, pattern: compilePattern(condition.matches) };
  const compare = (is: Comparison, value: string | number | boolean) => comparison(at, column, is, value);
  if ('is' in condition) return compare(condition.is, condition.value);
  if ('in' in condition) return { kind: 'any', of: condition.in.map((value) => compare('eq', value)) };
  return { kind: 'all', of: [compare('gte', condition.between[0]), compare('lte', condition.between[1])] };
}

function comparison(
  at: number,
  { name, lexical }: { readonly name: string; readonly lexical: LexicalType },
  is: Comparison,
  value: string | number | boolean,
): Test {
  const shape = numberShape(lexical);
  if (shape) return { kind: 'number', at, lexical, bound: numericBound(is, value, shape) };
  const text = typeof value === 'number' ? plainDigits(value) : String(value);
  const canonical = canonicalText(lexical, text);
  if (typeof canonical !== 'string') return { kind: 'text', at, is, value: canonical.value };
  throw new SluiceError(
    'DefinitionInvalid',
    `The filter compares ${name} with "${text}", which is no ${lexical.type}.`,
  );
}

/** Whether a condition holds for canonical values. */
export function holds(test: Test, values: readonly (string | null)[]): boolean {
  if (test.kind === 'all') return test.of.every((inner) => holds(inner, values));
  if (test.kind === 'any') return test.of.some((inner) => holds(inner, values));
  if (test.kind === 'not') return !holds(test.of, values);
  const value = values[test.at] ?? null;
  if (test.kind === 'missing') return value === null;
  if (value === null) return false;
  if (test.kind === 'matches') return test.pattern.js.test(value);
  if (test.kind === 'number') return boundHolds(test.bound, toScaled(value, numberShape(test.lexical)?.scale ?? 0));
  // By UTF-8 bytes, as DuckDB and Spark do; JavaScript's own order is by UTF-16 units.
  return boundHolds({ is: test.is, scaled: 0n }, BigInt(Buffer.compare(Buffer.from(value), Buffer.from(test.value))));
}
